"""What a start has made so far, so that it can be taken back by whoever finds it unfinished."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import split_readable
from orchestrator_core.store.tables import JournalRow

OPEN_OF_KIND = "SELECT id, orchestration, kind, payload FROM journal WHERE is_open = 1 AND kind = ? ORDER BY id"
"""Asked for every few seconds."""


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One thing that was made, with what is needed to unmake it."""

    id: int
    orchestration: OrchestrationId
    kind: str
    payload: dict[str, str]


class Journal:
    """Entries are recorded before or right after a thing is made, and closed when it is undone or there to stay."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, orchestration: OrchestrationId, kind: str, payload: dict[str, str]) -> int:
        """Add an open entry and return its id.

        Raises:
            StoreError: the orchestration is not stored.

        """
        text = msgspec.json.encode(payload).decode()
        return self._db.write(JournalRow.insert(orchestration=orchestration, kind=kind, payload=text, is_open=True))

    def open(self, orchestration: OrchestrationId) -> tuple[JournalEntry, ...]:
        """Return the open entries of an orchestration, newest first: the order to undo them in."""
        query = (
            JournalRow.select()
            .where((JournalRow.orchestration == orchestration) & JournalRow.is_open)
            .order_by(JournalRow.id.desc())
        )
        return self._db.models(JournalEntry, query)

    def open_of_kind(self, kind: str) -> tuple[JournalEntry, ...]:
        """Return the open entries of one kind, of all orchestrations, oldest first. Cheap when there are none."""
        return self._db.readable(split_readable(JournalEntry, self._db.execute(OPEN_OF_KIND, (kind,))))

    def close(self, entry: int) -> None:
        """Close an entry; closing it twice is harmless."""
        self._db.write(JournalRow.update(is_open=False).where(JournalRow.id == entry))
