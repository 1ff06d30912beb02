"""What versions tmux says, and which of them will do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator_core.errors import MissingProgramError
from orchestrator_core.tmux.address import version
from orchestrator_core.tmux.version import OLDEST, parse_version


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("tmux 3.2a\n", (3, 2, "a")),
        ("tmux 3.4", (3, 4, "")),
        ("tmux next-3.6", (3, 6, "")),
        ("tmux 3.3-rc2", (3, 3, "")),
        ("tmux 3.5a", (3, 5, "a")),
        ("3.3a", (3, 3, "a")),
        ("tmux 10.0", (10, 0, "")),
    ],
)
def test_releases(said: str, numbers: tuple[int, int, str]) -> None:
    found = parse_version(said)
    assert found is not None
    assert (found.major, found.minor, found.letter) == numbers


@pytest.mark.parametrize("said", ["tmux 3.2a", "tmux 3.3", "tmux next-3.6", "tmux master", "tmux openbsd-7.5"])
def test_new_enough(said: str) -> None:
    found = parse_version(said)
    assert found is not None
    assert found.at_least(OLDEST)


@pytest.mark.parametrize("said", ["tmux 3.2", "tmux 3.1c", "tmux 2.9", "tmux 1.8", "tmux openbsd-6.6"])
def test_too_old(said: str) -> None:
    found = parse_version(said)
    assert found is not None
    assert not found.at_least(OLDEST)


@pytest.mark.parametrize("said", ["", "tmux", "screen 4.9", "tmux three"])
def test_no_version(said: str) -> None:
    assert parse_version(said) is None


def tmux_that_says(folder: Path, text: str) -> str:
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return str(program)


def test_the_program_is_asked(tmp_path: Path) -> None:
    assert version(tmux_that_says(tmp_path, "tmux 3.5a")).text == "3.5a"


def test_an_upgrade_is_noticed(tmp_path: Path) -> None:
    program = tmux_that_says(tmp_path, "tmux 3.0")
    with pytest.raises(MissingProgramError, match=r"too old: tmux 3\.0"):
        version(program)
    tmux_that_says(tmp_path, "tmux 3.5")
    os.utime(program, ns=(1, 1))
    assert version(program).text == "3.5"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError) as caught:
        version(str(tmp_path / "tmux"))
    assert caught.value.remedy


def test_a_program_that_does_not_run(tmp_path: Path) -> None:
    program = tmp_path / "tmux"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(MissingProgramError, match="does not run"):
        version(str(program))
