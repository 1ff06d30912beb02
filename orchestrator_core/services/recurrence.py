"""When check-ins are due. Pure: all times are seconds since the epoch, in UTC.

Due times of a check-in lie in a row: whatever is asked from any moment, the same ones come out, each later than the
one before. A cron expression means times of its zone, by the rules of Debian's cron when clocks are changed: what is
due at a set time is due once on such a day, what is due every so often goes on with the time that passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from heapq import merge
from typing import TYPE_CHECKING

from msgspec import Struct

from orchestrator_core.errors import UsageError
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInRequest
from orchestrator_core.services.zones import zone_of

if TYPE_CHECKING:
    from cronsim import CronSim

DAY_S = 86400.0
LONGEST_S = 366 * DAY_S
"""How far ahead a time may lie that somebody gives."""
WENT_BACK_S = 60.0
"""A clock that is corrected by less has not gone back."""
MISSED_AT_MOST = 1000
"""How many missed times of a cron expression are counted: it is done while others wait for the database."""
DRAWN_AT_MOST = 2_000
"""How many times are drawn of one check-in: more than any screen has cells."""
SAMPLES = 64
"""So many due times in a row have the two of a cron expression that are nearest: it repeats itself every hour."""
SHORTEST_S = 1.0
CRON_S = 60.0
"""Nothing that cron expressions can say comes more often."""


class Correction(Struct, frozen=True):
    """What a check-in gets when the clock is found to have gone back: its fields of these names."""

    due_at: float
    anchor_at: float
    set_at: float


def kind_of(request: CheckInRequest) -> CheckInKind:
    """Return what kind of check-in a request asks for."""
    if request.cron:
        return CheckInKind.CRON
    return CheckInKind.EVERY if request.repeats else CheckInKind.ONCE


def first_due(request: CheckInRequest, now: float, zone: str) -> float:
    """Return when a request is due for the first time.

    Raises:
        UsageError: not exactly one of its times is given, or that one cannot be.

    """
    given = (request.delay_s is not None, request.at is not None, bool(request.cron))
    if sum(given) != 1 or (request.repeats and request.delay_s is None):
        raise _unclear()
    if request.cron:
        return _first_of_cron(request.cron, zone, now)
    due_at = now + request.delay_s if request.delay_s is not None else request.at
    assert due_at is not None
    check_time(due_at, now)
    return due_at


def next_due(check_in: CheckIn, after: float) -> float | None:
    """Return the first due time that lies after `after`; None when there is none.

    Raises:
        UsageError: its cron expression or zone cannot be read.

    """
    match check_in.kind:
        case CheckInKind.ONCE:
            return check_in.due_at if check_in.due_at > after else None
        case CheckInKind.EVERY:
            return _next_of_interval(check_in, after)
        case CheckInKind.CRON:
            return next(cron_times(check_in.cron, check_in.zone, after), None)


def missed_between(check_in: CheckIn, due_at: float, now: float) -> int:
    """Return how many due times lie after `due_at` and not after `now`: what an outage covers.

    Of a cron expression no more than `MISSED_AT_MOST` are counted.

    Raises:
        UsageError: its cron expression or zone cannot be read.

    """
    if now <= due_at or check_in.kind is CheckInKind.ONCE:
        return 0
    if check_in.kind is CheckInKind.EVERY:
        return _intervals_until(check_in, now) - _intervals_until(check_in, due_at)
    missed = 0
    for at in cron_times(check_in.cron, check_in.zone, due_at):
        if at > now or missed == MISSED_AT_MOST:
            break
        missed += 1
    return missed


def expand(check_in: CheckIn, start: float, end: float, step_s: float) -> tuple[float, ...]:
    """Return the due times after its next one that are drawn from `start` to `end`: the first in each `step_s`.

    None for one that does not fire again, or whose cron expression or zone cannot be read.
    """
    if not (check_in.is_active and check_in.repeats):
        return ()
    step_s = max(step_s, SHORTEST_S)
    try:
        if check_in.kind is CheckInKind.CRON:
            return _drawn_of_cron(check_in.cron, check_in.zone, check_in.due_at, start, end, step_s)
        return tuple(_drawn(lambda after: _next_of_interval(check_in, after), check_in.due_at, start, end, step_s))
    except UsageError:
        return ()


def set_right(check_in: CheckIn, now: float) -> Correction | None:
    """Return what an active check-in is to be changed to because the clock went back; None when nothing is.

    One that repeats is not due later than it would be if it were set now, one that fires once not later than as long
    from now as when it was set.

    Raises:
        UsageError: its cron expression or zone cannot be read.

    """
    if now >= check_in.set_at - WENT_BACK_S:
        return None
    latest = _latest_due(check_in, now)
    if latest is None or latest >= check_in.due_at:
        return None
    anchor_at = latest if check_in.kind is CheckInKind.EVERY else check_in.anchor_at
    return Correction(due_at=latest, anchor_at=anchor_at, set_at=now)


def cron_times(expression: str, zone: str, after: float) -> Iterator[float]:
    """Yield the times of a cron expression that lie after `after`, in order.

    Raises:
        UsageError: the expression or the zone cannot be read.

    """
    # whole seconds, the last one before: a later start would pass over a time that is due right then
    start = datetime.fromtimestamp(math.floor(after), zone_of(zone))
    minute, hour, *_ = fields = _fields(expression)
    at_set_times = not minute.startswith("*") and not hour.startswith("*")
    times = _set_times(fields, start) if at_set_times else _passing_times(fields, start)
    latest = after
    for at in times:
        if at > latest:  # when clocks go back, times come out that have been
            latest = at
            yield at


def shortest_gap(expression: str, zone: str, after: float) -> float:
    """Return how far apart, in seconds, the nearest two of the next times of a cron expression are.

    Raises:
        UsageError: the expression or the zone cannot be read.

    """
    shortest, last = math.inf, None
    for _, at in zip(range(SAMPLES), cron_times(expression, zone, after), strict=False):
        shortest, last = min(shortest, at - last) if last is not None else shortest, at
    return shortest


def check_time(due_at: float, now: float) -> None:
    """Refuse a time that has passed, is no time, or lies too far ahead.

    Raises:
        UsageError: it does.

    """
    if not due_at >= now:
        raise UsageError(
            "that time has passed",
            cause="a check-in is due now or later",
            remedy="name a later time, or a number of minutes from 0 on",
            code="time",
        )
    if due_at > now + LONGEST_S:
        raise UsageError(
            "that time is too far away",
            cause=f"a check-in is due within {LONGEST_S / DAY_S:g} days",
            remedy="name an earlier time; what is due for years is better kept in a calendar",
            code="time",
        )


def check_interval(request: CheckInRequest, zone: str, now: float, shortest_s: float) -> None:
    """Refuse what would repeat more often than every `shortest_s`.

    Raises:
        UsageError: it would; or its cron expression or zone cannot be read.

    """
    if request.cron:
        apart = shortest_gap(request.cron, zone, now) if shortest_s > CRON_S else CRON_S
    elif request.repeats and request.delay_s is not None:
        apart = request.delay_s
    else:
        return
    shortest_s = max(shortest_s, SHORTEST_S)
    if apart < shortest_s:
        raise UsageError(
            "that is too often",
            cause=f"it would repeat after {apart / 60:g} minutes; {shortest_s / 60:g} is the least",
            remedy="name a longer interval, or lower schedule.min_interval_min in the settings",
            code="interval",
        )


def _next_of_interval(check_in: CheckIn, after: float) -> float | None:
    anchor, interval = check_in.anchor_at, _interval(check_in)
    steps = max(0.0, (after - anchor) // interval)
    nearest = (anchor + (steps + further) * interval for further in range(3))
    return next((due_at for due_at in nearest if due_at > after), None)


def _intervals_until(check_in: CheckIn, at: float) -> int:
    """Return how many due times lie not after `at`."""
    following = _next_of_interval(check_in, at)
    return 0 if following is None else round((following - check_in.anchor_at) / _interval(check_in))


def _interval(check_in: CheckIn) -> float:
    return max(check_in.interval_s or 0.0, SHORTEST_S)


@lru_cache(maxsize=1024)
def _drawn_of_cron(cron: str, zone: str, due_at: float, start: float, end: float, step_s: float) -> tuple[float, ...]:
    return tuple(_drawn(lambda after: next(cron_times(cron, zone, after), None), due_at, start, end, step_s))


def _drawn(
    next_after: Callable[[float], float | None], due_at: float, start: float, end: float, step_s: float
) -> Iterator[float]:
    after = max(due_at, math.nextafter(start, -math.inf))
    for _ in range(DRAWN_AT_MOST):
        at = next_after(after) if after < end else None
        if at is None or at > end:
            return
        yield at
        next_cell = start + ((at - start) // step_s + 1) * step_s
        after = max(at, math.nextafter(next_cell, -math.inf))


def _latest_due(check_in: CheckIn, now: float) -> float | None:
    match check_in.kind:
        case CheckInKind.ONCE:
            return now + max(0.0, check_in.due_at - check_in.set_at)
        case CheckInKind.EVERY:
            return now + _interval(check_in)
        case CheckInKind.CRON:
            return next_due(check_in, now)


def _first_of_cron(expression: str, zone: str, now: float) -> float:
    found = next(cron_times(expression, zone, now), None)
    if found is None:
        raise _never(expression)
    return found


def _set_times(fields: list[str], start: datetime) -> Iterator[float]:
    """Yield what is due once a day: right after an hour that is left out, the first time in one that comes twice."""
    return (found.timestamp() for found in _parsed(fields, start))


def _passing_times(fields: list[str], start: datetime) -> Iterator[float]:
    """Yield what is due every so often: never in an hour that is left out, again in one that comes twice.

    cronsim counts without a zone here: in one whose clocks change by half an hour it loses a day.
    """
    zone, local = start.tzinfo, start.replace(tzinfo=None)
    first, second = (local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    local -= timedelta(seconds=second - first)  # the hour comes twice: what the clock showed earlier, it shows again
    return merge(*(_on_clock(_parsed(fields, local), zone, fold) for fold in (0, 1)))


def _on_clock(walls: CronSim, zone: tzinfo | None, fold: int) -> Iterator[float]:
    for wall in walls:
        at = wall.replace(tzinfo=zone, fold=fold)
        if datetime.fromtimestamp(at.timestamp(), zone).replace(tzinfo=None) == wall:
            yield at.timestamp()


def _fields(expression: str) -> list[str]:
    fields = expression.split()
    if len(fields) != 5:
        raise _no_cron(expression, f"it has {len(fields)} fields instead of five")
    return fields


def _parsed(fields: list[str], start: datetime) -> CronSim:
    from cronsim import CronSim, CronSimError

    expression = " ".join(fields)
    try:
        return CronSim(expression, start)
    except CronSimError as error:
        if str(error) == "Bad day-of-month" and _is_a_day(fields[2]):
            raise _never(expression) from error
        raise _no_cron(expression, _fault(str(error), fields)) from error
    except ValueError as error:  # a number of thousands of digits
        raise _no_cron(expression, str(error)) from error


def _is_a_day(field: str) -> bool:
    """Whether cronsim can read a day of the month, so that it is the months that have none."""
    from cronsim.cronsim import CronSimError, Field

    try:
        return bool(Field.DAY.parse(field.upper()))
    except CronSimError:
        return False


def _fault(error: str, fields: list[str]) -> str:
    name = error.removeprefix("Bad ")
    names = ("minute", "hour", "day-of-month", "month", "day-of-week")
    return f"its {name} {fields[names.index(name)]!r} cannot be" if name in names else error


def _no_cron(expression: str, cause: str) -> UsageError:
    return UsageError(
        f"{expression!r} is no cron expression",
        cause=cause,
        remedy='write minute, hour, day of the month, month and day of the week: "*/30 9-17 * * mon-fri"',
        code="cron",
    )


def _never(expression: str) -> UsageError:
    return UsageError(
        f"{expression!r} never fires",
        cause="no day in the next 50 years is one of its days in one of its months",
        remedy='correct the day or the month: "0 0 28 2 *" is the end of February',
        code="cron",
    )


def _unclear() -> UsageError:
    return UsageError(
        "it is not clear when the check-in is due",
        cause="a number of minutes, a time or a cron expression is needed, and only one of them; minutes alone repeat",
        remedy='tmorch schedule 30 "look at the tests"',
        code="time",
    )
