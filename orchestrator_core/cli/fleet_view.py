"""The fleet as people read it in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator_core.cli.check_in_view import clock
from orchestrator_core.cli.output import Look, paint, printable
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import AgentView, Fleet, SupervisorHealth, Team
from orchestrator_core.models.orchestration import OrchestrationState

LOOKS: dict[AgentStatus, tuple[str, str]] = {
    AgentStatus.STARTING: ("◌", "info"),
    AgentStatus.WORKING: ("●", "good"),
    AgentStatus.IDLE: ("○", ""),
    AgentStatus.WAITING: ("◆", "warn"),
    AgentStatus.LIMITED: ("⏸", "warn"),
    AgentStatus.EXITED: ("■", "dim"),
    AgentStatus.FAILED: ("✖", "bad"),
    AgentStatus.UNKNOWN: ("?", "dim"),
}
_STATE_STYLES = {OrchestrationState.RUNNING: "good", OrchestrationState.FAILED: "bad"}


def age(seconds: float) -> str:
    """Return a time span in its two largest units at most, such as `3m` or `2d 4h`."""
    left = max(0, int(seconds))
    for size, unit, smaller, smaller_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "m")):
        if left >= size:
            rest = left % size // smaller
            return f"{left // size}{unit}" + (f" {rest}{smaller_unit}" if rest else "")
    return f"{left // 60}m" if left >= 60 else f"{left}s"


def status_cell(status: AgentStatus) -> Cell:
    """Return a status as glyph and word, in its colour."""
    glyph, style = LOOKS[status]
    return Cell(f"{glyph} {status}", style)


def list_lines(teams: Iterable[Team], now: float, look: Look) -> list[str]:
    """Return a table with a line an orchestration."""
    columns = (
        Column("ORCHESTRATION"),
        Column("STATE"),
        Column("PROJECT", elastic=True),
        Column("BRANCH", elastic=True),
        Column("AGENTS", elastic=True),
        Column("AGE", right=True),
    )
    return table(columns, (_list_row(team, now) for team in teams), width=look.width, color=look.color)


def status_lines(fleet: Fleet, teams: Sequence[Team], now: float, look: Look) -> list[str]:
    """Return every team with a line an agent, then the supervisor."""
    lines: list[str] = []
    for team in teams:
        lines += [*team_lines(team, now, look), ""]
    if not teams:
        lines = ["no team at the moment", ""]
    return [*lines, supervisor_line(fleet.supervisor, now, look)]


def team_lines(team: Team, now: float, look: Look) -> list[str]:
    """Return one team: a heading, then a table with a line an agent."""
    columns = (
        Column("AGENT"),
        Column("STATUS"),
        Column("FOR", right=True),
        Column("DOING", elastic=True),
        Column("QUEUED", right=True),
        Column("NEXT"),
        Column("PANE"),
        Column("BRANCH", elastic=True),
    )
    run = team.orchestration
    paused = run.state.is_active and run.holds_check_ins
    rows = (_agent_row(view, paused, now) for view in team.agents)
    return [_heading(team, look), *table(columns, rows, width=look.width, color=look.color)]


def agent_fields(view: AgentView, now: float) -> list[tuple[str, str]]:
    """Return everything about one agent, as names and values; what is empty is left out."""
    agent = view.agent
    glyph, _ = LOOKS[agent.status]
    fields = [
        ("agent", agent.id),
        ("status", f"{glyph} {agent.status} for {age(now - agent.status_since)}"),
        ("reason", agent.reason),
        ("doing", agent.doing),
        ("waits for", agent.waiting_for),
        ("queued", str(view.queued) if view.queued else ""),
        ("held", agent.held_reason),
        ("unconfirmed", str(view.unconfirmed) if view.unconfirmed else ""),
        ("next check-in", _next(view, now)),
        ("driver", agent.driver),
        ("pane", agent.pane or ""),
        ("worktree", agent.worktree),
        ("branch", agent.branch),
    ]
    last = [("last output", line) for line in agent.last_output.splitlines() if line.strip()]
    return [(name, value) for name, value in [*fields, *last] if value]


def supervisor_line(health: SupervisorHealth, now: float, look: Look) -> str:
    """Return how the supervisor is: one line, and one for each thing that is wrong with it."""
    lines = [f"supervisor {_supervisor_state(health, now, look)}"]
    if health.overdue:
        what = "1 check-in is" if health.overdue == 1 else f"{health.overdue} check-ins are"
        lines.append(paint(f"{what} overdue", "bad", color=look.color))
    if health.last_error and health.last_error_at is not None:
        lines.append(f"last error {age(now - health.last_error_at)} ago: {printable(health.last_error)}")
    return "\n  ".join(lines)


def _supervisor_state(health: SupervisorHealth, now: float, look: Look) -> str:
    since = "" if health.since is None else f" for {age(now - health.since)}"
    service = ", a service" if health.has_service else ""
    if not health.running:
        return paint("not running", "warn", color=look.color) + since + service
    beat = "no sign of life yet"
    if health.heartbeat_at is not None:
        beat = f"last sign of life {age(now - health.heartbeat_at)} ago"
    if health.is_silent(now):
        return paint(f"does not respond, {beat}", "bad", color=look.color) + f", pid {health.pid}{service}"
    return f"{paint('running', 'good', color=look.color)}{since}, pid {health.pid}, {beat}{service}"


def _heading(team: Team, look: Look) -> str:
    run = team.orchestration
    state = paint(run.state, _STATE_STYLES.get(run.state, "warn"), color=look.color)
    name = paint(printable(run.id), "strong", color=look.color)
    demo = ", demo" if run.is_demo else ""
    paused = paint(", paused", "warn", color=look.color) if run.state.is_active and run.paused_at is not None else ""
    return f"{name}  {state}{paused}  {printable(run.project)} on {printable(run.starting_branch)}{demo}"


def _list_row(team: Team, now: float) -> tuple[str | Cell, ...]:
    run = team.orchestration
    return (
        run.id,
        Cell(run.state, _STATE_STYLES.get(run.state, "warn")),
        run.project,
        run.starting_branch,
        _tally(team),
        age(now - run.created_at),
    )


def _tally(team: Team) -> str:
    counts = ((team.count(status), LOOKS[status][0], status) for status in AgentStatus)
    return "  ".join(f"{glyph} {count} {status}" for count, glyph, status in counts if count)


def _agent_row(view: AgentView, paused: bool, now: float) -> tuple[str | Cell, ...]:
    agent = view.agent
    return (
        agent.role,
        status_cell(agent.status),
        age(now - agent.status_since),
        _what(agent),
        str(view.queued) if view.queued else "",
        "paused" if paused else _next(view, now),
        agent.pane or "",
        agent.branch,
    )


def _next(view: AgentView, now: float) -> str:
    """Return when its next check-in is due, on clocks here."""
    return clock(view.next_check_in, now) if view.next_check_in is not None else ""


def _what(agent: Agent) -> str:
    """Return what it does, or, when it does nothing by itself, why."""
    needs_reason = agent.status not in (AgentStatus.WORKING, AgentStatus.IDLE)
    return agent.reason if needs_reason or not agent.doing else agent.doing
