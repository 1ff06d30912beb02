"""The title of the preview, and the hint below it when the person can do something. Pure."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import Guest, Team
from tui.widgets.line import Part, part
from tui.wording import GLYPHS, age, ask, clean, fit

NAME = "bold $foreground"
QUIET = "dim"


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
    return [name, part(agent.pane or "no pane", QUIET, cost=10), state], [part(clean(agent.branch), QUIET, cost=5)]


def agent_hint(agent: Agent) -> Content | None:
    """Return what an agent needs of the person; None when it needs nothing."""
    reason = clean(agent.reason)
    style = f"$status-{agent.status}"
    mark = f"{GLYPHS[agent.status]} "
    match agent.status:
        case AgentStatus.WAITING:
            wants = f"{ask(agent)} {reason}".strip()
            return Content.assemble((mark + wants, f"bold {style}"), ("   ⏎ to go there and answer", QUIET))
        case AgentStatus.LIMITED:
            return Content.assemble((mark + (reason or "held by a usage limit"), style))
        case AgentStatus.FAILED | AgentStatus.EXITED:
            then = f"tmorch stop {clean(agent.orchestration)} ends the team, its work is kept"
            return Content.assemble((mark + (reason or agent.status.value), f"bold {style}"), (f"   {then}", QUIET))
        case AgentStatus.UNKNOWN:
            return Content.assemble((mark + (reason or "its state cannot be read"), style))
    return None


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
    name = part(clean(orchestration.id), NAME, cost=None)
    return [name, part(orchestration.state.value, QUIET, cost=10)], [
        part(fit(clean(orchestration.project_name), 40), QUIET, cost=5)
    ]
