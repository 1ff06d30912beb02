"""The outbox: messages only ever move forward, and a claimed one is never queued again once it was typed."""

from __future__ import annotations

from collections.abc import Collection

from peewee import fn

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.store import queries
from orchestrator_core.store.admission import NO_LIMITS, Limits, NewMessage
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import Row
from orchestrator_core.store.tables import MessageRow, NudgeRow

QUEUED, DELIVERING = MessageState.QUEUED.value, MessageState.DELIVERING.value
UNCONFIRMED = MessageState.UNCONFIRMED.value
WAITING = (QUEUED, DELIVERING, UNCONFIRMED)
MOVES = {
    MessageState.DELIVERED: (MessageState.DELIVERING, MessageState.UNCONFIRMED),
    MessageState.ACKNOWLEDGED: (MessageState.DELIVERING, MessageState.DELIVERED, MessageState.UNCONFIRMED),
    MessageState.REFUSED: (MessageState.QUEUED, MessageState.DELIVERING),
    MessageState.UNCONFIRMED: (MessageState.DELIVERING,),
}
"""From which states a message may come to each of the final ones."""
SEEN_ON_SCREEN = (MessageState.DELIVERED, MessageState.UNCONFIRMED)


class Messages:
    """The outbox of this state folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        target: AgentId,
        sender: str,
        text: str,
        *,
        mode: DeliveryMode = DeliveryMode.WHEN_IDLE,
        kind: MessageKind = MessageKind.TEXT,
        at: float,
        limits: Limits = NO_LIMITS,
    ) -> AgentMessage:
        """Put a message into the outbox and return it as it is stored.

        Above one of the `limits` nothing is queued: the first one too many is stored as `refused`, those right
        after it raise its `suppressed` count, and that row is returned.

        Raises:
            NotFoundError: there is no such agent.
            RefusedError: see `admission.check`.

        """
        new = NewMessage(target=target, sender=sender, text=text, mode=mode, kind=kind, at=at, limits=limits)
        with self._db.transaction():
            return queries.add_message(self._db.execute, new)

    def next_for(
        self, target: AgentId, *, mode: DeliveryMode | None = None, besides: Collection[str] = ()
    ) -> AgentMessage | None:
        """Return the queued message of `target` whose turn it is; None when there is none.

        The sender that was served longest ago goes first, with the oldest of its messages. With `mode`, only messages
        of that mode count; those whose text is one of `besides` never do. What cannot be read is passed over.
        """
        nudges = NudgeRow.select(NudgeRow.message)  # they have a road of their own
        waiting = (MessageRow.state == QUEUED) & (MessageRow.target == target) & MessageRow.id.not_in(nudges)
        if mode is not None:
            waiting &= MessageRow.mode == mode
        if besides:
            waiting &= MessageRow.text.not_in(list(besides))
        earlier = MessageRow.alias()
        served = earlier.select(fn.COALESCE(fn.MAX(earlier.claimed_at), 0)).where(
            (earlier.target == MessageRow.target) & (earlier.sender == MessageRow.sender)
        )
        query = MessageRow.select().where(waiting).order_by(served, MessageRow.id)
        if not self._db.rows(query.limit(1)):
            return None
        readable = self._db.models(AgentMessage, query.limit(1)) or self._db.models(AgentMessage, query)
        return readable[0] if readable else None

    def claim_next(
        self,
        target: AgentId,
        at: float,
        *,
        mode: DeliveryMode | None = None,
        besides: Collection[str] = (),
        reason: str = "",
    ) -> AgentMessage | None:
        """Make the message whose turn it is `delivering`, and return it; see `next_for`. Of two claimers one gets it.

        `reason` says how it is on its way, when that takes time.
        """
        if self.next_for(target, mode=mode, besides=besides) is None:
            return None
        with self._db.transaction():
            found = self.next_for(target, mode=mode, besides=besides)
            return self._write(found.id, state=DELIVERING, reason=reason, claimed_at=at) if found else None

    def claim(self, message: MessageId, at: float, *, reason: str = "") -> AgentMessage:
        """Make a queued message `delivering` whoever's turn it is, and return it: it travels on a road of its own.

        Raises:
            NotFoundError: there is no such message.
            RefusedError: it is not queued (code `message-state`).

        """
        with self._db.transaction():
            before = self.get(message)
            if before.state is not MessageState.QUEUED:
                raise _no_way(before, MessageState.DELIVERING)
            return self._write(message, state=DELIVERING, reason=reason, claimed_at=at)

    def finish(
        self, message: MessageId, state: MessageState, *, reason: str = "", pane: PaneId | None = None, at: float
    ) -> AgentMessage:
        """Say what became of a message, and return it. Saying the same again changes nothing.

        What the agent has acknowledged stays so, whatever its screen seemed to say. `pane` is where it was typed,
        None when it was not or when that is known already. `at` counts as the time of the delivery, or of the
        acknowledgement.

        Raises:
            NotFoundError: there is no such message.
            RefusedError: it is in a state from which it cannot come to `state` (code `message-state`).

        """
        with self._db.transaction():
            before = self.get(message)
            if before.state is state:
                return before
            typed_in: Row = {} if pane is None else {"pane": pane}
            if before.state is MessageState.ACKNOWLEDGED and state in SEEN_ON_SCREEN:
                return self._write(message, **typed_in) if typed_in else before
            if before.state not in MOVES.get(state, ()):
                raise _no_way(before, state)
            times: Row = {}
            if state is MessageState.ACKNOWLEDGED:
                times["acknowledged_at"] = at
            if state in (MessageState.DELIVERED, MessageState.ACKNOWLEDGED) and before.delivered_at is None:
                times["delivered_at"] = at
            return self._write(message, state=state.value, reason=reason, **typed_in, **times)

    def note(self, message: MessageId, reason: str) -> None:
        """Say why a claimed message is not settled yet; one that is settled is left as it is."""
        claimed = (MessageRow.id == message) & (MessageRow.state == DELIVERING) & (MessageRow.reason != reason)
        if self._db.rows(MessageRow.select(MessageRow.id).where(claimed)):
            self._db.write(MessageRow.update(reason=reason).where(claimed))

    def requeue(self, message: MessageId, reason: str) -> AgentMessage:
        """Put a claimed message back into the queue at its old place, because nothing of it was typed.

        Raises:
            NotFoundError: there is no such message.
            RefusedError: it is not `delivering` (code `message-state`).

        """
        with self._db.transaction():
            before = self.get(message)
            if before.state is not MessageState.DELIVERING:
                raise _no_way(before, MessageState.QUEUED)
            return self._write(message, state=QUEUED, reason=reason, claimed_at=None)

    def hold(self, target: AgentId, reason: str) -> bool:
        """Say why the queued messages of `target` wait, and return whether that is news; else nothing is written."""
        waiting = (MessageRow.state == QUEUED) & (MessageRow.target == target) & (MessageRow.reason != reason)
        if not self._db.rows(MessageRow.select(MessageRow.id).where(waiting).limit(1)):
            return False
        with self._db.transaction():
            return self._db.write(MessageRow.update(reason=reason).where(waiting)) > 0

    def refuse_queued(self, target: AgentId, reason: str) -> int:
        """Refuse all queued messages of `target`, and return how many; what is claimed is left to its claimer."""
        waiting = (MessageRow.state == QUEUED) & (MessageRow.target == target)
        return self._db.write(MessageRow.update(state=MessageState.REFUSED.value, reason=reason).where(waiting))

    def open_targets(self) -> tuple[AgentId, ...]:
        """Return the agents that have messages to get, or some that were claimed and are not settled.

        The one that waits longest goes first. Briefings on their way as an argument do not count.
        """
        is_claimed = (MessageRow.state == DELIVERING) & (MessageRow.kind == MessageKind.TEXT.value)
        query = (
            MessageRow.select(MessageRow.target)
            .where((MessageRow.state == QUEUED) | is_claimed)
            .group_by(MessageRow.target)
            .order_by(fn.MIN(MessageRow.id))
        )
        return tuple(AgentId(str(row["target"])) for row in self._db.rows(query))

    def interrupted(self, target: AgentId | None = None) -> tuple[AgentMessage, ...]:
        """Return the messages that are claimed and not settled, of `target` or of all agents, oldest first."""
        query = MessageRow.select().where(MessageRow.state == DELIVERING).order_by(MessageRow.id)
        return self._db.models(AgentMessage, query if target is None else query.where(MessageRow.target == target))

    def get(self, message: MessageId) -> AgentMessage:
        """Return a message.

        Raises:
            NotFoundError: there is none with that number.

        """
        return queries.message(self._db.execute, message)

    def latest(self, target: AgentId | None = None, limit: int = 50) -> tuple[AgentMessage, ...]:
        """Return the latest messages to `target`, or to all agents, newest first."""
        query = MessageRow.select().order_by(MessageRow.id.desc()).limit(limit)
        if target is not None:
            query = query.where(MessageRow.target == target)
        return self._db.models(AgentMessage, query)

    def between(
        self, agent: AgentId, partner: str = "", *, limit: int = 50, before: int = 0, text: str = ""
    ) -> tuple[AgentMessage, ...]:
        """Return the latest messages to and from `agent`, newest first; with `partner`, only those between the two.

        An empty `agent` means all. `before`: only those with a lower number (0: all); `text`: only those whose text
        or reason holds it, whatever the case of its letters.
        """
        to_it, from_it = MessageRow.target == agent, MessageRow.sender == agent
        if partner:
            to_it, from_it = to_it & (MessageRow.sender == partner), from_it & (MessageRow.target == partner)
        query = MessageRow.select().order_by(MessageRow.id.desc()).limit(limit)
        query = query.where(to_it | from_it) if agent else query
        query = query.where(MessageRow.id < before) if before else query
        if text:
            query = query.where(MessageRow.text.contains(text) | MessageRow.reason.contains(text))
        return self._db.models(AgentMessage, query)

    def last_signs(self, agents: Collection[AgentId]) -> dict[AgentId, float]:
        """Return when each of `agents` last sent a message, or got one; those that never did are left out."""
        got = MessageRow.select(
            MessageRow.target.alias("agent"),
            fn.MAX(fn.COALESCE(MessageRow.acknowledged_at, MessageRow.delivered_at)).alias("at"),
        ).where(MessageRow.target.in_(list(agents)))
        sent = MessageRow.select(MessageRow.sender.alias("agent"), fn.MAX(MessageRow.created_at).alias("at")).where(
            MessageRow.sender.in_(list(agents))
        )
        signs: dict[AgentId, float] = {}
        for row in (*self._db.rows(got.group_by(MessageRow.target)), *self._db.rows(sent.group_by(MessageRow.sender))):
            if isinstance(row["at"], float):
                agent = AgentId(str(row["agent"]))
                signs[agent] = max(signs.get(agent, row["at"]), row["at"])
        return signs

    def waiting_counts(self) -> dict[AgentId, tuple[int, int]]:
        """Return, for each agent with any, how many messages it has not got yet and how many are unconfirmed."""
        query = (
            MessageRow.select(MessageRow.target, MessageRow.state, fn.COUNT(MessageRow.id).alias("number"))
            .where(MessageRow.state.in_(WAITING))
            .group_by(MessageRow.target, MessageRow.state)
        )
        counts: dict[AgentId, tuple[int, int]] = {}
        for row in self._db.rows(query):
            agent, number = AgentId(str(row["target"])), int(row["number"])
            queued, unconfirmed = counts.get(agent, (0, 0))
            is_unconfirmed = row["state"] == UNCONFIRMED
            counts[agent] = (queued, unconfirmed + number) if is_unconfirmed else (queued + number, unconfirmed)
        return counts

    def _write(self, message: MessageId, **values: object) -> AgentMessage:
        self._db.write(MessageRow.update(**values).where(MessageRow.id == message))
        return self.get(message)


def _no_way(message: AgentMessage, state: MessageState) -> RefusedError:
    return RefusedError(
        f"message {message.id} cannot become {state}",
        cause=f"it is {message.state}; a message only moves forward",
        remedy="nothing was changed; send it anew if it is wanted again",
        code="message-state",
    )
