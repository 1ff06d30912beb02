"""The rows of the fleet tree as plain values, made from one fleet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from msgspec import Struct

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import AgentView, Fleet, Guest, Team
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.models.orchestration import OrchestrationState
from tui.credit_words import context_mark, is_nearly_full
from tui.wording import GLYPHS, clean, counts, doing_now, moment, plural

GUESTS = "guests"


class RowKind(Enum):
    """What a row stands for."""

    TEAM = "team"
    AGENT = "agent"
    GUESTS = "guests"
    SESSION = "session"
    WINDOW = "window"


class Row(Struct, frozen=True, kw_only=True):
    """One line of the tree: everything it shows, and where it leads. Equal rows look equal."""

    id: str
    """Stays the same as long as the thing exists."""
    kind: RowKind
    label: str
    depth: int = 0
    detail: str = ""
    status: AgentStatus | None = None
    badges: tuple[tuple[AgentStatus | str, str], ...] = ()
    """Marks at the right edge, most important last: a status or `queued`, `unconfirmed`, and the text."""
    due: str = ""
    """When its next check-in is due: shown where there is room."""
    context: str = ""
    """How much of its context is left: shown where there is room."""
    is_open: bool | None = None
    """Whether the rows below it are shown; None for a row that has none."""
    is_quiet: bool = False
    """Nothing of it runs: shown dimmed."""
    orchestration: OrchestrationId | None = None
    agent: AgentId | None = None
    pane: PaneId | None = None
    server: str = ""
    """The tmux socket of `pane`; empty for the one of the settings."""


class Rows(Struct, frozen=True):
    """All rows in order, and what the tree's title says of them."""

    rows: tuple[Row, ...] = ()
    shown: int = 0
    """Agents in the rows, those of closed teams counted too."""
    total: int = 0


IsOpen = Callable[[str, bool], bool]
"""Whether the row with an id is open, given what it is by default."""


def build_rows(
    fleet: Fleet,
    *,
    is_open: IsOpen = lambda _, default: default,
    query: str = "",
    now: float = 0.0,
    nearly_full: float = 0.0,
) -> Rows:
    """Return the rows of `fleet`, as it stands at `now`, that match `query`; with a query what matches is open.

    An agent whose context is `nearly_full`, in percent, has a mark.

    Every word of the query must occur in a team's or an agent's own words. A team that matches shows all its
    agents; an agent that matches shows with its team.
    """
    terms = tuple(query.casefold().split())
    rows: list[Row] = []
    shown = 0
    for team in _active_first(fleet.teams):
        agents = _matching_agents(team, terms)
        if terms and not agents and not _matches(terms, _team_words(team)):
            continue
        shown += len(agents)
        rows.extend(_team_rows(team, agents, is_open, bool(terms), now, nearly_full))
    rows.extend(_guest_rows(fleet.guests, is_open, terms))
    return Rows(tuple(rows), shown, sum(len(team.agents) for team in fleet.teams))


def _active_first(teams: tuple[Team, ...]) -> list[Team]:
    return sorted(teams, key=lambda team: not team.orchestration.state.is_active)


def _matches(terms: tuple[str, ...], words: str) -> bool:
    return all(term in words for term in terms)


def _team_words(team: Team) -> str:
    orchestration = team.orchestration
    return f"{orchestration.id} {orchestration.project_name} {orchestration.state}".casefold()


def _matching_agents(team: Team, terms: tuple[str, ...]) -> tuple[AgentView, ...]:
    if not terms:
        return team.agents
    team_words = _team_words(team)
    if _matches(terms, team_words):
        return team.agents
    return tuple(view for view in team.agents if _matches(terms, f"{team_words} {_agent_words(view)}"))


def _agent_words(view: AgentView) -> str:
    agent = view.agent
    return f"{agent.role} {agent.status} {agent.doing} {doing_now(agent)}".casefold()


