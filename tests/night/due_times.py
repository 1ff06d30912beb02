"""When check-ins are due, written down from the rules a second time: slowly, and by other means than the product."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, DAY = 60, 86400
BACK_S = 60.0
"""A clock that shows so much less than when a due time was decided has gone back."""


def latest(row: Mapping[str, Any], now: float) -> float:
    """Return the latest time a check-in may be due, after the clock has gone back to `now`."""
    match row["kind"]:
        case "once":
            return now + max(0.0, float(row["due_at"] - row["set_at"]))
        case "every":
            return now + float(row["interval_s"])
        case _:
            return cron(row["cron"], row["zone"], now, now + 2 * DAY)[0]


def every(first: float, interval: float, end: float) -> list[float]:
    """Return the times a fixed distance apart from `first` to `end`."""
    times, count = [], 0
    while first + count * interval <= end:
        times.append(first + count * interval)
        count += 1
    return times


def cron(expression: str, zone: str, after: float, end: float) -> list[float]:
    """Return the times of an expression in (after, end], by looking at every minute there is.

    At a set time: once a day, right after an hour that is left out, in the first of two that are the same. Every so
    often: whenever the clock on the wall says so.
    """
    fields, place = expression.split(), ZoneInfo(zone)
    is_set = not fields[0].startswith("*") and not fields[1].startswith("*")
    found = []
    for at in range(math.floor(after / MINUTE) * MINUTE, math.floor(end) + 1, MINUTE):
        wall = datetime.fromtimestamp(at, place)
        left_out = _left_out(at, place) if is_set else []
        is_second = is_set and wall.fold == 1
        if after < at <= end and (any(_says(fields, m) for m in left_out) or (_says(fields, wall) and not is_second)):
            found.append(float(at))
    return found


def _left_out(at: int, place: ZoneInfo) -> list[datetime]:
    """Return the minutes of the wall clock that were passed over right before this one."""
    now, before = (
        datetime.fromtimestamp(moment, UTC).astimezone(place).replace(tzinfo=None) for moment in (at, at - MINUTE)
    )
    missing = int((now - before).total_seconds() // MINUTE) - 1
    return [before + timedelta(minutes=number + 1) for number in range(max(0, missing))]


def _says(fields: list[str], wall: datetime) -> bool:
    day_of_week = (wall.weekday() + 1) % 7
    values = (wall.minute, wall.hour, wall.day, wall.month, day_of_week)
    return all(_is_in(field, value) for field, value in zip(fields, values, strict=True))


def _is_in(field: str, value: int) -> bool:
    return any(_is_in_part(part, value) for part in field.split(","))


def _is_in_part(part: str, value: int) -> bool:
    span, _, step = part.partition("/")
    low, _, high = (0, "", 59) if span == "*" else span.partition("-")
    first, last = int(low), int(high or low)
    return first <= value <= last and (value - first) % int(step or 1) == 0
