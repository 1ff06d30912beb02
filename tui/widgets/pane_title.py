"""The title of the preview: who it is, how it is, and what it needs of the person. Pure."""

from __future__ import annotations

from textual.content import Content

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.fleet import Guest, Team
from tui.widgets.line import Part, part
from tui.wording import GLYPHS, QUIET, age, ask, brief, clean, doing_now, fit

NAME = "bold $foreground"
SHORTER = (60, 36, 24, 14)
"""Cells that an agent's need is cut to, step by step."""


def agent_title(agent: Agent, now: float) -> tuple[list[Part], list[Part]]:
    """Return who it is, how it is and what it needs; at the right what the person can do and where it works."""
    status = agent.status
    since = f" {age(now - agent.status_since)}" if agent.status_since else ""
    style = f"$status-{status}"
    who = (clean(agent.role), NAME)
    name = Part((Content.assemble((f"{clean(agent.orchestration)} ▸ ", QUIET), who), Content.assemble(who)), (26,))
    states = (f"{GLYPHS[status]} {status}{since}", f"{GLYPHS[status]}{since}")
    state = Part(tuple(Content.assemble((text, style)) for text in states), (24,))
    left = [name, part(agent.pane or "no pane", QUIET, cost=4), state, *_need(agent, style)]
    return left, [*_remedy(agent), part(clean(agent.branch), QUIET, cost=5)]


def _need(agent: Agent, style: str) -> list[Part]:
    reason = clean(agent.reason)
    match agent.status:
        case AgentStatus.WAITING:
            texts = [f"{ask(agent)} {reason.partition(': ')[2]}".rstrip()]
        case AgentStatus.LIMITED:
            texts = [doing_now(agent)]
        case AgentStatus.FAILED | AgentStatus.EXITED | AgentStatus.UNKNOWN:
            texts = [reason, brief(reason)]
        case _:
            return []
    texts += [fit(texts[-1], width) for width in SHORTER]
    forms = tuple(Content.assemble((text, f"bold {style}")) for text in texts)
    return [Part(forms, tuple(range(20, 20 + 4 * (len(forms) - 1), 4)))] if texts[0] else []


def _remedy(agent: Agent) -> list[Part]:
    match agent.status:
        case AgentStatus.WAITING:
            text = "⏎ goes there to answer"
        case AgentStatus.LIMITED:
            text = "messages to it wait meanwhile"
        case AgentStatus.FAILED | AgentStatus.EXITED:
            text = f"“tmorch stop {clean(agent.orchestration)}” ends the team, keeps its work"
        case _:
            return []
    return [part(text, QUIET, cost=8)]


def guest_title(guest: Guest) -> tuple[list[Part], list[Part]]:
    """Return which window of somebody else's session it is."""
    name = Content.assemble(
        (f"{clean(guest.session)} ▸ ", QUIET), (f"{guest.window_index} {clean(guest.window)}", NAME)
    )
    left = [Part((name,)), part(guest.pane_id, QUIET, cost=10), part(clean(guest.command), QUIET, cost=20)]
    return left, [part("not tmorch's", QUIET, cost=5)]


def team_title(team: Team) -> tuple[list[Part], list[Part]]:
    """Return which team it is and from which branch it started."""
    orchestration = team.orchestration
    branch = f"from {clean(orchestration.starting_branch)}"
    name = part(clean(orchestration.id), NAME, cost=None)
    return [name, part(orchestration.state.value, QUIET, cost=10)], [part(branch, QUIET, cost=5)]
