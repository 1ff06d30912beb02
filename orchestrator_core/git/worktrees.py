"""Making and removing agents' worktrees and branches. Never forces, never touches what it did not make."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import structs

from orchestrator_core.errors import RefusedError, TimedOutError, TmorchError
from orchestrator_core.git.index import commit_at, read_status
from orchestrator_core.git.nested import nested_repositories
from orchestrator_core.git.place import INITIALIZING, Place, hindrances, is_readable, restoring_of
from orchestrator_core.git.porcelain import Worktree
from orchestrator_core.git.registry import (
    Checkout,
    canonical,
    common_git_dir,
    find_worktree,
    git_worktree,
    list_worktrees,
    points_to,
)
from orchestrator_core.git.removal import delete_folder, delete_leftovers, recover, remove_verified
from orchestrator_core.git.risk import work_at_risk
from orchestrator_core.git.run import ask_git, displayable, git
from orchestrator_core.git.state import operation_in
from orchestrator_core.git.trash import IDENTITY, move_to_trash, trash_list

__all__ = [
    "Worktree",
    "add_worktree",
    "check_free",
    "delete_branch",
    "list_worktrees",
    "move_to_trash",
    "remove_worktree",
    "restore_worktree",
    "trash_list",
    "work_at_risk",
]

OWN_BRANCHES = "tmorch/"
LOCK_STEP_S = 0.02
ADD_TIMEOUT_S = 900.0
"""Seconds for a checkout: filters may fetch large files."""


async def check_free(project: str | Path, path: str | Path, branch: str) -> None:
    """Do nothing if a worktree can be made at `path` on the new `branch`.

    Raises:
        RefusedError: the branch or the path exists already, or the path lies inside a working tree.

    """
    _refuse_path(canonical(path), await list_worktrees(project))
    if rival := await _rival_of(project, branch):
        raise _branch_taken(branch, rival)


async def add_worktree(project: str | Path, path: str | Path, branch: str, base: str) -> Path:
    """Make a worktree at `path` on the new `branch`, which starts at the commit `base`; return its real path.

    The project's own checkout does not change. When anything fails, or the task is cancelled, nothing is left
    behind.

    Raises:
        RefusedError: the branch or the path exists already, or the path lies inside a working tree.
        GitCommandError: git could not check the files out.

    """
    where = canonical(path)
    commit = await git(project, "rev-parse", "--verify", f"{base}^{{commit}}")
    _refuse_path(where, await list_worktrees(project))
    await _create_branch(project, branch, commit)
    made: list[Path] = []
    try:
        async with _one_at_a_time(await common_git_dir(project)):
            _make_folders(where, made)
            await git_worktree(project, "add", str(where), branch, timeout=ADD_TIMEOUT_S, hooks=True)
    except BaseException as error:
        await asyncio.shield(_undo_add(project, where, branch, commit, made, error))
        raise
    return where


async def restore_worktree(project: str | Path, path: str | Path, branch: str) -> Path:
    """Bring back the worktree at `path`, whose folder is gone, and return its real path. Nothing is made twice.

    What was staged comes back from the worktree's own index, if git still has that; else `branch` is checked out
    as it was committed last. A folder that is there is left as it is, whatever is in it.

    Raises:
        RefusedError: the branch is gone, something else is at the path, or the worktree is locked.
        GitCommandError: git could not check the files out.

    """
    where = canonical(path)
    place = await recover(project, where)
    if place.known is not None and place.known.locked == INITIALIZING:  # git was killed while it made it
        await remove_worktree(project, where)
        place = await recover(project, where)
    if place.checkout is not None and points_to(where / ".git", place.checkout.git_dir):
        return where
    if place.known is not None and place.known.locked is not None:
        raise _not_restored(where, f"it is locked{f' ({place.known.locked})' if place.known.locked else ''}")
    if place.exists and not (where.is_dir() and not where.is_symlink() and not any(where.iterdir())):
        raise _not_restored(where, "something else is at that path")
    async with _one_at_a_time(await common_git_dir(project)):
        _make_folders(where.parent, [])
        if place.checkout is not None:
            await _restore_files(place.checkout)
            return where
        if not (await ask_git(project, "rev-parse", "--verify", "-q", f"refs/heads/{branch}")).line:
            raise _not_restored(where, f"its branch {branch} is gone")
        await git_worktree(project, "add", str(where), branch, timeout=ADD_TIMEOUT_S, hooks=True)
    return where


async def _restore_files(checkout: Checkout) -> None:
    """Write the files that are in the index into a folder beside, and put that into its place as a whole."""
    aside = restoring_of(checkout.folder)
    await asyncio.to_thread(delete_folder, aside)
    if not (checkout.git_dir / "index").exists():
        await checkout.git("read-tree", "HEAD")
    aside.mkdir(mode=0o700)
    await structs.replace(checkout, folder=aside).git("checkout-index", "-a", timeout=ADD_TIMEOUT_S)
    (aside / ".git").write_bytes(b"gitdir: " + os.fsencode(checkout.git_dir) + b"\n")
    aside.rename(checkout.folder)


def _not_restored(path: Path, cause: str) -> RefusedError:
    return RefusedError(
        f"the worktree {displayable(str(path))} cannot be brought back",
        cause=displayable(cause),
        remedy="`git worktree list` in the project says what git knows of it",
        code="worktree-not-restored",
    )


async def remove_worktree(project: str | Path, path: str | Path, *, if_at: str = "") -> bool:
    """Remove the worktree at `path` if everything in it is committed; its branch stays.

    Ignored files go with it. With `if_at`, also only if that commit is checked out. What git never finished making
    goes in any state. Return whether there was one.

    Raises:
        RefusedError: something would be lost, or stands against the removal; the worktree is as it was.

    """
    where = canonical(path)
    place = await recover(project, where)
    await _refuse_hindered(place)
    had_folder = place.exists
    if place.checkout is None:
        _raise_leftover(await delete_leftovers(where))
        return had_folder
    unfinished = place.known is not None and place.known.locked == INITIALIZING
    if unfinished:
        await git_worktree(project, "unlock", str(where))

    async def verify(checkout: Checkout) -> None:
        await _refuse_moved(checkout, if_at)
        if not unfinished:
            await _refuse_unsaved(checkout, if_at)

    _raise_leftover(await remove_verified(project, place.checkout, verify))
    return True


async def delete_branch(project: str | Path, branch: str, *, if_at: str) -> bool:
    """Delete an agent's `branch` if it is at the commit `if_at`; return whether there was one.

    Raises:
        RefusedError: it is at another commit, is checked out somewhere, or is not a branch of tmorch.

    """
    ref = f"refs/heads/{branch}"
    if not branch.startswith(OWN_BRANCHES) or not (await ask_git(project, "symbolic-ref", "-q", ref)).returncode:
        raise _keep_branch(branch, "it is not a branch that tmorch made", "not-ours")
    tip = (await ask_git(project, "rev-parse", "--verify", "-q", ref)).line
    if not tip:
        return False
    holders = [tree.path for tree in await list_worktrees(project) if tree.branch == branch]
    if holders:
        raise _keep_branch(branch, f"it is checked out in {displayable(holders[0])}", "checked-out")
    if tip != if_at:
        raise _keep_branch(branch, f"it is at {tip[:12]} and no longer at {if_at[:12]}", "moved")
    await git(project, "update-ref", "--no-deref", "-d", ref, if_at, env=IDENTITY)
    await ask_git(project, "config", "--local", "--remove-section", f"branch.{branch}")  # most have none
    return True


def _keep_branch(branch: str, cause: str, code: str) -> RefusedError:
    return RefusedError(
        f"the branch {displayable(branch)} is kept",
        cause=cause,
        remedy=f"see what is on it: git log {displayable(branch)}",
        code=code,
    )


def _refuse_path(where: Path, worktrees: tuple[Worktree, ...]) -> None:
    holder = next((tree for tree in worktrees if where.is_relative_to(tree.path)), None)
    if holder and Path(holder.path) != where:
        raise RefusedError(
            f"{displayable(str(where))} lies inside {displayable(holder.path)}",
            cause="its files would show up there as untracked",
            remedy="choose a folder outside the project, by the setting worktrees.folder",
            code="inside-project",
        )
    if holder or where.exists() or where.is_symlink():
        raise _path_taken(where, "git knows it as a worktree" if holder else "there is something at that path")


def _path_taken(where: Path, cause: str) -> RefusedError:
    return RefusedError(
        f"{displayable(str(where))} exists already",
        cause=cause,
        remedy="clean up the orchestration it belongs to: tmorch cleanup ID",
        code="path-exists",
    )


async def _create_branch(project: str | Path, branch: str, commit: str) -> None:
    """Make the branch, and know for sure that it was us: git refuses when it is there, however it came."""
    ref = f"refs/heads/{branch}"
    done = await ask_git(project, "update-ref", "-m", "branch: Created by tmorch", ref, commit, "", env=IDENTITY)
    if not done.returncode:
        return
    rival = await _rival_of(project, branch)
    raise _branch_taken(branch, rival) if rival else done.error()


async def _rival_of(project: str | Path, branch: str) -> str:
    """Return a branch beside which git cannot make `branch`, or an empty text."""
    names = await git(project, "for-each-ref", "--format=%(refname)", f"refs/heads/{branch.split('/')[0]}")
    rivals = (name for name in names.splitlines() if _exclude_each_other(name, f"refs/heads/{branch}"))
    return next(rivals, "").removeprefix("refs/heads/")


def _branch_taken(branch: str, rival: str) -> RefusedError:
    return RefusedError(
        f"the branch {displayable(branch)} cannot be made",
        cause=f"there is a branch {displayable(rival)} already",
        remedy="rename or delete it, or clean up the orchestration it belongs to: tmorch cleanup ID",
        code="branch-exists",
    )


def _exclude_each_other(one: str, other: str) -> bool:
    """Whether git cannot have both refs: they are the same, or one lies below the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


