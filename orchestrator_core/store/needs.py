"""What needs the person: kept by the supervisor, read by every front end."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator_core.models.need import Need
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import values_of
from orchestrator_core.store.tables import NeedRow


class Needs:
    """The open needs. A need that was dismissed is kept, so that it is not raised again, until it ends."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self) -> tuple[Need, ...]:
        """Return the needs that were not dismissed, oldest first."""
        query = NeedRow.select().where(NeedRow.dismissed_at.is_null())
        return self._db.models(Need, query.order_by(NeedRow.since, NeedRow.key))

    def keys(self) -> frozenset[str]:
        """Return the keys of all needs, dismissed ones too."""
        return frozenset(str(row["key"]) for row in self._db.rows(NeedRow.select(NeedRow.key)))

    def unnotified(self) -> tuple[Need, ...]:
        """Return the open needs that nobody was told of, oldest first."""
        query = NeedRow.select().where(NeedRow.dismissed_at.is_null() & NeedRow.notified_at.is_null())
        return self._db.models(Need, query.order_by(NeedRow.since, NeedRow.key))

    def add(self, need: Need) -> None:
        """Raise a need; nothing is written when its key is known."""
        with self._db.transaction():
            if need.key not in self.keys():
                self._db.write(NeedRow.insert(**values_of(need)))

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
