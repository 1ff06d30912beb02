"""When something was last committed in a worktree, by git's own files: no process is started."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 4096
"""The files that say where git keeps something hold one line."""


def last_commit_at(worktree: str | Path) -> float | None:
    """Return when the HEAD of the worktree last moved, seconds since the epoch; None when git's files do not tell.

    Never raises: a folder that is gone, or is no worktree, tells nothing. A few `stat`s, to be asked often.
    """
    git_dir = _git_dir(Path(worktree))
    if git_dir is None:
        return None
    moved = _changed_at(git_dir / "logs" / "HEAD")
    return _changed_at(_branch(git_dir)) if moved is None else moved


def _git_dir(worktree: Path) -> Path | None:
    """Return the private git folder of a worktree: `.git` itself, or where the file of that name points to."""
    link = worktree / ".git"
    if link.is_dir():
        return link
    target = _line(link).removeprefix("gitdir: ")
    return worktree / target if target else None


def _branch(git_dir: Path) -> Path:
    """Return the file of the branch that is checked out; HEAD itself when it is detached."""
    name = _line(git_dir / "HEAD")
    if not name.startswith("ref: "):
        return git_dir / "HEAD"
    return git_dir / (_line(git_dir / "commondir") or ".") / name.removeprefix("ref: ")


def _line(path: Path) -> str:
    with suppress(OSError, ValueError), path.open("rb") as file:
        return os.fsdecode(file.read(MOST_BYTES)).strip("\n")
    return ""


def _changed_at(path: Path) -> float | None:
    with suppress(OSError, ValueError):
        return path.stat().st_mtime
    return None
