"""A screen that may be shown to others tells nothing private, and is read as before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.redact import redact
from orchestrator_core.agents.sgr import CODES, strip
from tests.fakes.captured_screens import CLAUDE, EXPECTED, at_width, columns_of, lines_of, read


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_redacted_screen_is_read_as_before(name: str) -> None:
    for width in (120, 80, 60):
        lines = at_width(lines_of(name), width)
        before, after = read(lines), read(redact(lines, CLAUDE))
        assert (after.state, after.dialog, len(after.choices)) == (before.state, before.dialog, len(before.choices))
        assert [choice.selected for choice in after.choices] == [choice.selected for choice in before.choices]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_nothing_private_is_left(name: str) -> None:
    text = "\n".join(map(strip, redact(lines_of(name), CLAUDE)))
    for private in ("/home/user", "proj", "127.0.0.1", "11111111", "ECHO", "tomato", "build", "hi there"):
        assert private not in text


def test_what_stays_and_what_goes() -> None:
    end = "\x1b\\"
    lines = (
        f"\x1b[38;5;246m●\x1b[39m I paid 4711 € to 日本 of \x1b]8;;https://bank.example/me{end}Anna\x1b]8;;{end}",
        "\x1b[39m  ⏸ manual mode on · esc to interrupt",
        " ❯ 1. Yes, and wipe /srv",
    )
    assert redact(lines, CLAUDE) == (
        "\x1b[38;5;246m●\x1b[39m x xxxx 0000 € xx 字字 xx xxxx",
        "\x1b[39m  ⏸ xxxxxx xxxx on · esc to interrupt",
        " ❯ 1. Yes, xxx xxxx /xxx",
    )


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z", "M"], include_characters=" "), max_size=80)))
def test_every_width_stays(lines: list[str]) -> None:
    for before, after in zip(lines, redact(lines, CLAUDE), strict=True):
        assert columns_of(before) == columns_of(after)
        assert CODES.findall(after) == []
