"""Repositories inside a worktree: submodules, clones, and what somebody made there. Nothing else keeps their work."""

from __future__ import annotations

import os

from msgspec import Struct

from orchestrator_core.errors import NotFoundError
from orchestrator_core.git.index import commit_at, read_status
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
    is_submodule: bool


async def nested_repositories(checkout: Checkout, status: Status) -> tuple[Nested, ...]:
    """Return the repositories in a worktree whose status is `status`, but not those below ignored folders."""
    untracked = [entry.path.rstrip("/") for entry in status.entries if entry.path.endswith("/")]
    submodules = await _submodules(checkout)
    found = [await _look(checkout, path, is_submodule=False) for path in untracked]
    found += [await _look(checkout, path, is_submodule=True) for path in submodules]
    return tuple(found)


async def _submodules(checkout: Checkout) -> list[str]:
    entries = (await checkout.git("ls-files", "--stage", "-z")).split("\0")
    paths = [entry.partition("\t")[2] for entry in entries if entry.startswith(GITLINK)]
    return [path for path in paths if os.path.lexists(checkout.folder / path / ".git")]


async def _look(checkout: Checkout, path: str, *, is_submodule: bool) -> Nested:
    try:
        nested = open_checkout(checkout.folder / path)
    except NotFoundError:
        return Nested(path=path, head="", own_work="a .git that points nowhere", is_submodule=is_submodule)
    return Nested(
        path=path,
        head=await commit_at(nested, "HEAD"),
        own_work=await _own_work(nested),
        is_submodule=is_submodule,
    )


async def _own_work(nested: Checkout) -> str:
    if (await read_status(nested)).entries:
        return "uncommitted changes"
    head = await commit_at(nested, "HEAD")
    count = await nested.git("rev-list", "--count", "--all", *([head] if head else []), "--not", "--remotes")
    if count != "0":
        return f"commits that no remote has: {count}"
    inner = [await _look(nested, path, is_submodule=True) for path in await _submodules(nested)]
    return next((f"a submodule {each.path} with {each.own_work}" for each in inner if each.own_work), "")
