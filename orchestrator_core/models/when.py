"""Times as people write them for check-ins: `30`, `1h30m`, `14:30`, `+10`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo

from orchestrator_core.models.check_in import CheckInRequest

NOW = "now"
FORMS = "minutes (30, 0.5), a time span (90s, 45m, 2h, 1h30m, 1d) or a clock time (14:30)"
DAYS_AHEAD = 3
"""Among so many days there is one on which clocks show any given time later than now."""
_NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
_MINUTES = re.compile(_NUMBER, re.ASCII)
_SPAN = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in "dhms"), re.ASCII | re.IGNORECASE)
_UNITS_S = (86400, 3600, 60, 1)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


def span_of(text: str) -> float | None:
    """Return the seconds of a time span: a bare number is in minutes, `now` is no time at all. None: it is no span."""
    if text == NOW:
        return 0.0
    if _MINUTES.fullmatch(text):
        return float(text) * 60
    parts = _SPAN.fullmatch(text)
    if not text or parts is None:
        return None
    return sum(float(number) * unit for number, unit in zip(parts.groups(), _UNITS_S, strict=True) if number)


def shift_of(text: str) -> float | None:
    """Return the seconds of a time span with a sign, as in `+10` and `-1h`. None: it has none, or is no span."""
    span = span_of(text[1:]) if text[:1] in ("+", "-") and text[1:] != NOW else None
    return None if span is None else -span if text.startswith("-") else span


def clock_of(text: str) -> time | None:
    """Return a time of day, as in `14:30` and `9:05:30`. None: it is none."""
    parts = _CLOCK.fullmatch(text)
    if parts is None:
        return None
    hour, minute, second = map(int, parts.groups("0"))
    return time(hour, minute, second)


def next_at(clock: time, now: float, zone: tzinfo | None = None) -> float:
    """Return the next moment after `now` when clocks in `zone` show `clock`; None: clocks here.

    On a day on which clocks pass over that time it is as long after midnight as on any other.
    """
    return next(at for at in _showings(clock, now, zone) if at > now)


def _showings(clock: time, now: float, zone: tzinfo | None) -> Iterator[float]:
    today = datetime.fromtimestamp(now, zone).date()
    for ahead in range(DAYS_AHEAD):
        first = datetime.combine(today + timedelta(days=ahead), clock, zone)
        again = first.replace(fold=1).timestamp()
        yield first.timestamp()
        if again > first.timestamp():  # the clocks go back, and show it twice
            yield again


def request_of(
    note: str, when: str, now: float, *, repeats: bool = False, zone: tzinfo | None = None
) -> CheckInRequest:
    """Return the request for a check-in at `when`; with `repeats` that is how far apart.

    Raises:
        ValueError: that is no time, or nothing that repeats; it says so in words for the person.

    """
    text = when.strip().lower()
    span, clock = span_of(text), clock_of(text)
    if span is not None:
        return CheckInRequest(note=note, delay_s=span, repeats=repeats)
    if clock is None:
        raise ValueError(f"{when.strip()!r} is no time: write {FORMS}" if text else f"when: {FORMS}")
    if repeats:
        raise ValueError(f"a clock time comes once: each day at {text} is cron: {clock.minute} {clock.hour} * * *")
    return CheckInRequest(note=note, at=next_at(clock, now, zone))
