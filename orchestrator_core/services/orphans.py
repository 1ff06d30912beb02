"""What is left over: sessions, windows, worktrees and branches of ours that no team has, and teams without any of it.

Only looks. What is to be done about each is a command for the person that loses nothing, to be typed as it stands:
git and tmorch refuse where there is work in it, and what runs in tmux is only shown.
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
from orchestrator_core.git.porcelain import Worktree
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
from orchestrator_core.tmux.panes import AGENT_TAG
from orchestrator_core.tmux.quoting import format_literal
from orchestrator_core.tmux.sessions import TaggedPane, TaggedSession

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
                what_to_do=f"tmorch resume {team.id}",
            )
            for team in candidates
            if await asyncio.to_thread(_session_of, address, team) is None
        ]
    )


def _session_of(address: ServerAddress, team: Orchestration) -> object:
    return sessions.session_of(ServerAddress(bin=address.bin, socket_path=team.server or address.socket_path), team.id)


# --- what tmux has


async def _of_server(address: ServerAddress, known: _Known) -> list[Orphan]:
    active = {team.id for team in known.teams if team.state.is_active}
    try:
        found = await asyncio.to_thread(sessions.tagged_sessions, address)
        panes = await asyncio.to_thread(sessions.tagged_panes, address)
    except TmorchError:
        return []
    tmux = shlex.join((address.bin, "-S", address.socket_path))
    lost = {each.session_id: each for each in found if each.orchestration not in active}
    agents = {agent.id for agent in known.agents}
    return [
        *(_session(tmux, each) for each in lost.values()),
        *(_window(tmux, pane) for pane in panes if pane.agent not in agents and pane.session_id not in lost),
    ]


def _session(tmux: str, session: TaggedSession) -> Orphan:
    """Name the session exactly: ids begin anew with each server, and a name alone matches longer ones.

    What runs in it may be the person's by now, or a team's of another state folder: that is for them to look at.
    """
    runs = f", {plural(session.programs, 'program')} in it" if session.programs else ", nothing runs in it"
    verb = "attach-session" if session.programs else "kill-session"
    return Orphan(
        kind=OrphanKind.SESSION,
        name=session.name,
        where=f"tmux session {session.name}, {plural(session.windows, 'window')}{runs}",
        orchestration=session.orchestration,
        what_to_do=f"{tmux} {verb} -t {_quoted(f'={session.name}')}",
    )


def _window(tmux: str, pane: TaggedPane) -> Orphan:
    """Offer to take our mark off the pane, if it has that very mark still: the window is the person's then."""
    mark = f"#{{==:#{{{AGENT_TAG}}},{format_literal(pane.agent)}}}"
    take_off = f"set-option -p -u -t {pane.pane_id} {AGENT_TAG}"
    return Orphan(
        kind=OrphanKind.WINDOW,
        name=pane.agent,
        where=f"tmux window {pane.window_id}, {'nothing runs in it' if pane.dead else 'a program runs in it'}",
        orchestration=OrchestrationId(pane.agent.partition(":")[0]),
        what_to_do=f"{tmux} if-shell -F -t {pane.pane_id} {_quoted(mark)} {_quoted(take_off)}",
    )


def _quoted(word: str) -> str:
    """Quote a word for any shell: zsh takes one that begins with `=` for a command's name."""
    quoted = shlex.quote(word)
    return f"'{word}'" if quoted == word else quoted


# --- what git has


async def _of_project(project: str, known: _Known, root: Path) -> list[Orphan]:
    try:
        worktrees = await list_worktrees(project)
        listed = await ask_git(project, "for-each-ref", "--format=%(refname:short)", BRANCHES)
    except (TmorchError, OSError):
        return []
    folders = {str(canonical(agent.worktree)) for agent in known.agents}
    ours = [each for each in worktrees if Path(each.path).is_relative_to(root)]
    checked_out = {each.branch.removeprefix("refs/heads/") for each in worktrees if each.branch}
    return [
        *(_worktree(project, each) for each in ours if each.path not in folders),
        *_branches(project, listed.stdout.split(), {agent.branch for agent in known.agents} | checked_out),
    ]


def _worktree(project: str, worktree: Worktree) -> Orphan:
    """Offer what git refuses where something is uncommitted; commits that are on no branch get one first."""
    path = Path(worktree.path)
    remove = shlex.join(("git", "-C", project, "worktree", "remove", worktree.path))
    if not worktree.branch:
        kept = f"kept/{path.parent.name}-{path.name}"
        remove = f"{shlex.join(('git', '-C', worktree.path, 'switch', '-c', kept))} && {remove}"
    return Orphan(
        kind=OrphanKind.WORKTREE,
        name=path.name,
        where=worktree.path,
        orchestration=OrchestrationId(path.parent.name),
        what_to_do=remove,
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
