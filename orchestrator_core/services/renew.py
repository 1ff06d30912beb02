"""A proposal of earlier, seen with its project as it is now: what has happened meanwhile is said, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError
from orchestrator_core.git.run import ask_git
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.project import ProjectState
from orchestrator_core.services.catalogues import catalogue_of
from orchestrator_core.services.proposal import propose
from orchestrator_core.services.revise import complete

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver
    from orchestrator_core.config.settings import Settings

_SHOWN = 10


async def renewed(
    proposal: Proposal, settings: Settings, paths: Paths, *, drivers: Mapping[str, Driver], now: float = 0.0
) -> Proposal:
    """Return the proposal with its project's branch and last commit as they are now, and with the same team.

    The spec stays as it was read: it is what the team was proposed for. `Proposal.warnings` begins with what is
    different now.

    Raises:
        RefusedError: the branch that it was to start from is gone, or the project cannot be worked on any more.
        NotFoundError: the project, the spec or the driver is gone.
        UsageError: the spec cannot be used any more, or a file that changes the catalogue is wrong.
        MissingProgramError: the driver's program is not there.

    """
    before = proposal.project
    wish = replace(proposal.request, project=before.path, spec=proposal.spec.path, driver=proposal.driver)
    today = await propose(wish, settings, paths, drivers=drivers, now=now)
    await _require_branch(before, today.project)
    differences = (*_moved(before, today.project), *_rewritten(proposal, today))
    seen = replace(proposal, project=today.project, warnings=(*differences, *today.warnings))
    catalogue = catalogue_of(Path(today.project.path), paths)
    return complete(seen, drivers[proposal.driver], settings, paths, catalogue)


async def _require_branch(before: ProjectState, today: ProjectState) -> None:
    if before.branch == today.branch:
        return
    known = await ask_git(Path(today.path), "rev-parse", "--verify", "--quiet", f"refs/heads/{before.branch}")
    if known.returncode:
        raise RefusedError(
            f"the branch {before.branch} is gone, from which the team was to start",
            cause=f"{today.path} is on {today.branch} now",
            remedy="check out the branch that you mean and propose anew, with tmorch plan --save",
            code="branch-gone",
        )


def _moved(before: ProjectState, today: ProjectState) -> tuple[str, ...]:
    if before.branch != today.branch:
        place = f"{today.branch} at {_short(today.head)}"
        return (f"the project is on another branch now: agents start from {place}, not from {before.branch}",)
    if before.head != today.head:
        heads = f"{_short(before.head)} was proposed, {_short(today.head)} it is now"
        return (f"{today.branch} has moved on since the proposal: agents start from its last commit ({heads})",)
    return ()


def _rewritten(proposal: Proposal, today: Proposal) -> tuple[str, ...]:
    if proposal.spec.text == today.spec.text:
        return ()
    return (f"{proposal.spec.path} has changed since: the team works by it as it was; propose anew to use the new one",)


def _short(commit: str) -> str:
    return commit[:_SHOWN]
