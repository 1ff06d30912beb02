"""How a branch stands, as the tree and the preview's title show it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator_core.errors import NotFoundError
from orchestrator_core.git.state import branch_state
from orchestrator_core.git.worktrees import add_worktree
from tests.conftest import MakeProject, run_git

BRANCH = "tmorch/shop-3f2a/developer"


@pytest.fixture
async def worktree(git_project: Path, tmp_path: Path) -> Path:
    return await add_worktree(git_project, tmp_path / "w/developer", BRANCH, "HEAD")


def commit(repository: Path, message: str) -> None:
    run_git(repository, "commit", "-q", "--allow-empty", "-m", message)


async def test_fresh(git_project: Path, worktree: Path) -> None:
    state = await branch_state(worktree, "main")

    assert (state.branch, state.ahead, state.behind, state.dirty) == (BRANCH, 0, 0, 0)
    assert (state.last_subject, state.upstream, state.operation, state.conflicts) == ("Begin", "", "", 0)
    assert state.head == run_git(git_project, "rev-parse", "HEAD")
    assert state.last_commit_at == float(run_git(git_project, "log", "-1", "--format=%ct"))


async def test_ahead_behind_and_dirty(git_project: Path, worktree: Path) -> None:
    for number in range(3):
        commit(worktree, f"Work {number}")
    commit(git_project, "Meanwhile")
    (worktree / "README.md").write_text("changed")
    (worktree / 'new "file"\n').touch()
    (worktree / "folder").mkdir()
    for name in ("a", "b"):
        (worktree / "folder" / name).touch()

    state = await branch_state(worktree, "main")

    assert (state.ahead, state.behind, state.dirty, state.last_subject) == (3, 1, 3, "Work 2")


async def test_upstream(git_project: Path, worktree: Path, tmp_path: Path) -> None:
    run_git(git_project, "clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    run_git(git_project, "remote", "add", "origin", str(tmp_path / "origin.git"))
    run_git(worktree, "push", "-q", "-u", "origin", BRANCH)

    assert (await branch_state(worktree, "main")).upstream == f"origin/{BRANCH}"


async def test_the_base_branch_is_gone(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "branch", "-m", "main", "trunk")

    state = await branch_state(worktree, "main")

    assert (state.ahead, state.behind, state.last_subject) == (None, None, "Begin")


async def test_detached_in_a_rebase_with_a_conflict(git_project: Path, worktree: Path) -> None:
    for repository in (git_project, worktree):
        (repository / "README.md").write_text(f"from {repository}")
        run_git(repository, "commit", "-q", "-a", "-m", f"Change {repository.name}")
    with pytest.raises(AssertionError):
        run_git(worktree, "rebase", "main")

    state = await branch_state(worktree, "main")

    assert (state.branch, state.operation, state.conflicts, state.dirty) == ("", "rebase", 1, 1)


async def test_each_operation_has_its_name(git_project: Path, worktree: Path) -> None:
    for repository in (git_project, worktree):
        (repository / "README.md").write_text(f"from {repository}")
        run_git(repository, "commit", "-q", "-a", "-m", f"Change {repository.name}")
    for operation in ("merge", "cherry-pick"):
        with pytest.raises(AssertionError):
            run_git(worktree, operation, "main")
        assert (await branch_state(worktree, "main")).operation == operation
        run_git(worktree, operation, "--abort")
    run_git(worktree, "bisect", "start")
    assert (await branch_state(worktree, "main")).operation == "bisect"


async def test_an_orphan_branch(worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--orphan", "fresh")

    state = await branch_state(worktree, "main")

    assert (state.branch, state.head, state.ahead, state.last_commit_at) == ("fresh", "", None, None)


async def test_the_projects_own_checkout_can_be_asked_too(git_project: Path) -> None:
    assert (await branch_state(git_project, "main")).ahead == 0


async def test_nothing_is_written(git_project: Path, worktree: Path) -> None:
    git_dir = Path(run_git(worktree, "rev-parse", "--absolute-git-dir"))
    os.utime(worktree / "README.md", (1, 1))
    before = {file: file.lstat().st_mtime_ns for file in git_dir.rglob("*")}

    await branch_state(worktree, "main")

    assert {file: file.lstat().st_mtime_ns for file in git_dir.rglob("*")} == before


async def test_a_missing_folder(worktree: Path) -> None:
    worktree.rename(worktree.with_name("away"))

    with pytest.raises(NotFoundError) as caught:
        await branch_state(worktree, "main")

    assert "the folder is gone" in caught.value.cause


async def test_a_repository_around_it_is_not_taken_for_it(make_project: MakeProject) -> None:
    around = make_project("home", files={"inside/file": ""})

    with pytest.raises(NotFoundError):
        await branch_state(around / "inside", "main")
