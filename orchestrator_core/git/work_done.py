"""What was done in a worktree since its agent began: its commits, and what is not committed. Only looks."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from orchestrator_core.git.porcelain import parse_status
from orchestrator_core.git.registry import open_checkout
from orchestrator_core.git.state import operation_in

MOST_COMMITS = 30
"""How many of the latest are named."""


class WorkDone(Struct, frozen=True, kw_only=True):
    """Names and subjects are as git has them: whoever shows them sees to it that they do no harm."""

    commits: tuple[tuple[str, str], ...] = ()
    """The latest, newest first: the short id and the subject."""
    commit_count: int = 0
    """How many there are in all since the base."""
    uncommitted: tuple[str, ...] = ()
    """Paths, untracked ones too."""
    operation: str = ""
    """What git is in the middle of, such as `merge`; empty otherwise."""


async def work_done(worktree: str | Path, base: str) -> WorkDone:
    """Return what was done in `worktree` since the commit `base`. Takes no lock and writes nothing.

    Raises:
        NotFoundError: there is no worktree.
        GitCommandError: git cannot say what is uncommitted.

    """
    checkout = open_checkout(worktree)
    status = parse_status(
        await checkout.git(
            "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--no-ahead-behind",
            "--untracked-files=normal",
        )
    )  # fmt: skip
    since = f"{base}..HEAD"
    log = await checkout.ask(
        "log", "-z", f"-n{MOST_COMMITS}", "--no-show-signature", "--encoding=UTF-8", "--format=%h %s", since, "--"
    )
    counted = await checkout.ask("rev-list", "--count", since, "--")
    lines = [line.strip("\n") for line in log.stdout.split("\0") if line.strip("\n")] if not log.returncode else []
    return WorkDone(
        commits=tuple((line.partition(" ")[0], line.partition(" ")[2]) for line in lines),
        commit_count=int(counted.line) if not counted.returncode else 0,
        uncommitted=status.paths,
        operation=await operation_in(checkout),
    )
