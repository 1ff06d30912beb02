"""What git says of a project before anything is made in it. Only looks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from orchestrator_core.errors import RefusedError
from orchestrator_core.git.porcelain import parse_status
from orchestrator_core.git.run import Completed, ask_git, displayable, git
from orchestrator_core.models.project import ProjectState

DIRTY_SHOWN = 100
STATUS_TIMEOUT_S = 120.0
"""Seconds: a large project that was not looked at for long takes its time."""
FOREIGN = re.compile(r"(?:dubious ownership in repository at|unsafe repository \()\s*'(.*?)'", re.DOTALL)
LOST_GITDIR = re.compile(r"not a git repository: (.+)")


async def inspect_project(path: str | Path) -> ProjectState:
    """Return the state of the repository that `path`, its top folder or one below it, belongs to.

    Uncommitted changes are reported, at most the first hundred by name. Nothing is changed, not even git's index.

    Raises:
        RefusedError: agents cannot be given branches there; the codes are `not-a-folder`, `not-a-repository`,
            `foreign-owner`, `bare`, `no-commits`, `detached` and `not-utf-8`.

    """
    folder = _folder(Path(path))
    top = await _top_folder(folder)
    await _refuse_ignored(folder, top)
    branch, head = await _branch_and_head(top)
    output = await git(
        top, "status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=normal", timeout=STATUS_TIMEOUT_S
    )
    dirty = parse_status(output).paths
    return ProjectState(
        path=_utf8(str(top)),
        name=top.name or "project",
        branch=_utf8(branch),
        head=head,
        dirty=tuple(displayable(name) for name in dirty[:DIRTY_SHOWN]),
        dirty_count=len(dirty),
        git_dir=await git(top, "rev-parse", "--path-format=absolute", "--git-common-dir"),
    )


def _folder(path: Path) -> Path:
    try:
        folder = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_a_folder(path, str(error)) from error
    if not folder.is_dir():
        raise _not_a_folder(path, "it is a file")
    return folder


def _not_a_folder(path: Path, cause: str) -> RefusedError:
    return RefusedError(
        f"{displayable(str(path))} is not a folder",
        cause=displayable(cause),
        remedy="name the folder of a git repository",
        code="not-a-folder",
    )


async def _top_folder(folder: Path) -> Path:
    done = await ask_git(folder, "rev-parse", "--is-bare-repository", "--is-inside-git-dir", "--is-inside-work-tree")
    if done.returncode:
        raise explain_refusal(folder, done)
    bare, inside_git_dir, inside_work_tree = done.line.split("\n")
    if inside_git_dir == "true" or inside_work_tree != "true":
        raise _inside_git_dir(folder) if bare == "false" else _bare(folder)
    return Path(await git(folder, "rev-parse", "--show-toplevel"))


def explain_refusal(folder: Path, done: Completed) -> Exception:
    """Return the error for a folder in which git did not want to work."""
    if found := FOREIGN.search(done.stderr):
        return _foreign(folder, found[1])
    if found := LOST_GITDIR.search(done.stderr):
        return RefusedError(
            f"{displayable(str(folder))} has lost its repository",
            cause=f"its .git file points to {displayable(found[1].strip())}, which is not there",
            remedy="run `git worktree repair` in the repository it belongs to, or name another folder",
            code="not-a-repository",
        )
    if "not a git repository" in done.stderr:
        where = shlex.quote(displayable(str(folder)))
        return RefusedError(
            f"{displayable(str(folder))} is not a git repository",
            cause="agents work on branches, and there is nothing to branch from",
            remedy=f"git -C {where} init && git -C {where} add -A && git -C {where} commit -m 'Begin'",
            code="not-a-repository",
        )
    return done.error()


def _foreign(folder: Path, repository: str) -> RefusedError:
    return RefusedError(
        f"git does not trust {displayable(str(folder))}",
        cause="the repository belongs to another user, whose hooks and settings would run as you",
        remedy="if you trust it: git config --global --add safe.directory " + shlex.quote(displayable(repository)),
        code="foreign-owner",
    )


def _bare(folder: Path) -> RefusedError:
    return RefusedError(
        f"{displayable(str(folder))} is a bare repository",
        cause="it has no working tree with a branch checked out that the agents could start from",
        remedy=f"git -C {shlex.quote(displayable(str(folder)))} worktree add FOLDER BRANCH, and name that FOLDER",
        code="bare",
    )


def _inside_git_dir(folder: Path) -> RefusedError:
    return RefusedError(
        f"{displayable(str(folder))} is not a working tree",
        cause="it lies inside a repository's own .git folder",
        remedy="name the project's top folder",
        code="not-a-repository",
    )


async def _refuse_ignored(folder: Path, top: Path) -> None:
    """Refuse a folder that the repository around it ignores, such as a project below a home under git."""
    if folder == top or (await ask_git(top, "check-ignore", "-q", "--", str(folder))).returncode:
        return
    where = shlex.quote(displayable(str(folder)))
    raise RefusedError(
        f"{displayable(str(folder))} is not a git repository",
        cause=f"the repository around it, {displayable(str(top))}, ignores it",
        remedy=f"git -C {where} init and commit, or name {displayable(str(top))} itself",
        code="not-a-repository",
    )


async def _branch_and_head(top: Path) -> tuple[str, str]:
    symbolic = await ask_git(top, "symbolic-ref", "-q", "HEAD")
    found = await ask_git(top, "rev-parse", "--verify", "-q", "HEAD^{commit}")
    ref = symbolic.line
    if symbolic.returncode or not ref.startswith("refs/heads/"):
        raise _detached(top, found.line)
    branch = ref.removeprefix("refs/heads/")
    if found.returncode:
        raise await _no_commits(top, ref, branch)
    return branch, found.line


def _detached(top: Path, head: str) -> RefusedError:
    return RefusedError(
        f"{displayable(str(top))} has no branch checked out",
        cause=f"HEAD is detached at {head[:12] or 'nothing'}, so there is no branch to bring the work back to; "
        "a rebase or bisect under way, or a submodule, looks like this too",
        remedy=f"git -C {shlex.quote(displayable(str(top)))} switch BRANCH (or switch -c NEW-BRANCH)",
        code="detached",
    )


async def _no_commits(top: Path, ref: str, branch: str) -> RefusedError:
    if not (await ask_git(top, "rev-parse", "--verify", "-q", ref)).returncode:
        await git(top, "cat-file", "commit", ref)  # the branch names a commit that is not there, and git says so
    where = shlex.quote(displayable(str(top)))
    return RefusedError(
        f"{displayable(str(top))} has no commits",
        cause=f"its branch {displayable(branch)} is empty: there is nothing to branch from",
        remedy=f"git -C {where} add -A && git -C {where} commit -m 'Begin'",
        code="no-commits",
    )


def _utf8(name: str) -> str:
    if displayable(name) == name:
        return name
    raise RefusedError(
        f"the name {displayable(name)} is not UTF-8",
        cause="tmorch keeps names of projects and branches as text",
        remedy="rename it, or work in a worktree or clone whose folder and branch have names in UTF-8",
        code="not-utf-8",
    )
