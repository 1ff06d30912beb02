"""Typing one message into one agent's prompt, exactly once.

The order is what keeps the promise: look, claim, paste, *see* the text at the prompt, press Enter, see the prompt
without it or hear the agent say that it has it. The text is pasted once, whatever happens; only Enter is ever
repeated, and only while our text, and nobody else's, is seen to lie there. Neither Escape nor Ctrl-C is part of it,
and nobody's draft is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.screen import ScreenState
from orchestrator_core.errors import NotFoundError, RefusedError, TmuxCommandError, TmuxGoneError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageState
from orchestrator_core.services.envelope import Envelope, Lying, lying, seal
from orchestrator_core.services.holding import why_held
from orchestrator_core.services.sight import Hindrance, Obstacle, Sight, look, obstacle
from orchestrator_core.store import Store
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.text import clean_text

STEP_S = 0.015
SEEN_S = 5.0
"""How long a paste may take to show at the prompt."""
LATE_S = 1.0
"""How long after a crash what was typed before it may take to show, or the agent's word to come."""
TAKEN_S = (1.5, 3.0, 6.0)
"""How long each Enter may take to empty the prompt before it counts as swallowed."""
ACKNOWLEDGED_S = 3.0
"""How long the agent's own word is waited for before the next message goes to its pane."""
NOT_SEEN = "not-seen"
COMPACTING = "PreCompact"
"""The hook by which an agent says that it has taken a command that is no prompt."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a typing stands."""

    state: MessageState
    """`delivering`: it is still open, and is to be looked at again."""
    reason: str = ""


