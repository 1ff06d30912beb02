"""Ways out of usage limits, and the messages by which agents were told to go on after one.

Such a message is typed at a limit only, and by nobody's turn: it is a nudge as long as its row is here.
"""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.credit import Continuation, ContinuationState
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.store.database import Database
from orchestrator_core.store.messages import Messages
from orchestrator_core.store.rows import values_of
from orchestrator_core.store.tables import ContinuationRow, NudgeRow

WAITING = """
    SELECT message.id AS id FROM nudge JOIN message ON message.id = nudge.message
    WHERE message.target = ? AND message.state = 'queued' ORDER BY message.id LIMIT 1
"""
UNSETTLED = """
    SELECT message.id AS id, message.target AS target FROM nudge JOIN message ON message.id = nudge.message
    WHERE message.state IN ('queued', 'delivering') ORDER BY message.id
"""


class Continuations:
    """The ways out of limits, of which an account has one at a time."""

    def __init__(self, database: Database, messages: Messages) -> None:
        self._db = database
        self._messages = messages

    def begin(self, continuation: Continuation) -> Continuation | None:
        """Store a new one and return it with its number; None when the account has an open one."""
        with self._db.transaction():
            if any(found.account == continuation.account for found in self.open()):
                return None
            values = {name: value for name, value in values_of(continuation).items() if name != "id"}
            return replace(continuation, id=self._db.write(ContinuationRow.insert(**values)))

    def update(self, continuation: Continuation) -> None:
        """Store how one stands now."""
        values = {name: value for name, value in values_of(continuation).items() if name != "id"}
        self._db.write(ContinuationRow.update(**values).where(ContinuationRow.id == continuation.id))

    def open(self) -> tuple[Continuation, ...]:
        """Return those that are not over, oldest first."""
        is_open = ContinuationRow.state != ContinuationState.OVER.value
        return self._db.models(Continuation, ContinuationRow.select().where(is_open).order_by(ContinuationRow.id))

    def since(self, moment: float) -> tuple[Continuation, ...]:
        """Return all that were begun at `moment` or later, oldest first."""
        is_since = ContinuationRow.created_at >= moment
        return self._db.models(Continuation, ContinuationRow.select().where(is_since).order_by(ContinuationRow.id))

    def nudge(self, continuation: Continuation, agent: AgentId, text: str, at: float) -> AgentMessage:
        """Put the message into the outbox by which an agent is told to go on, once in each attempt.

        Raises:
            StoreError: it was told so in this attempt.

        """
        with self._db.transaction():
            message = self._messages.add(agent, TMORCH, text, at=at)
            row = {"continuation": continuation.id, "agent": agent, "attempt": continuation.attempts}
            self._db.write(NudgeRow.insert(**row, message=message.id, at=at))
        return message

    def nudged(self, continuation: Continuation) -> frozenset[AgentId]:
        """Return whom this attempt has told to go on."""
        is_of = (NudgeRow.continuation == continuation.id) & (NudgeRow.attempt == continuation.attempts)
        return frozenset(AgentId(row["agent"]) for row in self._db.rows(NudgeRow.select().where(is_of)))

    def waiting_nudge(self, agent: AgentId) -> MessageId | None:
        """Return the message that tells an agent to go on and has not been typed yet; None when there is none."""
        rows = self._db.execute(WAITING, (agent,))
        return MessageId(rows[0]["id"]) if rows else None

    def unsettled(self) -> dict[AgentId, MessageId]:
        """Return the agents with such a message on its way."""
        return {AgentId(row["target"]): MessageId(row["id"]) for row in self._db.execute(UNSETTLED)}

    def withdraw(self, agent: AgentId, reason: str, at: float) -> None:
        """Take back the message of an agent that goes on by itself, if it has not been typed."""
        if (message := self.waiting_nudge(agent)) is not None:
            self._messages.finish(message, MessageState.REFUSED, reason=reason, at=at)
