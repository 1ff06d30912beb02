"""Rows of fields that hold anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.tmux.formats import number, parse_rows, row_format

SPECIAL = "|&;<>()$`\\\"'*?[# =%"

fields = st.lists(st.text(st.sampled_from(SPECIAL + "aé\n\t\r 7n"), max_size=8), min_size=2, max_size=2)


def escape(text: str) -> str:
    """Escape as tmux's `q:` does."""
    return "".join(f"\\{character}" if character in SPECIAL else character for character in text)


def test_the_format() -> None:
    assert row_format(("pane_id", "@tag")) == "#{q:pane_id}|#{q:@tag};"


@given(st.lists(fields, max_size=5))
def test_rows_come_back(rows: list[list[str]]) -> None:
    printed = "\n".join("|".join(map(escape, row)) + ";" for row in rows)
    assert parse_rows(printed.split("\n")) == [tuple(row) for row in rows]


def test_control_characters_as_newer_versions_print_them() -> None:
    assert parse_rows([r"a\tb\nc|\033\177\\033;"]) == [("a\tb\nc", "\x1b\x7f\\033")]


def test_no_rows() -> None:
    assert parse_rows([]) == []
    assert parse_rows([""]) == []


def test_numbers() -> None:
    assert [number(text) for text in ("12", "", "-", "x")] == [12, 0, 0, 0]
