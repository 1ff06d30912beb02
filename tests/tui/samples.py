"""Fleets as they are in life: three teams, fourteen agents, somebody else's windows."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import AgentView, Fleet, Guest, SupervisorHealth, Team, TmuxState
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId, SessionId, WindowId, agent_id
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState

NOW = 1_700_000_000.0
MINUTE = 60.0
SERVER = "/tmp/tmux-1000/default"

WORKING = AgentStatus.WORKING
IDLE = AgentStatus.IDLE
WAITING = AgentStatus.WAITING
LIMITED = AgentStatus.LIMITED


def orchestration(
    name: str, *, state: OrchestrationState = OrchestrationState.RUNNING, is_demo: bool = False, goal: str = ""
) -> Orchestration:
    """Return an orchestration called `name`."""
    return Orchestration(
        id=OrchestrationId(name),
        project=f"/home/dana/projects/{name.split('-')[0]}",
        project_name=name.split("-", maxsplit=1)[0],
        session=name,
        starting_branch="main",
        base_commit="4f2c1d9",
        state=state,
        server=SERVER,
        spec_path=f"/home/dana/projects/{name.split('-')[0]}/spec.md",
        goal=goal or "Let customers pay by bank transfer, with a receipt by mail.",
        driver="demo" if is_demo else "claude",
        plan="max5",
        is_demo=is_demo,
        created_at=NOW - 185 * MINUTE,
    )


def agent(
    team: str,
    role: str,
    pane: int | None,
    status: AgentStatus,
    doing: str = "",
    *,
    minutes: float = 3,
    waiting_for: str = "",
    reason: str = "",
) -> Agent:
    """Return an agent of `team`."""
    return Agent(
        id=agent_id(OrchestrationId(team), role),
        orchestration=OrchestrationId(team),
        role=role,
        driver="claude",
        worktree=f"/home/dana/.local/state/tmorch/worktrees/{team}/{role}",
        branch=f"tmorch/{team}/{role}",
        status=status,
        reason=reason,
        doing=doing,
        waiting_for=waiting_for,
        status_since=NOW - minutes * MINUTE,
        pane=None if pane is None else PaneId(f"%{pane}"),
    )


def view(agent: Agent, *, queued: int = 0, unconfirmed: int = 0) -> AgentView:
    """Return an agent with its counts."""
    return AgentView(agent=agent, queued=queued, unconfirmed=unconfirmed)


def guest(session: int, name: str, index: int, window: str, command: str) -> Guest:
    """Return a window of somebody else's session."""
    number = session * 10 + index
    return Guest(
        session_id=SessionId(f"${session}"),
        session=name,
        window_id=WindowId(f"@{number}"),
        window=window,
        window_index=index,
        pane_id=PaneId(f"%{900 + number}"),
        command=command,
    )


def shop() -> Team:
    """Return a team in the thick of it."""
    t = "shop-3f2a"
    return Team(
        orchestration=orchestration(t),
        agents=(
            view(agent(t, "orchestrator", 10, WORKING, "Reading the test report", minutes=1)),
            view(agent(t, "project_manager", 11, IDLE, minutes=14)),
            view(agent(t, "developer", 12, WORKING, "Editing src/payments/transfer.py"), queued=2),
            view(
                agent(
                    t,
                    "tester",
                    13,
                    WAITING,
                    waiting_for="permission",
                    reason="it asks for permission: rm -rf build && make test",
                    minutes=12,
                )
            ),
            view(agent(t, "testrunner", 14, IDLE, minutes=2), queued=1),
        ),
    )


