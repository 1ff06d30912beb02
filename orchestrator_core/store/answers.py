"""The person's answers to dialogs, from whoever gives them to the supervisor, who alone presses keys."""

from __future__ import annotations

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Answer, AnswerState
from orchestrator_core.store.database import Database
from orchestrator_core.store.tables import AnswerRow

PENDING, GIVING = AnswerState.PENDING.value, AnswerState.GIVING.value
UNCONFIRMED = AnswerState.UNCONFIRMED.value


class Answers:
    """They only move forward; one that was begun is never begun again."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, agent: AgentId, choice: str, *, fingerprint: str = "", at: float) -> Answer:
        """Put an answer in and return it.

        Raises:
            StoreError: the agent is not stored.

        """
        values = {"agent": agent, "fingerprint": fingerprint, "choice": choice, "created_at": at}
        return self.get(self._db.write(AnswerRow.insert(**values, state=PENDING, reason="")))

    def get(self, answer: int) -> Answer:
        """Return an answer.

        Raises:
            NotFoundError: there is none with that number.

        """
        found = self._db.models(Answer, AnswerRow.select().where(AnswerRow.id == answer))
        if not found:
            raise NotFoundError(f"there is no answer {answer}", cause="no answer with that number was ever given")
        return found[0]

    def pending_agents(self) -> tuple[AgentId, ...]:
        """Return the agents that answers wait for, the one that waits longest first."""
        query = AnswerRow.select().where(AnswerRow.state == PENDING).order_by(AnswerRow.id)
        return tuple(dict.fromkeys(answer.agent for answer in self._db.models(Answer, query)))

    def claim(self, agent: AgentId) -> Answer | None:
        """Make the oldest pending answer for `agent` `giving`, and return it; None when there is none."""
        query = AnswerRow.select().where((AnswerRow.state == PENDING) & (AnswerRow.agent == agent))
        with self._db.transaction():
            found = self._db.models(Answer, query.order_by(AnswerRow.id).limit(1))
            if not found:
                return None
            self._db.write(AnswerRow.update(state=GIVING).where(AnswerRow.id == found[0].id))
            return self.get(found[0].id)

    def is_unsettled(self, agent: AgentId, fingerprint: str, since: float) -> bool:
        """Whether an answer to that dialog, put in after `since`, may have gone out and was not seen to arrive."""
        of_it = (AnswerRow.agent == agent) & AnswerRow.fingerprint.in_([fingerprint, ""])
        query = AnswerRow.select(AnswerRow.id).where(of_it & (AnswerRow.state == UNCONFIRMED))
        return bool(self._db.rows(query.where(AnswerRow.created_at >= since).limit(1)))

    def interrupted(self) -> tuple[Answer, ...]:
        """Return the answers that were begun and not settled: a crash came between."""
        return self._db.models(Answer, AnswerRow.select().where(AnswerRow.state == GIVING).order_by(AnswerRow.id))

    def finish(self, answer: int, state: AnswerState, reason: str = "") -> Answer:
        """Say what became of an answer, and return it.

        Raises:
            NotFoundError: there is no such answer.
            RefusedError: it is settled already (code `answer-state`).

        """
        with self._db.transaction():
            before = self.get(answer)
            if before.state.is_final:
                raise RefusedError(f"answer {answer} is {before.state} already", code="answer-state")
            self._db.write(AnswerRow.update(state=state.value, reason=reason).where(AnswerRow.id == answer))
            return self.get(answer)
