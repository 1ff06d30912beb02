"""What may be pasted."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.tmux.text import clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        ("end \x1b[201~ of paste", "end [201~ of paste"),
        ("\x9b201~", "201~"),
        ("bell\a nul\0 del\x7f", "bell nul del"),
        ("\ud83d", "\ufffd"),
        ("漢字 🏳️‍🌈 \u200d\u00ad", "漢字 🏳️‍🌈 \u200d\u00ad"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@given(st.text(st.characters(codec=None)))
def test_clean_text_holds_no_controls_and_stays_as_it_is(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert {c for c in clean if unicodedata.category(c) in ("Cc", "Cs")} <= {"\n", "\t"}
    clean.encode()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_printable_text_is_left_alone(text: str) -> None:
    assert clean_text(text) == text
