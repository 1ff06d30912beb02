from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict, replace

from orchestrator_core.errors import UsageError
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInRequest, CheckInState
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.services.recurrence import (
    DRAWN_AT_MOST,
    LONGEST_S,
    MISSED_AT_MOST,
    check_interval,
    cron_times,
    expand,
    first_due,
    missed_between,
    next_due,
    set_right,
    shortest_gap,
)
from orchestrator_core.services.zones import local_zone, zone_of

DAY_S = 86400.0
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
END = datetime(2029, 1, 1, tzinfo=UTC).timestamp()
ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})


def a_check_in(kind: CheckInKind = CheckInKind.EVERY, due_at: float = START, **changes: object) -> CheckIn:
    made = CheckIn(
        id=CheckInId(1),
        target=AgentId("shop-1:developer"),
        author="you",
        note="look at the tests",
        kind=kind,
        due_at=due_at,
        anchor_at=due_at,
        zone="Europe/Berlin",
        set_at=due_at,
    )
    return replace(made, **changes)


def every(interval_s: float, anchor_at: float = START) -> CheckIn:
    return a_check_in(due_at=anchor_at, interval_s=interval_s)


def a_cron(expression: str, zone: str = "Europe/Berlin", due_at: float = START) -> CheckIn:
    return a_check_in(CheckInKind.CRON, due_at, cron=expression, zone=zone)


# --- what cron expressions mean, found by looking at every minute


class Pattern(Struct, frozen=True):
    """Minutes and hours of some days of the week, and how they are written."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    weekdays: tuple[int, ...]
    expression: str

    @property
    def is_at_set_times(self) -> bool:
        minute, hour, *_ = self.expression.split()
        return not minute.startswith("*") and not hour.startswith("*")

    def matches(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and wall.isoweekday() % 7 in self.weekdays


def field(last: int) -> st.SearchStrategy[tuple[tuple[int, ...], str]]:
    everything = tuple(range(last + 1))
    stepped = st.integers(2, last + 1).map(lambda step: (everything[::step], f"*/{step}"))
    listed = st.sets(st.integers(0, last), min_size=1, max_size=4).map(
        lambda found: (tuple(sorted(found)), ",".join(map(str, sorted(found))))
    )
    return st.one_of(st.just((everything, "*")), stepped, listed)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    minutes, hours = draw(field(59)), draw(st.one_of(field(23), field(3)))
    hours = (hours[0] if hours[1] != "*" else tuple(range(24)), hours[1])
    if hours[1].startswith("*/"):
        hours = (tuple(range(24))[:: int(hours[1][2:])], hours[1])
    weekdays = draw(st.one_of(st.just((tuple(range(7)), "*")), field(6)))
    return Pattern(minutes[0], hours[0], weekdays[0], f"{minutes[1]} {hours[1]} * * {weekdays[1]}")


def true_times(pattern: Pattern, zone: str, start: float, end: float) -> list[float]:
    """Return when a pattern is due after `start` and until `end`, by looking at each minute."""
    minutes = range(math.floor(start / 60) * 60 - 2 * 86400, math.floor(end / 60) * 60 + 2 * 86400, 60)
    place = ZoneInfo(zone)
    found: Iterator[float]
    if pattern.is_at_set_times:
        walls = (datetime.fromtimestamp(minute, UTC).replace(tzinfo=None) for minute in minutes)
        found = (once(wall, place) for wall in walls if pattern.matches(wall))
    else:
        found = (minute for minute in minutes if pattern.matches(datetime.fromtimestamp(minute, place)))
    return sorted({at for at in found if start < at <= end})


def once(wall: datetime, zone: ZoneInfo) -> float:
    """Return when a clock first shows `wall` or, when it never does, what comes next."""
    while datetime.fromtimestamp(wall.replace(tzinfo=zone).timestamp(), zone).replace(tzinfo=None) != wall:
        wall += timedelta(minutes=1)
    return wall.replace(tzinfo=zone).timestamp()


@cache
def changes_of(zone: str) -> tuple[float, ...]:
    """Return the moments within six hours after which the clocks of a zone are changed."""
    place = ZoneInfo(zone)
    moments = range(int(START), int(END), 6 * 3600)
    offsets = [datetime.fromtimestamp(moment, place).utcoffset() for moment in moments]
    return tuple(float(at) for at, (one, other) in zip(moments, pairwise(offsets), strict=False) if one != other)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, float]:
    """Return a zone and a moment, most often about the time its clocks are changed."""
    zone = draw(st.sampled_from(ZONES))
    moment: float = draw(st.floats(START, END))
    is_near_a_change = draw(st.integers(0, 3)) > 0
    if is_near_a_change and changes_of(zone):
        moment = draw(st.sampled_from(changes_of(zone))) + draw(st.floats(-DAY_S / 2, DAY_S / 2))
    return zone, moment


INTERVALS = st.one_of(st.floats(60.0, 8 * DAY_S), st.integers(1, 10_000).map(lambda tenths: tenths * 6.0))
PAUSES = st.lists(
    st.one_of(st.floats(0.1, 300.0), st.floats(300.0, 6 * 3600.0), st.floats(0.5 * DAY_S, 2 * DAY_S)), max_size=30
)
"""How long nobody looks: the supervisor's own pace, a machine that sleeps, one that is off."""


