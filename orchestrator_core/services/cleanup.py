"""Removing a team's worktrees and branches, without losing anything.

Everything is kept below `refs/tmorch/trash/` before it goes. What is not saved elsewhere goes only when the person
names the role; what could not be brought back, or is in use, does not go at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from orchestrator_core.errors import NotFoundError, RefusedError, TmorchError
from orchestrator_core.git.place import Place
from orchestrator_core.git.processes import live_after
from orchestrator_core.git.registry import Checkout
from orchestrator_core.git.removal import LIVE_GRACE_S, delete_leftovers, recover, remove_verified
from orchestrator_core.git.risk import work_at_risk
from orchestrator_core.git.run import displayable
from orchestrator_core.git.snapshot import Snapshot, take_snapshot
from orchestrator_core.git.trash import TRASH, Kept, keep
from orchestrator_core.git.worktrees import OWN_BRANCHES, delete_branch
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.branch import CleanupResult, Removal
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.project import WorkAtRisk
from orchestrator_core.store import Store

NAMED = 5
NOT_KEPT_SHOWN = 20
SAME_START_S = 1.0

IsLive = Callable[[Agent], bool]


async def examine(orchestration: Orchestration, agents: Sequence[Agent]) -> tuple[WorkAtRisk, ...]:
    """Return, for each agent that has a worktree, what a clean-up would take with it. Only looks."""
    return tuple(await asyncio.gather(*(_examine(orchestration, agent) for agent in _owners(agents))))


async def cleanup(
    store: Store,
    orchestration: Orchestration,
    agents: Sequence[Agent],
    *,
    force: tuple[str, ...] = (),
    is_live: IsLive,
    now: Callable[[], float] = time.time,
) -> CleanupResult:
    """Remove the agents' worktrees and branches; the result says for each role what became of it.

    `force` names the roles whose unsaved work may leave the worktree for the trash. `is_live` says whether an
    agent's program runs. Each role is looked at again right before it goes; one that changed, or fails, stays as
    it is and does not keep the others. Doing it again goes on with what is left, and is harmless.

    Raises:
        RefusedError: the team lives, or something would be lost that is not named; nothing was changed.
        NotFoundError: `force` names a role that the team does not have.

    """
    agents = _owners(agents)
    _refuse_unknown(orchestration, agents, force)
    _refuse_live(orchestration, agents, is_live)
    await _wait_for_the_ending(agents)
    _refuse_unnamed(orchestration, await examine(orchestration, agents), force)
    removals = []
    for agent in agents:
        removal = await _remove(orchestration, agent, forced=agent.role in force, is_live=is_live)
        _note(store, agent, removal, now())
        removals.append(removal)
    state = orchestration.state
    if all(removal.removed for removal in removals):
        state = OrchestrationState.CLEANED
        _close(store, orchestration, now())
    return CleanupResult(orchestration=orchestration.id, state=state, removals=tuple(removals))


def _owners(agents: Sequence[Agent]) -> list[Agent]:
    """Return the agents that have a worktree of their own: the folder of an adopted one is the person's."""
    return [agent for agent in agents if agent.worktree and not agent.is_adopted]


