"""Readings of how much of an account is used: the history, of which the latest of each window counts."""

from __future__ import annotations

from orchestrator_core.models.credit import AccountId, CreditReading
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import split_readable, values_of
from orchestrator_core.store.tables import ReadingRow

CURRENT = """
    SELECT * FROM reading WHERE id IN (SELECT MAX(id) FROM reading GROUP BY account, window)
    AND at >= ? ORDER BY account, window
"""


class Readings:
    """What was told of accounts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, reading: CreditReading) -> None:
        """Store a reading; from now on it is the one that counts of its window."""
        self._db.write(ReadingRow.insert(**values_of(reading)))

    def current(self, since: float = 0.0) -> tuple[CreditReading, ...]:
        """Return the latest of each window of each account, without those that are older than `since`."""
        return self._db.readable(split_readable(CreditReading, self._db.execute(CURRENT, (since,))))

    def history(self, account: AccountId, window: str, since: float) -> tuple[CreditReading, ...]:
        """Return what was told of a window from `since` on, oldest first."""
        is_of = (ReadingRow.account == account) & (ReadingRow.window == window) & (ReadingRow.at >= since)
        return self._db.models(CreditReading, ReadingRow.select().where(is_of).order_by(ReadingRow.id))

    def prune(self, before: float) -> int:
        """Forget what is older than `before`, but never what counts now; return how many that were."""
        newest = "SELECT MAX(id) FROM reading GROUP BY account, window"
        rows = self._db.execute(f"SELECT id FROM reading WHERE at < ? AND id NOT IN ({newest})", (before,))
        return self._db.write(ReadingRow.delete().where(ReadingRow.id << [row["id"] for row in rows])) if rows else 0