def looked_at(check_in: CheckIn, start: float, pauses: list[float]) -> Iterator[tuple[float, float, int, float]]:
    """Do what the scheduler does; yield each firing's due time, when it fired, what it covers, and what is due next."""
    now = start
    for pause in pauses:
        now += pause
        if check_in.due_at <= now:
            following = next_due(check_in, now)
            assert following is not None
            yield check_in.due_at, now, missed_between(check_in, check_in.due_at, now), following
            check_in = replace(check_in, due_at=following)


# --- exactly one firing for a due time, or one for a whole outage


@settings(deadline=None)
@given(patterns(), places(), PAUSES)
def test_a_cron_expression_fires_once_for_each_of_its_times(
    pattern: Pattern, place: tuple[str, float], pauses: list[float]
) -> None:
    zone, start = place
    first = next(cron_times(pattern.expression, zone, start))
    check_in = a_cron(pattern.expression, zone, first)
    expected = true_times(pattern, zone, start, start + sum(pauses))
    accounted: list[float] = []
    for due_at, now, missed, following in looked_at(check_in, start, pauses):
        covered = [at for at in expected if due_at <= at <= now]
        assert covered[0] == due_at
        assert missed == min(len(covered) - 1, MISSED_AT_MOST)
        assert following > now
        accounted += covered
    assert accounted == expected


@settings(deadline=None)
@given(INTERVALS, places(), PAUSES)
def test_an_interval_fires_once_for_each_of_its_times_and_never_drifts(
    interval_s: float, place: tuple[str, float], pauses: list[float]
) -> None:
    start = place[1]
    check_in = every(interval_s, start + interval_s)
    covered = 0
    for due_at, now, missed, following in looked_at(check_in, start, pauses):
        steps = round((due_at - check_in.anchor_at) / interval_s)
        assert steps == covered
        assert due_at == check_in.anchor_at + steps * interval_s
        covered += 1 + missed
        assert following == check_in.anchor_at + covered * interval_s > now
    assert check_in.anchor_at + covered * interval_s > start + sum(pauses)


@given(st.floats(0.001, 31.0), st.integers(0, 10_000_000))
def test_after_years_an_interval_is_where_it_would_have_been(minutes: float, steps: int) -> None:
    check_in = every(minutes * 60 + 1)
    due_at = START + steps * (minutes * 60 + 1)
    following = next_due(check_in, due_at)
    assert following is not None
    assert following == START + (steps + 1) * (minutes * 60 + 1)


@settings(deadline=None)
@given(patterns(), places(), st.floats(0.0, 0.999))
def test_from_whatever_moment_the_same_times_come_out(pattern: Pattern, place: tuple[str, float], part: float) -> None:
    zone, start = place
    times = list(islice(cron_times(pattern.expression, zone, start), 12))
    assert times == true_times(pattern, zone, start, times[-1])
    for one, other in pairwise(times):
        for after in (one + (other - one) * part, math.nextafter(other, -math.inf)):
            assert next(cron_times(pattern.expression, zone, after)) == other


