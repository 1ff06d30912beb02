"""What is left over: sessions, windows, worktrees and branches of ours that no team has, and teams without any of it.

Only looks. What is to be done about each is a command for the person that loses nothing: git and tmorch refuse where
there is work in it.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.git.registry import canonical, list_worktrees
from orchestrator_core.git.run import ask_git
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.recovery import Orphan, OrphanKind
from orchestrator_core.models.words import plural
from orchestrator_core.store import Store
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress

ENDED = (OrchestrationState.CLEANED, OrchestrationState.FAILED)
BRANCHES = "refs/heads/tmorch/"


class _Known(Struct, frozen=True, kw_only=True):
    """What the store knows of."""

    teams: tuple[Orchestration, ...]
    agents: tuple[Agent, ...]
    """Those of all teams that are not cleaned."""


async def orphans_of(store: Store, address: ServerAddress, settings: Settings, paths: Paths) -> tuple[Orphan, ...]:
    """Return what is left over, teams without anything first. What cannot be asked is left out."""
    teams = store.orchestrations.list()
    kept = [team for team in teams if team.state is not OrchestrationState.CLEANED]
    known = _Known(teams=teams, agents=tuple(agent for team in kept for agent in store.agents.of(team.id)))
    found: list[Orphan] = []
    for server in sorted({address.socket_path, *(team.server for team in teams if team.state.is_active)} - {""}):
        found += await _of_server(ServerAddress(bin=address.bin, socket_path=server), known)
    for project in sorted({team.project for team in teams if not team.is_adopted}):
        found += await _of_project(project, known, canonical(settings.worktrees.path(paths)))
    return (*await _intents(store, address, kept), *found)


# --- teams of which nothing is there


async def _intents(store: Store, address: ServerAddress, teams: Iterable[Orchestration]) -> tuple[Orphan, ...]:
    candidates = [
        team
        for team in teams
        if team.state is OrchestrationState.RUNNING
        and not team.is_adopted
        and not any(Path(agent.worktree).exists() for agent in store.agents.of(team.id))
    ]
    return tuple(
        [
            Orphan(
                kind=OrphanKind.INTENT,
                name=team.id,
                where=team.project,
                orchestration=team.id,
                what_to_do=f"tmorch resume {team.id}, or tmorch stop {team.id}",
            )
            for team in candidates
            if await asyncio.to_thread(_session_of, address, team) is None
        ]
    )


def _session_of(address: ServerAddress, team: Orchestration) -> object:
    return sessions.session_of(ServerAddress(bin=address.bin, socket_path=team.server or address.socket_path), team.id)


# --- what tmux has


async def _of_server(address: ServerAddress, known: _Known) -> list[Orphan]:
    states = {team.id: team.state for team in known.teams}
    try:
        found = await asyncio.to_thread(sessions.tagged_sessions, address)
        panes = await asyncio.to_thread(sessions.tagged_panes, address)
    except TmorchError:
        return []
    tmux = shlex.join((address.bin, "-S", address.socket_path))
    lost = {each.session_id: each for each in found if states.get(each.orchestration, ENDED[0]) in ENDED}
    agents = {agent.id for agent in known.agents}
    return [
        *(
            Orphan(
                kind=OrphanKind.SESSION,
                name=each.name,
                where=f"tmux session {each.name}, {plural(each.windows, 'window')}",
                orchestration=each.orchestration,
                what_to_do=f"look at it, then {tmux} kill-session -t {shlex.quote(each.session_id)}",
            )
            for each in lost.values()
        ),
        *(
            Orphan(
                kind=OrphanKind.WINDOW,
                name=pane.agent,
                where=f"tmux window {pane.window_id}",
                orchestration=OrchestrationId(pane.agent.partition(":")[0]),
                what_to_do=f"look at it, then {tmux} kill-window -t {shlex.quote(pane.window_id)}",
            )
            for pane in panes
            if pane.agent not in agents and pane.session_id not in lost
        ),
    ]


# --- what git has


async def _of_project(project: str, known: _Known, root: Path) -> list[Orphan]:
    try:
        worktrees = await list_worktrees(project)
        listed = await ask_git(project, "for-each-ref", "--format=%(refname:short)", BRANCHES)
    except (TmorchError, OSError):
        return []
    folders = {str(canonical(agent.worktree)) for agent in known.agents}
    ours = [Path(each.path) for each in worktrees if Path(each.path).is_relative_to(root)]
    checked_out = {each.branch.removeprefix("refs/heads/") for each in worktrees if each.branch}
    return [
        *_worktrees(project, (path for path in ours if str(path) not in folders)),
        *_branches(project, listed.stdout.split(), {agent.branch for agent in known.agents} | checked_out),
    ]


def _worktrees(project: str, paths: Iterable[Path]) -> Iterator[Orphan]:
    for path in paths:
        yield Orphan(
            kind=OrphanKind.WORKTREE,
            name=path.name,
            where=str(path),
            orchestration=OrchestrationId(path.parent.name),
            what_to_do=shlex.join(("git", "-C", project, "worktree", "remove", str(path))),
        )


def _branches(project: str, branches: Iterable[str], known: Collection[str]) -> Iterator[Orphan]:
    for branch in branches:
        if branch not in known:
            yield Orphan(
                kind=OrphanKind.BRANCH,
                name=branch,
                where=project,
                orchestration=OrchestrationId(branch.split("/")[1]),
                what_to_do=shlex.join(("git", "-C", project, "branch", "-d", branch)),
            )
