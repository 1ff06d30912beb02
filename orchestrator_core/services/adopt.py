"""Taking on an agent that the person started by hand: its window, folder and branch stay the person's.

All that is changed is one tmux option on its pane, by which it is recognised from then on. Nothing is typed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.status import is_agent_process
from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import NotFoundError, RefusedError, UsageError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId, agent_id
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.models.pane import Pane
from orchestrator_core.models.target import panes_of
from orchestrator_core.models.team import ProjectType
from orchestrator_core.services.catalogues import catalogue_of
from orchestrator_core.services.liveness import started_at
from orchestrator_core.services.naming import new_id, slug
from orchestrator_core.store import Store
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.routing import allowed_routes
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress

GROUP = "adopted"
"""What the ids of orchestrations begin with that hold nothing but adopted agents."""
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be adopted, and as what."""

    target: str
    """A pane id or `session:window`."""
    role: str = ""
    """Empty: named after its window."""
    team: str = ""
    """The orchestration it joins; empty: the adopted agents of its tmux server, which are a group of their own."""
    driver: str = ""
    """The kind of agent; empty: told by the program in front."""


async def adopt(
    store: Store,
    address: ServerAddress,
    drivers: Mapping[str, Driver],
    panes: Sequence[Pane],
    wish: Wish,
    paths: Paths,
    at: float,
) -> Agent:
    """Make an agent of what runs in the pane that `wish` names, and return it.

    Raises:
        NotFoundError: no such pane, more than one, or no such team or kind of agent.
        RefusedError: it is an agent already (code `adopted`), no agent is in front in it (code `not-an-agent`), it is
            in a session of tmorch's own, or the role is taken. Nothing was changed.
        UsageError: the role's name cannot be one, or a file that changes the team's catalogue is wrong.

    """
    pane = _pane(panes, wish.target)
    _check_free(pane)
    driver = _driver_of(pane, drivers, wish.driver)
    orchestration, is_new = _group(store, address, wish.team, at)
    role = _role(wish.role, pane, {agent.role for agent in store.agents.of(orchestration.id)})
    agent = _agent(orchestration, role, pane, driver, at)
    catalogue = builtin() if orchestration.is_adopted else catalogue_of(Path(orchestration.project), paths)
    await asyncio.to_thread(sessions.tag_pane, address, pane.pane_id, agent.id)
    try:
        _record(store, orchestration, agent, at, catalogue, is_new=is_new)
    except BaseException:
        await asyncio.to_thread(sessions.untag_pane, address, pane.pane_id, agent.id)
        raise
    return agent


async def release(address: ServerAddress, agents: Sequence[Agent]) -> None:
    """Take the tags of adopted agents off their panes; what runs in them goes on."""
    for agent in agents:
        if agent.is_adopted and agent.pane is not None and address.is_listening():
            await asyncio.to_thread(sessions.untag_pane, address, agent.pane, agent.id)


def _pane(panes: Sequence[Pane], target: str) -> Pane:
    found = panes_of(target, panes)
    if len(found) == 1:
        return found[0]
    names = tuple(pane.pane_id for pane in found)
    raise NotFoundError(
        f"{target!r} is {'more than one pane' if found else 'no pane of this tmux server'}",
        cause=f"it names {', '.join(names)}" if found else "it is neither a pane id nor a session:window that is there",
        remedy="`tmux list-panes -a` shows them; names match exactly",
        code="ambiguous" if found else "not-found",
        candidates=names,
    )


def _check_free(pane: Pane) -> None:
    if pane.agent_tag:
        raise RefusedError(
            f"{pane.pane_id} is the agent {pane.agent_tag} already",
            cause="its pane carries that name",
            remedy=f"write to it: tmorch send {pane.agent_tag} …",
            code="adopted",
        )
    if pane.orchestration_tag:
        raise RefusedError(
            f"{pane.pane_id} is in the session of the team {pane.orchestration_tag}",
            cause="that session ends with its team, and everything in it",
            remedy="move the window to a session of your own first: tmux move-window",
            code="own-session",
        )


