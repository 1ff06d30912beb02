"""Bringing a worktree back whose folder is gone: with all that git still has of it, and over nothing of anybody's."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from orchestrator_core.errors import RefusedError
from orchestrator_core.git.place import restoring_of
from orchestrator_core.git.work_done import MOST_COMMITS, work_done
from orchestrator_core.git.worktrees import add_worktree, restore_worktree
from tests.conftest import run_git

BRANCH = "tmorch/shop-3f2a/developer"


@pytest.fixture
def worktree(git_project: Path, tmp_path: Path) -> Path:
    base = run_git(git_project, "rev-parse", "HEAD")
    where = asyncio.run(add_worktree(git_project, tmp_path / "trees/developer", BRANCH, base))
    (where / "bin").mkdir()
    (where / "bin/till").write_text("#!/bin/sh\n")
    (where / "bin/till").chmod(0o755)
    (where / "link").symlink_to("bin/till")
    run_git(where, "add", "-A")
    run_git(where, "commit", "-q", "-m", "Add the till")
    return where


def restore(project: Path, where: Path) -> Path:
    return asyncio.run(restore_worktree(project, where, BRANCH))


def state_of(where: Path) -> tuple[str, ...]:
    return tuple(run_git(where, *words) for words in (("status", "--porcelain", "--branch"), ("rev-parse", "HEAD")))


def test_all_that_was_committed_or_staged_is_back(git_project: Path, worktree: Path) -> None:
    (worktree / "staged.txt").write_text("in the index\n")
    run_git(worktree, "add", "staged.txt")
    before = state_of(worktree)
    shutil.rmtree(worktree.parent)
    assert restore(git_project, worktree) == worktree
    assert state_of(worktree) == before
    assert (worktree / "bin/till").stat().st_mode & 0o111
    assert (worktree / "link").readlink() == Path("bin/till")
    assert (worktree / "staged.txt").read_text() == "in the index\n"


def test_twice_is_once_and_what_is_there_stays(git_project: Path, worktree: Path) -> None:
    (worktree / "draft.txt").write_text("not committed\n")
    for _ in range(2):
        restore(git_project, worktree)
    assert (worktree / "draft.txt").read_text() == "not committed\n"
    assert run_git(git_project, "worktree", "list").count("\n") == 1


def test_what_a_killed_one_left_is_no_hindrance(git_project: Path, worktree: Path) -> None:
    before = state_of(worktree)
    shutil.rmtree(worktree)
    restoring_of(worktree).mkdir()
    (restoring_of(worktree) / "half").write_text("half a file")
    restore(git_project, worktree)
    assert state_of(worktree) == before
    assert not restoring_of(worktree).exists()


def test_one_that_git_was_killed_while_making_is_made_anew(git_project: Path, worktree: Path) -> None:
    admin = Path((worktree / ".git").read_text().removeprefix("gitdir: ").strip())
    (admin / "locked").write_text("initializing")
    (worktree / "bin/till").unlink()
    restore(git_project, worktree)
    assert state_of(worktree)[0] == f"## {BRANCH}"
    assert "locked" not in run_git(git_project, "worktree", "list", "--porcelain")


def test_without_an_index_the_last_commit_is_back(git_project: Path, worktree: Path) -> None:
    admin = Path((worktree / ".git").read_text().removeprefix("gitdir: ").strip())
    before = state_of(worktree)
    shutil.rmtree(worktree)
    (admin / "index").unlink()
    restore(git_project, worktree)
    assert state_of(worktree) == before


def test_nothing_is_put_over_what_lies_there(git_project: Path, worktree: Path) -> None:
    shutil.rmtree(worktree)
    worktree.mkdir()
    (worktree / "theirs.txt").write_text("somebody's\n")
    with pytest.raises(RefusedError, match="cannot be brought back") as refused:
        restore(git_project, worktree)
    assert "something else is at that path" in refused.value.cause
    assert [path.name for path in worktree.iterdir()] == ["theirs.txt"]


def test_a_locked_one_is_left_alone(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "worktree", "lock", "--reason", "on a stick", str(worktree))
    shutil.rmtree(worktree)
    with pytest.raises(RefusedError) as refused:
        restore(git_project, worktree)
    assert "on a stick" in refused.value.cause
    assert not worktree.exists()


def test_without_its_branch_nothing_is_made_up(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "worktree", "remove", str(worktree))
    run_git(git_project, "branch", "-D", BRANCH)
    with pytest.raises(RefusedError) as refused:
        restore(git_project, worktree)
    assert "branch" in refused.value.cause
    assert not worktree.exists()


def test_what_was_done_is_told(git_project: Path, worktree: Path) -> None:
    base = run_git(git_project, "rev-parse", "HEAD")
    for number in range(MOST_COMMITS + 5):
        run_git(worktree, "commit", "-q", "--allow-empty", "-m", f"Commit {number}")
    (worktree / "new file.txt").write_text("new\n")
    (worktree / "bin/till").write_text("changed\n")
    done = asyncio.run(work_done(worktree, base))
    assert done.commit_count == MOST_COMMITS + 6
    assert len(done.commits) == MOST_COMMITS
    assert done.commits[0][1] == f"Commit {MOST_COMMITS + 4}"
    assert set(done.uncommitted) == {"new file.txt", "bin/till"}
    assert asyncio.run(work_done(worktree, "0" * 40)).commits == ()
