"""The title of the preview, and the hint below it when the person can do something. Pure."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import Guest, Team
from tui.widgets.line import Part, part
from tui.wording import GLYPHS, QUIET, age, ask, clean, sentence

NAME = "bold $foreground"


def agent_title(agent: Agent, now: float) -> tuple[list[Part], list[Part]]:
    """Return who it is and how it is, and at the right where it works."""
    status = agent.status
    since = f" {age(now - agent.status_since)}" if agent.status_since else ""
    style = f"$status-{status}"
    name = Part(
        (
            Content.assemble((f"{clean(agent.orchestration)} ▸ ", QUIET), (clean(agent.role), NAME)),
            Content.assemble((clean(agent.role), NAME)),
        ),
        (30,),
    )
    state = Part(
        (
            Content.assemble((f"{GLYPHS[status]} {status}{since}", style)),
            Content.assemble((f"{GLYPHS[status]}{since}", style)),
        ),
        (40,),
    )
    return [name, part(agent.pane or "no pane", QUIET, cost=4), state], [part(clean(agent.branch), QUIET, cost=5)]


def agent_hint(agent: Agent) -> tuple[Part, ...]:
    """Return what an agent needs of the person and what they can do; nothing when it needs nothing."""
    team = clean(agent.orchestration)
    match agent.status:
        case AgentStatus.WAITING:
            return _hint(agent, "⏎ takes you there to answer")
        case AgentStatus.LIMITED:
            return _hint(agent, "messages to it wait meanwhile")
        case AgentStatus.FAILED | AgentStatus.EXITED:
            return _hint(agent, f"“tmorch stop {team}” ends the team and keeps its work")
        case AgentStatus.UNKNOWN:
            return _hint(agent, "⏎ takes you there to see")
    return ()


def _hint(agent: Agent, remedy: str) -> tuple[Part, ...]:
    words = sentence(agent.reason) or (ask(agent) if agent.status is AgentStatus.WAITING else agent.status.value)
    marked = part(f"{GLYPHS[agent.status]} {words}", f"bold $status-{agent.status}", cost=None)
    return marked, part(f" {remedy}", QUIET)


def guest_title(guest: Guest) -> tuple[list[Part], list[Part]]:
    """Return which window of somebody else's session it is."""
    name = Content.assemble(
        (f"{clean(guest.session)} ▸ ", QUIET), (f"{guest.window_index} {clean(guest.window)}", NAME)
    )
    left = [Part((name,)), part(guest.pane_id, QUIET, cost=10), part(clean(guest.command), QUIET, cost=20)]
    return left, [part("not tmorch's", QUIET, cost=5)]


def team_title(team: Team) -> tuple[list[Part], list[Part]]:
    """Return which team it is and on what it works."""
    orchestration = team.orchestration
    branch = f"from {clean(orchestration.starting_branch)}"
    name = part(clean(orchestration.id), NAME, cost=None)
    return [name, part(orchestration.state.value, QUIET, cost=10)], [part(branch, QUIET, cost=5)]
