"""A night's time: seconds that pass, and what the machine's clock shows meanwhile."""

from __future__ import annotations

import math


class NightClock:
    """Seconds that have passed since the night began are `at`; calling it gives what the clock shows."""

    def __init__(self, start: float) -> None:
        self.at = 0.0
        self._shifts = [(0.0, start)]

    def __call__(self) -> float:
        return self.wall(self.at)

    def wall(self, at: float) -> float:
        """Return what the clock shows at a moment that is not later than now."""
        return next(offset for since, offset in reversed(self._shifts) if since <= at) + at

    def until(self, wall: float) -> float:
        """Return the first moment at which the clock, unless it is set again, shows at least `wall`."""
        offset = self._shifts[-1][1]
        at = max(self.at, wall - offset)
        while offset + at < wall:
            at = math.nextafter(at, math.inf)
        return at

    def jump(self, seconds: float) -> None:
        """Set the clock, by so much."""
        self._shifts.append((self.at, self._shifts[-1][1] + seconds))

    def shows(self, wall: float, start: float, end: float) -> list[tuple[float, float]]:
        """Return the spans of [start, end) in which the clock shows at least `wall`."""
        ends = [since for since, _ in self._shifts[1:]] + [math.inf]
        spans = []
        for (since, offset), until in zip(self._shifts, ends, strict=True):
            first, last = max(since, start, wall - offset), min(until, end)
            if first < last:
                spans.append((first, last))
        return spans
