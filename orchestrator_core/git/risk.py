"""What a removal of a worktree and its branch would take with it. Only looks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator_core.git.index import commit_at, ignored_files, read_status
from orchestrator_core.git.place import Place, hindrances, is_readable, locate
from orchestrator_core.git.processes import live_in
from orchestrator_core.git.run import ask_git, displayable, git
from orchestrator_core.git.state import operation_in
from orchestrator_core.models.project import WorkAtRisk

SHOWN = 100
NAMED_IN_NOTE = 5


async def work_at_risk(
    project: str | Path,
    worktree: str | Path,
    branch: str,
    base_branch: str,
    name: str,
    *,
    base_commit: str = "",
) -> WorkAtRisk:
    """Return what would be lost if the worktree and its branch were removed; a person knows it as `name`.

    Commits count as unmerged when `base_branch` does not have them, as unpushed when no remote has them; those up
    to `base_commit`, from which the branch was made, are not its own and never count as unpushed. Files that git
    was told not to look at count as dirty too. A missing folder, branch or base is told in the notes.

    Raises:
        GitCommandError: the project is not a repository any more, or a broken one.

    """
    place = await locate(project, worktree)
    readable = is_readable(place)
    status = await read_status(place.checkout) if place.checkout and readable else None
    dirty = status.paths if status else await _staged(place)
    own, missing = await _own_commits(project, place, branch)
    unmerged, no_base = await _unmerged(project, own, branch, base_branch, base_commit)
    return WorkAtRisk(
        name=name,
        worktree=displayable(str(worktree)),
        branch=displayable(branch),
        dirty=tuple(displayable(path) for path in dirty[:SHOWN]),
        dirty_count=len(dirty),
        unmerged=unmerged,
        unpushed=await _unpushed(project, own, base_commit),
        live=await asyncio.to_thread(live_in, place.folder) if place.folder.is_dir() else (),
        operation=await operation_in(place.checkout) if place.checkout else "",
        hindrances=(*await hindrances(place, status), *_checked_out_elsewhere(place, branch)),
        notes=(*missing, *no_base, *_about_the_folder(place), *await _about_ignored(place, readable)),
    )


async def _staged(place: Place) -> tuple[str, ...]:
    """Return what was staged in a worktree whose folder is gone: git has it still."""
    if place.checkout is None:
        return ()
    output = await place.checkout.git("diff", "--cached", "--name-only", "--no-renames", "-z")
    return tuple(path for path in output.split("\0") if path)


async def _own_commits(project: str | Path, place: Place, branch: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the commits whose history would go, and notes on what is not there."""
    tip = (await ask_git(project, "rev-parse", "--verify", "-q", f"refs/heads/{branch}^{{commit}}")).line
    known = place.known
    detached = known is not None and not known.branch and place.checkout is not None
    head = await commit_at(place.checkout, "HEAD") if place.checkout and detached else ""
    notes = [] if tip else [f"its branch {displayable(branch)} is gone"]
    if known and known.branch not in ("", branch):
        notes.append(f"it is on branch {displayable(known.branch)}, which stays")
    return tuple(dict.fromkeys(commit for commit in (tip, head) if commit)), tuple(notes)


async def _unmerged(
    project: str | Path, own: tuple[str, ...], branch: str, base_branch: str, base_commit: str
) -> tuple[int, tuple[str, ...]]:
    base = f"refs/heads/{base_branch}"
    if not (await ask_git(project, "rev-parse", "--verify", "-q", f"{base}^{{commit}}")).returncode:
        return await _count(project, own, base), ()
    elsewhere = (f"--exclude={branch}", "--branches", "--remotes", *await _existing(project, base_commit))
    return await _count(project, own, *elsewhere), (
        f"the starting branch {displayable(base_branch)} is gone: counted are commits that no other branch has",
    )


async def _unpushed(project: str | Path, own: tuple[str, ...], base_commit: str) -> int:
    if not await git(project, "remote"):
        return 0
    return await _count(project, own, "--remotes", *await _existing(project, base_commit))


async def _existing(project: str | Path, commit: str) -> tuple[str, ...]:
    if not commit:
        return ()
    found = (await ask_git(project, "rev-parse", "--verify", "-q", f"{commit}^{{commit}}")).line
    return (found,) if found else ()


async def _count(project: str | Path, own: tuple[str, ...], *without: str) -> int:
    if not own:
        return 0
    return int(await git(project, "rev-list", "--count", *own, "--not", *without, "--"))


def _checked_out_elsewhere(place: Place, branch: str) -> tuple[str, ...]:
    return tuple(
        f"its branch is checked out in {displayable(tree.path)}"
        for tree in place.worktrees
        if tree.branch == branch and Path(tree.path) != place.path
    )


def _about_the_folder(place: Place) -> tuple[str, ...]:
    if not place.exists:
        return ("its folder is gone",)
    if place.folder != place.path:
        return (f"an interrupted clean-up left its folder at {displayable(str(place.folder))}",)
    return ()


async def _about_ignored(place: Place, readable: bool) -> tuple[str, ...]:
    ignored = await ignored_files(place.checkout) if place.checkout and readable else ()
    if not ignored:
        return ()
    more = f" and {len(ignored) - NAMED_IN_NOTE} more" if len(ignored) > NAMED_IN_NOTE else ""
    return (f"ignored files are not kept: {displayable(', '.join(ignored[:NAMED_IN_NOTE]))}{more}",)
