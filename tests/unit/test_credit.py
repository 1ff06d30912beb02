"""Readings of an account: which are kept, what they say together, and what is only guessed."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.agents.claude.records import TAIL, LimitRecord, newest_limit
from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountId,
    AgentUse,
    Confidence,
    CreditReading,
    ReadingSource,
)
from orchestrator_core.services.credit import (
    FIVE_HOURS_S,
    OLD_S,
    accounts_of,
    guessed,
    is_news,
    is_use_news,
    limits_of,
)
from orchestrator_core.services.projection import project
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent

NOW = 1_800_000_000.0
HOME = AccountId("/home/dana/.claude")


def reading(used: float | None = 40.0, **changes: object) -> CreditReading:
    made = CreditReading(
        account=HOME,
        window=FIVE_HOUR,
        at=NOW,
        source=ReadingSource.STATUS_LINE,
        confidence=Confidence.SURE,
        used_percentage=used,
        resets_at=NOW + 7200,
        agent=DEVELOPER,
    )
    return replace(made, **changes)


LATER = NOW + 60
TOLD = [source for source in ReadingSource if source is not ReadingSource.GUESS]
LIMIT = reading(100, is_limit=True, source=ReadingSource.RECORD)


@pytest.mark.parametrize(
    ("new", "last", "kept"),
    [
        (reading(), None, True),
        (reading(at=LATER), reading(), False),
        (reading(40.9, at=LATER), reading(), False),
        (reading(41, at=LATER), reading(), True),
        (reading(39, at=LATER), reading(), False),  # of an agent that has not heard yet
        (reading(39, at=NOW + OLD_S), reading(), True),
        (reading(at=NOW + OLD_S), reading(), True),
        (reading(90, at=NOW - 1), reading(), False),
        (reading(90, at=LATER, source=ReadingSource.SCREEN), reading(), False),
        (reading(90, at=NOW + OLD_S, source=ReadingSource.SCREEN), reading(), True),
        (reading(90, at=LATER), reading(20, source=ReadingSource.SCREEN), True),
        (replace(LIMIT, at=LATER), reading(97), True),
        (reading(97, at=LATER), LIMIT, False),  # a limit does not end by an agent that has not met it
        (reading(97, at=NOW + 2 * OLD_S), LIMIT, False),
        (reading(40, at=LATER), replace(LIMIT, source=ReadingSource.GUESS), True),
        (reading(40, at=LATER), replace(LIMIT, source=ReadingSource.SCREEN), False),
        (reading(0, at=NOW + 7200, resets_at=NOW + 7200 + FIVE_HOURS_S), LIMIT, True),
        (reading(100, at=LATER, resets_at=NOW + 7230), reading(100), False),  # told in words, without its seconds
        (reading(100, at=LATER, resets_at=NOW + 9000), reading(100), True),
    ],
)
def test_what_is_kept(new: CreditReading, last: CreditReading | None, *, kept: bool) -> None:
    assert is_news(new, last) is kept


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(TOLD), st.floats(0, 300)), max_size=30))
def test_within_ten_minutes_use_only_grows_by_the_best_source(told: list[tuple[float, ReadingSource, float]]) -> None:
    kept: list[CreditReading] = []
    at = NOW
    for used, source, pause in told:
        at += pause
        new = reading(used, source=source, at=at, resets_at=NOW + 90_000)
        if is_news(new, kept[-1] if kept else None):
            kept.append(new)
    for one, other in pairwise(kept):
        if other.at - one.at < OLD_S:
            assert (other.used_percentage or 0) >= (one.used_percentage or 0)
            assert list(ReadingSource).index(other.source) <= list(ReadingSource).index(one.source)


def test_a_limit_is_over_at_its_reset() -> None:
    assert limits_of([LIMIT, reading()], NOW) == (LIMIT,)
    assert limits_of([LIMIT], NOW + 7200) == ()
    week = replace(LIMIT, window=SEVEN_DAY, resets_at=NOW + 90_000)
    assert limits_of([LIMIT, week], NOW) == (week, LIMIT)


def test_an_account_with_its_windows_and_agents() -> None:
    week = reading(12, window=SEVEN_DAY)
    opus = reading(3, window="opus")
    agents = [an_agent(account=HOME), an_agent(TESTER, account="demo"), an_agent(account="")]
    found = {account.name: account for account in accounts_of([opus, week, LIMIT], agents, NOW, "/home/dana")}
    assert [window.reading for window in found["~/.claude"].windows] == [LIMIT, week, opus]
    assert (found["~/.claude"].limited_until, found["~/.claude"].limit_is_estimate) == (NOW + 7200, False)
    assert found["~/.claude"].agents == (DEVELOPER,)
    assert (found["demo"].windows, found["demo"].limited_until) == ((), None)


@pytest.mark.parametrize(
    ("known", "met", "resets"),
    [
        (None, NOW, NOW + FIVE_HOURS_S),
        (NOW - 3600, NOW, NOW - 3600 + FIVE_HOURS_S),
        (NOW - 6 * 3600, NOW, NOW - 6 * 3600 + 2 * FIVE_HOURS_S),
        (NOW + 3600, NOW, NOW + 3600),
    ],
)
def test_a_reset_that_nobody_has_told_is_five_hours_after_the_last(
    known: float | None, met: float, resets: float
) -> None:
    last = reading(resets_at=known) if known else None
    found = guessed(HOME, FIVE_HOUR, met, NOW, last, an_agent())
    assert (found.resets_at, found.confidence, found.is_limit) == (resets, Confidence.ESTIMATE, True)


# --- records


def record(**changes: object) -> dict[str, object]:
    quota = {"status": "rejected", "resetsAt": int(NOW), "rateLimitType": FIVE_HOUR}
    return {
        "type": "assistant",
        "isApiErrorMessage": True,
        "apiError": "usage_limit_reached",
        "quotaLimits": quota,
        "timestamp": "2026-11-23T02:00:00Z",
        **changes,
    }


def test_the_newest_record_counts_and_what_is_cut_off_does_not() -> None:
    older = json.dumps(record(timestamp="2026-11-22T02:00:00Z"))
    tail = f'{{"cut": "usage_limit_reached\n{older}\n{json.dumps(record())}\n{{"type":"user"}}\n'
    assert newest_limit(tail.encode()) == LimitRecord(window=FIVE_HOUR, at=1795399200.0, resets_at=NOW)
    assert len(tail) < TAIL


@pytest.mark.parametrize(
    "entry",
    [
        record(isApiErrorMessage=False),
        record(apiError="overloaded", text="usage_limit_reached"),
        record(quotaLimits=None),
        record(quotaLimits={"resetsAt": "soon", "rateLimitType": FIVE_HOUR}),
        record(quotaLimits={"resetsAt": 5, "rateLimitType": FIVE_HOUR}),
        record(quotaLimits={"resetsAt": True, "rateLimitType": FIVE_HOUR}),
        record(quotaLimits={"resetsAt": int(NOW), "rateLimitType": ""}),
        record(timestamp="yesterday"),
        {"type": "user", "message": {"content": json.dumps(record())}},
    ],
)
def test_what_is_no_record(entry: dict[str, object]) -> None:
    assert newest_limit(json.dumps(entry).encode()) is None


@given(st.binary(max_size=80))
def test_a_conversation_may_hold_anything(tail: bytes) -> None:
    assert newest_limit(b"usage_limit_reached" + tail) is None


# --- what agents use

USE = AgentUse(agent=DEVELOPER, at=NOW, conversation="c", cost_usd=1.0, context_used=40.0, input_tokens=5)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"input_tokens": 9}, False),
        ({"input_tokens": 9, "at": NOW + OLD_S}, True),
        ({"at": NOW + OLD_S}, False),
        ({"cost_usd": 1.02}, True),
        ({"context_used": 41.0}, True),
        ({"context_used": None}, True),
        ({"conversation": "d"}, True),
        ({"model": "Opus"}, True),
    ],
)
def test_what_is_kept_of_an_agents_use(changes: dict[str, object], *, kept: bool) -> None:
    assert is_use_news(replace(USE, **changes), USE) is kept


# --- projections


def series(*told: tuple[float, float], resets_in: float = 4 * 3600) -> list[CreditReading]:
    return [reading(used, at=NOW + minutes * 60, resets_at=NOW + resets_in) for minutes, used in told]


def test_when_it_would_be_used_up_with_what_that_is_based_on() -> None:
    found = project(series((-60, 40), (-30, 50), (0, 60)), NOW)
    assert found is not None
    assert found.at == NOW + 2 * 3600
    assert found.basis == "20.0 % an hour over the last 60 min"


def test_what_resets_before_is_not_used_up() -> None:
    found = project(series((-60, 40), (0, 41)), NOW)
    assert found is not None
    assert found.at is None


@pytest.mark.parametrize(
    "told",
    [
        [],
        series((0, 10)),
        series((-5, 10), (0, 20)),
        series((-60, 40), (0, 60), resets_in=-1),
        series((-300, 10), (-200, 60)),
    ],
)
def test_too_little_to_tell(told: list[CreditReading]) -> None:
    assert project(told, NOW) is None


def test_the_pace_is_that_since_the_last_reset() -> None:
    found = project(series((-80, 90), (-60, 0), (0, 10)), NOW)
    assert found is not None
    assert found.basis.startswith("10.0 % an hour")


def test_a_window_that_began_anew_with_more_use_is_another_one() -> None:
    before = reading(5, at=NOW - 4800, resets_at=NOW - 4000)
    found = project([before, *series((-60, 20), (0, 30))], NOW)
    assert found is not None
    assert found.basis.startswith("10.0 % an hour over the last 60")


@given(st.lists(st.tuples(st.floats(-200, 0), st.floats(0, 130)), max_size=12).map(sorted))
def test_it_is_never_past_and_never_after_the_reset(told: list[tuple[float, float]]) -> None:
    found = project(series(*told), NOW)
    if found is not None and found.at is not None:
        assert NOW <= found.at < NOW + 4 * 3600
