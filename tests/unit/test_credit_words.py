"""Credit in words, in bars and as a plot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from textual.content import Content

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.credit import FIVE_HOUR, SEVEN_DAY, Confidence, Projection, ReadingSource, WindowStatus
from orchestrator_core.models.credit_words import (
    TRACK,
    Level,
    Thresholds,
    bar,
    context_left,
    countdown,
    exhaustion,
    level_of,
    level_of_account,
    most_used,
    origin,
    percentage,
    projection_words,
    reset_words,
    source_words,
    tokens,
    window_name,
)
from tests.tui.credits import GUESSED, HOUR, LIMITED, NEARLY, OWN, SECOND, UNTOLD, WELL, account, reading, with_accounts
from tests.tui.credits import history as told
from tests.tui.samples import MINUTE, NOW, agent
from tui.credit_lines import Knowledge, Scene, credit_lines
from tui.credit_plot import LEVELS, Held, held, plot
from tui.credit_words import MARKS, brief_countdown, context_mark, shown_windows, used_words
from tui.widgets.credit_gauge import gauge_parts
from tui.widgets.line import arrange

USUAL = Thresholds(75, 90)
percentages = st.floats(0, 130) | st.none()


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "level", "state"),
    [
        (None, Level.UNKNOWN, "unknown"),
        (0, Level.OK, "ok"),
        (74.9, Level.OK, "ok"),
        (75, Level.WARNING, "warning"),
        (90, Level.ALARM, "warning"),
        (99.99, Level.ALARM, "warning"),
        (100, Level.EXHAUSTED, "exhausted"),
    ],
)
def test_the_level_follows_the_thresholds(used: float | None, level: Level, state: str) -> None:
    found = level_of(reading(FIVE_HOUR, used, 1), NOW, USUAL)
    assert (found, found.state) == (level, state)


def test_thresholds_are_those_of_the_settings() -> None:
    assert level_of(reading(FIVE_HOUR, 50, 1), NOW, Thresholds(40, 60)) is Level.WARNING


def test_after_the_reset_nothing_is_known() -> None:
    past = reading(FIVE_HOUR, 100, -0.5, is_limit=True)
    assert level_of(past, NOW, USUAL) is Level.UNKNOWN
    assert percentage(past, NOW) == "?"
    assert reset_words(past, NOW) == "reset 30 min ago, nothing told since"
    assert projection_words(WindowStatus(reading=past), NOW) == ""
    assert level_of_account(account(past), NOW, USUAL) is Level.UNKNOWN


def test_a_percentage_is_never_rounded_up_and_an_estimate_is_marked() -> None:
    assert percentage(reading(FIVE_HOUR, 99.9, 1), NOW) == "99 %"
    guess = reading(FIVE_HOUR, 63.4, 1.2, confidence=Confidence.ESTIMATE)
    assert percentage(guess, NOW) == "~63 %"
    assert countdown(guess, NOW) == "resets in ~1 h 12 min"
    assert origin(guess) == "estimated"


def test_the_source_and_its_age_are_said() -> None:
    sure = reading(FIVE_HOUR, 63, 1)
    assert source_words(sure, NOW) == "parsed: its status line · 2 min ago · sure"
    assert "estimated" in source_words(reading(FIVE_HOUR, None, 1, source=ReadingSource.GUESS), NOW)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1.2, "1h12"), (0.7, "42m"), (0.001, "<1m"), (76, "3d04h"), (47, "47h00"), (-1, ""), (None, "")],
)
def test_the_brief_countdown(hours: float | None, words: str) -> None:
    assert brief_countdown(reading(SEVEN_DAY, 1, hours), NOW) == words


def test_a_projection_is_an_estimate_with_its_basis() -> None:
    soon = WELL.windows[0]
    assert projection_words(soon, NOW).startswith("used up ~")
    assert projection_words(soon, NOW).endswith("(44.2 % an hour over the last 80 min)")
    assert exhaustion(Projection(at=None, basis=""), NOW) == "not used up before it resets"
    assert projection_words(WindowStatus(reading=reading(FIVE_HOUR, 5, 1)), NOW) == "no projection: too few readings"
    assert projection_words(LIMITED.windows[0], NOW) == "used up"


def test_the_worst_account_is_shown_first_then_the_most_used() -> None:
    assert most_used([SECOND, WELL, LIMITED, NEARLY], NOW, USUAL) is LIMITED
    assert most_used([SECOND, WELL], NOW, USUAL) is WELL
    assert most_used([UNTOLD, SECOND], NOW, USUAL) is SECOND
    assert most_used([], NOW, USUAL) is None


def test_a_limit_without_a_number_is_called_one() -> None:
    window = LIMITED.windows[0].reading
    assert used_words(window, NOW, Level.EXHAUSTED) == "limited"
    assert level_of(window, NOW, USUAL) is Level.EXHAUSTED


def test_other_windows_show_only_when_they_get_short() -> None:
    well, short = reading("seven_day_opus", 20, 50), reading("seven_day_opus", 91, 50)
    first = [window.reading for window in WELL.windows]
    assert shown_windows(account(*first, well), NOW, USUAL) == tuple(first)
    assert shown_windows(account(*first, short), NOW, USUAL) == (*first, short)
    assert window_name("seven_day_opus") == "seven day opus"


def test_no_two_marks_are_alike() -> None:
    assert len(set(MARKS.values())) == len(Level)
    assert all(cell_len(mark) == 1 for mark in MARKS.values())


@given(st.none() | st.integers(0, 10**12))
def test_tokens_fit(count: int | None) -> None:
    assert len(tokens(count)) <= 6


@pytest.mark.parametrize(("count", "words"), [(812, "812"), (999_960, "1.0M"), (12_345, "12.3k"), (200_000, "200k")])
def test_tokens_in_words(count: int, words: str) -> None:
    assert tokens(count) == words


@given(percentages)
def test_what_is_left_of_a_context_is_between_nothing_and_all(used: float | None) -> None:
    left = context_left(used)
    assert left is None if used is None else left is not None and 0 <= left <= 100


def test_the_mark_of_a_context() -> None:
    who = replace(agent("shop-1", "tester", 1, AgentStatus.IDLE), context_used=80.0)
    assert context_mark(who, 80) == "!ctx 20%"
    assert context_mark(who, 81) == context_mark(who, 0) == "ctx 20%"
    assert context_mark(replace(who, status=AgentStatus.EXITED), 80) == ""
    assert context_mark(replace(who, context_used=None), 80) == ""


# -- bars and plots -------------------------------------------------------------------------------


@given(percentages, st.integers(-3, 120))
def test_a_bar_is_as_wide_as_it_should_be(used: float | None, width: int) -> None:
    assert cell_len(bar(used, width)) == max(0, width)


@given(st.floats(0.001, 99.999), st.integers(1, 120))
def test_something_is_never_nothing_and_not_quite_all_never_all(used: float, width: int) -> None:
    assert bar(used, width) not in (TRACK * width, "█" * width)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 60))
def test_more_is_never_a_shorter_bar(one: float, other: float, width: int) -> None:
    low, high = sorted((one, other))
    assert bar(low, width).count("█") <= bar(high, width).count("█")


values = st.tuples(st.floats(-50, 150), st.floats(0, 80), st.floats(0, 130))
helds = st.lists(values.map(lambda value: Held(value[0], value[0] + value[1], value[2])))


@given(helds, st.integers(0, 90), st.integers(0, 12))
def test_a_plot_fits_its_field(values: list[Held], width: int, height: int) -> None:
    rows = plot(values, 0, 100, width, height)
    assert len(rows) == height
    assert all(cell_len(row) == (width if height else 0) for row in rows)
    assert set("".join(rows)) <= set(LEVELS)


def test_a_plot_is_as_high_as_its_values_and_blank_where_nothing_is_known() -> None:
    rows = plot([Held(20, 40, 50), Held(40, 60, 100), Held(60, 80, 0)], 0, 100, 10, 2)
    assert rows == ("    ██    ", "  ████▁▁  ")


def test_a_reading_holds_until_the_next_or_the_reset() -> None:
    first = reading(FIVE_HOUR, 10, -1, at=NOW - 3 * HOUR)
    second = reading(FIVE_HOUR, 60, -1, at=NOW - 2 * HOUR)
    assert held([first, second], NOW) == (
        Held(NOW - 3 * HOUR, NOW - 2 * HOUR, 10),
        Held(NOW - 2 * HOUR, NOW - HOUR, 60),
    )
    limit = reading(FIVE_HOUR, None, 1, at=NOW - MINUTE, is_limit=True)
    assert held([limit], NOW)[0].value == 100
    assert held([reading(FIVE_HOUR, None, 1)], NOW) == ()


# -- the header and the screen --------------------------------------------------------------------


def gauge(width: int, *accounts: object) -> str:
    parts = gauge_parts(with_accounts(*accounts), NOW, USUAL)  # type: ignore[arg-type]
    return "  ".join(map(str, arrange(parts, [], width, 2)[0]))


def test_the_gauge_gives_way_step_by_step() -> None:
    full = "5 h █████▏░░ 63 % resets in 1 h 12 min  week ███▎░░░░ 41 % resets in 3 d 4 h"
    assert gauge(200, WELL) == full
    assert gauge(40, WELL) == "5 h █████▏░░ 63 % 1h12  week 41 % 3d04h"
    assert gauge(30, WELL) == "5 h 63 % 1h12  week 41 % 3d04h"
    assert gauge(15, WELL) == "5h 63%  wk 41%"
    assert gauge(0, WELL) == ""


def test_a_limit_always_shows() -> None:
    assert gauge(0, LIMITED) == "⏸5h 1h12"
    assert gauge(10, GUESSED) == "⏸5h ~3h30"
    assert "⏸ 5 h" in gauge(90, LIMITED)


def test_other_accounts_are_counted_and_the_unknown_is_called_so() -> None:
    assert gauge(200, WELL, SECOND).endswith("  +1")
    assert gauge(200, UNTOLD) == "credit ?"
    assert gauge(200) == ""


@given(st.integers(77, 240), st.integers(15, 70), st.lists(st.sampled_from((WELL, NEARLY, LIMITED, GUESSED, UNTOLD))))
def test_no_line_of_the_screen_is_too_wide(width: int, height: int, accounts: list[object]) -> None:
    history = {(OWN, window): tuple(one for one in told() if one.window == window) for window in (FIVE_HOUR, SEVEN_DAY)}
    known = Knowledge(accounts=tuple(accounts), history=history)  # type: ignore[arg-type]
    scene = Scene(known=known, fleet=with_accounts(*known.accounts), now=NOW, width=width, height=height)
    lines, _ = credit_lines(scene)
    assert all(isinstance(line, Content) and line.cell_length <= width for line in lines)
