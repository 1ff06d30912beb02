"""Looking at a worktree through a copy of its index: neither that nor the worktree changes by it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from orchestrator_core.git.porcelain import Status, parse_status
from orchestrator_core.git.registry import Checkout

KEEP_TIMEOUT_S = 900.0
"""Seconds for reading a whole worktree; a large one takes minutes on a slow disk."""

EXACT = tuple(
    option
    for setting in (
        "core.splitIndex=false",
        "core.sparseCheckout=false",  # files outside the sparse definition are work too
        "core.untrackedCache=false",
        "core.ignoreStat=false",
        "core.trustctime=true",
        "core.checkStat=default",
        "core.safecrlf=false",  # a mixed line end is no reason to keep nothing
        "core.protectNTFS=false",  # nor is a name that another system could not have
        "core.protectHFS=false",
        "add.ignoreErrors=false",
        "advice.addEmbeddedRepo=false",
        "core.fsync=all",  # the worktree is deleted next: what is kept must outlive a power cut
        "core.fsyncMethod=batch",
    )
    for option in ("-c", setting)
)


async def commit_at(checkout: Checkout, name: str) -> str:
    """Return the commit that `name` stands for, or nothing."""
    return (await checkout.ask("rev-parse", "--verify", "-q", f"{name}^{{commit}}")).line


async def read_status(checkout: Checkout) -> Status:
    """Return what is uncommitted, files hidden by index flags or by settings included.

    A submodule shows when another commit is checked out in it; what is uncommitted inside is its own affair.
    """
    async with whole_index(checkout) as env:
        return parse_status(
            await checkout.git(
                *EXACT, "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all",
                "--ignore-submodules=dirty", env=env, timeout=KEEP_TIMEOUT_S,
            )
        )  # fmt: skip


async def ignored_files(checkout: Checkout) -> tuple[str, ...]:
    """Return the files and folders that the project ignores: no snapshot holds them."""
    if not checkout.folder.is_dir():
        return ()
    output = await checkout.git(
        "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z", timeout=KEEP_TIMEOUT_S
    )
    return tuple(path for path in output.split("\0") if path)


@asynccontextmanager
async def whole_index(checkout: Checkout) -> AsyncIterator[Mapping[str, str]]:
    """Give a copy of the index in which no flag keeps git from looking at a file that is there."""
    with copied_index(checkout) as env:
        listing = (await checkout.git(*EXACT, "ls-files", "-v", "-z", env=env)).split("\0")
        flagged = {
            entry[2:]
            for entry in listing
            if entry and (entry[0].islower() or entry[0] == "S") and os.path.lexists(checkout.folder / entry[2:])
        }
        if flagged:
            await update_index(checkout, "--no-assume-unchanged", flagged, env)
            await update_index(checkout, "--no-skip-worktree", flagged, env)
        yield env


@contextmanager
def copied_index(checkout: Checkout) -> Iterator[Mapping[str, str]]:
    """Give the environment in which git works on a copy of the index."""
    with tempfile.TemporaryDirectory(prefix="tmorch-index-") as folder:
        original, copy = checkout.git_dir / "index", Path(folder) / "index"
        if original.exists():
            shutil.copy2(original, copy)  # with its time: git looks into files that are not older than its index
        yield {"GIT_INDEX_FILE": str(copy)}


async def update_index(checkout: Checkout, option: str, paths: set[str], env: Mapping[str, str]) -> None:
    """Run `git update-index` with `option` on `paths` in the index that `env` names."""
    given = "".join(f"{path}\0" for path in sorted(paths))
    await checkout.git(*EXACT, "update-index", option, "-z", "--stdin", env=env, stdin=given)
