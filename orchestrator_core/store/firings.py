"""What came of check-ins when they were due. A due time has one firing, whoever fires."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator_core.models.check_in import Firing
from orchestrator_core.models.ids import AgentId, CheckInId, FiringId
from orchestrator_core.models.message import MessageState
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import model_of, split_readable, values_of
from orchestrator_core.store.tables import FiringRow

READ_ONLY = ("id", "receipt", "receipt_reason")
SELECT = """
    SELECT firing.*, message.state AS receipt, COALESCE(message.reason, '') AS receipt_reason
    FROM firing LEFT JOIN message ON message.id = firing.message
"""
WAITING = f"""
    SELECT 1 FROM firing JOIN message ON message.id = firing.message
    WHERE firing.check_in = ? AND message.state IN ('{MessageState.QUEUED}', '{MessageState.DELIVERING}') LIMIT 1
"""
KNOWN = "SELECT 1 FROM firing WHERE check_in = ? AND due_at = ?"
LAST_SENT = "SELECT MAX(fired_at) AS at FROM firing WHERE target = ? AND outcome = 'sent'"
LAST = "SELECT COALESCE(MAX(id), 0) AS id FROM firing"


class Firings:
    """The firings of this state folder."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, firing: Firing) -> Firing | None:
        """Store a firing and return it with its number; None when that due time has one already."""
        values = {name: value for name, value in values_of(firing).items() if name not in READ_ONLY}
        with self._db.transaction():
            if self.has(firing.check_in, firing.due_at):
                return None
            number = self._db.write(FiringRow.insert(**values))
            return self.get(FiringId(number))

    def get(self, firing: FiringId) -> Firing:
        """Return a firing that there is."""
        return model_of(Firing, self._db.execute(f"{SELECT} WHERE firing.id = ?", (firing,))[0])

    def has(self, check_in: CheckInId, due_at: float) -> bool:
        """Whether that due time has a firing."""
        return bool(self._db.execute(KNOWN, (check_in, due_at)))

    def between(self, start: float, end: float) -> tuple[Firing, ...]:
        """Return what fired from `start` to `end`, oldest first."""
        sql = f"{SELECT} WHERE firing.fired_at >= ? AND firing.fired_at <= ? ORDER BY firing.fired_at, firing.id"
        return self._db.readable(split_readable(Firing, self._db.execute(sql, (start, end))))

    def latest(self, check_ins: Collection[CheckInId]) -> dict[CheckInId, Firing]:
        """Return the last firing of each of these check-ins that has any."""
        marks = ",".join("?" * len(check_ins))
        sql = f"{SELECT} WHERE firing.id IN (SELECT MAX(id) FROM firing WHERE check_in IN ({marks}) GROUP BY check_in)"
        found = self._db.readable(split_readable(Firing, self._db.execute(sql, tuple(check_ins))))
        return {firing.check_in: firing for firing in found}

    def is_waiting(self, check_in: CheckInId) -> bool:
        """Whether a message of this check-in has not got to its agent yet."""
        return bool(self._db.execute(WAITING, (check_in,)))

    def last_sent(self, target: AgentId) -> float | None:
        """Return when a check-in last fired for `target` and was not skipped; None when none ever has."""
        at = self._db.execute(LAST_SENT, (target,))[0]["at"]
        return None if at is None else float(at)

    def version(self) -> int:
        """Return a number that is higher after every firing."""
        return int(self._db.execute(LAST)[0]["id"])
