"""The pattern files are checked: a broken one is told by its file and key."""

from __future__ import annotations

import re

import pytest

from orchestrator_core.agents.screen_patterns import FOLDER, VERSION, line_prompt, patterns, read_patterns
from orchestrator_core.errors import NotFoundError, SettingsError

CLAUDE = (FOLDER / "claude.toml").read_text(encoding="utf-8")


def cause_of(text: str) -> str:
    with pytest.raises(SettingsError) as failure:
        read_patterns(text, "mine.toml")
    assert failure.value.remedy
    return failure.value.cause


def changed(key: str, value: str) -> str:
    text, count = re.subn(rf"(?m)^{key} = .*$", lambda _: f"{key} = {value}", CLAUDE, count=1)
    assert count == 1
    return text


def test_an_unknown_pattern_file_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFoundError) as failure:
        patterns("nosuch")
    assert "claude" in failure.value.candidates


def test_the_pattern_file_names_the_agent_it_was_read_from() -> None:
    assert patterns("claude").agent_version == "2.1.330"
    assert read_patterns(CLAUDE, "claude.toml").dialogs == patterns("claude").dialogs


def test_another_version_is_not_read() -> None:
    assert cause_of(changed("version", "99")) == f"mine.toml: `version` is 99; this tmorch reads version {VERSION}"


@pytest.mark.parametrize(
    ("key", "name"),
    [("done", "transcript.done"), ("notice", "limit.notice"), ("mode", "footer.mode"), ("number", "choice.number")],
)
def test_a_broken_expression_is_told_by_its_key(key: str, name: str) -> None:
    assert cause_of(changed(key, "'(unclosed'")).startswith(f"mine.toml: `{name}` is not an expression: ")


def test_an_expression_without_its_group_is_told() -> None:
    assert cause_of(changed("spinner", "'^x'")) == "mine.toml: `busy.spinner` has no group named 'doing'"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("version = ", "Invalid value"),
        ("version = 2", "agent_version"),
        (f"version = {VERSION}\nagent_version = ''\n[box]\nprompt = 1", "prompt"),
        (f"version = {VERSION}\nagent_version = ''\n[[dialogs]]\nname = 'x'", "says"),
    ],
)
def test_a_file_that_is_not_a_pattern_file_is_told(text: str, fault: str) -> None:
    cause = cause_of(text)
    assert cause.startswith("mine.toml: ")
    assert fault in cause


def test_a_prompt_that_is_no_expression_is_told() -> None:
    with pytest.raises(SettingsError) as failure:
        line_prompt("(")
    assert "`prompt`" in failure.value.cause
