"""Plans of bringing teams back, and what came of them, as lines for people and as the document of `resume`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from orchestrator_core.cli.documents import Json
from orchestrator_core.cli.output import Look, paint, printable
from orchestrator_core.cli.tables import Cell, Column, display_width, table
from orchestrator_core.models.credit_words import on_clock
from orchestrator_core.models.recovery import AgentStanding, Orphan, RecoveryOutcome, RecoveryPlan, Step, Verb
from orchestrator_core.models.words import plural

LOOKS = {
    Verb.KEEP: ("✔", "dim"),
    Verb.REBUILD: ("+", "good"),
    Verb.CONTINUE: ("»", "good"),
    Verb.START_ANEW: ("✱", "warn"),
    Verb.REBRIEF: ("✎", "good"),
    Verb.REFUSE: ("‼", "bad"),
}
"""The mark and the style of each verb."""
DONE, FAILED = Cell("✔", "good"), Cell("✖", "bad")
THE_TEAM = "(the team)"
Row = tuple[str | Cell, ...]


def plan_lines(plan: RecoveryPlan, look: Look) -> list[str]:
    """Return a team's name and what its plan would do, with what was found; what is kept of an agent is one line.

    Why something is refused says what the person can do: where the table has no room for it, it follows whole.
    """
    state = Cell("whole: nothing is missing", "good") if plan.is_whole else Cell("not whole", "warn")
    columns = (Column(""), Column("AGENT"), Column("PART"), Column("STEP"), Column("FOUND", elastic=True))
    rows = (row for _, steps in groupby(plan.steps, key=lambda step: step.agent) for row in _rows(list(steps)))
    lines = table(columns, rows, width=look.width, color=look.color)
    refused = [(_who(step), printable(step.reason)) for step in plan.steps if step.verb is Verb.REFUSE]
    cut = [f"{printable(who)}: {reason}" for who, reason in refused if not any(reason in line for line in lines)]
    return [
        f"{paint(printable(plan.orchestration), 'strong', color=look.color)}  {printable(plan.project)}  "
        f"{paint(state.text, state.style, color=look.color)}",
        *lines,
        *cut,
    ]


def agent_lines(plan: RecoveryPlan, now: float, look: Look) -> list[str]:
    """Return a line for each agent of a team: whether it is alive, held by a limit, how its branch is, and where."""
    columns = (
        Column("AGENT"),
        Column("ALIVE"),
        Column("STATUS"),
        Column("LIMITED"),
        Column("BRANCH", elastic=True),
        Column("STATE"),
        Column("WINDOW"),
    )
    rows = [_standing_row(agent, now) for agent in plan.agents]
    return table(columns, rows, width=look.width, color=look.color)


def step_line(step: Step, plan: RecoveryPlan, look: Look, why: str | None = None) -> str:
    """Return a step that was done, or why it was not; the lines of one plan are aligned, each on its own."""
    steps = (*plan.steps, step)
    agents, parts = (max(map(display_width, texts)) for texts in ([_who(s) for s in steps], [s.part for s in steps]))
    mark = DONE if why is None else FAILED
    who, what = printable(_who(step)), step.part.value
    start = f"{paint(mark.text, mark.style, color=look.color)}  {who}{' ' * (agents - display_width(who))}  "
    return f"{start}{what:<{parts}}  {step.verb if why is None else printable(why)}"


def outcome_lines(outcome: RecoveryOutcome, look: Look) -> list[str]:
    """Return what was not done, a line each with why, then how it stands."""
    name = printable(outcome.plan.orchestration)
    failed = [step_line(step, outcome.plan, look, why) for step, why in outcome.failed]
    if failed:
        left = f"{plural(len(failed), 'thing')} left to do; `tmorch resume {name}` looks again"
        return [*failed, f"{name}: {paint(left, 'warn', color=look.color)}"]
    if outcome.done:
        return [f"{name}: {paint('whole again', 'good', color=look.color)}"]
    return [f"{name}: nothing was to be done any more"]


def orphan_lines(orphans: Iterable[Orphan], look: Look) -> list[str]:
    """Return what is left over, a line each, with what can be done about it; commands are never cut."""
    columns = (Column("KIND"), Column("NAME"), Column("WHERE"), Column("WHAT TO DO"))
    rows = ((orphan.kind.value, Cell(orphan.name, "strong"), orphan.where, orphan.what_to_do) for orphan in orphans)
    return table(columns, rows, width=look.width, color=look.color)


def recovery_document(
    plans: Sequence[RecoveryPlan], outcomes: Sequence[RecoveryOutcome], orphans: Sequence[Orphan]
) -> Json:
    """Return the document of `resume`."""
    return {
        "plans": [_plan_document(plan) for plan in plans],
        "outcomes": [_outcome_document(outcome) for outcome in outcomes],
        "orphans": [_orphan_document(orphan) for orphan in orphans],
    }


def _who(step: Step) -> str:
    return step.agent.rpartition(":")[2] or THE_TEAM


def _rows(steps: list[Step]) -> Iterator[Row]:
    """Yield a line for each thing to do for an agent, or refused, then one for all that is kept."""
    kept = [step.part.value for step in steps if step.verb is Verb.KEEP]
    for step in steps:
        if step.verb is not Verb.KEEP:
            mark, style = LOOKS[step.verb]
            yield Cell(mark, style), _who(step), step.part.value, Cell(step.verb.value, style), step.reason
    if kept:
        mark, style = LOOKS[Verb.KEEP]
        is_all = len(kept) == len(steps) and steps[0].agent
        found = "all there" if is_all else f"there: {', '.join(kept)}"
        yield Cell(mark, style), _who(steps[0]), "", Cell(Verb.KEEP.value, style), Cell(found, style)


def _standing_row(agent: AgentStanding, now: float) -> Row:
    until = agent.limited_until
    return (
        agent.agent.rpartition(":")[2],
        Cell("yes", "good") if agent.is_alive else Cell("no", "bad"),
        agent.status.value if agent.is_alive else Cell("gone", "bad"),
        Cell(f"until {on_clock(until, now)}", "warn") if until is not None else "no",
        agent.branch,
        _state(agent),
        agent.window,
    )


def _state(agent: AgentStanding) -> str | Cell:
    """Return how an agent's branch and worktree are, in words."""
    if not agent.branch:
        return ""
    if not agent.has_branch:
        return Cell("gone", "bad")
    counts = ((agent.ahead, "ahead"), (agent.behind, "behind"), (agent.changed, "not committed"))
    return ", ".join(f"{count} {what}" for count, what in counts if count) or "as it began"


def _step_document(step: Step) -> Json:
    return {"verb": step.verb, "part": step.part, "agent": step.agent, "reason": step.reason}


def _plan_document(plan: RecoveryPlan) -> Json:
    return {
        "orchestration": plan.orchestration,
        "project": plan.project,
        "whole": plan.is_whole,
        "steps": [_step_document(step) for step in plan.steps],
        "warnings": list(plan.warnings),
        "agents": [_standing_document(agent) for agent in plan.agents],
    }


def _standing_document(agent: AgentStanding) -> Json:
    return {
        "id": agent.agent,
        "alive": agent.is_alive,
        "status": agent.status,
        "limited_until": agent.limited_until,
        "branch": agent.branch,
        "has_branch": agent.has_branch,
        "ahead": agent.ahead,
        "behind": agent.behind,
        "changed": agent.changed,
        "window": agent.window,
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
