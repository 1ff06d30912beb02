"""Times as people write them."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.models.when import clock_of, next_at, request_of, shift_of, span_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 1800), ("0.5", 30), (".5", 30), ("90s", 90), ("45m", 2700), ("2h", 7200), ("1h30m", 5400), ("2d", 172800),
     ("1d2h3m4s", 93784), ("0", 0), ("now", 0), ("1.5H", 5400)],
)  # fmt: skip
def test_time_spans(text: str, seconds: float) -> None:
    assert span_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "h", "-5", "1m1h", "5 m", "14:30", "٣", "1e3", "inf", "nan", "five"])
def test_what_is_no_span(text: str) -> None:
    assert span_of(text) is None


def test_spans_with_a_sign() -> None:
    assert [shift_of(text) for text in ("+10", "-1h", "10", "+now", "+")] == [600, -3600, None, None, None]


def test_clock_times() -> None:
    assert [clock_of(text) for text in ("14:30", "9:05:30", "00:00")] == [time(14, 30), time(9, 5, 30), time(0, 0)]
    assert [clock_of(text) for text in ("24:00", "14:60", "14.30", "14", "1430")] == [None] * 5


@given(
    st.times().map(lambda t: t.replace(microsecond=0)),
    st.floats(min_value=1.6e9, max_value=1.9e9),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_the_next_time_is_later_within_a_day_and_shows_on_the_clock(clock: time, now: float, name: str) -> None:
    zone = ZoneInfo(name)
    at = next_at(clock, now, zone)
    assert now < at <= now + 86400 + 3600
    shown = datetime.fromtimestamp(at, zone)
    is_passed_over = (
        datetime.fromtimestamp(datetime.combine(shown.date(), clock, zone).timestamp(), zone).time() != clock
    )
    assert shown.time() == clock or is_passed_over


def test_days_on_which_the_clocks_are_changed() -> None:
    def at(*parts: int, fold: int = 0) -> float:
        return datetime(*parts, tzinfo=BERLIN, fold=fold).timestamp()  # type: ignore[arg-type,misc]

    first, second = at(2023, 10, 29, 2, 30), at(2023, 10, 29, 2, 30, fold=1)
    assert second - first == 3600
    assert next_at(time(2, 30), first - 60, BERLIN) == first
    assert next_at(time(2, 30), first, BERLIN) == second, "clocks show it again"
    assert next_at(time(14, 30), at(2023, 10, 28, 15, 0), BERLIN) == at(2023, 10, 29, 14, 30)
    passed_over = next_at(time(2, 30), at(2023, 3, 26, 1, 0), BERLIN)
    assert passed_over == at(2023, 3, 26, 3, 30)


def test_requests() -> None:
    assert request_of("n", " 1H30M ", NOW).delay_s == 5400
    assert request_of("n", "30", NOW, repeats=True).repeats
    assert request_of("n", "22:14", NOW, zone=BERLIN).at == NOW + 40
    for words, text in (("is no time", "soon"), ("minutes", "")):
        with pytest.raises(ValueError, match=words):
            request_of("n", text, NOW)
    with pytest.raises(ValueError, match=r"cron: 30 9 \* \* \*"):
        request_of("n", "9:30", NOW, repeats=True)
