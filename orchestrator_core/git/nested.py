"""Repositories inside a worktree: submodules, clones, and what somebody made there. Nothing else keeps their work."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import NotFoundError
from orchestrator_core.git.index import commit_at, ignored_files, read_status
from orchestrator_core.git.porcelain import Status
from orchestrator_core.git.registry import Checkout, open_checkout

GITLINK = "160000"


class Nested(Struct, frozen=True, kw_only=True):
    """A repository inside a worktree."""

    path: str
    """Relative to the worktree's folder, without a slash at its end."""
    head: str
    """The commit checked out in it; empty without one."""
    own_work: str
    """In words, what only it has; empty when everything in it is on its remotes."""
    is_submodule: bool = False


async def nested_repositories(checkout: Checkout, status: Status) -> tuple[Nested, ...]:
    """Return the repositories in a worktree whose status is `status`, but not those below ignored folders."""
    found = [await _look(checkout, entry.path.rstrip("/")) for entry in status.entries if entry.path.endswith("/")]
    return (*found, *await _submodules(checkout))


async def ignored_repositories(checkout: Checkout) -> tuple[Nested, ...]:
    """Return the repositories below ignored folders that have commits of their own.

    What is uncommitted in them is ignored like any other file there.
    """
    folders = [checkout.folder / path for path in await ignored_files(checkout) if path.endswith("/")]
    paths = await asyncio.to_thread(lambda: [path for folder in folders for path in _with_git(folder)])
    found = [await _look(checkout, str(path.relative_to(checkout.folder)), files=False) for path in paths]
    return tuple(nested for nested in found if nested.head and nested.own_work)


def _with_git(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        if ".git" in folders or ".git" in files:
            found.append(Path(parent))
            folders.clear()
    return found


async def _submodules(checkout: Checkout) -> tuple[Nested, ...]:
    entries = (await checkout.git("ls-files", "--stage", "-z")).split("\0")
    links = (entry.split("\t", 1) for entry in entries if entry.startswith(GITLINK))
    return tuple(
        [
            await _look(checkout, path, recorded=facts.split()[1])
            for facts, path in links
            if os.path.lexists(checkout.folder / path / ".git")
        ]
    )


async def _look(checkout: Checkout, path: str, *, recorded: str = "", files: bool = True) -> Nested:
    """Look into the repository at `path`; `recorded` is its commit by the index, when it is a submodule."""
    try:
        nested = open_checkout(checkout.folder / path)
    except NotFoundError:
        return Nested(path=path, head="", own_work="a .git that points nowhere", is_submodule=bool(recorded))
    return Nested(
        path=path,
        head=await commit_at(nested, "HEAD"),
        own_work=(await _own_files(nested) if files else "") or await _own_commits(checkout, nested, recorded),
        is_submodule=bool(recorded),
    )


async def _own_files(nested: Checkout) -> str:
    if (await read_status(nested)).entries:
        return "uncommitted changes"
    inner = await _submodules(nested)
    return next((f"a submodule {each.path} with {each.own_work}" for each in inner if each.own_work), "")


async def _own_commits(checkout: Checkout, nested: Checkout, recorded: str) -> str:
    """Say what is committed or stashed in `nested` and on none of its remotes.

    A tag saves a commit that is merely checked out, as a release is: it came with the clone. It does not save a
    branch. What a submodule is recorded at was fetched from somewhere.
    """
    homes = (checkout.folder, checkout.git_dir)
    if not any(nested.common_dir.is_relative_to(home) for home in homes):
        return ""  # a worktree of a repository that stays
    fetched = [recorded] if recorded and await commit_at(nested, recorded) else []
    head = await commit_at(nested, "HEAD")
    attached = not (await nested.ask("symbolic-ref", "-q", "HEAD")).returncode
    stash = [stashed] if (stashed := await commit_at(nested, "refs/stash")) else []
    count = await _count(nested, *stash, "--branches", "--not", "--remotes", *fetched)
    if head and not attached:
        count += await _count(nested, head, "--not", "--remotes", "--tags", "--branches", *fetched)
    return f"commits that no remote has: {count}" if count else ""


async def _count(nested: Checkout, *revisions: str) -> int:
    return int(await nested.git("rev-list", "--count", *revisions, "--"))
