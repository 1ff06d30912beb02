"""Where an agent's worktree really is, and what keeps it from being removed, whoever asks."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct, structs

from orchestrator_core.git.nested import ignored_repositories, nested_repositories
from orchestrator_core.git.porcelain import Status, Worktree
from orchestrator_core.git.processes import mounts_in
from orchestrator_core.git.registry import (
    Checkout,
    canonical,
    common_git_dir,
    find_checkout,
    find_worktree,
    list_worktrees,
    points_to,
)
from orchestrator_core.git.run import displayable

INITIALIZING = "initializing"
"""Git's own lock while it makes a worktree; one that stays was never finished."""


class Place(Struct, frozen=True, kw_only=True):
    """A worktree's recorded path, and what is there."""

    path: Path
    """As recorded, absolute."""
    folder: Path
    """Where its files are: `path`, or beside it when an interrupted removal had set it aside."""
    worktrees: tuple[Worktree, ...]
    """All of the project's."""
    checkout: Checkout | None
    """None when git keeps nothing for the path."""

    @property
    def known(self) -> Worktree | None:
        """What git says of it; None when it does not know the path."""
        return find_worktree(self.worktrees, self.path)

    @property
    def exists(self) -> bool:
        """Whether there is anything where its files should be."""
        return os.path.lexists(self.folder)


def aside_of(path: Path) -> Path:
    """Return where a worktree is set aside while it is looked at for the last time."""
    return path.with_name(f".{path.name}.tmorch-removing")


def remains_of(path: Path) -> Path:
    """Return where a worktree lies that may be deleted: nothing in it is needed any more."""
    return path.with_name(f".{path.name}.tmorch-removed")


def restoring_of(path: Path) -> Path:
    """Return where the files of a worktree are written while it is brought back; a crash leaves it there."""
    return path.with_name(f".{path.name}.tmorch-restoring")


async def locate(project: str | Path, worktree: str | Path) -> Place:
    """Return where the worktree recorded as `worktree` is. Only looks."""
    path = canonical(worktree)
    folder = aside_of(path) if not os.path.lexists(path) and aside_of(path).is_dir() else path
    checkout = find_checkout(await common_git_dir(project), path)
    return Place(
        path=path,
        folder=folder,
        worktrees=await list_worktrees(project),
        checkout=structs.replace(checkout, folder=folder) if checkout else None,
    )


async def hindrances(place: Place, status: Status | None) -> tuple[str, ...]:
    """Say why the worktree must not be removed at all; `status` is its own, None when it has none."""
    found = [*_of_the_folder(place), *_of_the_listing(place)]
    if place.exists and not found:
        found += [f"something is mounted at {mount}" for mount in mounts_in(place.folder)]
    if place.checkout and status and not found:
        found += [
            f"the repository {nested.path} inside it has {nested.own_work}"
            for nested in (
                *await nested_repositories(place.checkout, status),
                *await ignored_repositories(place.checkout),
            )
            if nested.own_work
        ]
    return tuple(displayable(reason) for reason in found)


def is_readable(place: Place) -> bool:
    """Whether its files are there and git can be asked about them."""
    return place.checkout is not None and not place.folder.is_symlink() and place.folder.is_dir()


def _of_the_folder(place: Place) -> list[str]:
    if not place.exists:
        return []
    if place.folder.is_symlink() or not place.folder.is_dir():
        return [f"{place.path} is not the folder that tmorch made"]
    if place.folder == place.path and aside_of(place.path).exists():
        return [f"an earlier removal left {aside_of(place.path)}, and {place.path} is there again"]
    if not any(place.folder.iterdir()):
        return []
    if place.known is None:
        return [f"git knows no worktree at {place.path}"]
    if place.checkout and not points_to(place.folder / ".git", place.checkout.git_dir):
        return [f"{place.folder / '.git'} is not the file by which git knows this worktree"]
    return []


def _of_the_listing(place: Place) -> list[str]:
    found = []
    known = place.known
    if known and known.is_main:
        found.append(f"{place.path} is the project itself")
    if known and known.locked not in (None, INITIALIZING):
        found.append(f"it is locked{f' ({known.locked})' if known.locked else ''}: git worktree unlock")
    return found + [f"another worktree lies inside it: {path}" for path in _inner_worktrees(place)]


def _inner_worktrees(place: Place) -> list[Path]:
    paths = [Path(tree.path) for tree in place.worktrees]
    inner = [path for path in paths if path != place.path and path.is_relative_to(place.path)]
    return [path for path in inner if (place.folder / path.relative_to(place.path)).exists()]
