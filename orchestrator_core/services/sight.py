"""Looking at one agent right now, and what stands in the way of typing to it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.status import SHELLS, is_agent_process
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.message import DeliveryMode
from orchestrator_core.models.pane import PaneFrame
from orchestrator_core.tmux.gateway import TmuxGateway


class Sight(Struct, frozen=True, kw_only=True):
    """An agent's screen, and whether its program is the one in front."""

    frame: PaneFrame
    reading: Reading
    is_agent: bool


class Hindrance(StrEnum):
    """What to do with a message that cannot be typed now."""

    WAIT = "wait"
    REFUSE = "refuse"


class Obstacle(Struct, frozen=True, kw_only=True):
    """Why a message cannot be typed now, in the person's words."""

    reason: str
    hindrance: Hindrance = Hindrance.WAIT
    may_hand_over: bool = False
    """The agent works, and its prompt cannot be typed into: it may be handed the message at the end of its turn."""
    is_limit: bool = False
    """A usage limit holds the agent: only what tells it to go on afterwards may be typed."""


async def look(gateway: TmuxGateway, agent: Agent, driver: Driver) -> Sight | None:
    """Return what the agent's pane shows now; None when there is no such pane.

    Raises:
        TmuxGoneError: the tmux server is not there.

    """
    if agent.pane is None:
        return None
    try:
        frame = await gateway.capture(agent.pane)
    except NotFoundError:
        return None
    return Sight(
        frame=frame,
        reading=read_screen(frame, driver.patterns),
        is_agent=not frame.dead and is_agent_process(frame.command, frame.pid, agent, driver),
    )


def obstacle(sight: Sight | None, mode: DeliveryMode, status: AgentStatus) -> Obstacle | None:
    """Return what stands in the way of typing a message with `mode`, or None when the prompt is free.

    `status` is what is known of the agent: while it starts, the shell that becomes it may be in front.
    """
    if sight is None:
        return Obstacle(reason="its pane is gone")
    if sight.frame.dead:
        return Obstacle(reason="its program has ended")
    if not sight.is_agent:
        return _stranger(sight.frame.command, status)
    return _screen_obstacle(sight.reading, mode, status)


def _stranger(command: str, status: AgentStatus) -> Obstacle:
    """Say what is in front instead of the agent: a shell would run what is typed, anything else may go away again."""
    if status is AgentStatus.STARTING:
        return Obstacle(reason="it is starting")
    name = PurePath(command).name.removeprefix("-")
    is_shell = name in SHELLS
    return Obstacle(
        reason=f"not an agent: {name or 'another program'} is in front in its pane",
        hindrance=Hindrance.REFUSE if is_shell else Hindrance.WAIT,
    )


def _screen_obstacle(reading: Reading, mode: DeliveryMode, status: AgentStatus) -> Obstacle | None:
    is_working = status is AgentStatus.WORKING
    if not reading.readable:
        return Obstacle(
            reason="its prompt cannot be recognised: set `screen` or `prompt_pattern` for this kind of agent",
            hindrance=Hindrance.REFUSE,
        )
    if reading.state is ScreenState.DIALOG:
        return Obstacle(reason=f"a dialog is open: {reading.dialog}")
    if reading.state is ScreenState.LIMIT or (status is AgentStatus.LIMITED and reading.state is ScreenState.READY):
        return Obstacle(reason="it waits for a usage limit", is_limit=True)
    if not reading.has_prompt:
        return Obstacle(reason="its prompt is not on its screen", may_hand_over=is_working)
    if reading.draft:
        is_busy = is_working and reading.state is ScreenState.BUSY
        return Obstacle(reason="a draft is at its prompt", may_hand_over=is_busy)
    if reading.state is ScreenState.NONE:
        return Obstacle(reason="its screen does not tell whether it works")
    if reading.state is ScreenState.BUSY and mode is DeliveryMode.WHEN_IDLE:
        return Obstacle(reason="it is working")
    return None