BERLIN, SANTIAGO, LORD_HOWE = "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("zone", "expression", "after", "expected"),
    [
        # 2:00 to 3:00 is left out
        (BERLIN, "30 2 * * *", "2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00 2026-03-30T02:30+02:00"),
        (BERLIN, "15,45 2 * * *", "2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00 2026-03-30T02:15+02:00"),
        (BERLIN, "*/30 2 * * *", "2026-03-29T00:00+01:00", "2026-03-30T02:00+02:00"),
        (BERLIN, "*/30 * * * *", "2026-03-29T01:10+01:00", "2026-03-29T01:30+01:00 2026-03-29T03:00+02:00"),
        # 2:00 to 3:00 comes twice
        (BERLIN, "30 2 * * *", "2026-10-25T00:00+02:00", "2026-10-25T02:30+02:00 2026-10-26T02:30+01:00"),
        (BERLIN, "30 2 * * *", "2026-10-25T02:10+01:00", "2026-10-26T02:30+01:00"),
        (BERLIN, "*/30 2 * * *", "2026-10-25T02:10+02:00", "2026-10-25T02:30+02:00 2026-10-25T02:00+01:00"),
        # clocks that change by half an hour, and at midnight
        (LORD_HOWE, "6 */30 * * *", "2026-10-04T00:20+10:30", "2026-10-05T00:06+11:00"),
        (SANTIAGO, "*/30 0 * * 0", "2026-09-05T12:00-04:00", "2026-09-13T00:00-03:00"),
        (SANTIAGO, "0 0 * * 0", "2026-09-05T12:00-04:00", "2026-09-06T01:00-03:00 2026-09-13T00:00-03:00"),
    ],
)
def test_days_on_which_clocks_are_changed(zone: str, expression: str, after: str, expected: str) -> None:
    moments = [datetime.fromisoformat(moment).timestamp() for moment in expected.split()]
    found = cron_times(expression, zone, datetime.fromisoformat(after).timestamp())
    assert list(islice(found, len(moments))) == moments


def test_what_fires_once_is_due_once() -> None:
    check_in = a_check_in(CheckInKind.ONCE, 100.0)
    assert next_due(check_in, 99.9) == 100.0
    assert next_due(check_in, 100.0) is None
    assert missed_between(check_in, 100.0, 1e9) == 0


def test_an_interval_begins_at_its_anchor() -> None:
    assert next_due(every(60.0, 1000.0), 10.0) == 1000.0
    assert next_due(every(60.0, 1000.0), 999.9) == 1000.0
    assert next_due(every(60.0, 1000.0), 1000.0) == 1060.0


def test_what_is_missed_is_counted_all_of_them_however_long_nobody_looked() -> None:
    assert missed_between(every(60.0), START, START + 3650 * DAY_S) == 3650 * 1440
    assert missed_between(a_cron("* * * * *"), START, START + 3650 * DAY_S) == MISSED_AT_MOST
    assert missed_between(every(60.0), START, START) == 0
    assert missed_between(every(60.0), START, START - 1e6) == 0


# --- drawing


@settings(deadline=None)
@given(
    st.one_of(INTERVALS.map(every), patterns().map(lambda pattern: a_cron(pattern.expression))),
    st.floats(-2 * DAY_S, 2 * DAY_S),
    st.floats(900.0, 7 * DAY_S),
    st.integers(10, 200),
)
def test_what_is_due_is_drawn_in_its_cell_and_once(check_in: CheckIn, offset: float, length: float, cells: int) -> None:
    start, step_s = START + offset, length / cells
    end = start + length
    drawn = expand(check_in, start, end, step_s)
    assert len(drawn) <= cells + 2
    after = max(check_in.due_at, math.nextafter(start, -math.inf))
    all_of_them = []
    while (due_at := next_due(check_in, after)) is not None and due_at <= end:
        all_of_them.append(due_at)
        after = due_at
    assert set(drawn) <= set(all_of_them)
    assert list(drawn) == sorted(set(drawn))
    for due_at in all_of_them:
        assert any(due_at - step_s - 1e-3 < shown <= due_at for shown in drawn), due_at


def test_drawing_is_bounded() -> None:
    for check_in in (every(60.0), a_cron("* * * * *")):
        assert len(expand(check_in, START, START + 3650 * DAY_S, 0.0)) == DRAWN_AT_MOST
        assert expand(check_in, START, START - 10.0, 60.0) == ()


