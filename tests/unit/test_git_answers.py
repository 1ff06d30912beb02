"""What git's answers mean: versions, refusals, names that are not text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.errors import GitCommandError, MissingProgramError, RefusedError
from orchestrator_core.git.project import explain_refusal
from orchestrator_core.git.run import KEPT_VARIABLES, Completed, check_version, displayable


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("git version 2.31.0\n", (2, 31, 0)),
        ("git version 2.39.5 (Apple Git-154)\n", (2, 39, 5)),
        ("git version 2.47\n", (2, 47, 0)),
        ("git version 3.0.0.windows.1\n", (3, 0, 0)),
    ],
)
def test_versions(answer: str, version: tuple[int, ...]) -> None:
    assert check_version(answer) == version


@pytest.mark.parametrize("answer", ["git version 2.30.9\n", "git version 1.8.3.1\n", "something else", ""])
def test_too_old_or_no_git_at_all(answer: str) -> None:
    with pytest.raises(MissingProgramError) as caught:
        check_version(answer)

    assert caught.value.remedy == "install git 2.31 or newer"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("GIT_CONFIG_GLOBAL", True),
        ("GIT_CONFIG_COUNT", True),
        ("GIT_CONFIG_KEY_12", True),
        ("GIT_SSH_COMMAND", True),
        ("GIT_AUTHOR_EMAIL", True),
        ("GIT_DIR", False),
        ("GIT_WORK_TREE", False),
        ("GIT_INDEX_FILE", False),
        ("GIT_OBJECT_DIRECTORY", False),
        ("GIT_CONFIG_PARAMETERS", False),
        ("GIT_LITERAL_PATHSPECS", False),
        ("GIT_QUARANTINE_PATH", False),
        ("GIT_CONFIG", False),
    ],
)
def test_which_variables_of_the_caller_reach_git(name: str, kept: bool) -> None:
    assert bool(KEPT_VARIABLES.fullmatch(name)) is kept


def refusal(stderr: str) -> Exception:
    done = Completed(repository="/p", args=("rev-parse",), returncode=128, stdout="", stderr=stderr)
    return explain_refusal(Path("/p/my shop"), done)


@pytest.mark.parametrize(
    "stderr",
    [
        "fatal: detected dubious ownership in repository at '/p/my shop'\nTo add an exception …",
        "fatal: unsafe repository ('/p/my shop' is owned by someone else)\nTo add an exception …",
    ],
)
def test_a_repository_of_somebody_else(stderr: str) -> None:
    error = refusal(stderr)

    assert isinstance(error, RefusedError)
    assert error.code == "foreign-owner"
    assert error.remedy.endswith("git config --global --add safe.directory '/p/my shop'")


def test_no_repository_says_how_to_make_one() -> None:
    error = refusal("fatal: not a git repository (or any of the parent directories): .git\n")

    assert isinstance(error, RefusedError)
    assert error.code == "not-a-repository"
    assert error.remedy.startswith("git -C '/p/my shop' init && ")


def test_a_worktree_whose_repository_is_gone() -> None:
    error = refusal("fatal: not a git repository: /p/.git/worktrees/x\n")

    assert isinstance(error, RefusedError)
    assert "/p/.git/worktrees/x" in error.cause
    assert "worktree repair" in error.remedy


def test_what_is_not_understood_is_passed_on_whole() -> None:
    error = refusal("fatal: bad config line 1 in file .git/config\n")

    assert isinstance(error, GitCommandError)
    assert error.returncode == 128
    assert "bad config line 1" in error.cause
    assert "/p" in error.cause


@given(st.binary())
def test_any_name_can_be_shown(raw: bytes) -> None:
    shown = displayable(raw.decode("utf-8", "surrogateescape"))

    shown.encode("utf-8")


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_text_is_shown_as_it_is(text: str) -> None:
    assert displayable(text) == text
