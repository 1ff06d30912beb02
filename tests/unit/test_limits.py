"""When a usage limit ends: what is told in words, what the status line knows, and which of them counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.agents.claude import usage
from orchestrator_core.agents.evidence import Evidence
from orchestrator_core.agents.limits import SAME_S, UsageWindow, limit_end, resets_at, window_of
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.agents.status import limit_met_at, limit_texts
from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.services.evidence import with_limit_end
from tests.fakes.captured_screens import lines_of, read
from tests.unit.test_agents_status import ALIVE, agent

BERLIN, NEW_YORK, TBILISI = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Tbilisi")
ZONES = (UTC, BERLIN, NEW_YORK, TBILISI, ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe"))
WINTER = datetime(2026, 1, 14, 14, 0, tzinfo=BERLIN)
"""14:00 in Berlin, 13:00 in Greenwich, 8:00 in New York."""


def moment(month: int, day: int, hour: int, minute: int = 0, *, zone: Any = BERLIN, year: int = 2026) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("You've hit your 5-hour limit · resets 2:59pm (UTC)", moment(1, 14, 14, 59, zone=UTC)),
        ("You've hit your session limit · resets 4:20pm (Asia/Tbilisi)", moment(1, 15, 16, 20, zone=TBILISI)),
        ("You've hit your limit · resets Feb 16, 11am (Europe/Berlin)", moment(2, 16, 11)),
        ("You've hit your weekly limit · resets Nov 26, 12:24am (UTC)", moment(11, 26, 0, 24, zone=UTC, year=2025)),
        ("You've hit your weekly limit · resets 3am (Europe/London)", moment(1, 15, 3, zone=ZoneInfo("Europe/London"))),
        (
            "Claude usage limit reached. Your limit will reset at 3pm (America/New_York).",
            moment(1, 14, 15, zone=NEW_YORK),
        ),
        ("You're out of extra usage · resets 11:30am (Asia/Colombo)", moment(1, 15, 6, 0, zone=UTC)),
        ("5-hour limit reached ∙ resets 9pm", moment(1, 14, 21)),
        ("Usage limit reached · limit resets 2:59pm", moment(1, 14, 14, 59)),
        ("resets 14:05", moment(1, 14, 14, 5)),
        ("resets 13:55", moment(1, 15, 13, 55)),
        ("resets 12am", moment(1, 15, 0)),
        ("resets 12pm", moment(1, 15, 12)),
        ("resets 12:30pm (UTC)", moment(1, 15, 12, 30, zone=UTC)),
        ("resets 12:30am (UTC)", moment(1, 15, 0, 30, zone=UTC)),
        ("resets 1:59pm", moment(1, 14, 13, 59)),  # a minute ago, and told without its seconds
        ("resets Jan 14 at 6pm", moment(1, 14, 18)),
        ("resets January 3, 9am (UTC)", moment(1, 3, 9, zone=UTC)),
        ("resets Mar 3, 2027, 9am", moment(3, 3, 9, year=2027)),
        ("resets 9pm UTC", moment(1, 14, 21, zone=UTC)),
        ("Your credits will reset at 3 p.m. (GMT)", moment(1, 14, 15, zone=UTC)),
        ("Weekly limit reached · resets today at 9pm", moment(1, 14, 21)),
        ("resets tomorrow at 9am", moment(1, 15, 9)),
        ("resets tomorrow, 3:30pm (America/New_York)", moment(1, 15, 15, 30, zone=NEW_YORK)),
        ("resets Mon 3am", moment(1, 19, 3)),  # it is a Wednesday
        ("resets on Monday at 3:30pm (Europe/Berlin)", moment(1, 19, 15, 30)),
        ("resets Wed 3pm", moment(1, 14, 15)),
        ("resets Wed 1pm", moment(1, 21, 13)),
        ("resets 2026-02-16 00:24", moment(2, 16, 0, 24)),
        ("resets at 2026-02-16T00:24Z", moment(2, 16, 0, 24, zone=UTC)),
        ("Claude AI usage limit reached|1768400000", 1768400000.0),
        ("resets in 2h 15m", WINTER.timestamp() + 8100),
        ("try again in 45 minutes", WINTER.timestamp() + 2700),
        ("resets in 1 day, 3 hours", WINTER.timestamp() + 27 * 3600),
    ],
)
def test_the_moment_that_a_banner_names(text: str, at: float) -> None:
    assert resets_at(text, WINTER.timestamp(), BERLIN) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You've hit your limit",
        "resets soon",
        "resets 3",
        "resets 13pm",
        "resets 0am",
        "resets 25:00",
        "resets 14:75",
        "resets 3pm (Mars/Olympus)",
        "resets 3pm (../../etc/passwd)",
        "resets 3pm (Europe)",
        "resets Foo 3, 3pm",
        "resets Feb 30, 3pm",
        "the settings were reset 3 times",
        "resets 9pm PST",
        "resets 3:00:15pm",
        "resets Mon 3",
        "resets Monday",
        "resets Nod 3am",
        "resets tomorrow",
        "resets tomorrow 3",
        "resets in 2 weeks",
        "resets in 3",
        "resets in a moment",
        "resets 2026-13-45 10:00",
        "resets 3pm (EST)",
    ],
)
def test_no_moment(text: str) -> None:
    assert resets_at(text, WINTER.timestamp(), BERLIN) is None


def test_of_what_is_told_twice_the_first_wording_of_the_file_counts() -> None:
    text = "resets 9pm, that is in 2h; resets Feb 16, 11am"
    assert resets_at(text, WINTER.timestamp(), BERLIN) == moment(2, 16, 11)


def test_a_year_is_never_told_and_the_nearest_is_meant() -> None:
    silvester = moment(12, 31, 22)
    assert resets_at("resets Jan 1, 3am", silvester, BERLIN) == moment(1, 1, 3, year=2027)
    assert resets_at("resets Feb 29, 3am", moment(2, 27, 22, year=2028), BERLIN) == moment(2, 29, 3, year=2028)


@pytest.mark.parametrize(
    ("since", "text", "at"),
    [
        # clocks are put forward at 2:00 on March 29th, and back at 3:00 on October 25th
        (moment(3, 28, 23), "resets 3am", moment(3, 29, 1, zone=UTC)),
        (moment(3, 28, 23), "resets 4am", moment(3, 29, 2, zone=UTC)),
        (moment(10, 24, 23), "resets 3am", moment(10, 25, 2, zone=UTC)),
        (moment(10, 25, 0, 0, zone=UTC), "resets 2:30am", moment(10, 25, 0, 30, zone=UTC)),
        (moment(10, 25, 0, 45, zone=UTC), "resets 2:30am", moment(10, 25, 1, 30, zone=UTC)),
        (moment(10, 25, 1, 45, zone=UTC), "resets 2:30am", moment(10, 26, 1, 30, zone=UTC)),
    ],
)
def test_days_on_which_clocks_are_set(since: float, text: str, at: float) -> None:
    assert resets_at(text, since, BERLIN) == at


@given(
    seen=st.datetimes(datetime(2024, 1, 2), datetime(2037, 1, 1), timezones=st.just(UTC)),
    ahead=st.integers(0, 22 * 60),
    zone=st.sampled_from(ZONES),
    style=st.sampled_from(("%-I:%M%p", "%H:%M")),
)
def test_what_is_told_of_a_moment_leads_back_to_it(seen: datetime, ahead: int, zone: Any, style: str) -> None:
    end = (seen + timedelta(minutes=ahead)).replace(second=0, microsecond=0)
    shown = end.astimezone(zone)
    text = f"You've hit your 5-hour limit · resets {shown.strftime(style).lower()}"
    for told, local in ((text, zone), (f"{text} ({shown.tzinfo})", BERLIN)):
        found = resets_at(told, seen.timestamp(), local)
        assert found is not None
        other = shown.replace(fold=1 - shown.fold)
        is_twice = other.utcoffset() != shown.utcoffset()
        assert found == end.timestamp() or (is_twice and found == other.timestamp())
        assert found >= seen.timestamp() - SAME_S


@given(st.text(max_size=60), st.floats(0, 4e9), st.sampled_from(ZONES))
def test_any_text_has_a_moment_or_none(text: str, since: float, zone: Any) -> None:
    resets_at(f"resets {text}", since, zone)


# --- the status line


def windows(five_hour: float = 55, seven_day: float = 55, *, at: float = 1000.0) -> tuple[UsageWindow, ...]:
    return (
        UsageWindow(used_percentage=five_hour, resets_at=WINTER.timestamp() + at),
        UsageWindow(used_percentage=seven_day, resets_at=WINTER.timestamp() + 10 * at),
    )


@pytest.mark.parametrize(
    ("known", "text", "in_s"),
    [
        (windows(100, 60), "resets 9pm", 1000.0),
        (windows(60, 100), "resets 9pm", 10000.0),
        (windows(100, 100), "", 10000.0),
        (windows(60, 70), "resets 9pm", 7 * 3600.0),
        (windows(93, 60), "no time is told", 1000.0),
        (windows(100, 60, at=-5000.0), "resets 9pm", 7 * 3600.0),
        ((), "resets 9pm", 7 * 3600.0),
        ((), "no time is told", None),
    ],
)
def test_which_source_counts(known: tuple[UsageWindow, ...], text: str, in_s: float | None) -> None:
    since = WINTER.timestamp()
    found = limit_end(known, (text,), since, BERLIN)
    assert found == (None if in_s is None else since + in_s)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("You've hit your 5-hour limit · resets 1:15pm", moment(1, 14, 13, 15)),  # 45 min ago
        ("You've hit your session limit · resets 9:30am", moment(1, 14, 9, 30)),
        ("You've hit your 5-hour limit · resets 7pm", moment(1, 14, 19)),
        ("You've hit your limit · resets 1:15pm", moment(1, 15, 13, 15)),
        ("You've hit your weekly limit · resets 1:15pm", moment(1, 15, 13, 15)),
        ("You've hit your session limit · resets Feb 16, 11am", moment(2, 16, 11)),
    ],
)
def test_five_hours_that_would_end_tomorrow_have_passed(text: str, at: float) -> None:
    """Else an agent that was met with an old banner would be left alone for a day."""
    assert limit_end((), (text,), WINTER.timestamp(), BERLIN) == at


def test_what_a_real_status_line_was_told() -> None:
    payloads = Path(__file__).parents[1] / "data" / "claude-payloads"
    told = usage.decode((payloads / "statusline_oauth_limit.json").read_bytes())
    assert told == usage.StatusLine(
        conversation="8501ced1-077d-427e-bf0d-dfdbe6f948e3",
        transcript="/home/user/home_t7/.claude/projects/-home-user-claude-work-proj/"
        "8501ced1-077d-427e-bf0d-dfdbe6f948e3.jsonl",
        model="Sonnet 5.5",
        cost_usd=0.004528000000000001,
        context_used=2,
        context_size=1_000_000,
        input_tokens=21234,
        output_tokens=6,
        windows={
            "five_hour": UsageWindow(used_percentage=100, resets_at=1795359592),
            "seven_day": UsageWindow(used_percentage=55, resets_at=1795752392),
        },
    )
    by_key = usage.decode((payloads / "statusline_apikey.json").read_bytes())
    assert by_key is not None
    assert by_key.windows == {}


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("You've hit your 5-hour limit · resets 2:59pm (UTC)", "five_hour"),
        ("You've hit your session limit · resets 4:20pm", "five_hour"),
        ("You've hit your limit · resets Feb 16, 11am", "five_hour"),
        ("You've hit your weekly limit · resets 3am", "seven_day"),
        ("Weekly limit reached · resets 3am", "seven_day"),
        ("You've hit your Opus limit · resets 3am", "opus"),
        ("You've hit your weekly Opus limit", "seven_day"),
    ],
)
def test_the_window_whose_limit_is_told(text: str, window: str) -> None:
    assert window_of(text) == window


NAMES = ("rate_limits", "five_hour", "seven_day", "used_percentage", "resets_at", "cost", "context_window", "model")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=6,
)


@given(JSON | st.dictionaries(st.sampled_from(NAMES), JSON))
def test_a_status_line_may_say_anything(told: Any) -> None:
    found = usage.decode(json.dumps(told).encode())
    assert (found is None) is not isinstance(told, dict)


@given(st.binary(max_size=60))
def test_a_status_line_may_be_broken(content: bytes) -> None:
    assert usage.decode(content) is None


# --- of an agent


SINCE = WINTER.timestamp()
LIMIT = Reading(state=ScreenState.LIMIT, detail="You've hit your 5-hour limit · resets 4:00pm (Europe/Berlin)")
LIMITED = Verdict(status=AgentStatus.LIMITED, reason="it shows a usage limit")
HOOK = HookFact(
    agent=agent().id,
    event="StopFailure",
    claim=HookClaim.LIMITED,
    at=SINCE,
    conversation="c-1",
    detail="rate_limit: You've hit your 5-hour limit · resets 5:00pm (Europe/Berlin)",
)


def test_the_moment_stays_the_same_once_it_has_passed(tmp_path: Path) -> None:
    """An agent goes on to show its limit for a while after that has ended."""
    held = replace(agent(AgentStatus.LIMITED), status_since=SINCE)
    evidence = Evidence(process=ALIVE, reading=LIMIT)
    ends = [with_limit_end(LIMITED, evidence, held, tmp_path, SINCE + hours * 3600).limited_until for hours in range(5)]
    assert set(ends) == {SINCE + 2 * 3600}


def test_only_what_is_held_by_a_limit_has_an_end(tmp_path: Path) -> None:
    evidence = Evidence(process=ALIVE, reading=LIMIT, hook=HOOK)
    working = Verdict(status=AgentStatus.WORKING, reason="it works")
    assert with_limit_end(working, evidence, agent(), tmp_path, SINCE) is working


def test_the_screen_is_more_current_than_the_hook_which_knows_when_it_began() -> None:
    evidence = Evidence(process=ALIVE, reading=LIMIT, hook=HOOK)
    assert limit_texts(evidence) == (LIMIT.detail, HOOK.detail)
    assert limit_met_at(evidence, agent(), SINCE + 60) == SINCE
    assert limit_texts(Evidence(process=ALIVE, hook=HOOK)) == (HOOK.detail,)
    quoted = Reading(state=ScreenState.READY, detail=LIMIT.detail)
    assert limit_texts(Evidence(process=ALIVE, reading=quoted, hook=replace(HOOK, claim=HookClaim.IDLE))) == ()


def test_the_status_line_of_the_agent_is_read(tmp_path: Path) -> None:
    held = agent(AgentStatus.LIMITED)
    folder = tmp_path / held.orchestration / held.role
    folder.mkdir(parents=True)
    told = {"rate_limits": {"five_hour": {"used_percentage": 100, "resets_at": SINCE + 4321}}}
    (folder / usage.STATUS_LINE).write_text(json.dumps(told))
    evidence = Evidence(process=ALIVE, reading=LIMIT, hook=HOOK)
    assert with_limit_end(LIMITED, evidence, held, tmp_path, SINCE).limited_until == SINCE + 4321
    (folder / usage.STATUS_LINE).write_text('{"rate_lim')
    assert with_limit_end(LIMITED, evidence, held, tmp_path, SINCE).limited_until == SINCE + 2 * 3600


@pytest.mark.parametrize(
    ("screen", "hour", "minute"),
    [("25_usage_limit_5h_end", 14, 59), ("28_limit_no_autocontinue_end", 15, 4), ("27b_continuing", 13, 4)],
)
def test_real_screens(screen: str, hour: int, minute: int) -> None:
    noon = moment(11, 22, 12, zone=UTC)
    reading = read(lines_of(screen))
    (text,) = limit_texts(Evidence(process=ALIVE, reading=reading))
    assert resets_at(text, noon, BERLIN) == moment(11, 22, hour, minute, zone=UTC)


def test_a_real_weekly_limit() -> None:
    reading = read(lines_of("29_limit_weekly_end"))
    (text,) = limit_texts(Evidence(process=ALIVE, reading=reading))
    assert resets_at(text, moment(11, 22, 13, zone=UTC), BERLIN) == moment(11, 26, 0, 24, zone=UTC)


@pytest.mark.parametrize(
    ("words", "hour"),
    [
        ("5-hour limit reached ∙ resets 9pm", 21),
        ("Weekly limit reached · resets 9pm", 21),
        ("You're out of extra usage · resets 9pm (Europe/Berlin)", 21),
        ("You've reached your Opus limit · resets 9pm", 21),
        ("Claude usage limit reached. Your limit will reset at 9pm (Europe/Berlin).", 21),
    ],
)
def test_other_words_in_the_place_of_a_real_notice(words: str, hour: int) -> None:
    lines = lines_of("29_limit_weekly_end")
    at = next(row for row, line in enumerate(lines) if "weekly limit" in line)
    reading = read((*lines[:at], lines[at].split("You've")[0] + words, *lines[at + 1 :]))
    assert reading.detail == words
    assert limit_texts(Evidence(process=ALIVE, reading=reading)) == (words,)
    assert resets_at(reading.detail, SINCE, BERLIN) == moment(1, 14, hour)


def test_a_banner_that_is_wrapped_is_read_whole() -> None:
    lines = lines_of("29_limit_weekly_end")
    at = next(row for row, line in enumerate(lines) if "weekly limit" in line)
    head, tail = lines[at].split(" (UTC)")
    reading = read((*lines[:at], head, f"     (UTC){tail}", *lines[at + 2 :]))
    assert reading.detail.endswith("12:24am (UTC)")
