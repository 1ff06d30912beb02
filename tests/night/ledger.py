"""What is read from the database after every step of a night, with a connection of its own and plain SQL."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from orchestrator_core.models.agent import AgentStatus
from tests.night.clock import NightClock

Row = dict[str, Any]
UNABLE = (AgentStatus.STARTING, AgentStatus.LIMITED, AgentStatus.EXITED, AgentStatus.FAILED)
GONE = (AgentStatus.EXITED, AgentStatus.FAILED)


class Change(Struct, frozen=True, kw_only=True):
    """A check-in's row, as it was and as it is after a step."""

    order: int
    at: float
    wall: float
    cause: str
    before: Row | None
    after: Row


class Seen(Struct, frozen=True, kw_only=True):
    """A firing, and what was so when it was made."""

    order: int
    """Of all firings and changes there were."""
    at: float
    row: Row
    status: str
    """Of its target, as the database had it."""
    was_waiting: bool
    """A message of an earlier firing of the check-in had not got to the agent."""
    was_nudged_for: tuple[float, float] | None
    """How long ago a check-in was last sent to the agent: as time passes, and as the clock shows."""


class Ledger:
    """All there is to know of a night, in the order in which it happened."""

    def __init__(self, database: Path, clock: NightClock) -> None:
        self._db = sqlite3.connect(database)
        self._db.row_factory = sqlite3.Row
        self._clock = clock
        self.rows: dict[int, Row] = {}
        self.changes: defaultdict[int, list[Change]] = defaultdict(list)
        self.firings: defaultdict[int, list[Seen]] = defaultdict(list)
        self.statuses: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        """What the database said of each agent, and since when."""
        self.paused: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
        self.up: list[list[float]] = []
        """From when to when the supervisor ran."""
        self.acts: list[tuple[float, str, int]] = []
        """What people and agents did to the schedule, and to which check-in."""
        self.refusals = 0
        self.incidents: list[tuple[float, float, str]] = []
        self._version = self._firing = self._order = 0
        self._sent: dict[str, tuple[float, float]] = {}

    def close(self) -> None:
        self._db.close()

    def begin_up(self) -> None:
        self.up.append([self._clock.at, float("inf")])

    def end_up(self) -> None:
        self.up[-1][1] = self._clock.at

    def incident(self, text: str) -> None:
        self.incidents.append((self._clock.at, self._clock(), text))

    def query(self, sql: str, *values: object) -> list[Row]:
        return [dict(row) for row in self._db.execute(sql, values)]

    def look(self, cause: str, statuses: Mapping[str, str]) -> None:
        """Write down what a step has changed; `statuses` are those of the agents before it."""
        at, wall = self._clock.at, self._clock()
        waiting = self._waiting()
        for row in self.query("SELECT * FROM firing WHERE id > ? ORDER BY id", self._firing):
            self._firing = row["id"]
            target = row["target"]
            last = self._sent.get(target)
            seen = Seen(
                order=self._next(),
                at=at,
                row=row,
                status=statuses[target],
                was_waiting=row["check_in"] in waiting,
                was_nudged_for=(at - last[0], wall - last[1]) if last else None,
            )
            self.firings[row["check_in"]].append(seen)
            if row["outcome"] == "sent":
                self._sent[target] = (at, max(wall, last[1]) if last else wall)
        for row in self.query("SELECT * FROM checkin WHERE version > ? ORDER BY version", self._version):
            self._version = row["version"]
            before = self.rows.get(row["id"])
            self.rows[row["id"]] = row
            self.changes[row["id"]].append(
                Change(order=self._next(), at=at, wall=wall, cause=cause, before=before, after=row)
            )

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _waiting(self) -> set[int]:
        """Return the check-ins that had, before this step, a message that was not delivered."""
        sql = """
            SELECT firing.check_in FROM firing JOIN message ON message.id = firing.message
            WHERE firing.id <= ? AND message.state IN ('queued', 'delivering')
        """
        return {row["check_in"] for row in self.query(sql, self._firing)}

    # --- what was so when

    def able(self, target: str, team: str, start: float, end: float) -> list[tuple[float, float]]:
        """Return the spans in [start, end) in which a check-in for `target` could fire."""
        is_able = [(since, status not in UNABLE) for since, status in self.statuses[target]]
        fires = [(0.0, True), *((since, not paused) for since, paused in self.paused[team])]
        spans = [(max(start, first), min(end, last)) for first, last in self.up]
        spans = [span for span in spans if span[0] < span[1]]
        return _within(_within(spans, is_able), fires)

    def is_gone(self, target: str, at: float) -> bool:
        """Whether the database said at a moment that `target` has ended."""
        return next(status for since, status in reversed(self.statuses[target]) if since <= at) in GONE


def _within(spans: list[tuple[float, float]], states: list[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Return those parts of the spans in which a state holds, that is told by its changes."""
    found = []
    ends = [since for since, _ in states[1:]] + [float("inf")]
    for (since, holds), until in zip(states, ends, strict=True):
        if holds:
            found += [(max(first, since), min(last, until)) for first, last in spans]
    return sorted(span for span in found if span[0] < span[1])
