"""Which working trees a project has, and where git keeps what belongs to each."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import NotFoundError
from orchestrator_core.git.porcelain import Worktree, parse_worktrees
from orchestrator_core.git.run import TIMEOUT_S, Completed, ask_git, displayable, git, git_version

NUL_LISTING = (2, 36)
"""From here on `git worktree list` can end its lines with NUL."""
HALF_MADE = re.compile(r"failed to read \S*worktrees/.*/(commondir|gitdir|HEAD)")
PAUSES_S = (0.02, 0.05, 0.1, 0.3, 1.0)


class Checkout(Struct, frozen=True, kw_only=True):
    """One working tree of a project: its folder, and the private git folder behind it.

    Git is told both by name. Were it left to look around, a folder whose `.git` is gone would be taken for a part
    of whatever repository lies around it.
    """

    folder: Path
    git_dir: Path
    """Its own, below the common one's `worktrees`."""
    common_dir: Path

    async def ask(
        self,
        *args: str,
        timeout: float = TIMEOUT_S,  # noqa: ASYNC109 - passed on
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        """Run git on it; the folder itself may be missing for commands that do not look at files."""
        where = self.folder if self.folder.is_dir() else self.git_dir
        return await ask_git(
            where,
            f"--git-dir={self.git_dir}",
            f"--work-tree={self.folder}",
            *args,
            timeout=timeout,
            env=env,
            stdin=stdin,
        )

    async def git(
        self,
        *args: str,
        timeout: float = TIMEOUT_S,  # noqa: ASYNC109 - passed on
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> str:
        """Do as `ask`, and return what git printed without the last line's end, or raise GitCommandError."""
        done = await self.ask(*args, timeout=timeout, env=env, stdin=stdin)
        if done.returncode:
            raise done.error()
        return done.line


async def list_worktrees(project: str | Path) -> tuple[Worktree, ...]:
    """Return the working trees that git knows of, the main one first."""
    if await git_version() >= NUL_LISTING:
        return parse_worktrees(await git_worktree(project, "list", "--porcelain", "-z"))
    return parse_worktrees(await git_worktree(project, "list", "--porcelain"), end="\n")


async def git_worktree(
    project: str | Path,
    *args: str,
    timeout: float = TIMEOUT_S,  # noqa: ASYNC109 - passed on
    hooks: bool = False,
) -> str:
    """Run `git worktree`, again when it stumbled over one that somebody was making at that moment.

    Raises:
        GitCommandError: git said no.

    """
    done = await ask_git(project, "worktree", *args, timeout=timeout, hooks=hooks)
    for pause in PAUSES_S:
        if not done.returncode or not HALF_MADE.search(done.stderr):
            break
        await asyncio.sleep(pause)
        done = await ask_git(project, "worktree", *args, timeout=timeout, hooks=hooks)
    if done.returncode:
        raise done.error()
    return done.line


async def common_git_dir(project: str | Path) -> Path:
    """Return the git folder that all of the project's working trees share."""
    return Path(await git(project, "rev-parse", "--path-format=absolute", "--git-common-dir"))


def canonical(path: str | Path) -> Path:
    """Return `path` absolute, with symbolic links above it resolved, but not one that it may be itself."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps ".."
    return absolute.parent.resolve() / absolute.name


def find_worktree(worktrees: tuple[Worktree, ...], path: str | Path) -> Worktree | None:
    """Return the one at `path`, or None when git knows of none there."""
    wanted = canonical(path)
    return next((tree for tree in worktrees if Path(tree.path) == wanted), None)


def find_checkout(common_dir: Path, path: str | Path) -> Checkout | None:
    """Return the checkout that git keeps for `path`, whether the folder is there or not; None without one."""
    wanted = canonical(path)
    for pointer in sorted((common_dir / "worktrees").glob("*/gitdir")):
        if _read_pointer(pointer) == wanted / ".git":
            return Checkout(folder=wanted, git_dir=pointer.parent, common_dir=common_dir)
    return None


def open_checkout(folder: str | Path) -> Checkout:
    """Return the checkout at `folder`, a project's main working tree or another one.

    Raises:
        NotFoundError: there is no working tree; nothing around it is taken for one.

    """
    where = canonical(folder)
    git_dir = _git_dir_of(where / ".git")
    if not (git_dir / "HEAD").exists():
        raise NotFoundError(
            f"there is no worktree at {displayable(str(folder))}",
            cause="the folder is gone" if not where.is_dir() else "its .git is missing or points nowhere",
            remedy="`git worktree list` in the project says what git knows of it",
            code="no-worktree",
        )
    return Checkout(folder=where, git_dir=git_dir, common_dir=_common_dir_of(git_dir))


def has_reftable(checkout: Checkout) -> bool:
    """Whether refs and their logs are in git's database for them, not in files."""
    return (checkout.common_dir / "reftable").is_dir()


def points_to(gitfile: Path, git_dir: Path) -> bool:
    """Whether `gitfile` is a working tree's `.git` file that names `git_dir`."""
    if gitfile.is_symlink() or not gitfile.is_file():
        return False
    return _git_dir_of(gitfile) == git_dir.resolve()


def _git_dir_of(dot_git: Path) -> Path:
    if not dot_git.is_file():
        return dot_git
    target = dot_git.read_bytes().removeprefix(b"gitdir: ").rstrip(b"\r\n")
    return (dot_git.parent / os.fsdecode(target)).resolve()


def _common_dir_of(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return (git_dir / os.fsdecode(pointer.read_bytes().rstrip(b"\r\n"))).resolve()


def _read_pointer(pointer: Path) -> Path | None:
    try:
        target = os.fsdecode(pointer.read_bytes().removesuffix(b"\n"))
    except OSError:
        return None  # removed while we looked
    return Path(os.path.normpath(pointer.parent / target))