def test_only_what_goes_on_is_drawn() -> None:
    assert expand(a_check_in(CheckInKind.ONCE, START + 60), START, START + DAY_S, 60.0) == ()
    assert expand(replace(every(60.0), state=CheckInState.DEAD), START, START + DAY_S, 60.0) == ()
    assert expand(a_cron("what ever"), START, START + DAY_S, 60.0) == ()
    assert expand(a_cron("0 9 * * *", "Mars/Olympus"), START, START + DAY_S, 60.0) == ()


# --- a clock that went back


@given(
    st.one_of(
        INTERVALS.map(every),
        patterns().map(lambda pattern: a_cron(pattern.expression)),
        st.just(a_check_in(CheckInKind.ONCE)),
    ),
    st.floats(0.0, DAY_S),
    st.one_of(st.floats(-400 * DAY_S, 400 * DAY_S), st.floats(-3 * DAY_S, 0.0)),
)
def test_a_clock_that_went_back_keeps_nothing_waiting(check_in: CheckIn, delay: float, jump: float) -> None:
    set_at = START
    check_in = replace(check_in, set_at=set_at, due_at=START + delay if not check_in.repeats else START)
    now = set_at + jump
    correction = set_right(check_in, now)
    if now >= set_at - 60:
        assert correction is None
        return
    if correction is None:
        assert check_in.repeats
        assert check_in.due_at <= as_if_set_at(check_in, now)
        return
    after = replace(check_in, **asdict(correction))
    assert set_right(after, now) is None
    assert after.set_at == now
    if check_in.repeats:
        assert after.due_at == as_if_set_at(check_in, now) < check_in.due_at
        assert next_due(after, now) == after.due_at
    else:
        assert after.due_at == pytest.approx(now + delay)


def as_if_set_at(check_in: CheckIn, now: float) -> float:
    """Return when a check-in that repeats would be due if it were set now."""
    due_at = next_due(check_in, now) if check_in.kind is CheckInKind.CRON else now + (check_in.interval_s or 0)
    assert due_at is not None
    return due_at


def test_one_that_is_due_soon_enough_is_left_as_it_is() -> None:
    soon = replace(every(600.0), set_at=START + 7200, due_at=START + 300)
    assert set_right(soon, START) is None


# --- requests


@pytest.mark.parametrize(
    ("request_", "due_at"),
    [
        (CheckInRequest(note="x", delay_s=0.0), START),
        (CheckInRequest(note="x", delay_s=90.5), START + 90.5),
        (CheckInRequest(note="x", delay_s=LONGEST_S), START + LONGEST_S),
        (CheckInRequest(note="x", delay_s=90.5, repeats=True), START + 90.5),
        (CheckInRequest(note="x", at=START + 5.0), START + 5.0),
        (CheckInRequest(note="x", cron="30 9 * * *"), datetime(2026, 1, 1, 8, 30, tzinfo=UTC).timestamp()),
        (CheckInRequest(note="x", cron=" 0  9  * * THU "), datetime(2026, 1, 1, 8, 0, tzinfo=UTC).timestamp()),
    ],
)
def test_when_a_request_is_due_first(request_: CheckInRequest, due_at: float) -> None:
    assert first_due(request_, START, "Europe/Berlin") == due_at


