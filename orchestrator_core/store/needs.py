"""What needs the person: kept by the supervisor, read by every front end."""

from __future__ import annotations

from collections.abc import Collection

from peewee import ModelSelect

from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.need import Need
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import values_of
from orchestrator_core.store.tables import MessageRow, NeedRow, NudgeRow, OrchestrationRow


def _active() -> ModelSelect[OrchestrationRow]:
    states = [state.value for state in OrchestrationState if state.is_active]
    return OrchestrationRow.select(OrchestrationRow.id).where(OrchestrationRow.state.in_(states))


class Needs:
    """The needs there are. One that was dismissed is kept, so that it is not raised again, until it ends."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self) -> tuple[Need, ...]:
        """Return the needs of active orchestrations that were not dismissed, oldest first."""
        query = NeedRow.select().where(NeedRow.dismissed_at.is_null() & NeedRow.orchestration.in_(_active()))
        return self._db.models(Need, query.order_by(NeedRow.since, NeedRow.key))

    def all(self) -> tuple[Need, ...]:
        """Return all needs, dismissed ones too."""
        return self._db.models(Need, NeedRow.select().order_by(NeedRow.since, NeedRow.key))

    def unnotified(self) -> tuple[Need, ...]:
        """Return the open needs that nobody was told of, oldest first."""
        is_new = NeedRow.dismissed_at.is_null() & NeedRow.notified_at.is_null()
        query = NeedRow.select().where(is_new & NeedRow.orchestration.in_(_active()))
        return self._db.models(Need, query.order_by(NeedRow.since, NeedRow.key))

    def add(self, need: Need) -> None:
        """Raise a need; nothing is written when its key is known."""
        self._db.write(NeedRow.insert(**values_of(need)).on_conflict_ignore())

    def reword(self, key: str, need: Need) -> None:
        """Tell otherwise what a need is about; since when it is, and who was told of it, stays."""
        values = values_of(need)
        told = {name: values[name] for name in ("key", "detail", "choices", "fingerprint")}
        self._db.write(NeedRow.update(**told).where(NeedRow.key == key))

    def end(self, keys: Collection[str]) -> None:
        """Drop needs that are no more."""
        if keys:
            self._db.write(NeedRow.delete().where(NeedRow.key.in_(list(keys))))

    def dismiss(self, key: str, at: float) -> bool:
        """Let the person see no more of a need; return False when there is no such open one."""
        query = NeedRow.update(dismissed_at=at).where((NeedRow.key == key) & NeedRow.dismissed_at.is_null())
        return self._db.write(query) > 0

    def notified(self, keys: Collection[str], at: float) -> None:
        """Say that the person was told of these needs."""
        if keys:
            self._db.write(NeedRow.update(notified_at=at).where(NeedRow.key.in_(list(keys))))

    def failed_messages(self, after: float) -> tuple[AgentMessage, ...]:
        """Return the messages put in after `after` that were refused or are unconfirmed, without suppressed ones."""
        failed = MessageRow.state.in_([MessageState.REFUSED.value, MessageState.UNCONFIRMED.value])
        is_own = MessageRow.id.not_in(NudgeRow.select(NudgeRow.message))  # the limit itself is the need
        query = MessageRow.select().where(
            failed & is_own & (MessageRow.created_at > after) & (MessageRow.is_duplicate == 0)
        )
        return self._db.models(AgentMessage, query.order_by(MessageRow.id))
