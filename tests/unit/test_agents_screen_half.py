"""Part of a screen is read as what it was, or as nothing that is known: never as another state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.screen import ScreenState
from orchestrator_core.agents.sgr import strip
from tests.fakes.captured_screens import EXPECTED, at_width, box_of, in_words, is_never_wrong, lines_of, read

NAMES = sorted(EXPECTED)
WITH_BOX = [name for name in NAMES if box_of(lines_of(name))]


def never_wrong(name: str, lines: tuple[str, ...]) -> None:
    reading = read(lines)
    assert is_never_wrong(name, reading), f"{in_words(reading)} instead of {EXPECTED[name]}\n" + "\n".join(
        map(strip, lines)
    )


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_the_top(name: str) -> None:
    lines = lines_of(name)
    for height in range(len(lines)):
        never_wrong(name, lines[len(lines) - height :])


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_the_top_in_a_narrow_pane(name: str) -> None:
    lines = at_width(lines_of(name), 80)
    for height in range(10, min(24, len(lines))):
        never_wrong(name, lines[len(lines) - height :])


@pytest.mark.parametrize("name", NAMES)
def test_not_yet_drawn_below(name: str) -> None:
    lines = lines_of(name)
    for drawn in range(len(lines)):
        never_wrong(name, (*lines[:drawn], *[""] * (len(lines) - drawn)))


@pytest.mark.parametrize("name", WITH_BOX)
def test_a_rule_of_the_box_is_missing(name: str) -> None:
    lines = lines_of(name)
    box = box_of(lines)
    assert box
    for rule in box:
        never_wrong(name, (*lines[:rule], "", *lines[rule + 1 :]))
        never_wrong(name, (*lines[:rule], *lines[rule + 1 :]))
    never_wrong(name, tuple(line for row, line in enumerate(lines) if row not in box))


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 40))
def test_of_two_screens_the_upper_half_is_drawn(name: str, before: str, drawn: int) -> None:
    """What is read is the one, the other or neither; a free prompt only where one of them has a prompt."""
    new, old = lines_of(name), lines_of(before)
    mixed, one, other = read((*new[:drawn], *old[drawn:])), read(new), read(old)
    if mixed.state is ScreenState.READY:
        assert one.has_prompt or other.has_prompt
    else:
        assert mixed.state in (one.state, other.state, ScreenState.NONE), in_words(mixed)
