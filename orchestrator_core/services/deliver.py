"""Typing one message into one agent's prompt, exactly once.

The order is what keeps the promise: look, claim, paste, *see* the text at the prompt, press Enter, see the prompt
without it. The text is pasted once, whatever happens; only Enter is ever repeated, and only while the text is
seen to lie there. Neither Escape nor Ctrl-C is part of it, and nobody's draft is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.errors import NotFoundError, RefusedError, TimedOutError, TmuxCommandError, TmuxGoneError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageState
from orchestrator_core.services.envelope import Envelope, seal
from orchestrator_core.services.sight import Hindrance, Obstacle, Sight, look, obstacle
from orchestrator_core.store import Store
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.text import clean_text

STEP_S = 0.015
SEEN_S = 5.0
"""How long a paste may take to show at the prompt."""
TAKEN_S = 1.5
"""How long an Enter may take to empty the prompt before it counts as swallowed."""
ENTERS = 4
DIALOG_S = 3600.0
"""How long our text may lie behind a dialog that opened over it."""
TAIL = 24
"""How many characters of a text's end tell it from a person's draft, when its beginning is out of sight."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a typing ended."""

    state: MessageState
    reason: str = ""


class Delivery:
    """Types messages to one agent. One at a time per pane: the caller sees to that."""

    def __init__(
        self, store: Store, gateway: TmuxGateway, agent: Agent, driver: Driver, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._agent = agent
        self._driver = driver
        self._clock = clock

    async def next(self) -> AgentMessage | None:
        """Deliver the next message that may be typed now, and return it; None when there is none.

        What stands in the way is written to the messages that wait.

        Raises:
            TmuxGoneError: the tmux server is not there; nothing was typed.

        """
        sight = await look(self._gateway, self._agent, self._driver)
        hindrance = obstacle(sight, DeliveryMode.WHEN_IDLE, self._agent.status)
        if hindrance is None:
            message = self._store.messages.claim_next(self._agent.id, self._clock())
        elif obstacle(sight, DeliveryMode.NOW, self._agent.status) is None:
            message = self._store.messages.claim_next(self._agent.id, self._clock(), mode=DeliveryMode.NOW)
            self._store.messages.hold(self._agent.id, hindrance.reason)
        else:
            self._set_aside(hindrance)
            return None
        if message is None or sight is None:
            return None
        return await self._type(message, sight)

    def _set_aside(self, hindrance: Obstacle) -> None:
        if hindrance.hindrance is Hindrance.WAIT:
            self._store.messages.hold(self._agent.id, hindrance.reason)
            return
        while refused := self._store.messages.claim_next(self._agent.id, self._clock()):
            self._finish(refused, Outcome(state=MessageState.REFUSED, reason=hindrance.reason))

    async def _type(self, message: AgentMessage, sight: Sight) -> AgentMessage:
        envelope = seal(message, clean_text(message.text))
        try:
            if sight.frame.in_mode:
                await self._gateway.leave_mode(sight.frame.pane)
            await self._gateway.paste(sight.frame.pane, envelope.parts[0], agent=self._agent.id)
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError) as error:
            return self._store.messages.requeue(message.id, error.title)
        return self._finish(message, await self._submit(envelope, sight))

    async def _submit(self, envelope: Envelope, sight: Sight) -> Outcome:
        """Paste what is left and press Enter until the prompt has taken it. The first part is pasted already."""
        try:
            for part in envelope.parts[1:]:
                await self._gateway.paste(sight.frame.pane, part, agent=self._agent.id)
            return await self.enter(envelope)
        except TimedOutError as error:
            return Outcome(state=MessageState.UNCONFIRMED, reason=f"typed, then tmux did not answer: {error.title}")
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError) as error:
            return Outcome(state=MessageState.UNCONFIRMED, reason=f"typed, then lost sight of it: {error.title}")

    async def enter(self, envelope: Envelope) -> Outcome:
        """Submit the text that was pasted already, as often as its Enter is swallowed."""
        whole = await self._until(lambda sight: _lies_whole(sight.reading, envelope), SEEN_S)
        if whole is None and not await self._until(lambda sight: _lies_there(sight, envelope), 0):
            return Outcome(state=MessageState.UNCONFIRMED, reason="pasted, but it never showed at the prompt")
        for _ in range(ENTERS):
            sight = await self._until(lambda sight: _lies_there(sight, envelope), DIALOG_S)
            if sight is None:
                break
            await self._gateway.press(sight.frame.pane, "Enter", agent=self._agent.id)
            if await self._until(lambda sight: _was_taken(sight, envelope), TAKEN_S):
                return Outcome(state=MessageState.DELIVERED)
        return Outcome(state=MessageState.UNCONFIRMED, reason="it lies at the prompt, and Enter does not send it")

    async def _until(self, check: Callable[[Sight], bool], seconds: float) -> Sight | None:
        """Look until `check` holds, and return what was seen; None when time is up or the agent is gone."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            sight = await look(self._gateway, self._agent, self._driver)
            if sight is None or not sight.is_agent:
                return None
            if check(sight):
                return sight
            now = asyncio.get_running_loop().time()
            if now > deadline:
                return None
            waited = now - (deadline - seconds)
            await asyncio.sleep(min(0.5, max(STEP_S, waited / 10)))

    def _finish(self, message: AgentMessage, outcome: Outcome) -> AgentMessage:
        with self._store.transaction():
            done = self._store.messages.finish(
                message.id, outcome.state, reason=outcome.reason, pane=self._agent.pane, at=self._clock()
            )
            why = f": {outcome.reason}" if outcome.reason else ""
            self._store.events.add(
                f"message.{outcome.state}",
                f"{message.id} from {message.sender} to {message.target} {outcome.state}{why}",
                at=self._clock(),
                orchestration=self._agent.orchestration,
                agent=self._agent.id,
            )
        return done

    async def recover(self, message: AgentMessage) -> None:
        """Find out what became of a message whose typing a crash cut short. It is never pasted again."""
        envelope = seal(message, clean_text(message.text))
        sight = await look(self._gateway, self._agent, self._driver)
        if sight is not None and sight.is_agent and _was_taken(sight, envelope, afresh=True):
            outcome = Outcome(state=MessageState.DELIVERED)
        elif sight is not None and sight.is_agent and _lies_whole(sight.reading, envelope):
            outcome = await self.enter(envelope)
        else:
            outcome = Outcome(state=MessageState.UNCONFIRMED, reason="the supervisor stopped while it was being typed")
        self._finish(message, outcome)


def _lies_there(sight: Sight, envelope: Envelope) -> bool:
    """Whether the text is at the prompt and Enter would go to it, not to a dialog."""
    return sight.reading.state is not ScreenState.DIALOG and _holds(sight.reading, envelope)


def _holds(reading: Reading, envelope: Envelope) -> bool:
    """Whether what is at the prompt is ours, as far as it can be seen."""
    return _squeeze(envelope.mark) in _squeeze(reading.draft) or _lies_whole(reading, envelope)


def _lies_whole(reading: Reading, envelope: Envelope) -> bool:
    """Whether all of it is at the prompt: its end is to be seen, or the fold that stands for it."""
    if not reading.has_prompt or not reading.draft:
        return False
    return reading.pasted or _squeeze(reading.draft).endswith(_squeeze(envelope.parts[-1])[-TAIL:])


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _was_taken(sight: Sight, envelope: Envelope, *, afresh: bool = False) -> bool:
    """Whether the prompt took the text: it is in the transcript, or the prompt that held it is empty.

    `afresh`: nobody saw it at the prompt before, so an empty prompt proves nothing.
    """
    if envelope.mark.strip() in sight.reading.last_prompt:
        return True
    if afresh:
        return False
    return sight.reading.has_prompt and not sight.reading.draft
