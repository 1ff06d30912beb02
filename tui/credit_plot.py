"""Use over time as lines of blocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from orchestrator_core.models.credit import CreditReading

LEVELS = " ▁▂▃▄▅▆▇█"
FULL = 100.0


class Held(Struct, frozen=True):
    """A value that held for some time."""

    start: float
    end: float
    value: float


def held(readings: Sequence[CreditReading], now: float) -> tuple[Held, ...]:
    """Return for how long each of these readings, oldest first, held: until the next, or until its window was over."""
    told = [reading for reading in readings if _value(reading) is not None and reading.at <= now]
    if not told:
        return ()
    ends = [*(reading.at for reading in told[1:]), now]
    return tuple(
        Held(reading.at, end if reading.resets_at is None else min(end, reading.resets_at), _value(reading) or 0.0)
        for reading, end in zip(told, ends, strict=True)
    )


def _value(reading: CreditReading) -> float | None:
    """Return how much was used; all, where only a limit was told."""
    return FULL if reading.is_limit and reading.used_percentage is None else reading.used_percentage


def plot(values: Sequence[Held], start: float, end: float, width: int, height: int) -> tuple[str, ...]:
    """Return `height` lines of `width` cells each: how high the values are from 0 to 100, the highest in each cell.

    A time of which nothing is known is left blank; what is known to be nothing has a line at the bottom.
    """
    if width <= 0 or height <= 0 or end <= start:
        return ("",) * max(0, height)
    peaks: list[float | None] = [None] * width
    for value in values:
        if value.end < start or value.start >= end:
            continue
        first = max(0, int((value.start - start) / (end - start) * width))
        last = min(width - 1, max(first, ceil((value.end - start) / (end - start) * width) - 1))
        for cell in range(first, last + 1):
            peaks[cell] = max(peaks[cell] or 0.0, value.value)
    columns = [_column(peak, height) for peak in peaks]
    return tuple("".join(column[row] for column in columns) for row in range(height))


def _column(peak: float | None, height: int) -> str:
    """Return a column of cells, the top one first."""
    if peak is None:
        return " " * height
    eighths = max(1, round(min(max(peak, 0.0), FULL) / FULL * height * 8))
    return "".join(LEVELS[min(8, max(0, eighths - 8 * row))] for row in reversed(range(height)))