async def _wait_for_the_ending(agents: Sequence[Agent]) -> None:
    """Give programs that were just told to end a moment for it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LIVE_GRACE_S
    for agent in agents:
        await live_after(Path(agent.worktree), max(0.0, deadline - loop.time()))


async def _examine(orchestration: Orchestration, agent: Agent) -> WorkAtRisk:
    try:
        risk = await work_at_risk(
            orchestration.project,
            agent.worktree,
            agent.branch,
            orchestration.starting_branch,
            agent.role,
            base_commit=orchestration.base_commit,
        )
    except (TmorchError, OSError) as error:
        reason = f"git cannot tell: {_cause(error)}"
        return WorkAtRisk(name=agent.role, worktree=agent.worktree, branch=agent.branch, hindrances=(reason,))
    return risk


def _refuse_unknown(orchestration: Orchestration, agents: Sequence[Agent], force: tuple[str, ...]) -> None:
    roles = tuple(agent.role for agent in agents)
    unknown = [name for name in force if name not in roles]
    if unknown:
        raise NotFoundError(
            f"{orchestration.id} has no role {', '.join(unknown)}",
            cause="its roles are: " + ", ".join(roles),
            remedy="name roles exactly; nothing was removed",
            candidates=roles,
        )


def _refuse_live(orchestration: Orchestration, agents: Sequence[Agent], is_live: IsLive) -> None:
    live = [agent.role for agent in agents if is_live(agent)]
    if live or _is_starting(orchestration):
        raise RefusedError(
            f"{orchestration.id} still runs",
            cause=f"these agents live: {', '.join(live)}" if live else "its start is under way",
            remedy=f"stop it first: tmorch stop {orchestration.id}",
            code="still-running",
        )


def _is_starting(orchestration: Orchestration) -> bool:
    if orchestration.state is not OrchestrationState.STARTING or orchestration.launcher_pid is None:
        return False
    with contextlib.suppress(psutil.Error):
        started = psutil.Process(orchestration.launcher_pid).create_time()
        return abs(started - (orchestration.launcher_started or started)) < SAME_START_S
    return False


def _refuse_unnamed(orchestration: Orchestration, risks: Sequence[WorkAtRisk], force: tuple[str, ...]) -> None:
    stuck = [risk for risk in risks if risk.hindrances or risk.live]
    unnamed = [risk for risk in risks if not risk.is_clean and risk not in stuck and risk.name not in force]
    if not stuck and not unnamed:
        return
    lost = "\n".join(f"{risk.name}: {describe(risk)}" for risk in (*stuck, *unnamed))
    raise RefusedError(
        f"cleaning up {orchestration.id} would lose work",
        cause=lost,
        remedy="\n".join(_remedies(orchestration, stuck, unnamed, force)),
        code="work-at-risk",
    )


def _remedies(
    orchestration: Orchestration,
    stuck: Sequence[WorkAtRisk],
    unnamed: Sequence[WorkAtRisk],
    force: tuple[str, ...],
) -> list[str]:
    remedies = []
    if stuck:
        names = ", ".join(risk.name for risk in stuck)
        remedies.append(f"{names}: end the programs and clear away what stands against it; naming is not enough")
    if unnamed:
        names = " ".join((*force, *(risk.name for risk in unnamed)))
        remedies.append(
            f"commit and merge it, or name what may go: tmorch cleanup {orchestration.id} --force {names} "
            f"(a copy is kept below {TRASH}/{orchestration.id}/)"
        )
    return remedies


def describe(risk: WorkAtRisk) -> str:
    """Say in one line what a removal would take with it, or what stands against it."""
    parts = list(risk.hindrances)
    if risk.live:
        parts.append(f"programs run in it: {_some(risk.live, len(risk.live))}")
    if risk.operation:
        parts.append(f"git is in the middle of a {risk.operation}")
    if risk.dirty:
        parts.append(f"{_number(risk.dirty_count, 'uncommitted path')}: {_some(risk.dirty, risk.dirty_count)}")
    if risk.unmerged:
        parts.append(f"{_number(risk.unmerged, 'commit')} not in the starting branch")
    if risk.unpushed:
        parts.append(f"{_number(risk.unpushed, 'commit')} on no remote")
    return "; ".join(_printable(part) for part in (*parts, *risk.notes))


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {count - NAMED} more" if count > NAMED else shown


def _printable(text: str) -> str:
    """Return `text` with control characters escaped: a file's name must not write on the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


