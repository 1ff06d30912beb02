"""Plans of bringing teams back, and what came of them, as lines for people and as the document of `resume`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator_core.cli.documents import Json
from orchestrator_core.cli.output import Look, paint, printable
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.recovery import Orphan, Part, RecoveryOutcome, RecoveryPlan, Step, Verb

STYLES = {
    Verb.KEEP: "dim",
    Verb.REBUILD: "good",
    Verb.CONTINUE: "good",
    Verb.START_ANEW: "warn",
    Verb.REBRIEF: "good",
    Verb.REFUSE: "bad",
}
THE_TEAM = "(the team)"


def plan_lines(plan: RecoveryPlan, look: Look) -> list[str]:
    """Return a team's name and every step of its plan, each with what was found."""
    state = Cell("whole: nothing is missing", "good") if plan.is_whole else Cell("not whole", "warn")
    columns = (Column("AGENT"), Column("STEP"), Column("PART"), Column("FOUND", elastic=True))
    rows = ((_who(step), _verb(step), step.part.value, step.reason) for step in plan.steps)
    return [
        f"{paint(printable(plan.orchestration), 'strong', color=look.color)}  {printable(plan.project)}  "
        f"{paint(state.text, state.style, color=look.color)}",
        *table(columns, rows, width=look.width, color=look.color),
    ]


def agent_lines(plan: RecoveryPlan, fleet: Fleet, look: Look) -> list[str]:
    """Return a line for each agent of a team: whether it is alive, held by a limit, and has its branch."""
    columns = (Column("AGENT"), Column("ALIVE"), Column("STATUS"), Column("EXHAUSTED"), Column("BRANCH", elastic=True))
    rows = [_agent_row(agent, plan) for agent in _agents(plan, fleet)]
    return table(columns, rows, width=look.width, color=look.color)


def outcome_lines(outcome: RecoveryOutcome, look: Look) -> list[str]:
    """Return what was done and what was not, a line each."""
    columns = (Column("AGENT"), Column("STEP"), Column("PART"), Column("OUTCOME", elastic=True))
    rows = [(_who(step), _verb(step), step.part.value, Cell("done", "good")) for step in outcome.done]
    rows += [(_who(step), _verb(step), step.part.value, Cell(why, "bad")) for step, why in outcome.failed]
    title = paint(printable(outcome.plan.orchestration), "strong", color=look.color)
    if not rows:
        return ["", f"{title}  nothing was to be done any more"]
    return ["", title, *table(columns, rows, width=look.width, color=look.color)]


def orphan_lines(orphans: Iterable[Orphan], look: Look) -> list[str]:
    """Return what is left over, a line each, with what can be done about it; commands are never cut."""
    columns = (Column("KIND"), Column("NAME"), Column("WHERE"), Column("WHAT TO DO"))
    rows = ((orphan.kind.value, Cell(orphan.name, "strong"), orphan.where, orphan.what_to_do) for orphan in orphans)
    return table(columns, rows, width=look.width, color=look.color)


def recovery_document(
    plans: Sequence[RecoveryPlan], outcomes: Sequence[RecoveryOutcome], orphans: Sequence[Orphan], fleet: Fleet
) -> Json:
    """Return the document of `resume`."""
    return {
        "plans": [_plan_document(plan, fleet) for plan in plans],
        "outcomes": [_outcome_document(outcome) for outcome in outcomes],
        "orphans": [_orphan_document(orphan) for orphan in orphans],
    }


def _who(step: Step) -> str:
    return step.agent.rpartition(":")[2] or THE_TEAM


def _verb(step: Step) -> Cell:
    return Cell(step.verb.value, STYLES[step.verb])


def _agents(plan: RecoveryPlan, fleet: Fleet) -> list[Agent]:
    teams = [team for team in fleet.teams if team.orchestration.id == plan.orchestration]
    return [view.agent for team in teams for view in team.agents]


def _is_alive(agent: Agent, plan: RecoveryPlan) -> bool:
    return any(s.agent == agent.id and s.part is Part.PROGRAM and s.verb is Verb.KEEP for s in plan.steps)


def _has_branch(agent: Agent, plan: RecoveryPlan) -> bool:
    return any(s.agent == agent.id and s.part is Part.BRANCH and s.verb is Verb.KEEP for s in plan.steps)


def _agent_row(agent: Agent, plan: RecoveryPlan) -> tuple[str | Cell, ...]:
    until = agent.limited_until
    return (
        agent.role,
        Cell("yes", "good") if _is_alive(agent, plan) else Cell("no", "bad"),
        agent.status.value,
        Cell(f"until {datetime.fromtimestamp(until).astimezone():%a %H:%M}", "warn") if until else "no",
        agent.branch if _has_branch(agent, plan) else Cell(f"{agent.branch} is gone" if agent.branch else "", "bad"),
    )


def _step_document(step: Step) -> Json:
    return {"verb": step.verb, "part": step.part, "agent": step.agent, "reason": step.reason}


def _plan_document(plan: RecoveryPlan, fleet: Fleet) -> Json:
    return {
        "orchestration": plan.orchestration,
        "project": plan.project,
        "whole": plan.is_whole,
        "steps": [_step_document(step) for step in plan.steps],
        "warnings": list(plan.warnings),
        "agents": [
            {
                "id": agent.id,
                "alive": _is_alive(agent, plan),
                "status": agent.status,
                "limited_until": agent.limited_until,
                "branch": agent.branch,
                "has_branch": _has_branch(agent, plan),
            }
            for agent in _agents(plan, fleet)
        ],
    }


def _outcome_document(outcome: RecoveryOutcome) -> Json:
    return {
        "orchestration": outcome.plan.orchestration,
        "done": [_step_document(step) for step in outcome.done],
        "failed": [{**_step_document(step), "why": why} for step, why in outcome.failed],
    }


def _orphan_document(orphan: Orphan) -> Json:
    return {
        "kind": orphan.kind,
        "name": orphan.name,
        "where": orphan.where,
        "orchestration": orphan.orchestration,
        "what_to_do": orphan.what_to_do,
    }
