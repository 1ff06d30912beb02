"""The command line is taken apart with errors that help."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.cli.parsing import (
    HelpAsked,
    Parser,
    asks_for_json,
    comma_list,
    count,
    nearest,
    seconds,
)
from orchestrator_core.errors import UsageError


@pytest.fixture
def parser() -> Parser:
    made = Parser("send", "Sends.")
    made.add_argument("target", metavar="TARGET")
    made.add_argument("text", metavar="TEXT")
    made.add_argument("--now", action="store_true")
    return made


def test_words_are_taken_in_any_order(parser: Parser) -> None:
    assert vars(parser.parse_all(["a", "--now", "b"], "")) == {"target": "a", "text": "b", "now": True}


@pytest.mark.parametrize("text", ["-x", "--now", "fix;", "Enter", "$(date)", "- list", "-"])
def test_any_text_can_be_given_after_two_dashes(parser: Parser, text: str) -> None:
    assert parser.parse_all(["a", "--", text], "").text == text


def test_too_many_words_give_the_hint(parser: Parser) -> None:
    with pytest.raises(UsageError) as caught:
        parser.parse_all(["a", "run", "the", "tests"], "quote it")
    assert caught.value.title == "send: too many words: the tests"
    assert caught.value.remedy == "quote it"
    assert "TARGET TEXT" in caught.value.cause


def test_an_unknown_option_names_the_nearest(parser: Parser) -> None:
    with pytest.raises(UsageError, match=r"no option --nwo; did you mean --now\?"):
        parser.parse_all(["a", "b", "--nwo"], "")


def test_options_are_never_guessed_from_their_beginning(parser: Parser) -> None:
    with pytest.raises(UsageError, match="no option --no"):
        parser.parse_all(["a", "b", "--no"], "")


def test_what_is_missing_is_named(parser: Parser) -> None:
    with pytest.raises(UsageError, match="required: TEXT"):
        parser.parse_all(["a"], "")


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_found_even_where_words_are_missing(parser: Parser, asked: str) -> None:
    with pytest.raises(HelpAsked, match="exit codes: 0 done"):
        parser.parse_all([asked], "")


def test_json_counts_among_options_only() -> None:
    assert asks_for_json(["send", "a", "--json"])
    assert not asks_for_json(["send", "a", "--", "--json"])
    assert not asks_for_json(["send", "a", "json"])


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("1.5", 1.5), ("1e3", 1000.0)])
def test_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf", "1 2"])
def test_not_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        seconds(text)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "²", ""])
def test_not_a_count(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        count(text)


def test_count() -> None:
    assert count("20") == 20


def test_comma_lists_may_be_repeated() -> None:
    assert comma_list(["a, b", "c,a", ""]) == ("a", "b", "c")


@given(st.lists(st.text()))
def test_comma_list_has_no_empty_and_no_double(texts: list[str]) -> None:
    words = comma_list(texts)
    assert all(words)
    assert len(set(words)) == len(words)


def test_nearest() -> None:
    assert nearest("sned", ["send", "stop"]) == "send"
    assert nearest("xyz", ["send", "stop"]) == ""