def _team_rows(
    team: Team, agents: tuple[AgentView, ...], is_open: IsOpen, filtered: bool, now: float, nearly_full: float
) -> Iterator[Row]:
    orchestration = team.orchestration
    row_id = f"team:{orchestration.id}"
    active = orchestration.state.is_active
    opened = filtered or is_open(row_id, active)
    yield Row(
        id=row_id,
        kind=RowKind.TEAM,
        label=clean(orchestration.id),
        detail=_team_detail(team),
        badges=_team_badges(team, opened),
        is_open=opened,
        is_quiet=not active,
        orchestration=orchestration.id,
        server=orchestration.server,
    )
    if opened:
        fires = active and not orchestration.holds_check_ins
        for view in agents:
            due = due_mark(view.next_check_in, now) if fires else ""
            yield _agent_row(view, orchestration.server, due, nearly_full, quiet=not active)


def _team_detail(team: Team) -> str:
    state = team.orchestration.state
    if state is not OrchestrationState.RUNNING:
        return state.value
    if team.orchestration.paused_at is not None:
        return "paused"
    return "demo" if team.orchestration.is_demo else ""


def _team_badges(team: Team, opened: bool) -> tuple[tuple[AgentStatus | str, str], ...]:
    if not team.orchestration.state.is_active:
        return ()
    found = counts(view.agent for view in team.agents)
    if opened and len(found) > 1:
        found.pop(AgentStatus.IDLE, None)
    return tuple((status, f"{GLYPHS[status]}{count}") for status, count in found.items())


def due_mark(at: float | None, now: float) -> str:
    """Return when a check-in is due next, as a row has room for it."""
    return "" if at is None else f"⏱{moment(at, now, brief=True)}"


def _agent_row(view: AgentView, server: str, due: str, nearly_full: float, *, quiet: bool) -> Row:
    agent = view.agent
    badges: list[tuple[AgentStatus | str, str]] = []
    context = context_mark(agent, nearly_full)
    if is_nearly_full(agent, nearly_full) and agent.status is not AgentStatus.WAITING:  # what it asks comes first
        badges, context = [("context", context)] if context else [], ""
    if view.queued:
        badges.append(("queued", f"✉{view.queued}"))
    if view.unconfirmed:
        badges.append(("unconfirmed", f"‼{view.unconfirmed}"))
    return Row(
        id=f"agent:{agent.id}",
        kind=RowKind.AGENT,
        label=clean(agent.role),
        depth=1,
        detail=doing_now(agent),
        status=agent.status,
        badges=tuple(badges),
        due=due,
        context=context,
        is_quiet=quiet,
        orchestration=agent.orchestration,
        agent=agent.id,
        pane=agent.pane,
        server=server,
    )


def _guest_rows(guests: tuple[Guest, ...], is_open: IsOpen, terms: tuple[str, ...]) -> Iterator[Row]:
    sessions: dict[str, list[Guest]] = {}
    for guest in guests:
        if _matches(terms, f"{guest.session} {guest.window} {guest.command}".casefold()):
            sessions.setdefault(guest.session_id, []).append(guest)
    if not sessions:
        return
    opened = bool(terms) or is_open(GUESTS, False)
    yield Row(
        id=GUESTS,
        kind=RowKind.GUESTS,
        label="other tmux sessions",
        detail=f"{len(sessions)}",
        is_open=opened,
        is_quiet=True,
    )
    if opened:
        for windows in sessions.values():
            yield from _session_rows(windows, is_open, bool(terms))


def _session_rows(windows: list[Guest], is_open: IsOpen, filtered: bool) -> Iterator[Row]:
    first = windows[0]
    row_id = f"session:{first.session_id}"
    opened = filtered or is_open(row_id, True)
    yield Row(
        id=row_id,
        kind=RowKind.SESSION,
        label=clean(first.session),
        depth=1,
        detail=plural(len(windows), "window"),
        is_open=opened,
        is_quiet=True,
    )
    if opened:
        for guest in windows:
            yield Row(
                id=f"window:{guest.session_id}:{guest.window_id}",
                kind=RowKind.WINDOW,
                label=f"{guest.window_index} {clean(guest.window)}",
                depth=2,
                detail=clean(guest.command),
                is_quiet=True,
                pane=guest.pane_id,
            )
