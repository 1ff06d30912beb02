"""When a usage limit ends, by what an agent says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from msgspec import Struct

RESETS = re.compile(
    r"\bresets?(?: at| on)? "
    r"(?:(?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2})(?:,| at)? )?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))? ?(?P<half>[ap]m)?\b"
    r"(?: \((?P<zone>[^)]+)\))?",
    re.IGNORECASE,
)
"""`resets 2:59pm (UTC)`, `resets Nov 26, 12:24am`, `will reset at 3am (Europe/Berlin)`, `resets 14:05`."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SAME_S = 120.0
"""So much earlier than it was read, a time of day means today: it is told without its seconds."""
USED_UP = 100.0
EPOCH, DOOMSDAY = 1e8, 1e11
"""What is not between them is no time in seconds."""


WINDOW_WORDS = (
    (re.compile(r"\b(?:weekly|7-day|seven-day)\b", re.IGNORECASE), "seven_day"),
    (re.compile(r"\b(opus|sonnet|haiku|fable)\b", re.IGNORECASE), ""),
)
"""What the words of a limit call its window; empty: as the words do. Any other is the five hours."""


class UsageWindow(Struct, frozen=True, kw_only=True):
    """How much of a subscription's allowance is used."""

    used_percentage: float
    resets_at: float
    """When it starts anew, seconds since the epoch."""


def limit_end(windows: Sequence[UsageWindow], texts: Sequence[str], since: float, local: tzinfo) -> float | None:
    """Return when a limit ends that was met at `since`; None when nobody can tell.

    What is used up counts most, then the first of `texts` that names a time, then what is nearest to be used up.
    A time without a zone is one of `local`.
    """
    ahead = [window for window in windows if window.resets_at > since - SAME_S]
    if used_up := [window.resets_at for window in ahead if window.used_percentage >= USED_UP]:
        return max(used_up)
    told = (resets_at(text, since, local) for text in texts)
    if (at := next((at for at in told if at is not None), None)) is not None:
        return at
    nearest = max(ahead, key=lambda window: window.used_percentage, default=None)
    return nearest.resets_at if nearest else None


def window_of(text: str) -> str:
    """Return the window whose limit `text` tells of: `five_hour` when it does not say."""
    for words, name in WINDOW_WORDS:
        if found := words.search(text):
            return name or found[0].lower()
    return "five_hour"


def resets_at(text: str, since: float, local: tzinfo) -> float | None:
    """Return the moment that `text`, read at `since`, names as the end of a limit; None when it names none we know.

    A time of day is the next one; a day is the nearest one of that date.
    """
    found = RESETS.search(" ".join(text.split()))
    clock = found and _clock(found["hour"], found["minute"], found["half"])
    if not found or clock is None:
        return None
    zone = _zone(found["zone"]) if found["zone"] else local
    if zone is None:
        return None
    try:
        read = datetime.fromtimestamp(since, zone)
        if found["month"]:
            return _nearest(read, found["month"].lower(), int(found["day"]), clock)
        days = (read.date() + timedelta(days=ahead) for ahead in range(-1, 3))
        ats = sorted(at for day in days for at in _instants(datetime.combine(day, clock, zone)))
    except (OverflowError, ValueError, OSError):  # a moment that no calendar has
        return None
    return next((at for at in ats if at >= since - SAME_S), None)


def _clock(hour: str, minute: str | None, half: str | None) -> time | None:
    """Return a time of day; None for what is none, or might be meant either way."""
    number, minutes = int(hour), int(minute or 0)
    if half:
        if not 1 <= number <= 12:
            return None
        number = number % 12 + (12 if half.lower() == "pm" else 0)
    elif minute is None:
        return None
    return time(number, minutes) if number < 24 and minutes < 60 else None


def _zone(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone; no name of one; a folder of them
        return None


def _nearest(read: datetime, month: str, day: int, clock: time) -> float | None:
    """Return the moment of that date which is nearest to when it was read: a year is never told."""
    if month not in MONTHS:
        return None
    ats = [at for year in (-1, 0, 1) for at in _of_year(read, read.year + year, MONTHS.index(month) + 1, day, clock)]
    return min(ats, key=lambda at: abs(at - read.timestamp()), default=None)


def _of_year(read: datetime, year: int, month: int, day: int, clock: time) -> Iterator[float]:
    try:
        moment = datetime.combine(datetime(year, month, day), clock, read.tzinfo)
    except ValueError:  # February 29th
        return
    yield from _instants(moment)


def _instants(moment: datetime) -> tuple[float, ...]:
    """Return the moments at which clocks show that: two where they are set back in between."""
    return tuple(dict.fromkeys(moment.replace(fold=fold).timestamp() for fold in (0, 1)))
