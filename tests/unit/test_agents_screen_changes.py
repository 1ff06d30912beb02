"""A captured screen that is changed in ways which do not change its state is still read as what it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator_core.agents.sgr import strip
from tests.fakes.captured_screens import (
    EXPECTED,
    GLYPHS,
    Lines,
    at_width,
    box_of,
    in_words,
    is_right,
    lines_of,
    newest_message,
    read,
    replaced,
)

NAMES = sorted(EXPECTED)
WITH_BOX = [name for name in NAMES if box_of(lines_of(name))]
FOOTED = [name for name in WITH_BOX if re.match("  (?:⏸|⏵⏵)", strip(lines_of(name)[-1]))]

NASTY = (
    "You've hit your 5-hour limit · resets 3:04pm (UTC)",
    "⎿ \u00a0You've hit your 5-hour limit · resets 3:04pm (UTC)",
    "⚠ Usage limit reached · limit resets 2:59pm",
    "API Error: Request rejected (429)",
    "⎿ \u00a0Credit balance too low · Add funds",
    "press esc to interrupt",
    "⏸ manual mode on · esc to interrupt",
    "✻ Befuddling… (1s · ↓ 3 tokens)",
    "✻ API error · retrying in 1s · attempt 2/10",
    "✻ Baked for 0s · done 6:01 PM",
    "─" * 120,
    "❯\u00a0",
    "Quick safety check: Is this a project you created or one you trust?",
    "❯ No, exit",
    "  Yes, I trust this folder",
    "Detected a custom API key in your environment",
    "What do you want to do?",
    "❯ 1. Stop and wait for limit to reset",
    "☐ Color",
    "Do you want to proceed?",
    "❯ 1. Yes",
    "  2. No",
    "  3. Chat about this",
    "Enter to select · ↑/↓ to navigate · Esc to cancel",
    "Esc to cancel · Tab to amend",
    "▔" * 120,
    "· 2 shells ·",
)
"""What somebody may write about: every phrase that tells a state."""

text = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=60)
folder = st.one_of(
    text.map(lambda name: "/" + name.strip().replace("/", "_")),
    st.sampled_from(
        ["/upgrade.md", "/limit reached", "/1. Yes", "/日本語 フォルダ", "/a b", "/" + "x" * 200, "/esc to interrupt"]
    ),
)
screen = st.sampled_from(NAMES)
boxed = st.sampled_from(WITH_BOX)
footed = st.sampled_from(FOOTED)
said = st.one_of(text, st.sampled_from(NASTY))


def same(name: str, lines: Lines, *, history: int = 0) -> None:
    reading = read(lines, history=history)
    assert is_right(name, reading), f"{in_words(reading)} instead of {EXPECTED[name]}\n" + "\n".join(map(strip, lines))


def without_doubt(name: str) -> bool:
    return not EXPECTED[name].endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_every_captured_screen_is_read_as_what_it_was(name: str) -> None:
    same(name, lines_of(name))


@given(screen, st.integers(60, 220))
def test_at_every_width(name: str, width: int) -> None:
    same(name, at_width(lines_of(name), width))


@given(screen, folder, st.integers(60, 220))
def test_in_every_folder(name: str, path: str, width: int) -> None:
    lines = tuple(re.sub(r"/home/user/[\w/-]+", lambda _: path, line) for line in lines_of(name))
    same(name, at_width(lines, width))


@given(boxed, st.sampled_from(GLYPHS), st.text(st.characters(categories=["L"]), min_size=1, max_size=24))
def test_with_every_spinner(name: str, glyph: str, word: str) -> None:
    lines = replaced(lines_of(name), rf"^[{GLYPHS}] \S[^…]*…(.*)$", f"\x1b[38;5;174m{glyph}\x1b[39m {word}…\\1")
    same(name, replaced(lines, rf"^[{GLYPHS}] .*( · done \d.*)$", f"\x1b[38;5;246m{glyph} {word} for 3s\\1"))


@given(screen, st.lists(said, max_size=40))
def test_below_every_scrollback(name: str, above: list[str]) -> None:
    same(name, (*above, *lines_of(name)), history=len(above))


@given(boxed, st.lists(said, min_size=1, max_size=12))
def test_after_every_earlier_answer(name: str, answer: list[str]) -> None:
    lines = lines_of(name)
    box = box_of(lines)
    assert box
    start = newest_message(lines, box[0])
    earlier = ("❯ what does it say?", "", f"● {answer[0]}", *(f"  {line}" for line in answer[1:]), "")
    if not start:  # its newest message has scrolled away
        return
    same(name, (*lines[:start], *earlier, *lines[start:]))


@given(boxed, st.lists(said, min_size=1, max_size=12))
@example("06_after_text_reply", list(NASTY))
def test_after_every_answer(name: str, answer: list[str]) -> None:
    lines = lines_of(name)
    done = [row for row, line in enumerate(lines) if " · done " in strip(line)]
    box = box_of(lines)
    if not box or not done or done[-1] < newest_message(lines, box[0]):
        return
    quoted = ("● It says:", "", *(f"  {line}" for line in answer), "")
    same(name, (*lines[: done[-1]], *quoted, *lines[done[-1] :]))


@given(
    footed,
    st.sampled_from(["⏸ manual mode on", "⏵⏵ accept edits on (shift+tab to cycle)", "⏸ plan mode on"]),
)
def test_in_every_mode(name: str, mode: str) -> None:
    lines = lines_of(name)
    rest = re.sub(r"^  (?:⏸|⏵⏵) [^·]*?(?= ·|$)", "", strip(lines[-1]).rstrip())
    same(name, (*lines[:-1], f"\x1b[39m  {mode}{rest}"))


@given(boxed, st.from_regex(r"[\w:.-]{1,30}", fullmatch=True))
def test_with_every_name_on_the_box(name: str, agent: str) -> None:
    lines = list(lines_of(name))
    box = box_of(tuple(lines))
    assert box
    lines[box[0]] = f"\x1b[38;5;244m{'─' * 20} {agent} ─"
    same(name, tuple(lines))


@given(footed, st.lists(said, min_size=1, max_size=3))
def test_with_every_status_line(name: str, status: list[str]) -> None:
    """It cannot say what is not so. One that reads like a limit's own rows may leave open what is so."""
    lines = lines_of(name)
    kept = tuple(line for line in lines[:-1] if strip(line).strip() not in ("SL", "SL Opus 5.5", "SL Sonnet 5.5"))
    new = (*kept, *(f"  \x1b[38;5;46m{line}\x1b[0m" for line in status), lines[-1])
    if any("⚠ Usage limit" in line for line in status):
        assert in_words(read(new)) in ("none", EXPECTED[name].rstrip("?"))
    else:
        same(name, new)


@given(screen, st.integers(1, 20))
def test_with_rows_left_over_below(name: str, rows: int) -> None:
    same(name, (*lines_of(name), *[""] * rows))
