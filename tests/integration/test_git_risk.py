"""What a removal would lose is seen, however it hides; what is safe is not called a risk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator_core.git.place import aside_of
from orchestrator_core.git.worktrees import add_worktree, work_at_risk
from orchestrator_core.models.project import WorkAtRisk
from tests.conftest import MakeProject, run_git

BRANCH = "tmorch/shop-3f2a/developer"


@pytest.fixture
async def worktree(git_project: Path, tmp_path: Path) -> Path:
    return await add_worktree(git_project, tmp_path / "w/developer", BRANCH, "HEAD")


async def examine(project: Path, worktree: Path, base_commit: str = "") -> WorkAtRisk:
    return await work_at_risk(project, worktree, BRANCH, "main", "developer", base_commit=base_commit)


def commit(repository: Path, message: str) -> str:
    run_git(repository, "commit", "-q", "--allow-empty", "-m", message)
    return run_git(repository, "rev-parse", "HEAD")


@contextmanager
def sleeping_in(folder: Path) -> Iterator[int]:
    with subprocess.Popen(["sleep", "600"], cwd=folder) as program:
        try:
            yield program.pid
        finally:
            program.kill()


def add_origin(project: Path, tmp_path: Path) -> None:
    run_git(project, "clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    run_git(project, "remote", "add", "origin", str(tmp_path / "origin.git"))
    run_git(project, "fetch", "-q", "origin")


async def test_fresh_is_clean(git_project: Path, worktree: Path) -> None:
    risk = await examine(git_project, worktree)

    assert risk.is_clean
    assert (risk.name, risk.worktree, risk.branch, risk.notes) == ("developer", str(worktree), BRANCH, ())


async def test_dirty_untracked_too(git_project: Path, worktree: Path) -> None:
    (worktree / "README.md").write_text("changed")
    (worktree / "folder").mkdir()
    (worktree / "folder/new\nline").touch()
    Path(os.fsdecode(bytes(worktree) + b"/\xff")).touch()

    risk = await examine(git_project, worktree)

    assert set(risk.dirty) == {"README.md", "folder/new\nline", "\\xff"}
    assert (risk.dirty_count, risk.is_clean) == (3, False)


async def test_many_dirty_files_are_capped_but_counted(git_project: Path, worktree: Path) -> None:
    for number in range(130):
        (worktree / f"file{number}").touch()

    risk = await examine(git_project, worktree)

    assert (len(risk.dirty), risk.dirty_count) == (100, 130)


@pytest.mark.parametrize("hidden", ["flag", "setting"])
async def test_dirty_in_hiding(git_project: Path, worktree: Path, hidden: str) -> None:
    if hidden == "flag":
        run_git(worktree, "update-index", "--skip-worktree", "README.md")
        (worktree / "README.md").write_text("work")
    else:
        run_git(worktree, "config", "status.showUntrackedFiles", "no")
        (worktree / "new").touch()

    assert (await examine(git_project, worktree)).dirty_count == 1


async def test_ignored_files_are_no_risk_but_told(git_project: Path, worktree: Path) -> None:
    (git_project / ".git/info").mkdir(exist_ok=True)
    (git_project / ".git/info/exclude").write_text("*.log\n")
    for number in range(7):
        (worktree / f"{number}.log").touch()

    risk = await examine(git_project, worktree)

    assert risk.is_clean
    assert risk.notes == ("ignored files are not kept: 0.log, 1.log, 2.log, 3.log, 4.log and 2 more",)


async def test_unmerged_and_merged(git_project: Path, worktree: Path) -> None:
    commit(worktree, "One")
    commit(worktree, "Two")
    assert (await examine(git_project, worktree)).unmerged == 2

    run_git(git_project, "merge", "-q", "--no-ff", "-m", "Merge", BRANCH)
    risk = await examine(git_project, worktree)

    assert (risk.unmerged, risk.is_clean) == (0, True)


async def test_commits_on_a_detached_head_count(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--detach")
    commit(worktree, "Beside the branch")

    assert (await examine(git_project, worktree)).unmerged == 1


async def test_a_worktree_on_another_branch(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "-b", "feature")
    commit(worktree, "On a branch that stays")

    risk = await examine(git_project, worktree)

    assert risk.is_clean
    assert risk.notes == ("it is on branch feature, which stays",)


async def test_without_a_remote_nothing_is_unpushed(git_project: Path, worktree: Path) -> None:
    commit(worktree, "Work")
    run_git(git_project, "merge", "-q", BRANCH)

    assert (await examine(git_project, worktree)).unpushed == 0


async def test_unpushed_even_if_merged(git_project: Path, worktree: Path, tmp_path: Path) -> None:
    add_origin(git_project, tmp_path)
    commit(worktree, "Work")
    run_git(git_project, "merge", "-q", BRANCH)

    risk = await examine(git_project, worktree)
    assert (risk.unmerged, risk.unpushed, risk.is_clean) == (0, 1, False)

    run_git(git_project, "push", "-q", "origin", "main")
    assert (await examine(git_project, worktree)).is_clean


async def test_the_persons_own_unpushed_commits_are_not_the_agents(git_project: Path, tmp_path: Path) -> None:
    add_origin(git_project, tmp_path)
    base = commit(git_project, "Mine, and not pushed yet")
    worktree = await add_worktree(git_project, tmp_path / "w/developer", BRANCH, base)

    assert (await examine(git_project, worktree, base)).is_clean
    assert (await examine(git_project, worktree)).unpushed == 1
    commit(worktree, "Work")
    assert (await examine(git_project, worktree, base)).unpushed == 1


async def test_the_stash_is_shared_and_no_risk(git_project: Path, worktree: Path) -> None:
    (worktree / "README.md").write_text("stashed")
    run_git(worktree, "stash")

    assert (await examine(git_project, worktree)).is_clean


async def test_the_starting_branch_is_gone(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "branch", "-m", "main", "trunk")
    commit(worktree, "Work")

    risk = await examine(git_project, worktree)

    assert risk.unmerged == 1
    assert "starting branch main is gone" in risk.notes[0]


async def test_live_programs(git_project: Path, worktree: Path) -> None:
    (worktree / "deep").mkdir()
    beside = worktree.with_name("developer2")
    beside.mkdir()
    with sleeping_in(worktree / "deep") as pid, sleeping_in(beside):
        risk = await examine(git_project, worktree)

    assert risk.live == (f"sleep ({pid})",)
    assert not risk.is_clean


async def test_an_operation_under_way(git_project: Path, worktree: Path) -> None:
    commit(worktree, "Work")
    run_git(worktree, "-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "HEAD~")

    risk = await examine(git_project, worktree)

    assert (risk.operation, risk.is_clean) == ("rebase", False)


async def test_locked(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "worktree", "lock", "--reason", "on a stick", str(worktree))

    risk = await examine(git_project, worktree)

    assert "locked (on a stick)" in risk.hindrances[0]


async def test_another_worktree_inside(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "worktree", "add", "-q", "-b", "inner", str(worktree / ".claude/worktrees/inner"))

    risk = await examine(git_project, worktree)

    assert any(str(worktree / ".claude/worktrees/inner") in reason for reason in risk.hindrances)


async def test_a_worktree_inside_that_is_gone_already(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "worktree", "add", "-q", "-b", "inner", str(worktree / "inner"))
    (worktree / "inner").rename(worktree.with_name("away"))

    assert (await examine(git_project, worktree)).is_clean


async def test_a_missing_folder_is_told(git_project: Path, worktree: Path) -> None:
    commit(worktree, "Work")
    (worktree / "staged").touch()
    run_git(worktree, "add", "staged")
    worktree.rename(worktree.with_name("away"))

    risk = await examine(git_project, worktree)

    assert (risk.unmerged, risk.dirty, risk.hindrances) == (1, ("staged",), ())
    assert risk.notes == ("its folder is gone",)


async def test_a_missing_branch_is_told(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--detach")
    run_git(git_project, "branch", "-D", BRANCH)

    risk = await examine(git_project, worktree)

    assert risk.is_clean
    assert risk.notes == (f"its branch {BRANCH} is gone",)


async def test_a_deleted_branch_that_is_still_checked_out(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "update-ref", "-d", f"refs/heads/{BRANCH}")

    risk = await examine(git_project, worktree)

    assert not risk.is_clean
    assert f"its branch {BRANCH} is gone" in risk.notes


async def test_everything_is_gone(git_project: Path, tmp_path: Path) -> None:
    risk = await examine(git_project, tmp_path / "never")

    assert risk.is_clean
    assert risk.notes == (f"its branch {BRANCH} is gone", "its folder is gone")


async def test_set_aside_by_an_interrupted_removal(git_project: Path, worktree: Path) -> None:
    (worktree / "new").touch()
    worktree.rename(aside_of(worktree))

    risk = await examine(git_project, worktree)

    assert risk.dirty == ("new",)
    assert str(aside_of(worktree)) in risk.notes[0]


async def test_the_branch_is_checked_out_elsewhere(git_project: Path, worktree: Path) -> None:
    run_git(worktree, "checkout", "-q", "--detach")
    run_git(git_project, "checkout", "-q", BRANCH)

    risk = await examine(git_project, worktree)

    assert risk.hindrances == (f"its branch is checked out in {git_project}",)


async def test_the_project_itself_and_a_foreign_folder(git_project: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/file").touch()

    assert "the project itself" in (await examine(git_project, git_project)).hindrances[0]
    assert "git knows no worktree" in (await examine(git_project, tmp_path / "foreign")).hindrances[0]


async def test_a_worktree_that_somebody_moved(git_project: Path, worktree: Path) -> None:
    run_git(git_project, "worktree", "move", str(worktree), str(worktree.with_name("moved")))

    risk = await examine(git_project, worktree)

    assert risk.hindrances == (f"its branch is checked out in {worktree.with_name('moved')}",)


class TestRepositoriesInside:
    async def test_with_work_of_its_own(self, git_project: Path, worktree: Path) -> None:
        run_git(worktree, "init", "-q", "-b", "main", "inner")
        run_git(worktree / "inner", "commit", "-q", "--allow-empty", "-m", "Only here")

        risk = await examine(git_project, worktree)

        assert risk.hindrances == ("the repository inner inside it has commits that no remote has: 1",)

    async def test_without_a_commit(self, git_project: Path, worktree: Path) -> None:
        run_git(worktree, "init", "-q", "inner")
        (worktree / "inner/new").touch()

        risk = await examine(git_project, worktree)

        assert risk.hindrances == ("the repository inner inside it has uncommitted changes",)

    async def test_a_clone_with_nothing_of_its_own(
        self, git_project: Path, worktree: Path, make_project: MakeProject
    ) -> None:
        library = make_project("library")
        run_git(worktree, "clone", "-q", str(library), "inner")
        assert (await examine(git_project, worktree)).hindrances == ()

        (worktree / "inner/README.md").write_text("changed")
        run_git(worktree / "inner", "stash")
        assert (await examine(git_project, worktree)).hindrances != ()

    async def test_a_submodule(self, make_project: MakeProject, tmp_path: Path) -> None:
        library, project = make_project("library"), make_project("shop2")
        allow = ("-c", "protocol.file.allow=always", "submodule")
        run_git(project, *allow, "add", "-q", str(library), "lib")
        run_git(project, "commit", "-q", "-m", "Add lib")
        worktree = await add_worktree(project, tmp_path / "w2", BRANCH, "HEAD")
        assert (await examine(project, worktree)).is_clean

        run_git(worktree, *allow, "update", "-q", "--init")
        assert (await examine(project, worktree)).is_clean

        run_git(worktree / "lib", "checkout", "-q", "-b", "work")
        commit(worktree / "lib", "Only here")
        risk = await examine(project, worktree)
        assert risk.hindrances == ("the repository lib inside it has commits that no remote has: 1",)
        assert risk.dirty == ("lib",)

    async def test_a_release_that_is_on_no_branch(
        self, git_project: Path, worktree: Path, make_project: MakeProject
    ) -> None:
        library = make_project("library")
        run_git(library, "checkout", "-q", "--detach")
        commit(library, "Release")
        run_git(library, "tag", "v1")
        run_git(library, "checkout", "-q", "main")
        run_git(worktree, "clone", "-q", "-b", "v1", str(library), "inner")
        assert (await examine(git_project, worktree)).hindrances == ()

        commit(worktree / "inner", "On top of the release")
        assert "no remote has: 1" in (await examine(git_project, worktree)).hindrances[0]

    async def test_a_submodule_recorded_at_a_commit_on_no_branch(
        self, make_project: MakeProject, tmp_path: Path
    ) -> None:
        library, project = make_project("library"), make_project("shop2")
        allow = ("-c", "protocol.file.allow=always", "submodule")
        run_git(project, *allow, "add", "-q", str(library), "lib")
        run_git(project / "lib", "checkout", "-q", "--detach")
        run_git(library, "fetch", "-q", str(project / "lib"), commit(project / "lib", "On no branch"))
        run_git(library, "tag", "v1", "FETCH_HEAD")
        run_git(project, "commit", "-q", "-a", "-m", "Add lib at a release")
        worktree = await add_worktree(project, tmp_path / "w2", BRANCH, "HEAD")
        run_git(worktree, *allow, "update", "-q", "--init")
        run_git(worktree / "lib", "tag", "-d", "v1")

        assert (await examine(project, worktree)).is_clean

    async def test_a_submodule_of_a_submodule(self, make_project: MakeProject, tmp_path: Path) -> None:
        deep, library, project = make_project("deep"), make_project("library"), make_project("shop2")
        allow = ("-c", "protocol.file.allow=always", "submodule")
        for outer, inner, name in ((library, deep, "deep"), (project, library, "lib")):
            run_git(outer, *allow, "add", "-q", str(inner), name)
            run_git(outer, "commit", "-q", "-m", f"Add {name}")
        worktree = await add_worktree(project, tmp_path / "w2", BRANCH, "HEAD")
        run_git(worktree, *allow, "update", "-q", "--init", "--recursive")
        assert (await examine(project, worktree)).is_clean

        (worktree / "lib/deep/new").touch()

        (reason,) = (await examine(project, worktree)).hindrances
        assert reason == "the repository lib inside it has a submodule deep with uncommitted changes"

    async def test_below_an_ignored_folder(self, git_project: Path, worktree: Path, make_project: MakeProject) -> None:
        (git_project / ".git/info").mkdir(exist_ok=True)
        (git_project / ".git/info/exclude").write_text("build/\n")
        library = make_project("library")
        (worktree / "build/deps").mkdir(parents=True)
        run_git(worktree, "clone", "-q", str(library), "build/deps/lib")
        (worktree / "build/deps/lib/README.md").write_text("patched by the build")
        assert (await examine(git_project, worktree)).is_clean

        run_git(worktree / "build/deps/lib", "commit", "-q", "-a", "-m", "Only here")
        (reason,) = (await examine(git_project, worktree)).hindrances
        assert reason == "the repository build/deps/lib inside it has commits that no remote has: 1"

    async def test_a_worktree_of_another_project(
        self, git_project: Path, worktree: Path, make_project: MakeProject
    ) -> None:
        other = make_project("other")
        run_git(other, "worktree", "add", "-q", "-b", "mine", str(worktree / "other"))
        commit(worktree / "other", "Safe in its own repository")
        assert (await examine(git_project, worktree)).hindrances == ()

        (worktree / "other/new").touch()
        assert "uncommitted changes" in (await examine(git_project, worktree)).hindrances[0]
