"""Text in lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.cli.prose import NARROWEST, bullets, facts, wrapped
from orchestrator_core.cli.tables import display_width

TEXTS = st.text(st.sampled_from("ab c\tü漢🙂\x1b\n"), max_size=300)


@given(TEXTS, st.integers(1, 120), st.sampled_from(["", "  - ", "goal  "]))
def test_no_word_is_lost_and_no_line_too_long_unless_by_one_word(text: str, width: int, first: str) -> None:
    lines = wrapped(text, width, first)
    assert " ".join(lines).split() == [*first.split(), *text.replace("\x1b", " ").split()]
    for line in lines:
        is_one_word = len(line.removeprefix(first).split()) <= 1
        assert is_one_word or display_width(line) <= max(width, NARROWEST)
    assert all(line.startswith(" " * len(first)) for line in lines[1:])


def test_what_is_piped_is_not_wrapped() -> None:
    assert wrapped("word " * 100, None, "- ") == ["- " + "word " * 99 + "word"]


def test_a_path_that_is_too_long_stays_whole() -> None:
    path = "/x" * 60
    assert path in wrapped(f"it is in {path} below", 50, "! ")[1]


def test_values_stand_in_one_column_and_empty_ones_are_left_out() -> None:
    assert facts((("a", "1"), ("none", ""), ("long", "2")), 80) == ["a     1", "long  2"]


def test_no_items_no_title() -> None:
    assert bullets("things", (), 80) == []
    assert bullets("things", ("one", "two"), 80) == ["things", "  - one", "  - two"]
