"""Inspecting projects of every shape: what is accepted, what is refused and how that is explained."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from orchestrator_core.errors import GitCommandError, RefusedError
from orchestrator_core.git.project import DIRTY_SHOWN, inspect_project
from orchestrator_core.git.run import git_version
from tests.conftest import MakeProject, run_git


async def refusal(path: Path) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await inspect_project(path)
    error = caught.value
    assert error.title
    assert error.cause
    assert error.remedy
    return error


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return every file below `folder` with its time and content."""
    return {
        str(file.relative_to(folder)): (
            file.lstat().st_mtime_ns,
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
        )
        for file in folder.rglob("*")
    }


async def test_a_clean_project(git_project: Path) -> None:
    state = await inspect_project(git_project)

    assert state.path == str(git_project)
    assert (state.name, state.branch, state.dirty, state.dirty_count) == ("shop", "main", (), 0)
    assert state.head == run_git(git_project, "rev-parse", "HEAD")
    assert state.git_dir == str(git_project / ".git")


async def test_a_folder_below_and_a_symbolic_link(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project(files={"src/deep/a.py": ""})
    link = tmp_path / "link"
    link.symlink_to(project / "src")

    assert (await inspect_project(project / "src/deep")).path == str(project)
    assert (await inspect_project(link)).path == str(project)


@pytest.mark.parametrize("name", ["my shop", "-dash", "a:b.c", "q\"'uote", "größe", "a\nb", "end ", "x" * 80])
async def test_any_name(make_project: MakeProject, name: str) -> None:
    project = make_project(name, files={"ä\n.txt": "x"})

    state = await inspect_project(project)

    assert (state.path, state.name) == (str(project), name)


async def test_dirty_is_reported_by_name_and_number(git_project: Path) -> None:
    (git_project / "README.md").write_text("changed")
    names = {'qu"ote', "new\nline", "-dash", "größe"}
    for name in names:
        (git_project / name).touch()
    bad = Path(os.fsdecode(bytes(git_project) + b"/caf\xe9"))
    bad.touch()

    state = await inspect_project(git_project)

    assert set(state.dirty) == {"README.md", "caf\\xe9", *names}
    assert state.dirty_count == 6


async def test_very_dirty_is_capped_but_counted(git_project: Path) -> None:
    for number in range(DIRTY_SHOWN + 30):
        (git_project / f"file{number}").touch()

    state = await inspect_project(git_project)

    assert (len(state.dirty), state.dirty_count) == (DIRTY_SHOWN, DIRTY_SHOWN + 30)


async def test_dirty_in_spite_of_the_persons_status_settings(git_project: Path) -> None:
    run_git(git_project, "config", "status.showUntrackedFiles", "no")
    (git_project / "new").touch()

    assert (await inspect_project(git_project)).dirty == ("new",)


async def test_nothing_changes_by_looking(git_project: Path) -> None:
    (git_project / "README.md").write_text("changed")
    os.utime(git_project / "README.md", (1, 1))  # a plain `git status` would refresh the index now
    before = fingerprint(git_project)

    await inspect_project(git_project)

    assert fingerprint(git_project) == before


async def test_a_linked_worktree_is_a_project_too(git_project: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    run_git(git_project, "worktree", "add", "-q", "-b", "feature", str(linked))

    state = await inspect_project(linked)

    assert (state.path, state.branch, state.git_dir) == (str(linked), "feature", str(git_project / ".git"))


async def test_a_linked_worktree_of_a_bare_repository(git_project: Path, tmp_path: Path) -> None:
    bare, linked = tmp_path / "b.git", tmp_path / "linked"
    run_git(git_project, "clone", "-q", "--bare", ".", str(bare))
    run_git(bare, "worktree", "add", "-q", str(linked), "main")

    state = await inspect_project(linked)

    assert (state.path, state.branch, state.git_dir) == (str(linked), "main", str(bare))


async def test_a_submodule_on_a_branch_is_a_project(make_project: MakeProject) -> None:
    library, project = make_project("library"), make_project("shop")
    run_git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")

    state = await inspect_project(project / "lib")

    assert (state.path, state.branch) == (str(project / "lib"), "main")
    assert state.git_dir == str(project / ".git/modules/lib")

    run_git(project / "lib", "checkout", "-q", "--detach")
    error = await refusal(project / "lib")
    assert error.code == "detached"
    assert "submodule" in error.cause


async def test_no_such_folder_and_a_file(git_project: Path, tmp_path: Path) -> None:
    assert (await refusal(tmp_path / "none")).code == "not-a-folder"
    assert (await refusal(git_project / "README.md")).code == "not-a-folder"


async def test_a_link_that_names_itself(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert (await refusal(loop)).code == "not-a-folder"


async def test_not_a_repository(tmp_path: Path) -> None:
    folder = tmp_path / "plain folder"
    folder.mkdir()

    error = await refusal(folder)

    assert error.code == "not-a-repository"
    assert f"git -C '{folder}' init" in error.remedy
    assert list(folder.iterdir()) == []


async def test_a_folder_that_the_repository_around_it_ignores(make_project: MakeProject) -> None:
    home = make_project("home", files={".gitignore": "projects/\n"})
    shop = home / "projects/shop"
    shop.mkdir(parents=True)

    error = await refusal(shop)

    assert error.code == "not-a-repository"
    assert str(home) in error.cause


async def test_inside_the_git_folder(git_project: Path) -> None:
    assert (await refusal(git_project / ".git/refs")).code == "not-a-repository"


async def test_bare(git_project: Path, tmp_path: Path) -> None:
    run_git(git_project, "clone", "-q", "--bare", ".", str(tmp_path / "b.git"))

    error = await refusal(tmp_path / "b.git")

    assert error.code == "bare"
    assert "worktree add" in error.remedy


async def test_no_commits(make_project: MakeProject) -> None:
    error = await refusal(make_project(commit=False))

    assert error.code == "no-commits"
    assert "main" in error.cause


async def test_an_orphan_branch_has_no_commits_either(git_project: Path) -> None:
    run_git(git_project, "checkout", "-q", "--orphan", "fresh")

    error = await refusal(git_project)

    assert error.code == "no-commits"
    assert "fresh" in error.cause


async def test_detached(git_project: Path) -> None:
    run_git(git_project, "checkout", "-q", "--detach")

    error = await refusal(git_project)

    assert error.code == "detached"
    assert run_git(git_project, "rev-parse", "HEAD")[:12] in error.cause
    assert "switch" in error.remedy


async def test_a_worktree_whose_repository_is_gone(git_project: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    run_git(git_project, "worktree", "add", "-q", "-b", "feature", str(linked))
    (git_project / ".git").rename(git_project / "away")

    error = await refusal(linked)

    assert error.code == "not-a-repository"
    assert "worktree repair" in error.remedy


async def test_a_repository_of_somebody_else(git_project: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    if await git_version() < (2, 35, 2):
        pytest.skip("this git trusts every owner")
    for path in (git_project, git_project / ".git"):
        os.chown(path, 12345, 12345)

    error = await refusal(git_project)

    assert error.code == "foreign-owner"
    assert error.remedy.endswith(f"safe.directory {git_project}")


async def test_names_that_are_not_text(git_project: Path) -> None:
    bad = Path(os.fsdecode(bytes(git_project.parent) + b"/caf\xe9"))
    git_project.rename(bad)

    error = await refusal(bad)

    assert error.code == "not-utf-8"
    error.title.encode()


async def test_a_broken_repository_is_an_error_not_an_empty_one(git_project: Path) -> None:
    (git_project / ".git/refs/heads/main").write_text("1" * 40 + "\n")

    with pytest.raises(GitCommandError):
        await inspect_project(git_project)
