"""Commands for tmux's parsers. What tmux itself makes of them is tested against a real one in integration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.tmux.quoting import command_line, format_literal, format_operand, process_arguments, quote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("list-panes", "list-panes"),
        ("", "''"),
        ("%1", "'%1'"),
        ("#{pane_id} $HOME ~ \\ ;", "'#{pane_id} $HOME ~ \\ ;'"),
        ("it's", '"it\'s"'),
        ("~'$HOME'", "\"\\~'\\$HOME'\""),
        ("two\nlines", '"two\\012lines"'),
        ("\x1b\x7f", '"\\033\\177"'),
        ("\udcff", '"\\377"'),
    ],
)
def test_quote(text: str, expected: str) -> None:
    assert quote(text) == expected


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


@pytest.mark.parametrize("argv", [(), ("",), ("", "x")])
def test_a_command_needs_a_name(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="name"):
        command_line(argv)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_a_command_is_one_line_of_text(argv: list[str]) -> None:
    line = command_line(["show", *argv])
    assert "\n" not in line
    assert line.encode()


def test_commands_share_a_process() -> None:
    commands = [("a", "x;"), ("b", ";"), ("c", "\\;"), ("d", "a;b")]
    assert process_arguments(commands) == ["a", "x\\;", ";", "b", "\\;", ";", "c", "\\\\;", ";", "d", "a;b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("c#", "c##"), ("#{x}", "##{x}"), ("a#[b", "a#[b"), ("##[", "##["), ("####", "########"), ("#S #", "##S ##")],
)
def test_text_for_a_format(text: str, expected: str) -> None:
    assert format_literal(text) == expected


def test_an_operand_of_a_format() -> None:
    assert format_operand("a,b}#c:d") == "a#,b#}##c:d"
