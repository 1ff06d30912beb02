"""The line at the top: how many, how they are, who needs a person, credit, and whether the supervisor lives."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.credit_words import USUAL, Thresholds
from orchestrator_core.models.fleet import Fleet, SupervisorHealth, Team, TmuxState
from tui.widgets.credit_gauge import gauge_parts
from tui.widgets.line import Line, Part, part
from tui.wording import GLYPHS, QUIET, age, clean, counts, fit, plural

RECENT_ERROR_S = 15 * 60.0
"""How long a supervisor's error stays in the header."""
ERROR_CELLS = 40
ALWAYS = (AgentStatus.WORKING, AgentStatus.IDLE)
"""Statuses that are shown with a zero, too."""
COSTS: dict[AgentStatus, tuple[int, ...]] = {
    AgentStatus.IDLE: (10, 40),
    AgentStatus.WORKING: (11, 60),
    AgentStatus.LIMITED: (12,),
    AgentStatus.FAILED: (13,),
    AgentStatus.WAITING: (70,),
}
"""What giving up a status' word, then its number costs when the line is short."""
COSTS_OF_OTHERS = (9, 30)
WAITING = AgentStatus.WAITING
TMUX_WORDS = {
    TmuxState.CONNECTING: ("tmux …", QUIET),
    TmuxState.NO_SERVER: ("tmux ✘ no server", "$text-error"),
    TmuxState.MISSING: ("tmux ✘ missing", "$text-error"),
}


class FleetHeader(Line):
    """The header of the main screen."""

    GAP = 2

    def __init__(self, *, thresholds: Thresholds = USUAL, id: str | None = None) -> None:
        super().__init__(id=id)
        self._thresholds = thresholds

    def show(self, fleet: Fleet | None, now: float) -> None:
        """Show `fleet` as it stands at `now`; paints only what reads differently."""
        self.set_parts(*header_parts(fleet, now, self._thresholds))


def header_parts(fleet: Fleet | None, now: float, thresholds: Thresholds = USUAL) -> tuple[list[Part], list[Part]]:
    """Return what the header says of `fleet` at `now`, at the left and at the right."""
    if fleet is None:
        return [_name()], [part("reading …", QUIET)]
    return _left(fleet), _right(fleet, now, thresholds)


def active_teams(fleet: Fleet) -> tuple[Team, ...]:
    """Return the teams that run or are being started."""
    return tuple(team for team in fleet.teams if team.orchestration.state.is_active)


def active_agents(fleet: Fleet) -> tuple[Agent, ...]:
    """Return the agents of the teams that run or are being started."""
    return tuple(view.agent for team in active_teams(fleet) for view in team.agents)


def is_all_paused(fleet: Fleet) -> bool:
    """Return whether teams run, and the person has all of them paused."""
    teams = active_teams(fleet)
    return bool(teams) and all(team.orchestration.paused_at is not None for team in teams)


def _name() -> Part:
    return part("tmorch", "bold $primary", cost=None)


def _left(fleet: Fleet) -> list[Part]:
    teams, agents = active_teams(fleet), active_agents(fleet)
    demo = [part("demo", "bold $text-accent", cost=50)] if any(t.orchestration.is_demo for t in teams) else []
    if not teams:
        return [_name(), *demo, part("no team runs", QUIET, cost=40)]
    full = f"{plural(len(teams), 'team')} · {plural(len(agents), 'agent')}"
    size = Part((Content(full), Content(plural(len(agents), "agent")), Content()), (20, 31))
    found = counts(agents) | {WAITING: len(fleet.needs)}
    shown = [status for status in GLYPHS if found.get(status) or status in ALWAYS]
    return [_name(), *_paused(fleet), *demo, size, *(_count(status, found.get(status, 0)) for status in shown)]


def _paused(fleet: Fleet) -> list[Part]:
    paused = [team.orchestration.id for team in active_teams(fleet) if team.orchestration.paused_at is not None]
    if not paused:
        return []
    name = clean(paused[0]) if len(paused) == 1 else plural(len(paused), "team")
    return [part("⏸ all paused" if is_all_paused(fleet) else f"⏸ {name} paused", "bold $text-warning", cost=None)]


def _count(status: AgentStatus, count: int) -> Part:
    """Return how many agents have a status; for those that wait, how much needs the person: what the panel lists."""
    style = f"$status-{status}" + (" bold" if status is WAITING else "")
    word = status.value
    if status is WAITING:
        word = "needs you" if count == 1 else "need you"
    mark = f"{GLYPHS[status]}{count}"
    costs = COSTS.get(status, COSTS_OF_OTHERS)
    forms = (Content.assemble((f"{mark} {word}", style)), Content.assemble((mark, style)), Content())
    return Part(forms[: len(costs) + 1], costs)


def _right(fleet: Fleet, now: float, thresholds: Thresholds) -> list[Part]:
    parts = gauge_parts(fleet, now, thresholds)
    if fleet.tmux in TMUX_WORDS:
        text, style = TMUX_WORDS[fleet.tmux]
        parts.append(part(text, style, cost=None))
    parts.append(_supervisor(fleet.supervisor, now, needed=bool(active_teams(fleet))))
    return parts


def _supervisor(health: SupervisorHealth, now: float, *, needed: bool) -> Part:
    if not health.running:
        return _health("✘", "down", "bold $text-error") if needed else _health("○", "off", QUIET)
    if health.is_silent(now):
        return _health("✘", f"does not respond for {age(now - (health.heartbeat_at or now))}", "bold $text-error")
    if health.overdue:
        return _health("!", f"{plural(health.overdue, 'check-in')} overdue", "$text-warning")
    if health.last_error and health.last_error_at is not None and now - health.last_error_at < RECENT_ERROR_S:
        return _health("!", fit(clean(health.last_error), ERROR_CELLS), "$text-warning")
    if health.heartbeat_at is None:
        return _health("!", "starting", "$text-warning")
    return _health("✔", "", "$text-success")


def _health(mark: str, words: str, style: str) -> Part:
    fullest = [f"supervisor {mark} {words}"] if words else []
    texts = [*fullest, f"supervisor {mark}", f"sv {mark}"]
    forms = tuple(Content.assemble((text, style)) for text in texts)
    return Part(forms, (5, 15)[-len(forms) + 1 :])
