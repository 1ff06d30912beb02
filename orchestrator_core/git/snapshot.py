"""Everything in a worktree that a removal would take with it, written down as git objects.

It is done through a copy of the worktree's index: neither the worktree, nor its own index, nor any ref changes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from msgspec import Struct

from orchestrator_core.git.index import (
    EXACT,
    KEEP_TIMEOUT_S,
    commit_at,
    copied_index,
    read_status,
    update_index,
    whole_index,
)
from orchestrator_core.git.nested import GITLINK, Nested, nested_repositories
from orchestrator_core.git.registry import Checkout, has_reftable

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
    nested: tuple[Nested, ...] = ()
    """Repositories inside, of which nothing but the commit of a submodule is in `tree`."""
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
    exists = checkout.folder.is_dir()
    nested = await nested_repositories(checkout, await read_status(checkout)) if exists else ()
    head = await commit_at(checkout, "HEAD")
    tip = await commit_at(checkout, f"refs/heads/{branch}")
    return Snapshot(
        head=head,
        head_tree=await checkout.git("rev-parse", f"{head}^{{tree}}") if head else "",
        tip=tip,
        tree=await _tree(checkout, nested) if exists else "",
        index_tree=await _index_tree(checkout),
        nested=nested,
        lost=await _lost_commits(checkout, branch, [commit for commit in (head, tip) if commit]),
    )


async def _tree(checkout: Checkout, nested: tuple[Nested, ...]) -> str:
    """Write the files as a tree; of the repositories among them only which commit a submodule is at."""
    async with whole_index(checkout) as env:
        await checkout.git(
            *EXACT, "add", "-A", "--", ":(top)", *(f":(top,exclude,literal){each.path}" for each in nested),
            env=env, timeout=KEEP_TIMEOUT_S,
        )  # fmt: skip
        for each in nested:
            if each.is_submodule and each.head:
                await checkout.git(*EXACT, "update-index", "--cacheinfo", f"{GITLINK},{each.head},{each.path}", env=env)
        return await checkout.git(*EXACT, "write-tree", env=env, timeout=KEEP_TIMEOUT_S)


async def _index_tree(checkout: Checkout) -> str:
    with copied_index(checkout) as env:
        entries = (await checkout.git(*EXACT, "ls-files", "--unmerged", "-z", env=env)).split("\0")
        paths = {entry.partition("\t")[2] for entry in entries if entry}
        if paths:
            await update_index(checkout, "--force-remove", paths, env)
        return await checkout.git(*EXACT, "write-tree", env=env, timeout=KEEP_TIMEOUT_S)


async def _lost_commits(checkout: Checkout, branch: str, kept: list[str]) -> tuple[str, ...]:
    """Return the newest commits named in the worktree's own records that no branch, tag or remote has."""
    found = await _commits_among(checkout, await _recorded_ids(checkout, branch))
    if not found:
        return ()
    output = await checkout.git(
        "rev-list", "--parents", "--stdin", "--not", "--branches", "--tags", "--remotes",
        stdin="\n".join([*found, *(f"^{commit}" for commit in kept), ""]),
        timeout=KEEP_TIMEOUT_S,
    )  # fmt: skip
    rows = [line.split() for line in output.splitlines()]
    parents = {parent for row in rows for parent in row[1:]}
    return tuple(sorted(row[0] for row in rows if row[0] not in parents))


async def _recorded_ids(checkout: Checkout, branch: str) -> set[str]:
    ids = _ids_in_files(checkout.git_dir) if checkout.git_dir != checkout.common_dir else set()
    ids |= _ids_in(checkout.common_dir / "logs/refs/heads" / branch)
    if has_reftable(checkout):
        ids |= await _ids_in_reftable(checkout, branch)
    return ids


async def _ids_in_reftable(checkout: Checkout, branch: str) -> set[str]:
    """Ask git where refs and logs are no files. A log whose ref is gone can only be had together with all others."""
    logs = ["HEAD"] if await commit_at(checkout, "HEAD") else ["--reflog", "--single-worktree"]
    logs += [ref for ref in (f"refs/heads/{branch}",) if await commit_at(checkout, ref)]
    walked = ["-g"] if logs[0] == "HEAD" else ["--no-walk"]
    ids = set((await checkout.git("log", *walked, "--format=%H", *logs, "--")).split())
    for name in ("ORIG_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD"):
        ids.add(await commit_at(checkout, name))
    own = ("refs/worktree", "refs/bisect", "refs/rewritten")
    return ids | set((await checkout.git("for-each-ref", "--format=%(objectname)", *own)).split()) - {""}


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
