"""What git says of a project before anything is made in it."""

from __future__ import annotations

from msgspec import Struct


class ProjectState(Struct, frozen=True, kw_only=True):
    """A repository that can be worked on: it has a branch checked out and at least one commit."""

    path: str
    """The top folder of the working tree, absolute, symbolic links resolved."""
    name: str
    branch: str
    head: str
    """The commit that agents' branches start from."""
    dirty: tuple[str, ...] = ()
    """Paths with uncommitted changes, the first hundred; agents do not get these."""
    dirty_count: int = 0
    """How many there are in all."""
    git_dir: str = ""
    """The common git folder, shared by all worktrees."""


class WorkAtRisk(Struct, frozen=True, kw_only=True):
    """Work that a removal would take with it, of one worktree and its branch."""

    name: str
    """What the person must name to have it removed: the role."""
    worktree: str
    branch: str
    dirty: tuple[str, ...] = ()
    """Uncommitted paths, untracked ones too, the first hundred."""
    dirty_count: int = 0
    """How many there are in all."""
    unmerged: int = 0
    """Commits that are not in the starting branch."""
    unpushed: int = 0
    """Commits that no remote has; 0 for a project without a remote."""
    live: tuple[str, ...] = ()
    """Programs that still run in the worktree; while they do, not even naming it removes it."""
    operation: str = ""
    """What git is in the middle of, such as `rebase`; empty otherwise."""
    hindrances: tuple[str, ...] = ()
    """In words, why not even naming it removes it: nothing could bring back what is there."""
    notes: tuple[str, ...] = ()
    """In words, what else is to be known of it, such as that its folder is gone."""

    @property
    def is_clean(self) -> bool:
        """Whether a removal loses nothing."""
        return not (self.dirty or self.unmerged or self.unpushed or self.live or self.operation or self.hindrances)
