"""How a branch stands, and what is kept of one that was removed."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.models.orchestration import OrchestrationState


class BranchState(Struct, frozen=True, kw_only=True):
    """How a worktree stands against the branch its work will be merged into."""

    branch: str
    """The branch checked out; empty when HEAD is detached."""
    head: str
    """The commit checked out; empty when the branch has none yet."""
    ahead: int | None
    """Commits that the base branch does not have; None when there is no such branch to compare with."""
    behind: int | None
    """Commits of the base branch that are missing here; None as above."""
    dirty: int
    """Uncommitted paths, untracked ones too; a folder with nothing but untracked files counts once."""
    conflicts: int = 0
    """Paths with an unsolved conflict, counted in `dirty` too."""
    upstream: str = ""
    """Such as `origin/main`; empty without one."""
    operation: str = ""
    """What git is in the middle of, such as `rebase`; empty otherwise."""
    last_subject: str = ""
    """The first line of the last commit's message."""
    last_commit_at: float | None = None
    """When it was committed, seconds since the epoch."""


class TrashEntry(Struct, frozen=True, kw_only=True):
    """What was kept of a worktree and its branch before they were removed."""

    ref: str
    """Below `refs/tmorch/trash/`. Its files: `git checkout REF -- .`; its commits: `git branch NAME REF^`."""
    commit: str
    orchestration: str
    role: str
    branch: str
    worktree: str
    tip: str
    """The branch's last commit; empty when the branch was gone already."""
    at: float
    """When it was kept, seconds since the epoch."""


class Removal(Struct, frozen=True, kw_only=True):
    """What became of one role's worktree and branch in a clean-up."""

    role: str
    worktree: str
    branch: str
    removed: bool
    """Neither the worktree nor the branch is there any more."""
    ref: str = ""
    """Where everything is kept; empty when there was nothing to keep."""
    not_kept: tuple[str, ...] = ()
    """Files that the project ignores: they went with the folder. At most the first few."""
    not_kept_count: int = 0
    reason: str = ""
    """Why something is still there."""
    remedy: str = ""


class CleanupResult(Struct, frozen=True, kw_only=True):
    """What a clean-up did, role by role."""

    orchestration: str
    state: OrchestrationState
    """`cleaned` when everything is gone, else as it was before."""
    removals: tuple[Removal, ...]

    @property
    def left(self) -> tuple[Removal, ...]:
        """The roles of which something is still there."""
        return tuple(removal for removal in self.removals if not removal.removed)
