"""How a worktree's branch stands, for the tree and the preview's title. Only looks."""

from __future__ import annotations

from pathlib import Path

from orchestrator_core.git.index import commit_at
from orchestrator_core.git.porcelain import parse_status
from orchestrator_core.git.registry import Checkout, has_reftable, open_checkout
from orchestrator_core.git.run import displayable
from orchestrator_core.models.branch import BranchState

OPERATIONS = {
    "rebase-apply/applying": "am",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick",
    "BISECT_LOG": "bisect",
}
"""What git leaves in a working tree's git folder while it is in the middle of something."""


async def branch_state(worktree: str | Path, base_branch: str) -> BranchState:
    """Return how `worktree` stands against `base_branch`. Takes no lock and writes nothing.

    Raises:
        NotFoundError: there is no worktree.

    """
    checkout = open_checkout(worktree)
    status = parse_status(
        await checkout.git(
            "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--no-ahead-behind",
            "--untracked-files=normal",
        )
    )  # fmt: skip
    ahead, behind = await _distance(checkout, base_branch)
    subject, committed_at = await _last_commit(checkout)
    return BranchState(
        branch=displayable(status.branch),
        head=status.head,
        ahead=ahead,
        behind=behind,
        dirty=len(status.entries),
        conflicts=status.conflicts,
        upstream=displayable(status.upstream),
        operation=await operation_in(checkout),
        last_subject=displayable(subject),
        last_commit_at=committed_at,
    )


async def operation_in(checkout: Checkout) -> str:
    """Return what git is in the middle of in a working tree, or nothing."""
    found = next((name for sign, name in OPERATIONS.items() if (checkout.git_dir / sign).exists()), "")
    if found or not has_reftable(checkout):
        return found
    for ref in ("CHERRY_PICK_HEAD", "REVERT_HEAD"):  # there, these are no files
        if await commit_at(checkout, ref):
            return OPERATIONS[ref]
    return ""


async def _distance(checkout: Checkout, base_branch: str) -> tuple[int | None, int | None]:
    done = await checkout.ask("rev-list", "--left-right", "--count", f"refs/heads/{base_branch}...HEAD", "--")
    if done.returncode:
        return None, None
    behind, ahead = done.line.split("\t")
    return int(ahead), int(behind)


async def _last_commit(checkout: Checkout) -> tuple[str, float | None]:
    done = await checkout.ask(
        "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%ct%x00%s", "HEAD", "--"
    )
    if done.returncode or not done.line:
        return "", None
    committed_at, _, subject = done.line.partition("\0")
    return subject, float(committed_at)