def _driver_of(pane: Pane, drivers: Mapping[str, Driver], wanted: str) -> Driver:
    if wanted and wanted not in drivers:
        raise NotFoundError(
            f"there is no kind of agent called {wanted!r}",
            cause="the kinds are " + ", ".join(drivers),
            remedy="leave --agent out, or name one of them",
            candidates=tuple(drivers),
        )
    probe = _probe(pane)
    for name, driver in drivers.items():
        is_meant = name == wanted or (not wanted and not driver.is_demo)
        if is_meant and not pane.dead and is_agent_process(pane.command, pane.pid, probe, driver):
            return driver
    raise RefusedError(
        f"no agent runs in {pane.pane_id}",
        cause=f"{pane.command or 'a program that has ended'} is in front there",
        remedy="start the agent in that window first, as in: claude",
        code="not-an-agent",
    )


def _probe(pane: Pane) -> Agent:
    name = AgentId(GROUP)
    return Agent(
        id=name, orchestration=OrchestrationId(GROUP), role="", driver="", worktree="", branch="", pid=pane.pid
    )


def _group(store: Store, address: ServerAddress, team: str, at: float) -> tuple[Orchestration, bool]:
    """Return the orchestration to join, and whether it is still to be made."""
    active = store.orchestrations.list(active=True)
    for orchestration in active:
        is_meant = orchestration.id == team if team else orchestration.is_adopted
        if is_meant and orchestration.server == address.socket_path:
            return orchestration, False
    if team:
        names = tuple(o.id for o in active if o.server == address.socket_path)
        raise NotFoundError(
            f"no team {team!r} runs on this tmux server",
            cause="the teams are: " + ", ".join(names) if names else "none runs",
            remedy="leave --team out to adopt it on its own",
            candidates=names,
        )
    name = new_id(GROUP, lambda taken: store.orchestrations.id_taken(OrchestrationId(taken)))
    return (
        Orchestration(
            id=name,
            project=address.socket_path,
            project_name="adopted agents",
            session="",
            starting_branch="",
            base_commit="",
            state=OrchestrationState.RUNNING,
            server=address.socket_path,
            is_adopted=True,
            created_at=at,
        ),
        True,
    )


def _role(wanted: str, pane: Pane, taken: Collection[str]) -> str:
    if not wanted:
        stem = slug(pane.window) if pane.window != pane.command else slug(PurePath(pane.path).name)
        stem = stem if ROLE.fullmatch(stem) else f"agent-{stem}"
        return next(name for n in range(1, 10_000) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
    if not ROLE.fullmatch(wanted):
        raise UsageError(
            f"{wanted!r} cannot be the name of a role",
            cause="a role is lower-case letters, digits, _ and -, and begins with a letter",
            remedy="as in: --role reviewer",
        )
    if wanted in taken:
        raise RefusedError(
            f"there is a {wanted} already",
            cause="a team has one agent per role",
            remedy="choose another --role",
            code="role-taken",
        )
    return wanted


def _agent(orchestration: Orchestration, role: str, pane: Pane, driver: Driver, at: float) -> Agent:
    return Agent(
        id=agent_id(orchestration.id, role),
        orchestration=orchestration.id,
        role=role,
        driver=driver.name,
        worktree=pane.path,
        branch="",
        status=AgentStatus.UNKNOWN,
        reason="it was just adopted",
        status_since=at,
        pane=pane.pane_id,
        window=pane.window_id,
        pid=pane.pid,
        pid_started=started_at(pane.pid),
        is_adopted=True,
        created_at=at,
    )


def _record(
    store: Store, orchestration: Orchestration, agent: Agent, at: float, catalogue: Catalogue, *, is_new: bool
) -> None:
    with store.transaction():
        if is_new:
            store.orchestrations.claim(orchestration)
        elif not orchestration.is_adopted:
            _open_routes(store, orchestration, agent.role, catalogue)
        store.agents.add(agent)
        store.events.add(
            "agent.adopted",
            f"{agent.role} in {agent.pane} was adopted; its window and its folder {agent.worktree} stay the person's",
            at=at,
            orchestration=orchestration.id,
            agent=agent.id,
        )


def _open_routes(store: Store, orchestration: Orchestration, role: str, catalogue: Catalogue) -> None:
    """Let a role that joins a team write and be written to by the team's rules."""
    known = store.routes.of(orchestration.id)
    if not known:
        return
    roles = {*(agent.role for agent in store.agents.of(orchestration.id)), role}
    allowed = allowed_routes(roles, ProjectType(orchestration.team_type), catalogue)
    store.routes.set(orchestration.id, known | {pair for pair in allowed if role in pair})
