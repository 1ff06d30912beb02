"""Everything in a worktree that a removal would take with it, written down as git objects.

It is done through a copy of the worktree's index: neither the worktree, nor its own index, nor any ref changes.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from msgspec import Struct

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
OBJECT_ID = re.compile(rb"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")


class Snapshot(Struct, frozen=True, kw_only=True):
    """A worktree and its branch at one moment. Two equal ones hold the same work."""

    head: str = ""
    """The commit checked out; empty when there is none."""
    head_tree: str = ""
    tip: str = ""
    """The branch's last commit; empty when there is no such branch."""
    tree: str = ""
    """The files, untracked ones too, ignored ones not; empty when the folder is gone."""
    index_tree: str = ""
    """What is staged, without the paths in conflict; empty when git keeps no worktree."""
    lost: tuple[str, ...] = ()
    """Commits that nothing but this worktree's own records still names, such as amended or reset ones."""

    @property
    def is_clean(self) -> bool:
        """Whether everything in it is committed."""
        return self.tree in ("", self.head_tree) and self.index_tree in ("", self.head_tree)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.head or self.tip or self.tree or self.index_tree or self.lost)


async def take_snapshot(checkout: Checkout, branch: str) -> Snapshot:
    """Write everything in the worktree into the object database and return what it is.

    Raises:
        GitCommandError: something in it cannot be read or stored; then nothing may be removed.

    """
    head = await commit_at(checkout, "HEAD")
    tip = await commit_at(checkout, f"refs/heads/{branch}")
    return Snapshot(
        head=head,
        head_tree=await checkout.git("rev-parse", f"{head}^{{tree}}") if head else "",
        tip=tip,
        tree=await _tree(checkout) if checkout.folder.is_dir() else "",
        index_tree=await _index_tree(checkout),
        lost=await _lost_commits(checkout, branch, [commit for commit in (head, tip) if commit]),
    )


async def commit_at(checkout: Checkout, name: str) -> str:
    """Return the commit that `name` stands for, or nothing."""
    return (await checkout.ask("rev-parse", "--verify", "-q", f"{name}^{{commit}}")).line


async def read_status(checkout: Checkout) -> Status:
    """Return what is uncommitted, files hidden by index flags or by settings included."""
    async with _whole_index(checkout) as env:
        return parse_status(
            await checkout.git(
                *EXACT, "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all",
                "--ignore-submodules=none", env=env, timeout=KEEP_TIMEOUT_S,
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


async def _tree(checkout: Checkout) -> str:
    nested = [entry.path for entry in (await read_status(checkout)).entries if entry.path.endswith("/")]
    async with _whole_index(checkout) as env:
        await checkout.git(
            *EXACT, "add", "-A", "--", ":(top)", *(f":(top,exclude,literal){path}" for path in nested),
            env=env, timeout=KEEP_TIMEOUT_S,
        )  # fmt: skip
        return await checkout.git(*EXACT, "write-tree", env=env, timeout=KEEP_TIMEOUT_S)


async def _index_tree(checkout: Checkout) -> str:
    with _copied_index(checkout) as env:
        entries = (await checkout.git(*EXACT, "ls-files", "--unmerged", "-z", env=env)).split("\0")
        paths = {entry.partition("\t")[2] for entry in entries if entry}
        if paths:
            await _update_index(checkout, "--force-remove", paths, env)
        return await checkout.git(*EXACT, "write-tree", env=env, timeout=KEEP_TIMEOUT_S)


@asynccontextmanager
async def _whole_index(checkout: Checkout) -> AsyncIterator[Mapping[str, str]]:
    """Give a copy of the index in which no flag keeps git from looking at a file that is there."""
    with _copied_index(checkout) as env:
        listing = (await checkout.git(*EXACT, "ls-files", "-v", "-z", env=env)).split("\0")
        flagged = {
            entry[2:]
            for entry in listing
            if entry and (entry[0].islower() or entry[0] == "S") and os.path.lexists(checkout.folder / entry[2:])
        }
        if flagged:
            await _update_index(checkout, "--no-assume-unchanged", flagged, env)
            await _update_index(checkout, "--no-skip-worktree", flagged, env)
        yield env


@contextmanager
def _copied_index(checkout: Checkout) -> Iterator[Mapping[str, str]]:
    with tempfile.TemporaryDirectory(prefix="tmorch-index-") as folder:
        original, copy = checkout.git_dir / "index", Path(folder) / "index"
        if original.exists():
            shutil.copy2(original, copy)  # with its time: git looks into files that are not older than its index
        yield {"GIT_INDEX_FILE": str(copy)}


async def _update_index(checkout: Checkout, option: str, paths: set[str], env: Mapping[str, str]) -> None:
    given = "".join(f"{path}\0" for path in sorted(paths))
    await checkout.git(*EXACT, "update-index", option, "-z", "--stdin", env=env, stdin=given)


async def _lost_commits(checkout: Checkout, branch: str, kept: list[str]) -> tuple[str, ...]:
    """Return the newest commits named in the worktree's own records that no branch, tag or remote has."""
    found = await _commits_among(checkout, await _recorded_ids(checkout, branch))
    if not found:
        return ()
    output = await checkout.git(
        "rev-list", "--parents", "--stdin", "--not", "--branches", "--tags", "--remotes",
        stdin="\n".join([*found, *(f"^{commit}" for commit in kept), ""]),
    )  # fmt: skip
    rows = [line.split() for line in output.splitlines()]
    parents = {parent for row in rows for parent in row[1:]}
    return tuple(sorted(row[0] for row in rows if row[0] not in parents))


async def _recorded_ids(checkout: Checkout, branch: str) -> set[str]:
    ids = _ids_in_files(checkout.git_dir) if checkout.git_dir != checkout.common_dir else set()
    ids |= _ids_in(checkout.common_dir / "logs/refs/heads" / branch)
    for name in ("HEAD", f"refs/heads/{branch}"):  # where refs are not files, git alone can read their logs
        ids |= set((await checkout.ask("log", "-g", "--format=%H", name, "--")).line.split())
    return ids


def _ids_in_files(git_dir: Path) -> set[str]:
    """Read all that git noted for one worktree: logs, own refs, what it is in the middle of, autostashes."""
    ids: set[str] = set()
    for folder, folders, files in os.walk(git_dir):
        folders[:] = [name for name in folders if name != "modules"]
        for name in files:
            if not name.startswith(("index", "sharedindex")):
                ids |= _ids_in(Path(folder) / name)
    return ids


def _ids_in(file: Path) -> set[str]:
    try:
        return {found.decode() for found in OBJECT_ID.findall(file.read_bytes())}
    except OSError:
        return set()


async def _commits_among(checkout: Checkout, ids: set[str]) -> list[str]:
    if not ids:
        return []
    answer = await checkout.git(
        "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin="\n".join([*sorted(ids), ""])
    )
    rows = (line.split() for line in answer.splitlines())
    return [row[0] for row in rows if row[1:] == ["commit"]]