@pytest.mark.parametrize(
    ("request_", "title", "code"),
    [
        (CheckInRequest(note="x"), "not clear", "time"),
        (CheckInRequest(note="x", delay_s=5.0, at=START + 5.0), "not clear", "time"),
        (CheckInRequest(note="x", delay_s=5.0, cron="* * * * *"), "not clear", "time"),
        (CheckInRequest(note="x", at=START + 5.0, repeats=True), "not clear", "time"),
        (CheckInRequest(note="x", cron="* * * * *", repeats=True), "not clear", "time"),
        (CheckInRequest(note="x", delay_s=-1.0), "has passed", "time"),
        (CheckInRequest(note="x", delay_s=math.nan), "has passed", "time"),
        (CheckInRequest(note="x", at=START - 0.1), "has passed", "time"),
        (CheckInRequest(note="x", delay_s=math.inf), "too far", "time"),
        (CheckInRequest(note="x", delay_s=LONGEST_S + 1), "too far", "time"),
        (CheckInRequest(note="x", at=START + LONGEST_S + 1), "too far", "time"),
    ],
)
def test_a_time_that_cannot_be(request_: CheckInRequest, title: str, code: str) -> None:
    with pytest.raises(UsageError, match=title) as caught:
        first_due(request_, START, "Europe/Berlin")
    assert caught.value.code == code
    assert caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("expression", "title", "cause"),
    [
        ("* * * *", "is no cron expression", "4 fields instead of five"),
        ("*/10 * * * * *", "is no cron expression", "6 fields instead of five"),
        ("@daily", "is no cron expression", "1 fields instead of five"),
        ("60 * * * *", "is no cron expression", "its minute '60' cannot be"),
        ("* 24 * * *", "is no cron expression", "its hour '24' cannot be"),
        ("* * 32 * *", "is no cron expression", "its day-of-month '32' cannot be"),
        ("* * * foo *", "is no cron expression", "its month 'foo' cannot be"),
        ("* * * * sun-sat-mon", "is no cron expression", "its day-of-week 'sun-sat-mon' cannot be"),
        (f"{'9' * 5000} * * * *", "is no cron expression", "limit"),
        ("0 0 30 2 *", "never fires", "no day"),
        ("0 0 31 2,4 *", "never fires", "no day"),
        ("0 0 31 4 */2", "never fires", "no day"),
        ("0 0 */31 2 sun#5", "never fires", "no day"),
    ],
)
def test_a_cron_expression_that_cannot_be(expression: str, title: str, cause: str) -> None:
    with pytest.raises(UsageError, match=title) as caught:
        first_due(CheckInRequest(note="x", cron=expression), START, "Europe/Berlin")
    assert cause in caught.value.cause
    assert caught.value.code == "cron"
    assert caught.value.remedy


def test_what_repeats_too_often() -> None:
    def check(shortest_s: float, **request: object) -> None:
        check_interval(replace(CheckInRequest(note="x"), **request), "Europe/Berlin", START, shortest_s)

    check(60.0, delay_s=60.0, repeats=True)
    check(60.0, delay_s=1.0)
    check(60.0, cron="* * * * *")
    check(600.0, cron="*/10 * * * *")
    for shortest_s, request in (
        (60.0, {"delay_s": 59.9, "repeats": True}),
        (0.001, {"delay_s": 0.5, "repeats": True}),
        (600.0, {"cron": "*/5 * * * *"}),
        (600.0, {"cron": "0,55 9-17 * * *"}),
    ):
        with pytest.raises(UsageError, match="too often") as caught:
            check(shortest_s, **request)
        assert caught.value.code == "interval"


def test_the_nearest_two_times_of_an_expression() -> None:
    assert shortest_gap("0,59 * * * *", "UTC", START) == 60.0
    assert shortest_gap("0 9 * * *", "UTC", START) == DAY_S
    assert shortest_gap("30 8,17 1 * *", "UTC", START) == 9 * 3600.0


# --- zones


@pytest.mark.parametrize(
    ("name", "offered"),
    [("Europe/Berlim", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("new york", "America/New_York")],
)
def test_a_zone_that_there_is_not(name: str, offered: str) -> None:
    with pytest.raises(UsageError, match="there is no time zone") as caught:
        zone_of(name)
    assert offered in caught.value.remedy


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../../etc/passwd", "Europe", "a" * 300, "\0", "Ü/ß", "\ud800"])
def test_what_is_no_name_of_a_zone(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        zone_of(name)
    assert caught.value.code == "zone"
    assert "Europe/Berlin" in caught.value.remedy or " or " in caught.value.remedy


def test_the_machines_own_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tzlocal.unix._cache_tz_name", None)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert local_zone() == "Asia/Kathmandu"


@pytest.mark.parametrize("found", [None, "No/Where", ZoneInfoNotFoundError("two files that differ")])
def test_a_machine_whose_zone_nobody_can_tell(monkeypatch: pytest.MonkeyPatch, found: str | Exception | None) -> None:
    def look() -> str | None:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("tzlocal.get_localzone_name", look)
    assert local_zone() == "UTC"