TAKEN = Outcome(state=MessageState.DELIVERED)
ACKNOWLEDGED = Outcome(state=MessageState.ACKNOWLEDGED)


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
        self._has_hooks = driver.has_hooks and not agent.is_adopted
        self.obstacle: Obstacle | None = None
        """What stood in the way when `next` was last called."""

    async def next(self) -> AgentMessage | None:
        """Deliver the next message that may be typed now, and return it; None when there is none.

        What stands in the way is written to the messages that wait.

        Raises:
            TmuxGoneError: the tmux server is not there; nothing was typed.
            TimedOutError: it does not answer; a message that was claimed is to be settled by `settle`.

        """
        sight = await look(self._gateway, self._agent, self._driver)
        self.obstacle = obstacle(sight, DeliveryMode.WHEN_IDLE, self._agent.status)
        message = None
        if held := why_held(self._store, self._agent.id):
            self._store.messages.hold(self._agent.id, held)
        elif self.obstacle is None:
            message = self._store.messages.claim_next(self._agent.id, self._clock())
        elif self.obstacle.is_limit and sight is not None:
            message = self._claim_nudge(sight)
            self._store.messages.hold(self._agent.id, self.obstacle.reason)
        elif obstacle(sight, DeliveryMode.NOW, self._agent.status) is None:
            message = self._store.messages.claim_next(
                self._agent.id, self._clock(), mode=DeliveryMode.NOW, besides=self._driver.commands
            )
            self._store.messages.hold(self._agent.id, self.obstacle.reason)
        else:
            self._set_aside(self.obstacle)
        if message is None or sight is None:
            return None
        return await self._type(message, sight)

    def _claim_nudge(self, sight: Sight) -> AgentMessage | None:
        """Claim what tells the agent to go on after its limit, if its prompt is free for it."""
        nudge = self._store.continuations.waiting_nudge(self._agent.id)
        is_free = sight.reading.has_prompt and not sight.reading.draft
        return self._store.messages.claim(nudge, self._clock()) if nudge is not None and is_free else None

    async def hindrance(self) -> Obstacle | None:
        """Return what stands in the way of typing to the agent while it is idle, or None."""
        return obstacle(
            await look(self._gateway, self._agent, self._driver), DeliveryMode.WHEN_IDLE, self._agent.status
        )

    def _set_aside(self, hindrance: Obstacle) -> None:
        if hindrance.hindrance is Hindrance.WAIT:
            self._store.messages.hold(self._agent.id, hindrance.reason)
            return
        while refused := self._store.messages.claim_next(self._agent.id, self._clock()):
            self._finish(refused, Outcome(state=MessageState.REFUSED, reason=hindrance.reason))

    async def _type(self, message: AgentMessage, sight: Sight) -> AgentMessage | None:
        envelope = self._seal(message)
        began = self._clock()
        try:
            if sight.frame.in_mode:
                await self._gateway.leave_mode(sight.frame.pane)
            await self._gateway.paste(sight.frame.pane, *envelope.parts, agent=self._agent.id)
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError) as error:
            self._store.messages.requeue(message.id, error.title)
            return None
        try:
            outcome = await self._submit(message, envelope, began)
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError) as error:
            outcome = _unconfirmed(f"typed, then lost sight of it: {error.title}")
        done = self._finish(message, outcome)
        await self._hear_of(done, envelope)
        return done if done.state.is_final else None

    async def settle(self, message: AgentMessage) -> bool:
        """Find out what became of a message that was claimed, and return whether that is over.

        It may have been typed by a supervisor that was killed, or lie at the prompt behind a dialog. It is never
        pasted again.

        Raises:
            TimedOutError: tmux does not answer.

        """
        envelope = self._seal(message)
        try:
            outcome = await self._submit(message, envelope, None)
        except (TmuxGoneError, NotFoundError, RefusedError, TmuxCommandError) as error:
            outcome = _unconfirmed(f"it was being typed, then lost sight of: {error.title}")
        return self._finish(message, outcome).state.is_final

    async def _submit(self, message: AgentMessage, envelope: Envelope, began: float | None) -> Outcome:
        """Press Enter as often as it is swallowed, until the prompt has taken what was pasted.

        `began` is when we pasted it; None when somebody else did: then an empty prompt proves nothing.
        """
        sight = await self._until(
            lambda sight: self._lies(sight, envelope) is not Lying.PART and self._is_visible(sight, message, envelope),
            LATE_S if began is None else SEEN_S,
        )
        for patience in TAKEN_S:
            outcome = self._standing(sight, message, envelope, began)
            if outcome is not None or sight is None:
                return outcome or _unconfirmed("it was being typed when its program ended")
            was_taken = partial(self._was_taken, message, envelope, sight)
            if await self._enter(sight, message, envelope):
                sight = await self._until(was_taken, patience)
            else:
                sight = await look(self._gateway, self._agent, self._driver)
            if sight is not None and was_taken(sight):
                return self._taken(message, envelope, began)
        return _unconfirmed("it lies at the prompt, and Enter does not send it")

    async def _enter(self, sight: Sight, message: AgentMessage, envelope: Envelope) -> bool:
        """Press Enter if the text still lies there as tmux does it: a dialog may have opened since we looked."""
        if sight.frame.in_mode:
            await self._gateway.leave_mode(sight.frame.pane)
        seeing = envelope.prompt if envelope.is_command else f"tmorch {message.id} "
        is_in_sight = envelope.is_command or envelope.is_in(sight.reading.draft)
        try:
            await self._gateway.press(
                sight.frame.pane, "Enter", agent=self._agent.id, seeing=seeing if is_in_sight else ""
            )
        except RefusedError as refused:
            if refused.code != NOT_SEEN:
                raise
            return False
        return True

    def _standing(
        self, sight: Sight | None, message: AgentMessage, envelope: Envelope, began: float | None
    ) -> Outcome | None:
        """Return how it stands, or None when our text, and nothing else, lies at the prompt for an Enter."""
        if self._is_acknowledged(message):
            return ACKNOWLEDGED
        if sight is None or not sight.is_agent:
            return _unconfirmed("it was being typed when its program ended")
        if sight.reading.state is ScreenState.DIALOG:
            return _open(f"it is typed, and a dialog is open over it: {sight.reading.dialog}")
        if envelope.is_in(sight.reading.last_prompt):
            return TAKEN
        return self._by_place(sight, message, envelope, is_fresh=began is not None)

    def _by_place(self, sight: Sight, message: AgentMessage, envelope: Envelope, *, is_fresh: bool) -> Outcome | None:
        """Do as `_standing` does, by what lies at the prompt; `is_fresh`: we pasted it, and saw the prompt empty."""
        place = self._lies(sight, envelope)
        if place is Lying.MIXED:
            return _open("it lies at the prompt, and somebody types there")
        if place is Lying.WHOLE and not envelope.is_command:
            return None
        if place is not Lying.NOTHING and is_fresh:
            return None
        if place is not Lying.NOTHING:
            return _unconfirmed("the supervisor stopped while it was being typed; some of it lies at the prompt")
        if not sight.reading.has_prompt:
            return _open("it is typed, and its prompt is not on the screen")
        if is_fresh or message.reason:  # it was seen before: the reason is why it was left open
            return _unconfirmed("it was pasted, and shows neither at the prompt nor as taken")
        return _unconfirmed("the supervisor stopped while it was being typed")

    def _is_visible(self, sight: Sight, message: AgentMessage, envelope: Envelope) -> bool:
        """Whether something can be said of it: it is at the prompt, behind a dialog, or taken."""
        return (
            sight.reading.state is ScreenState.DIALOG
            or self._lies(sight, envelope) is not Lying.NOTHING
            or envelope.is_in(sight.reading.last_prompt)
            or self._is_acknowledged(message)
        )

    def _lies(self, sight: Sight, envelope: Envelope) -> Lying:
        reading = sight.reading
        return lying(reading.draft, envelope, self._driver.patterns.box.pasted) if reading.has_prompt else Lying.NOTHING

    def _was_taken(self, message: AgentMessage, envelope: Envelope, before: Sight, sight: Sight) -> bool:
        """Whether the prompt that held the text is empty after our Enter, or the agent says that it has it.

        A prompt that was emptied while the transcript stayed as it was `before` was emptied by somebody else.
        """
        is_empty = sight.reading.has_prompt and not sight.reading.draft
        if is_empty and not envelope.is_command and before.reading.last_prompt:
            is_empty = _transcript(sight) != _transcript(before)
        return is_empty or envelope.is_in(sight.reading.last_prompt) or self._is_acknowledged(message)

    def _is_acknowledged(self, message: AgentMessage) -> bool:
        return self._has_hooks and self._store.messages.get(message.id).state is MessageState.ACKNOWLEDGED

    def _taken(self, message: AgentMessage, envelope: Envelope, began: float | None) -> Outcome:
        fact = self._store.hook_facts.of(self._agent.id) if envelope.is_command and self._has_hooks else None
        is_said = fact is not None and began is not None and fact.event == COMPACTING and fact.at >= began
        return ACKNOWLEDGED if is_said or self._is_acknowledged(message) else TAKEN

    async def _hear_of(self, message: AgentMessage, envelope: Envelope) -> None:
        """Wait a little until the agent says that it has the message: texts pasted before that may fuse into one."""
        if message.state is not MessageState.DELIVERED or not self._has_hooks or envelope.is_command:
            return
        if self._store.hook_facts.of(self._agent.id) is None:  # the person has switched hooks off
            return
        clock = asyncio.get_running_loop().time
        deadline = clock() + ACKNOWLEDGED_S
        while clock() < deadline:
            if self._is_acknowledged(message):
                return
            await asyncio.sleep(STEP_S)

    async def _until(self, check: Callable[[Sight], bool], seconds: float) -> Sight | None:
        """Look until `check` holds or time is up, and return what was seen last; None when the agent is gone."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while True:
            sight = await look(self._gateway, self._agent, self._driver)
            waited = clock() - began
            if sight is None or not sight.is_agent or check(sight) or waited > seconds:
                return sight
            await asyncio.sleep(min(0.5, max(STEP_S, waited / 10)))

    def _seal(self, message: AgentMessage) -> Envelope:
        return seal(message, clean_text(message.text), self._driver.commands)

    def _finish(self, message: AgentMessage, outcome: Outcome) -> AgentMessage:
        if outcome.state is MessageState.DELIVERING:
            self._store.messages.note(message.id, outcome.reason)
            return self._store.messages.get(message.id)
        with self._store.transaction():
            before = self._store.messages.get(message.id)
            done = self._store.messages.finish(
                message.id, outcome.state, reason=outcome.reason, pane=self._agent.pane, at=self._clock()
            )
            if before.state is not done.state:  # else the agent's own word is in the log already
                tell(self._store, self._agent, done, self._clock())
        return done


def _transcript(sight: Sight) -> tuple[object, ...]:
    reading = sight.reading
    return reading.state, reading.last_prompt, reading.queued, reading.doing, reading.turn_ended


def tell(store: Store, agent: Agent, message: AgentMessage, at: float) -> None:
    """Write into the log what became of a message."""
    why = f": {message.reason}" if message.reason else ""
    store.events.add(
        f"message.{message.state}",
        f"{message.id} from {message.sender} to {message.target} {message.state}{why}",
        at=at,
        orchestration=agent.orchestration,
        agent=agent.id,
    )


def _unconfirmed(reason: str) -> Outcome:
    return Outcome(state=MessageState.UNCONFIRMED, reason=reason)


def _open(reason: str) -> Outcome:
    return Outcome(state=MessageState.DELIVERING, reason=reason)
