"""Tables align by what characters look like, and never steer the terminal."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.cli.output import aligned, paint, printable
from orchestrator_core.cli.tables import Cell, Column, display_width, shorten, table

TEXT = st.text(max_size=30)


def test_width_counts_columns_not_characters() -> None:
    assert display_width("shop") == 4
    assert display_width("日本") == 4
    assert display_width("e\u0301") == 1
    assert display_width("●◆⏸✔") == 4


def test_shorten_leaves_what_fits() -> None:
    assert shorten("日本", 4) == "日本"
    assert shorten("日本語", 4) == "日…"
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abc", 0) == ""


@given(TEXT, st.integers(min_value=0, max_value=20))
def test_shorten_never_exceeds_the_width(text: str, width: int) -> None:
    assert display_width(shorten(text, width)) <= width


@given(TEXT)
def test_printable_has_no_control_characters(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printable(text + "\x1b[2J\r\n\u202e"))


def test_columns_line_up_across_scripts() -> None:
    lines = table(
        (Column("NAME"), Column("N", right=True), Column("WHY")),
        [("日本", "1", "x"), ("shop", "100", "y")],
        width=None,
        color=False,
    )
    assert lines == ["NAME    N  WHY", "日本    1  x", "shop  100  y"]


def test_an_empty_column_is_left_out_and_an_empty_table_is_nothing() -> None:
    columns = (Column("A"), Column("B"))
    assert table(columns, [("1", ""), ("2", "")], width=None, color=False) == ["A", "1", "2"]
    assert table(columns, [], width=None, color=False) == []


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.integers(min_value=20, max_value=60))
def test_elastic_columns_give_way_to_the_terminal(rows: list[tuple[str, str]], width: int) -> None:
    lines = table((Column("A", elastic=True), Column("B", elastic=True)), rows, width=width, color=False)
    assert all(display_width(line) <= width for line in lines)


def test_colour_does_not_move_columns() -> None:
    plain = table((Column("A"), Column("B")), [(Cell("x", "good"), "y")], width=None, color=False)
    painted = table((Column("A"), Column("B")), [(Cell("x", "good"), "y")], width=None, color=True)
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in painted] == plain
    assert painted != plain


def test_paint_without_colour_or_style_changes_nothing() -> None:
    assert paint("x", "good", color=False) == "x"
    assert paint("x", "", color=True) == "x"


def test_fields_are_aligned_and_lose_control_characters() -> None:
    assert aligned([("agent", "a\x1b[31m"), ("id", "b"), ("none", "")]) == ["agent  a [31m", "id     b", "none"]
