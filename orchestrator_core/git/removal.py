"""Removing a worktree so that nothing which appears in it meanwhile can be lost.

The folder is set aside by a rename, looked at once more there, and only then given up: whoever still writes to its
path finds nothing to write into, and what changed before the rename is seen by the last look. A crash leaves
either the worktree, or the folder set aside, which the next removal puts back, or remains, which it deletes.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from msgspec import structs

from orchestrator_core.errors import RefusedError
from orchestrator_core.git.place import Place, aside_of, locate, remains_of
from orchestrator_core.git.processes import live_after
from orchestrator_core.git.registry import Checkout, git_worktree
from orchestrator_core.git.run import displayable

LIVE_GRACE_S = 3.0
REMOVE_TIMEOUT_S = 120.0

Verify = Callable[[Checkout], Awaitable[None]]


async def recover(project: str | Path, worktree: str | Path) -> Place:
    """Put back what an interrupted removal had set aside, and return where the worktree is.

    Raises:
        RefusedError: another removal is at work on it.

    """
    place = await locate(project, worktree)
    if place.folder == place.path or place.checkout is None:
        return place
    with _claimed(place.checkout.git_dir, place.path):
        _put_back(place.path)
    return await locate(project, worktree)


async def remove_verified(project: str | Path, checkout: Checkout, verify: Verify) -> str:
    """Remove the worktree of `checkout` and what git keeps for it; its branch stays.

    `verify` gets the checkout at the place where it is set aside, and raises to save the worktree: then it is put
    back and the error passed on. Return what could not be deleted in the end, in words, or nothing.

    Raises:
        RefusedError: a program runs in it, another removal is at work on it, or it cannot be moved.

    """
    path = checkout.folder
    with _claimed(checkout.git_dir, path):
        await delete_remains(path)
        try:
            if os.path.lexists(path):
                _rename(path, aside_of(path))
                await _refuse_live(path)
                await verify(structs.replace(checkout, folder=aside_of(path)))
            else:
                await verify(checkout)
            await _give_up(project, path)
        except BaseException:
            _put_back(path)
            raise
    return await delete_remains(path)


async def delete_leftovers(path: Path) -> str:
    """Delete what a finished removal, or a start that was killed at once, left of a worktree git does not know."""
    if path.is_dir() and not path.is_symlink():
        with contextlib.suppress(OSError):
            path.rmdir()  # only when nothing is in it
    return await delete_remains(path)


async def delete_remains(path: Path) -> str:
    """Delete what a finished removal of the worktree at `path` left; return in words what would not go."""
    try:
        await asyncio.to_thread(delete_folder, remains_of(path))
    except OSError as error:
        return displayable(f"{remains_of(path)} could not be deleted: {error}")
    return ""


def delete_folder(folder: Path) -> None:
    """Delete `folder` with everything in it, also below folders that are write-protected.

    Raises:
        OSError: something in it would not go.

    """
    if not folder.is_dir():
        return
    try:
        shutil.rmtree(folder)
    except PermissionError:
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                inner = Path(parent) / name
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(folder)


async def _give_up(project: str | Path, path: Path) -> None:
    """Have git forget the worktree, whose folder is away: so it has nothing to delete and needs no force."""
    aside, remains = aside_of(path), remains_of(path)
    if os.path.lexists(path):
        raise _in_the_way(path, aside)
    moved = aside.is_dir()
    if moved:
        aside.rename(remains)
    try:
        await git_worktree(project, "remove", str(path), timeout=REMOVE_TIMEOUT_S)
    except BaseException:
        if moved:
            remains.rename(aside)
        raise


def _put_back(path: Path) -> None:
    aside = aside_of(path)
    if not aside.is_dir():
        return
    if os.path.lexists(path):
        raise _in_the_way(path, aside)
    aside.rename(path)


async def _refuse_live(path: Path) -> None:
    live = await live_after(aside_of(path), LIVE_GRACE_S)
    if live:
        raise RefusedError(
            f"programs still run in {displayable(str(path))}",
            cause="they are: " + ", ".join(live),
            remedy="end them, and try again",
            code="live",
        )


@contextlib.contextmanager
def _claimed(git_dir: Path, path: Path) -> Iterator[None]:
    """Hold the kernel's lock on the folder that git keeps for the worktree: no two removals at once."""
    try:
        descriptor = os.open(git_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise _other_removal(path) from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _other_removal(path) from error
    except OSError:
        return  # a network file system that cannot lock folders: renames alone keep two removals apart


def _other_removal(path: Path) -> RefusedError:
    return RefusedError(
        f"{displayable(str(path))} is being removed already",
        cause="another clean-up is at work on it",
        remedy="wait for it to end, and look again",
        code="busy",
    )


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        raise RefusedError(
            f"{displayable(str(source))} cannot be moved",
            cause=displayable(str(error)),
            remedy="see who may write there, and whether something is mounted on it",
            code="cannot-move",
        ) from error


def _in_the_way(path: Path, aside: Path) -> RefusedError:
    return RefusedError(
        f"{displayable(str(path))} was made anew while it was being removed",
        cause=f"the worktree itself is at {displayable(str(aside))}; nothing of it was deleted",
        remedy="see what wrote there, move the new folder away, and try again",
        code="in-the-way",
    )
