"""The words and marks of the screen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from tests.tui.samples import IDLE, LIMITED, WAITING, WORKING, agent
from tui.wording import GLYPHS, RECEIPTS, age, clean, counts, doing_now, fit, plural, receipt_note


def test_no_two_statuses_look_alike_without_colour() -> None:
    assert len(set(GLYPHS.values())) == len(AgentStatus)
    assert all(cell_len(glyph) == 1 for glyph in GLYPHS.values())


def test_no_two_outcomes_of_a_message_look_alike_without_colour() -> None:
    assert set(RECEIPTS) == set(MessageState)
    assert len(set(RECEIPTS.values())) == len(MessageState)


@given(st.text())
def test_clean_text_cannot_steer_a_terminal(text: str) -> None:
    cleaned = clean(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned)
    assert not any("\u202a" <= character <= "\u202e" for character in cleaned)
    assert cleaned == clean(cleaned)


def test_clean_keeps_words_and_brackets() -> None:
    assert clean("a [bold]b[/]\x1b[31m c\n\td\u202ee") == "a [bold]b[/] [31m c d e"


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Mn"))), st.integers(0, 30))
def test_fit_never_exceeds_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= max(width, 0)


def test_fit_marks_what_is_cut() -> None:
    assert fit("orchestrator", 6) == "orche…"
    assert fit("tester", 6) == "tester"
    assert fit("日本語テスト", 5) == "日本…"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "<1m"),
        (0, "<1m"),
        (59.9, "<1m"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h00"),
        (7500, "2h05"),
        (86399, "23h59"),
        (86400, "1d"),
        (40 * 86400, "40d"),
    ],
)
def test_age(seconds: float, expected: str) -> None:
    assert age(seconds) == expected


def test_plural() -> None:
    assert (plural(1, "team"), plural(0, "team")) == ("1 team", "0 teams")


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (WORKING, {"doing": "Editing [x]\nnow"}, "Editing [x] now"),
        (IDLE, {}, ""),
        (WAITING, {"waiting_for": "permission", "reason": "it asks for permission: rm"}, "approve?"),
        (WAITING, {"waiting_for": "some_new_dialog"}, "some new dialog?"),
        (WAITING, {}, "needs you"),
        (LIMITED, {"reason": "it shows a usage limit: You've hit it · resets 2:59pm (UTC)"}, "until 2:59pm"),
        (LIMITED, {"reason": "it shows a usage limit: resets Nov 26, 12:24am (UTC)"}, "until Nov 26, 12:24am"),
        (LIMITED, {}, "usage limit"),
        (AgentStatus.FAILED, {"reason": "its program ended with exit code 2"}, "exit code 2"),
        (AgentStatus.EXITED, {"reason": "its pane is gone"}, "pane is gone"),
        (AgentStatus.EXITED, {}, "exited"),
        (AgentStatus.STARTING, {"reason": "its program runs, but has shown no prompt yet"}, "starting"),
        (AgentStatus.UNKNOWN, {"reason": "vim is in front in its pane"}, "vim is in front in its pane"),
    ],
)
def test_what_a_row_says(status: AgentStatus, fields: dict[str, str], expected: str) -> None:
    assert doing_now(agent("t-1", "tester", 1, status, **fields)) == expected  # type: ignore[arg-type]  # str fields


def test_counts_are_in_the_order_of_the_header() -> None:
    found = counts([agent("t-1", "a", 1, LIMITED), agent("t-1", "b", 2, WORKING), agent("t-1", "c", 3, WORKING)])
    assert list(found.items()) == [(WORKING, 2), (LIMITED, 1)]


def test_a_receipt_says_why_and_how_many_were_held_back() -> None:
    message = AgentMessage(
        id=MessageId(1), target=AgentId("t-1:a"), sender="you", text="x", state=MessageState.REFUSED, reason="no agent",
        suppressed=3,
    )  # fmt: skip
    assert receipt_note(message) == "no agent · 3 more like it held back"
