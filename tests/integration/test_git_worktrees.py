"""Making and removing worktrees: the person's checkout stays as it is, and nothing is left or lost half-way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from orchestrator_core.errors import GitCommandError, RefusedError, TimedOutError
from orchestrator_core.git import registry, worktrees
from orchestrator_core.git.place import aside_of, remains_of
from orchestrator_core.git.worktrees import add_worktree, delete_branch, list_worktrees, remove_worktree
from tests.conftest import MakeProject, run_git
from tests.polling import aeventually

BRANCH = "tmorch/shop-3f2a/developer"


@contextmanager
def sleeping_in(folder: Path, seconds: float) -> Iterator[int]:
    """Have a program run in `folder`, and give its pid."""
    with subprocess.Popen(["sleep", str(seconds)], cwd=folder) as program:
        try:
            yield program.pid
        finally:
            program.kill()


@contextmanager
def adding(project: Path, where: Path, base: str) -> Iterator[int]:
    """Have git make a worktree, and give the id of its process group."""
    argv = ["git", "-C", str(project), "worktree", "add", "-q", "-b", BRANCH, str(where), base]
    with subprocess.Popen(argv, start_new_session=True, stderr=subprocess.DEVNULL) as program:
        try:
            yield program.pid
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)


def head_of(repository: Path, name: str = "HEAD") -> str:
    return run_git(repository, "rev-parse", name)


def branches(project: Path) -> list[str]:
    return run_git(project, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def persons_view(project: Path) -> tuple[object, ...]:
    """Return what the person's own checkout must keep."""
    return (
        (project / ".git/HEAD").read_bytes(),
        (project / ".git/index").read_bytes(),
        (project / ".git/index").stat().st_mtime_ns,
        run_git(project, "--no-optional-locks", "status", "--porcelain"),
        head_of(project),
    )


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "state/worktrees/shop-3f2a/developer"


@pytest.fixture
async def worktree(git_project: Path, where: Path) -> Path:
    return await add_worktree(git_project, where, BRANCH, head_of(git_project))


# --- making -------------------------------------------------------------------------------------------------------


async def test_a_worktree_on_a_new_branch_at_an_exact_commit(git_project: Path, where: Path) -> None:
    base = head_of(git_project)
    run_git(git_project, "commit", "-q", "--allow-empty", "-m", "Later")

    assert await add_worktree(git_project, where, BRANCH, base) == where

    assert run_git(where, "symbolic-ref", "--short", "HEAD") == BRANCH
    assert head_of(where) == base
    assert (where / "README.md").exists()
    assert run_git(where, "status", "--porcelain") == ""
    assert where.stat().st_mode & 0o777 == 0o700


async def test_the_persons_checkout_does_not_change(git_project: Path, where: Path) -> None:
    (git_project / "README.md").write_text("mine")
    (git_project / "staged").write_text("mine too")
    run_git(git_project, "add", "staged")
    before = persons_view(git_project)

    for role in ("orchestrator", "developer", "tester"):
        await add_worktree(git_project, where.with_name(role), f"tmorch/shop-3f2a/{role}", head_of(git_project))

    assert persons_view(git_project) == before
    assert (git_project / "README.md").read_text() == "mine"
    assert len(await list_worktrees(git_project)) == 4
    assert not (where / "staged").exists()


async def test_no_upstream_is_set_by_the_persons_settings(git_project: Path, where: Path) -> None:
    run_git(git_project, "config", "branch.autoSetupMerge", "always")

    await add_worktree(git_project, where, BRANCH, head_of(git_project))

    assert "branch." not in run_git(git_project, "config", "--local", "--list").replace("branch.autosetup", "")


async def test_made_at_the_same_time_from_one_project(git_project: Path, where: Path) -> None:
    roles = [f"role{number}" for number in range(6)]

    await asyncio.gather(
        *(add_worktree(git_project, where.with_name(r), f"tmorch/x/{r}", head_of(git_project)) for r in roles)
    )

    assert {tree.branch for tree in await list_worktrees(git_project)} == {
        "main",
        *(f"tmorch/x/{role}" for role in roles),
    }