def api() -> Team:
    """Return a team of which one is limited and one did not get a message for sure."""
    t = "api-77c1"
    return Team(
        orchestration=orchestration(t, goal="Version 2 of the public API, with the old one still answering."),
        agents=(
            view(agent(t, "orchestrator", 20, WORKING, "Planning the next step", minutes=0.5)),
            view(agent(t, "developer", 21, WORKING, "Running 214 tests", minutes=7)),
            view(agent(t, "tester", 22, WORKING, "Writing test_limits.py", minutes=2), unconfirmed=1),
            view(
                agent(
                    t,
                    "devops",
                    23,
                    LIMITED,
                    reason="it shows a usage limit: You've hit your 5-hour limit · resets 2:05pm (UTC)",
                    minutes=41,
                )
            ),
            view(agent(t, "researcher", 24, IDLE, minutes=95)),
        ),
    )


def docs() -> Team:
    """Return a demo team with a question and an end."""
    t = "docs-09be"
    return Team(
        orchestration=orchestration(t, is_demo=True, goal="A guide for newcomers."),
        agents=(
            view(agent(t, "orchestrator", 30, WORKING, "Waiting for the writer", minutes=6)),
            view(agent(t, "developer", 31, WORKING, "Drafting chapter 3", minutes=4)),
            view(
                agent(
                    t,
                    "tester",
                    32,
                    WAITING,
                    waiting_for="question",
                    reason="it asks a question: Which Python versions should the guide cover?",
                    minutes=1,
                )
            ),
            view(agent(t, "documentation_writer", 33, IDLE, minutes=33)),
        ),
    )


def guests() -> tuple[Guest, ...]:
    """Return two sessions of the person's own."""
    return (
        guest(5, "work", 1, "editor", "nvim"),
        guest(5, "work", 2, "server", "python3"),
        guest(6, "notes [old]", 1, "zsh", "zsh"),
    )


def healthy(now: float = NOW) -> SupervisorHealth:
    """Return a supervisor that has just given a sign of life."""
    return SupervisorHealth(running=True, pid=4242, heartbeat_at=now - 1)


def three_teams() -> Fleet:
    """Return the usual fleet: 3 teams, 14 agents, 2 of whom need a person, 1 held by a limit."""
    return Fleet(teams=(shop(), api(), docs()), guests=guests(), supervisor=healthy(), tmux=TmuxState.CONNECTED)


def no_teams(*, with_guests: bool = False, tmux: TmuxState = TmuxState.CONNECTED) -> Fleet:
    """Return a fleet without a team."""
    return Fleet(guests=guests() if with_guests else (), supervisor=SupervisorHealth(running=False), tmux=tmux)


def many(count: int, per_team: int = 5, *, doing: str = "") -> Fleet:
    """Return a fleet with `count` agents at work."""
    roles = ("orchestrator", "developer", "tester", "testrunner", "devops", "researcher")
    teams = []
    for number in range(0, count, per_team):
        t = f"team-{number:04x}"
        size = min(per_team, count - number)
        agents = tuple(
            view(agent(t, roles[i % len(roles)] + ("" if i < len(roles) else str(i)), number + i, WORKING, doing))
            for i in range(size)
        )
        teams.append(Team(orchestration=orchestration(t), agents=agents))
    return Fleet(teams=tuple(teams), supervisor=healthy(), tmux=TmuxState.CONNECTED)


def with_agent(fleet: Fleet, agent_: AgentId, **changes: object) -> Fleet:
    """Return `fleet` with one agent changed; `queued` and `unconfirmed` are its counts."""
    counts = {key: changes.pop(key) for key in ("queued", "unconfirmed") if key in changes}

    def changed(view_: AgentView) -> AgentView:
        if view_.agent.id != agent_:
            return view_
        return replace(view_, agent=replace(view_.agent, **changes), **counts)

    teams = tuple(replace(team, agents=tuple(map(changed, team.agents))) for team in fleet.teams)
    return replace(fleet, teams=teams)


def without_agent(fleet: Fleet, agent_: AgentId) -> Fleet:
    """Return `fleet` without one agent."""
    teams = tuple(replace(team, agents=tuple(v for v in team.agents if v.agent.id != agent_)) for team in fleet.teams)
    return replace(fleet, teams=teams)