async def _remove(orchestration: Orchestration, agent: Agent, *, forced: bool, is_live: IsLive) -> Removal:
    kept: Kept | None = None
    try:
        place = await recover(orchestration.project, agent.worktree)
        kept = await _keep_what_may_go(orchestration, agent, place, forced=forced, is_live=is_live)
        leftover = await _remove_worktree(orchestration, agent, place, kept.snapshot)
        if kept.snapshot.tip:
            await delete_branch(orchestration.project, agent.branch, if_at=kept.snapshot.tip)
        _remove_empty_parent(orchestration, agent)
    except (TmorchError, OSError) as error:
        return _removal(agent, kept, error)
    return _removal(agent, kept, leftover)


async def _keep_what_may_go(
    orchestration: Orchestration, agent: Agent, place: Place, *, forced: bool, is_live: IsLive
) -> Kept:
    """Look once more, put everything into the trash, and make sure that nothing in there was unknown."""
    _refuse_live(orchestration, (agent,), is_live)
    if not agent.branch.startswith(f"{OWN_BRANCHES}{orchestration.id}/"):
        raise _changed(agent, f"{agent.branch} is not a branch that this team's start made")
    risk = await _examine(orchestration, agent)
    _refuse_unnamed(orchestration, (risk,), (agent.role,) if forced else ())
    kept = await keep(orchestration.project, orchestration.id, agent.role, place.checkout, agent.branch)
    if not forced and not kept.snapshot.is_clean:
        raise _changed(agent, "something appeared in it just now; a copy is in the trash")
    return kept


async def _remove_worktree(orchestration: Orchestration, agent: Agent, place: Place, snapshot: Snapshot) -> str:
    """Remove the worktree if it still is what was kept."""

    async def verify(checkout: Checkout) -> None:
        if await take_snapshot(checkout, agent.branch) != snapshot:
            raise _changed(agent, "it changed while it was being removed")

    if place.checkout is None:
        return await delete_leftovers(place.path)
    return await remove_verified(orchestration.project, place.checkout, verify)


def _remove_empty_parent(orchestration: Orchestration, agent: Agent) -> None:
    parent = Path(agent.worktree).parent
    if parent.name == orchestration.id:
        with contextlib.suppress(OSError):
            parent.rmdir()  # only when nothing is in it


def _changed(agent: Agent, cause: str) -> RefusedError:
    return RefusedError(
        f"the worktree of {agent.role} stays",
        cause=cause,
        remedy="look at it, and clean up again",
        code="changed",
    )


def _cause(error: TmorchError | OSError) -> str:
    return displayable(error.cause or error.title if isinstance(error, TmorchError) else str(error))


def _removal(agent: Agent, kept: Kept | None, outcome: TmorchError | OSError | str) -> Removal:
    failed = not isinstance(outcome, str)
    return Removal(
        role=agent.role,
        worktree=agent.worktree,
        branch=agent.branch,
        removed=not outcome,
        ref=kept.ref if kept else "",
        not_kept=kept.not_kept[:NOT_KEPT_SHOWN] if kept and not failed else (),
        not_kept_count=len(kept.not_kept) if kept and not failed else 0,
        reason=_cause(outcome) if isinstance(outcome, TmorchError | OSError) else outcome,
        remedy=outcome.remedy if isinstance(outcome, TmorchError) else "",
    )


def _note(store: Store, agent: Agent, removal: Removal, at: float) -> None:
    """Write down what happened; nothing did where all was gone before."""
    if not removal.removed:
        kind, text = "cleanup.kept", f"{agent.role} stays: {removal.reason}"
    elif removal.ref:
        kind, text = "cleanup.removed", f"{agent.branch} and its worktree are gone, kept as {removal.ref}"
    else:
        return
    store.events.add(kind, text, at=at, orchestration=agent.orchestration, agent=agent.id)


def _close(store: Store, orchestration: Orchestration, at: float) -> None:
    if orchestration.state is OrchestrationState.CLEANED:
        return
    with store.transaction():
        store.orchestrations.update(orchestration.id, state=OrchestrationState.CLEANED)
        store.events.add("orchestration.cleaned", "cleaned up", at=at, orchestration=orchestration.id)