@asynccontextmanager
async def _one_at_a_time(common_dir: Path) -> AsyncIterator[None]:
    """Make worktrees of a project one after the other: git trips over those it finds half made."""
    descriptor = os.open(common_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        await _wait_for_lock(descriptor)
        yield
    finally:
        os.close(descriptor)


async def _wait_for_lock(descriptor: int) -> None:
    for _ in range(int(ADD_TIMEOUT_S / LOCK_STEP_S)):
        if _try_lock(descriptor):
            return
        await asyncio.sleep(LOCK_STEP_S)
    raise TimedOutError(
        f"another worktree of the project was not ready within {ADD_TIMEOUT_S:g} s",
        cause="a start that is under way holds the project",
        remedy="see what it waits for, and start again",
    )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a network file system that cannot lock folders: git alone has to cope
    return True


def _make_folders(where: Path, made: list[Path]) -> None:
    missing = [folder for folder in (where, *where.parents) if not folder.exists()]
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700)
            made.append(folder)
        except FileExistsError as error:
            if folder == where:
                raise _path_taken(where, "something was made there just now") from error


async def _undo_add(
    project: str | Path, where: Path, branch: str, commit: str, made: list[Path], error: BaseException
) -> None:
    try:
        if where in made:
            await ask_git(project, "worktree", "unlock", str(where))
            await asyncio.to_thread(delete_folder, where)
            if find_worktree(await list_worktrees(project), where):
                await git_worktree(project, "remove", str(where))
        for folder in reversed(made):
            if folder.is_dir():
                folder.rmdir()
        await delete_branch(project, branch, if_at=commit)
    except (OSError, TmorchError) as failure:
        if isinstance(error, TmorchError):
            error.cause += f"; and what was made could not be removed: {failure}"


