"""Keeping everything of a worktree and its branch under a ref, before anything of it is removed.

The commit under the ref holds the files as they were. Its parents are, in this order and as far as they exist: the
commit that was checked out, what was staged, the branch's last commit, and one commit that ties together those
that nothing else names any more. So `git checkout REF -- .` brings the files back, and `git branch NAME REF^` the
commits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from orchestrator_core.git.index import EXACT, ignored_files
from orchestrator_core.git.registry import Checkout, common_git_dir, find_checkout
from orchestrator_core.git.run import ask_git, displayable, git
from orchestrator_core.git.snapshot import Snapshot, take_snapshot
from orchestrator_core.models.branch import TrashEntry

TRASH = "refs/tmorch/trash"
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "tmorch"), ("EMAIL", "tmorch@localhost"))
}
FORMAT = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents)%00"
TRAILER = "Tmorch-"


class Kept(Struct, frozen=True, kw_only=True):
    """What was kept, and under which ref; the ref is empty when there was nothing to keep."""

    ref: str
    snapshot: Snapshot
    not_kept: tuple[str, ...] = ()
    """Files and folders that the project ignores."""


async def move_to_trash(project: str | Path, orchestration: str, role: str, worktree: str | Path, branch: str) -> str:
    """Keep everything of the worktree and its branch, and return the ref; an empty one if there was nothing.

    Commits, staged and unstaged changes, untracked files and commits that only reflogs still name are kept;
    files that the project ignores are not. Works in the middle of a merge or rebase, without a git identity, and
    runs no hook. Neither the worktree nor its index nor any branch changes: removing them is up to the caller.

    Raises:
        GitCommandError: something cannot be read or stored; then nothing may be removed.

    """
    checkout = find_checkout(await common_git_dir(project), worktree)
    return (await keep(project, orchestration, role, checkout, branch)).ref


async def keep(project: str | Path, orchestration: str, role: str, checkout: Checkout | None, branch: str) -> Kept:
    """Do as `move_to_trash`, and return what was kept. `checkout` is None when git knows of no worktree."""
    if checkout is None:
        tip = (await ask_git(project, "rev-parse", "--verify", "-q", f"refs/heads/{branch}^{{commit}}")).line
        snapshot, not_kept = Snapshot(tip=tip), tuple[str, ...]()
    else:
        snapshot, not_kept = await take_snapshot(checkout, branch), await ignored_files(checkout)
    if snapshot.is_empty:
        return Kept(ref="", snapshot=snapshot)
    title = f"Keep {branch} before it is removed"
    about = {
        "Orchestration": orchestration,
        "Role": role,
        "Branch": branch,
        "Worktree": str(checkout.folder) if checkout else "",
        "Tip": snapshot.tip,
    }
    trailers = "\n".join(f"{TRAILER}{name}: {json.dumps(value)}" for name, value in about.items())
    commit = await _commit(project, snapshot, f"{title}\n\n{trailers}\n")
    ref = await _create_ref(project, f"{TRASH}/{orchestration}/{role}", commit)
    return Kept(ref=ref, snapshot=snapshot, not_kept=tuple(displayable(path) for path in not_kept))


async def trash_list(project: str | Path) -> tuple[TrashEntry, ...]:
    """Return what is kept in `project`, newest first."""
    output = await git(project, "for-each-ref", f"--format={FORMAT}", TRASH)
    fields = iter(output.split("\0"))
    entries = [
        _entry(ref.removeprefix("\n"), commit, at, message)
        for ref, commit, at, message in zip(fields, fields, fields, fields, strict=False)
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.ref), reverse=True))


def _entry(ref: str, commit: str, at: str, message: str) -> TrashEntry:
    orchestration, _, rest = ref.removeprefix(f"{TRASH}/").partition("/")
    about = {
        name: _unquoted(value)
        for name, colon, value in (line.partition(": ") for line in message.splitlines())
        if colon and name.startswith(TRAILER)
    }
    return TrashEntry(
        ref=displayable(ref),
        commit=commit,
        orchestration=displayable(orchestration),
        role=displayable(rest.partition("/")[0]),
        branch=about.get(f"{TRAILER}Branch", ""),
        worktree=about.get(f"{TRAILER}Worktree", ""),
        tip=about.get(f"{TRAILER}Tip", ""),
        at=float(at or 0),
    )


def _unquoted(value: str) -> str:
    try:
        return displayable(str(json.loads(value)))
    except ValueError:
        return displayable(value)  # somebody else wrote it


async def _commit(project: str | Path, snapshot: Snapshot, message: str) -> str:
    """Write the commit that holds all of `snapshot`."""
    tree = snapshot.tree or snapshot.index_tree or snapshot.head_tree
    tree = tree or await git(project, "rev-parse", f"{snapshot.tip or snapshot.lost[0]}^{{tree}}")
    parents = [snapshot.head] if snapshot.head else []
    if snapshot.index_tree not in ("", snapshot.head_tree, tree):
        parents.append(await _commit_tree(project, snapshot.index_tree, parents, "What was staged\n"))
    if snapshot.tip and snapshot.tip not in parents:
        parents.append(snapshot.tip)
    if snapshot.lost:
        parents.append(await _commit_tree(project, tree, snapshot.lost, "Commits that only the reflog had\n"))
    return await _commit_tree(project, tree, parents, message)


async def _commit_tree(project: str | Path, tree: str, parents: Sequence[str], message: str) -> str:
    named = [word for parent in parents for word in ("-p", parent)]
    return await git(
        project, *EXACT, "-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *named, stdin=message, env=IDENTITY
    )


async def _create_ref(project: str | Path, folder: str, commit: str) -> str:
    """Point a new ref below `folder` at `commit`; two within a second get different names."""
    name = f"{folder}/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    ref, number = name, 1
    while True:
        done = await ask_git(project, *EXACT, "update-ref", ref, commit, "", env=IDENTITY)
        if not done.returncode:
            return ref
        if (await ask_git(project, "rev-parse", "--verify", "-q", ref)).returncode:
            raise done.error()
        number += 1
        ref = f"{name}-{number}"