async def test_listed_alike_by_a_git_that_cannot_end_lines_with_nul(
    git_project: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(git_project, "worktree", "lock", "--reason", "mine", str(worktree))
    listed = await list_worktrees(git_project)
    monkeypatch.setattr(registry, "NUL_LISTING", (99,))

    assert await list_worktrees(git_project) == listed


async def test_a_worktree_of_a_linked_worktree_and_of_a_submodule(make_project: MakeProject, tmp_path: Path) -> None:
    library, project = make_project("library"), make_project("shop")
    run_git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    run_git(project, "commit", "-q", "-m", "Add lib")
    linked = tmp_path / "linked"
    run_git(project, "worktree", "add", "-q", "-b", "feature", str(linked))

    for number, source in enumerate((linked, project / "lib")):
        made = await add_worktree(source, tmp_path / f"w{number}", f"tmorch/x/r{number}", head_of(source))
        (made / "new").write_text("x")
        run_git(made, "add", "-A")
        run_git(made, "commit", "-q", "-m", "Work")
        assert head_of(source, f"tmorch/x/r{number}") == head_of(made)
        assert await remove_worktree(source, made)
    assert run_git(project, "status", "--porcelain") == ""


async def test_the_real_path_is_returned(git_project: Path, tmp_path: Path, where: Path) -> None:
    link = tmp_path / "link"
    where.parent.mkdir(parents=True)
    link.symlink_to(where.parent)

    assert await add_worktree(git_project, link / "developer", BRANCH, head_of(git_project)) == where
    assert await remove_worktree(git_project, link / "developer")


@pytest.mark.parametrize("taken", [BRANCH, "tmorch", "tmorch/shop-3f2a", f"{BRANCH}/deeper"])
async def test_a_branch_that_is_in_the_way(git_project: Path, where: Path, taken: str) -> None:
    run_git(git_project, "branch", taken)
    others = ["unrelated"] if taken == "tmorch" else ["tmorch/aaa/developer", "unrelated"]
    for other in others:
        run_git(git_project, "branch", other)

    with pytest.raises(RefusedError) as caught:
        await add_worktree(git_project, where, BRANCH, head_of(git_project))

    assert caught.value.code == "branch-exists"
    assert caught.value.cause == f"there is a branch {taken} already"
    assert set(branches(git_project)) == {"main", taken, *others}
    assert not where.parent.parent.exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
async def test_a_path_that_is_in_the_way(git_project: Path, where: Path, kind: str) -> None:
    where.parent.mkdir(parents=True)
    match kind:
        case "folder":
            where.mkdir()
        case "file":
            where.write_text("mine")
        case _:
            where.symlink_to("nowhere")

    with pytest.raises(RefusedError) as caught:
        await add_worktree(git_project, where, BRANCH, head_of(git_project))

    assert caught.value.code == "path-exists"
    assert os.path.lexists(where)
    assert branches(git_project) == ["main"]


async def test_a_path_that_git_still_knows(git_project: Path, worktree: Path) -> None:
    worktree.rename(worktree.with_name("moved"))

    with pytest.raises(RefusedError) as caught:
        await add_worktree(git_project, worktree, "tmorch/other/developer", head_of(git_project))

    assert caught.value.code == "path-exists"
    assert branches(git_project) == ["main", BRANCH]


async def test_never_inside_a_working_tree_of_the_project(git_project: Path, worktree: Path) -> None:
    for inside in (git_project / ".worktrees/x", worktree / "x"):
        with pytest.raises(RefusedError) as caught:
            await add_worktree(git_project, inside, "tmorch/x/x", head_of(git_project))
        assert caught.value.code == "inside-project"
    assert run_git(git_project, "status", "--porcelain") == ""


async def test_an_unknown_base(git_project: Path, where: Path) -> None:
    with pytest.raises(GitCommandError):
        await add_worktree(git_project, where, BRANCH, "1" * 40)

    assert branches(git_project) == ["main"]
    assert not where.parent.exists()


def failing_filter(project: Path, command: str) -> str:
    """Make every checkout of `big.bin` run `command`, and return the commit that has the file."""
    (project / ".gitattributes").write_text("big.bin filter=broken\n")
    (project / "big.bin").write_text("content")
    run_git(project, "add", "-A")
    run_git(project, "commit", "-q", "-m", "Add a large file")
    run_git(project, "config", "filter.broken.clean", "cat")
    run_git(project, "config", "filter.broken.smudge", command)
    run_git(project, "config", "filter.broken.required", "true")
    return head_of(project)


async def test_a_failing_checkout_leaves_nothing_behind(git_project: Path, where: Path) -> None:
    base = failing_filter(git_project, "false")
    before = persons_view(git_project)

    with pytest.raises(GitCommandError) as caught:
        await add_worktree(git_project, where, BRANCH, base)

    assert "big.bin" in caught.value.stderr
    await assert_nothing_left(git_project, where)
    assert persons_view(git_project) == before


async def test_the_projects_own_hook_runs_and_its_failure_leaves_nothing_behind(
    git_project: Path, where: Path, tmp_path: Path
) -> None:
    hook = git_project / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\npwd > {tmp_path}/witness\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(GitCommandError):
        await add_worktree(git_project, where, BRANCH, head_of(git_project))

    assert (tmp_path / "witness").read_text().strip() == str(where)
    await assert_nothing_left(git_project, where)


async def test_a_hanging_checkout_leaves_nothing_behind(
    git_project: Path, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = failing_filter(git_project, "sleep 600")
    monkeypatch.setattr(worktrees, "ADD_TIMEOUT_S", 0.7)

    with pytest.raises(TimedOutError):
        await add_worktree(git_project, where, BRANCH, base)

    await assert_nothing_left(git_project, where)


async def test_a_cancelled_checkout_leaves_nothing_behind(git_project: Path, where: Path) -> None:
    base = failing_filter(git_project, "sleep 600")
    task = asyncio.create_task(add_worktree(git_project, where, BRANCH, base))
    await aeventually(lambda: (where / ".git").exists())

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await assert_nothing_left(git_project, where)


async def assert_nothing_left(project: Path, where: Path) -> None:
    assert branches(project) == ["main"]
    assert len(await list_worktrees(project)) == 1
    assert not list((project / ".git").glob("worktrees/*"))
    assert not where.parent.parent.exists()


async def test_what_a_killed_start_left_half_made_is_removed(git_project: Path, where: Path) -> None:
    base = failing_filter(git_project, "sleep 600")
    where.parent.mkdir(parents=True)
    with adding(git_project, where, base) as pid:
        await aeventually(lambda: (where / "README.md").exists())
        os.killpg(pid, signal.SIGKILL)
    assert (await list_worktrees(git_project))[1].locked == "initializing"

    assert await remove_worktree(git_project, where, if_at=base)
    assert await delete_branch(git_project, BRANCH, if_at=base)

    where.parent.rmdir()
    where.parent.parent.rmdir()
    await assert_nothing_left(git_project, where)


async def test_what_a_start_killed_at_once_left_is_removed(git_project: Path, where: Path) -> None:
    where.mkdir(parents=True)

    assert await remove_worktree(git_project, where, if_at=head_of(git_project))

    assert not where.exists()


# --- removing -----------------------------------------------------------------------------------------------------


async def test_a_clean_worktree_goes_and_its_branch_stays(git_project: Path, worktree: Path) -> None:
    before = persons_view(git_project)

    assert await remove_worktree(git_project, worktree, if_at=head_of(worktree))

    assert not worktree.exists()
    assert list(worktree.parent.iterdir()) == []
    assert len(await list_worktrees(git_project)) == 1
    assert branches(git_project) == ["main", BRANCH]
    assert persons_view(git_project) == before


async def test_removing_again_is_harmless(git_project: Path, worktree: Path) -> None:
    assert await remove_worktree(git_project, worktree)
    assert not await remove_worktree(git_project, worktree)


async def test_a_worktree_whose_folder_is_gone_is_forgotten(git_project: Path, worktree: Path) -> None:
    other = await add_worktree(git_project, worktree.with_name("tester"), "tmorch/x/t", head_of(git_project))
    for path in (worktree, other):
        path.rename(path.with_name(f"away-{path.name}"))

    assert await remove_worktree(git_project, worktree)

    assert [tree.path for tree in await list_worktrees(git_project)] == [str(git_project), str(other)]


async def test_removed_with_read_only_folders_in_it(git_project: Path, worktree: Path) -> None:
    (worktree / ".gitignore").write_text("cache/\n")
    run_git(worktree, "add", ".gitignore")
    run_git(worktree, "commit", "-q", "-m", "Ignore the cache")
    locked = worktree / "cache/module"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)

    assert await remove_worktree(git_project, worktree)
    assert not worktree.exists()


def write(file: Path, text: str = "work") -> int:
    return file.write_text(text)


SPOILT: dict[str, Callable[[Path], object]] = {
    "modified": lambda tree: write(tree / "README.md"),
    "untracked": lambda tree: write(tree / "new"),
    "staged": lambda tree: (write(tree / "new"), run_git(tree, "add", "new")),
    "deleted": lambda tree: (tree / "README.md").unlink(),
    "intent to add": lambda tree: (write(tree / "new"), run_git(tree, "add", "-N", "new")),
    "hidden by a flag": lambda tree: (
        run_git(tree, "update-index", "--assume-unchanged", "README.md"),
        write(tree / "README.md"),
    ),
    "hidden by a setting": lambda tree: (
        run_git(tree, "config", "status.showUntrackedFiles", "no"),
        write(tree / "new"),
    ),
    "a repository in it": lambda tree: run_git(tree, "init", "-q", "inner"),
    "detached": lambda tree: run_git(tree, "checkout", "-q", "--detach"),
    "in a rebase": lambda tree: (
        run_git(tree, "commit", "-q", "--allow-empty", "-m", "Work"),
        run_git(tree, "-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "HEAD~"),
    ),
    "locked": lambda tree: run_git(tree, "worktree", "lock", "--reason", "mine", str(tree)),
    "a worktree in it": lambda tree: run_git(tree, "worktree", "add", "-q", "-b", "in", str(tree / "in")),
}


@pytest.mark.parametrize("how", sorted(SPOILT))
async def test_whatever_is_not_committed_saves_the_worktree(git_project: Path, worktree: Path, how: str) -> None:
    SPOILT[how](worktree)
    before = {file: file.read_bytes() for file in worktree.rglob("*") if file.is_file()}

    with pytest.raises(RefusedError) as caught:
        await remove_worktree(git_project, worktree)

    assert caught.value.cause
    assert {file: file.read_bytes() for file in worktree.rglob("*") if file.is_file()} == before
    assert str(worktree) in [tree.path for tree in await list_worktrees(git_project)]
    assert not aside_of(worktree).exists()


async def test_a_worktree_that_moved_on_is_kept(git_project: Path, worktree: Path) -> None:
    base = head_of(worktree)
    run_git(worktree, "commit", "-q", "--allow-empty", "-m", "Work")

    with pytest.raises(RefusedError):
        await remove_worktree(git_project, worktree, if_at=base)

    assert worktree.exists()


async def test_a_worktree_in_use_is_kept(git_project: Path, worktree: Path) -> None:
    with sleeping_in(worktree, 600) as pid, pytest.raises(RefusedError) as caught:
        await remove_worktree(git_project, worktree)

    assert caught.value.code == "live"
    assert f"sleep ({pid})" in caught.value.cause
    assert worktree.exists()


async def test_a_program_that_is_just_ending_is_waited_for(git_project: Path, worktree: Path) -> None:
    with sleeping_in(worktree, 0.5):
        assert await remove_worktree(git_project, worktree)


async def test_a_foreign_folder_is_never_removed(git_project: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "file").touch()

    for path in (foreign, git_project):
        with pytest.raises(RefusedError):
            await remove_worktree(git_project, path)

    assert (foreign / "file").exists()
    assert (git_project / "README.md").exists()


@pytest.mark.parametrize("what", ["link to the project", "repository of its own", "no .git", "another's .git"])
async def test_a_folder_that_is_not_what_we_made_is_never_removed(git_project: Path, worktree: Path, what: str) -> None:
    other = await add_worktree(git_project, worktree.with_name("tester"), "tmorch/x/t", head_of(git_project))
    match what:
        case "link to the project":
            worktree.rename(worktree.with_name("moved"))
            worktree.symlink_to(git_project)
        case "repository of its own":
            (worktree / ".git").unlink()
            run_git(worktree, "init", "-q")
            run_git(worktree, "add", "-A")
            run_git(worktree, "commit", "-q", "-m", "Only here")
        case "no .git":
            (worktree / ".git").unlink()
        case _:
            (worktree / ".git").write_bytes((other / ".git").read_bytes())

    with pytest.raises(RefusedError):
        await remove_worktree(git_project, worktree)

    assert (worktree / "README.md").exists()
    assert (git_project / "README.md").exists()


async def test_an_interrupted_removal_is_put_back_and_done_again(git_project: Path, worktree: Path) -> None:
    worktree.rename(aside_of(worktree))

    assert await remove_worktree(git_project, worktree)

    assert list(worktree.parent.iterdir()) == []
    assert len(await list_worktrees(git_project)) == 1


async def test_remains_of_an_interrupted_removal_are_deleted(git_project: Path, worktree: Path) -> None:
    worktree.rename(remains_of(worktree))

    assert await remove_worktree(git_project, worktree)

    assert list(worktree.parent.iterdir()) == []
    assert len(await list_worktrees(git_project)) == 1


async def test_an_interrupted_removal_whose_path_was_made_anew(git_project: Path, worktree: Path) -> None:
    worktree.rename(aside_of(worktree))
    worktree.mkdir()
    (worktree / "late").touch()

    with pytest.raises(RefusedError) as caught:
        await remove_worktree(git_project, worktree)

    assert str(aside_of(worktree)) in caught.value.cause
    assert (worktree / "late").exists()
    assert (aside_of(worktree) / "README.md").exists()


# --- branches -----------------------------------------------------------------------------------------------------


async def test_a_branch_goes_only_from_the_commit_named(git_project: Path) -> None:
    base = head_of(git_project)
    run_git(git_project, "branch", BRANCH)
    run_git(git_project, "config", f"branch.{BRANCH}.remote", "origin")
    run_git(git_project, "config", "branch.other.remote", "origin")

    with pytest.raises(RefusedError) as caught:
        await delete_branch(git_project, BRANCH, if_at="1" * 40)
    assert caught.value.code == "moved"
    assert branches(git_project) == ["main", BRANCH]

    assert await delete_branch(git_project, BRANCH, if_at=base)
    assert not await delete_branch(git_project, BRANCH, if_at=base)
    assert branches(git_project) == ["main"]
    assert run_git(git_project, "config", "--get-regexp", "^branch") == "branch.other.remote origin"


async def test_a_branch_that_is_checked_out_stays(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--detach")
    run_git(git_project, "checkout", "-q", BRANCH)

    with pytest.raises(RefusedError) as caught:
        await delete_branch(git_project, BRANCH, if_at=head_of(git_project))

    assert caught.value.code == "checked-out"
    assert BRANCH in branches(git_project)


async def test_only_branches_of_tmorch_go(git_project: Path) -> None:
    run_git(git_project, "branch", "feature")
    run_git(git_project, "symbolic-ref", "refs/heads/tmorch/x/alias", "refs/heads/feature")

    for name in ("feature", "tmorch/x/alias"):
        with pytest.raises(RefusedError) as caught:
            await delete_branch(git_project, name, if_at=head_of(git_project))
        assert caught.value.code == "not-ours"

    assert "feature" in branches(git_project)
