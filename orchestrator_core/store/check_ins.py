"""Check-ins: what is going to be said to whom, and when."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace
from peewee import SQL, fn

from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.check_in import CheckIn, CheckInState
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.store.database import Database, changed_values
from orchestrator_core.store.rows import model_of, split_readable, values_of
from orchestrator_core.store.tables import CheckInRow

ACTIVE = CheckInRow.state == SQL("'active'")  # literally, so that the partial index serves
ONE = "SELECT * FROM checkin WHERE id = ?"
LOOK_AT = "COALESCE(checkin.retry_at, checkin.due_at)"
END_OF_TIME = 253402300799.0
"""The last second of the year 9999. What is no number is later still to SQLite."""
FIRES = f"""
    FROM checkin INDEXED BY checkin_by_time
    CROSS JOIN agent ON agent.id = checkin.target
    CROSS JOIN orchestration ON orchestration.id = agent.orchestration
    WHERE checkin.state = 'active' AND orchestration.check_ins_paused_at IS NULL
        AND orchestration.paused_at IS NULL AND {LOOK_AT} <= ?
"""
DUE = f"SELECT checkin.id {FIRES} ORDER BY {LOOK_AT}, checkin.id LIMIT ?"
NEXT = f"SELECT {LOOK_AT} AS at {FIRES} ORDER BY {LOOK_AT} LIMIT 1"
OF_ACTIVE = "SELECT id FROM checkin INDEXED BY checkin_by_time WHERE state = 'active' AND"
BROKEN = f"{OF_ACTIVE} {LOOK_AT} IS NULL UNION ALL {OF_ACTIVE} {LOOK_AT} > ?"
SHOWN = """
    SELECT * FROM checkin WHERE state = 'active' AND due_at <= ?
    UNION ALL SELECT * FROM checkin INDEXED BY checkin_dead WHERE state = 'dead' AND ended_at >= ? ORDER BY id
"""
NEXT_BY_AGENT = """
    SELECT id, (SELECT MIN(due_at) FROM checkin WHERE target = agent.id AND state = 'active') AS at FROM agent
"""
STANDING = """
    SELECT id, target FROM checkin INDEXED BY checkin_standing WHERE state = 'active' AND is_standing = 1 ORDER BY id
"""
DEAD = """
    SELECT id, target, note, reason, ended_at FROM checkin INDEXED BY checkin_dead
    WHERE state = 'dead' AND ended_at >= ? AND is_standing = 0 ORDER BY id
"""
BURY = f"""
    UPDATE checkin SET state = 'dead', reason = ?, ended_at = ?, retry_at = NULL,
        due_at = CASE WHEN due_at BETWEEN 0 AND {END_OF_TIME} THEN due_at ELSE ? END,
        anchor_at = CASE WHEN anchor_at BETWEEN 0 AND {END_OF_TIME} THEN anchor_at ELSE ? END,
        version = ?
    WHERE id = ? AND state = 'active'
