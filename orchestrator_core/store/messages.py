"""The outbox: messages only ever move forward, and a claimed one is never queued again once it was typed."""

from __future__ import annotations

from peewee import fn

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.store import queries
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import Row
from orchestrator_core.store.tables import MessageRow

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
        duplicate_limit: int = 0,
        duplicate_window_s: float = 0.0,
    ) -> AgentMessage:
        """Put a message into the outbox and return it as it is stored.

        When the sender has sent the target the same text `duplicate_limit` times (0: no limit) within the window,
        nothing is queued: the first one too many is stored as `refused`, those right after it raise its
        `suppressed` count, and that row is returned.

        Raises:
            NotFoundError: there is no such agent.

        """
        new = queries.NewMessage(
            target=target,
            sender=sender,
            text=text,
            mode=mode,
            kind=kind,
            at=at,
            duplicate_limit=duplicate_limit,
            duplicate_window_s=duplicate_window_s,
        )
        with self._db.transaction():
            return queries.add_message(self._db.execute, new)

    def claim_next(self, target: AgentId, at: float, *, mode: DeliveryMode | None = None) -> AgentMessage | None:
        """Make the oldest queued message of `target` `delivering`, and return it; None when there is none.

        With `mode`, only messages of that mode count. Of two claimers one gets it. A message that cannot be read is
        passed over.
        """
        waiting = (MessageRow.state == QUEUED) & (MessageRow.target == target)
        if mode is not None:
            waiting &= MessageRow.mode == mode
        query = MessageRow.select().where(waiting).order_by(MessageRow.id)
        if not self._db.rows(query.limit(1)):
            return None
        with self._db.transaction():
            readable = self._db.models(AgentMessage, query.limit(1)) or self._db.models(AgentMessage, query)
            if not readable:
                return None
            return self._write(readable[0].id, state=DELIVERING, reason="", claimed_at=at)

    def finish(
        self, message: MessageId, state: MessageState, *, reason: str = "", pane: PaneId | None = None, at: float
    ) -> AgentMessage:
        """Say what became of a message, and return it. Saying the same again changes nothing.

        `pane` is where it was typed, None when it was not or when that is known already. `at` counts as the time of
        the delivery.

        Raises:
            NotFoundError: there is no such message.
            RefusedError: it is in a state from which it cannot come to `state` (code `message-state`).

        """
        with self._db.transaction():
            before = self.get(message)
            if before.state is state:
                return before
            if before.state not in MOVES.get(state, ()):
                raise _no_way(before, state)
            values: Row = {"state": state.value, "reason": reason}
            if pane is not None:
                values["pane"] = pane
            if state is MessageState.DELIVERED:
                values["delivered_at"] = at
            return self._write(message, **values)

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

    def queued_targets(self) -> tuple[AgentId, ...]:
        """Return the agents that queued messages are for, the one that waits longest first."""
        query = (
            MessageRow.select(MessageRow.target)
            .where(MessageRow.state == QUEUED)
            .group_by(MessageRow.target)
            .order_by(fn.MIN(MessageRow.id))
        )
        return tuple(AgentId(str(row["target"])) for row in self._db.rows(query))

    def interrupted(self) -> tuple[AgentMessage, ...]:
        """Return the messages that are claimed and not settled, oldest first."""
        query = MessageRow.select().where(MessageRow.state == DELIVERING).order_by(MessageRow.id)
        return self._db.models(AgentMessage, query)

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
