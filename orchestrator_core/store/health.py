"""The supervisor's signs of life."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.store import tables
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import model_of

ROW = tables.HealthRow.id == 1
ONE = "SELECT * FROM health WHERE id = 1"


class HealthRow(Struct, frozen=True, kw_only=True):
    """What the supervisor last said of itself. Whether it runs is what its lock says, not this.

    Times are seconds since the epoch; None when there never was one.
    """

    pid: int | None = None
    pid_started: float | None = None
    heartbeat_at: float | None = None
    """When it started; its later signs of life are in the times of its lock file, which wake nobody."""
    last_error: str = ""
    last_error_at: float | None = None
    stopped_at: float | None = None
    """When it last stopped in order; None while it runs and after it was killed."""


class Health:
    """One row that the supervisor writes and everybody reads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def started(self, pid: int, pid_started: float, at: float) -> None:
        """Say which process is the supervisor from now on. The last error stays: it may be why it started anew."""
        self._write(pid=pid, pid_started=pid_started, heartbeat_at=at, stopped_at=None)

    def error(self, text: str, at: float) -> None:
        """Keep the last thing that went wrong."""
        self._write(last_error=text, last_error_at=at)

    def stopped(self, at: float) -> None:
        """Say that it stops in order."""
        self._write(stopped_at=at)

    def read(self) -> HealthRow:
        """Return the row."""
        rows = self._db.execute(ONE)
        return model_of(HealthRow, rows[0]) if rows else HealthRow()

    def _write(self, **values: object) -> None:
        self._db.write(tables.HealthRow.update(**values).where(ROW))