"""
VERSION = "SELECT COALESCE(MAX(version), 0) AS version FROM checkin"


class DeadCheckIn(Struct, frozen=True, kw_only=True):
    """What is to be told of a check-in that is not tried any more, whatever its row looks like."""

    id: CheckInId
    target: AgentId
    note: str
    reason: str
    ended_at: float


class CheckIns:
    """The check-ins of this state folder, those that have ended too."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, check_in: CheckIn) -> CheckIn:
        """Store a new check-in and return it with its number; the number it has is not looked at.

        Raises:
            StoreError: its target is not stored.

        """
        values = values_of(check_in)
        del values["id"]
        with self._db.transaction():
            number = self._db.write(CheckInRow.insert(**values, version=self._next_version()))
            return self.get(CheckInId(number))

    def get(self, check_in: CheckInId) -> CheckIn:
        """Return a check-in.

        Raises:
            NotFoundError: there is none with that number.
            StoreError: its row cannot be read (code `bad-row`).

        """
        rows = self._db.execute(ONE, (check_in,))
        if not rows:
            raise NotFoundError(
                f"there is no check-in {check_in}",
                cause="none with that number was ever set",
                remedy="`tmorch schedule list --all` shows those there are",
            )
        return model_of(CheckIn, rows[0])

    def update(self, check_in: CheckInId, **changes: object) -> CheckIn:
        """Change fields of a check-in and return it. Nothing is written when they have those values.

        Raises:
            NotFoundError: there is none with that number.
            TypeError: there is no such field.

        """
        with self._db.transaction():
            before = self.get(check_in)
            changed = changed_values(before, changes)
            if not changed:
                return before
            after = replace(before, **changed)
            values = {name: values_of(after)[name] for name in changed}
            query = CheckInRow.update(**values, version=self._next_version())
            self._db.write(query.where(CheckInRow.id == check_in))
            return after

    def bury(self, check_in: CheckInId, reason: str, at: float) -> None:
        """Make an active check-in `dead`, even one whose row cannot be read; due times that are none become `at`."""
        with self._db.transaction():
            self._db.execute(BURY, (reason, at, at, at, self._next_version(), check_in))

    def cancel_all(self, targets: Collection[AgentId], reason: str, at: float) -> int:
        """Cancel the active check-ins of these agents, and return how many."""
        cancelled = {"state": CheckInState.CANCELLED.value, "reason": reason, "ended_at": at, "retry_at": None}
        with self._db.transaction():
            query = CheckInRow.update(**cancelled, version=self._next_version())
            return self._db.write(query.where(ACTIVE & CheckInRow.target.in_(list(targets))))

    def due(self, now: float, limit: int) -> tuple[CheckInId, ...]:
        """Return those that are to be looked at by `now`, the longest due first; those of paused teams are not.

        Numbers, because a row that cannot be read is to be dealt with as well.
        """
        return tuple(CheckInId(row["id"]) for row in self._db.execute(DUE, (now, limit)))

    def next_at(self) -> float | None:
        """Return when the next one is to be looked at; None when none is going to fire."""
        rows = self._db.execute(NEXT, (END_OF_TIME,))
        return float(rows[0]["at"]) if rows else None

    def broken(self) -> tuple[CheckInId, ...]:
        """Return active ones that would never be due, because their times are none."""
        return tuple(CheckInId(row["id"]) for row in self._db.execute(BROKEN, (END_OF_TIME,)))

    def active(self, target: AgentId | None = None, limit: int | None = None) -> tuple[CheckIn, ...]:
        """Return those that are going to fire, of `target` or of all, the next one first."""
        query = CheckInRow.select().where(ACTIVE).order_by(CheckInRow.due_at, CheckInRow.id).limit(limit)
        return self._db.models(CheckIn, query if target is None else query.where(CheckInRow.target == target))

    def standing(self) -> dict[AgentId, list[CheckInId]]:
        """Return, for each agent that has any, the active ones that tmorch keeps for it, the oldest first."""
        found: dict[AgentId, list[CheckInId]] = {}
        for row in self._db.execute(STANDING):
            found.setdefault(AgentId(str(row["target"])), []).append(CheckInId(row["id"]))
        return found

    def latest(self, limit: int, target: AgentId | None = None) -> tuple[CheckIn, ...]:
        """Return those that were set last, whatever became of them, newest first."""
        query = CheckInRow.select().order_by(CheckInRow.id.desc()).limit(limit)
        return self._db.models(CheckIn, query if target is None else query.where(CheckInRow.target == target))

    def shown(self, start: float, end: float) -> tuple[CheckIn, ...]:
        """Return the active ones that are due by `end`, and those that died since `start`."""
        return self._db.readable(split_readable(CheckIn, self._db.execute(SHOWN, (end, start))))

    def dead_since(self, start: float) -> tuple[DeadCheckIn, ...]:
        """Return what somebody has set and what died since `start`, also what cannot be read.

        Standing ones die with their agents, and that is told already.
        """
        return tuple(
            DeadCheckIn(
                id=CheckInId(row["id"]),
                target=AgentId(str(row["target"])),
                note=row["note"] if isinstance(row["note"], str) else "",
                reason=str(row["reason"]),
                ended_at=row["ended_at"],
            )
            for row in self._db.execute(DEAD, (start,))
            if isinstance(row["ended_at"], float)
        )

    def named(self, numbers: Collection[CheckInId]) -> tuple[CheckIn, ...]:
        """Return those with these numbers that there are."""
        return self._db.models(CheckIn, CheckInRow.select().where(CheckInRow.id.in_(list(numbers))))

    def next_by_agent(self) -> dict[AgentId, float]:
        """Return, for each agent that has any, when its next check-in is due."""
        found = ((AgentId(str(row["id"])), row["at"]) for row in self._db.execute(NEXT_BY_AGENT))
        return {agent: at for agent, at in found if isinstance(at, float)}

    def count_active(self, author: str) -> int:
        """Return how many check-ins of `author` are going to fire."""
        query = CheckInRow.select(fn.COUNT(CheckInRow.id).alias("number")).where((CheckInRow.author == author) & ACTIVE)
        return int(self._db.rows(query)[0]["number"])

    def version(self) -> int:
        """Return a number that is higher after every change."""
        return int(self._db.execute(VERSION)[0]["version"])

    def _next_version(self) -> int:
        return self.version() + 1
