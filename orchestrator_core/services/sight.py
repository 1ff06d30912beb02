"""Looking at one agent right now, and what stands in the way of typing to it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.status import is_agent_process
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
    if not sight.is_agent and status is AgentStatus.STARTING:
        return Obstacle(reason="it is starting")
    if not sight.is_agent:
        return Obstacle(
            reason=f"not an agent: {sight.frame.command or 'another program'} is in front in its pane",
            hindrance=Hindrance.REFUSE,
        )
    return _screen_obstacle(sight.reading, mode)


def _screen_obstacle(reading: Reading, mode: DeliveryMode) -> Obstacle | None:
    if not reading.readable:
        return Obstacle(
            reason="its prompt cannot be recognised: set `screen` or `prompt_pattern` for this kind of agent",
            hindrance=Hindrance.REFUSE,
        )
    if reading.state is ScreenState.DIALOG:
        return Obstacle(reason=f"a dialog is open: {reading.dialog}")
    if reading.state is ScreenState.LIMIT:
        return Obstacle(reason="it waits for a usage limit")
    if not reading.has_prompt:
        return Obstacle(reason="its prompt is not on its screen")
    if reading.draft:
        return Obstacle(reason="a draft is at its prompt")
    if reading.state is ScreenState.BUSY and mode is DeliveryMode.WHEN_IDLE:
        return Obstacle(reason="it is working")
    return None