async def _refuse_hindered(place: Place) -> None:
    status = await read_status(place.checkout) if place.checkout and is_readable(place) else None
    reasons = await hindrances(place, status)
    if reasons:
        raise _keep_worktree(place.path, "; ".join(reasons))


async def _refuse_moved(checkout: Checkout, if_at: str) -> None:
    head = await commit_at(checkout, "HEAD")
    if if_at and head != if_at:
        raise _keep_worktree(checkout.folder, f"{head[:12]} is checked out and no longer {if_at[:12]}")


async def _refuse_unsaved(checkout: Checkout, if_at: str) -> None:
    if operation := await operation_in(checkout):
        raise _keep_worktree(checkout.folder, f"git is in the middle of a {operation}")
    if not checkout.folder.is_dir():
        return
    status = await read_status(checkout)
    if status.entries:
        raise _keep_worktree(
            checkout.folder,
            f"{len(status.entries)} paths are not committed, such as {displayable(status.paths[0])}",
        )
    if any(nested.own_work for nested in await nested_repositories(checkout, status)):
        raise _keep_worktree(checkout.folder, "a repository inside it has work of its own")
    if not if_at and not status.branch:
        raise _keep_worktree(checkout.folder, "no branch has what is checked out")


def _keep_worktree(path: Path, cause: str) -> RefusedError:
    return RefusedError(
        f"the worktree {displayable(str(path))} is kept",
        cause=cause,
        remedy="commit or move what is in it, and try again",
        code="worktree-kept",
    )


def _raise_leftover(leftover: str) -> None:
    if leftover:
        raise TmorchError("a removed worktree's folder is still there", cause=leftover, remedy="delete it by hand")
