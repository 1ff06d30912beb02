"""A proposed team, and the list of saved ones, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.fleet_view import age
from orchestrator_core.cli.output import Look, paint
from orchestrator_core.cli.proposal_document import gates, warnings
from orchestrator_core.cli.prose import bullets, facts, wrapped
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.launch import Proposal, SavedProposal
from orchestrator_core.models.spec import Phase
from orchestrator_core.models.team import Estimate, RoleChoice, TeamProposal

Lines = list[str]


def proposal_lines(proposal: Proposal, context: Context, look: Look) -> Lines:
    """Return the proposal as lines: what is to be done, who is in, who is not, what it costs, and what to know."""
    parts = (
        facts(_project(proposal), look.width),
        _spec(proposal, look.width),
        _reading(proposal.analysis, look.width),
        _team(proposal, look),
        _left_out(proposal.team.dropped, look),
        _suggestions(proposal.analysis.suggestions, proposal.team.roles, look),
        facts(_start(proposal, context), look.width),
        [line for warning in warnings(proposal) for line in wrapped(warning, look.width, "! ")],
    )
    return [line for part in parts if part for line in (*part, "")][:-1]


def saved_lines(saved: Iterable[SavedProposal], now: float, look: Look) -> Lines:
    """Return a table with a line a saved proposal."""
    columns = (
        Column("N", right=True),
        Column("PROJECT", elastic=True),
        Column("GOAL", elastic=True),
        Column("AGENTS", right=True),
        Column("AGE", right=True),
    )
    rows = ((str(each.id), each.project, each.goal, str(each.agents), age(now - each.saved_at)) for each in saved)
    return table(columns, rows, width=look.width, color=look.color)


def _project(proposal: Proposal) -> Iterator[tuple[str, str]]:
    project, team = proposal.project, proposal.team
    yield "project", project.path
    yield "starts from", f"{project.branch} at {project.head[:10]}; your checkout is not touched"
    yield "type", _type(team)
    yield "why", team.detection.reason
    yield "evidence", ", ".join(team.detection.evidence)


def _type(team: TeamProposal) -> str:
    found = team.detection
    sure = f"{found.confidence:.0%} sure"
    return f"{team.type} ({sure})" if team.type == found.type else f"{team.type}, as wished ({sure} of {found.type})"


# --- the spec


def _spec(proposal: Proposal, width: int | None) -> Lines:
    spec, analysis = proposal.spec, proposal.analysis
    return [
        *facts((("spec", spec.path), ("goal", spec.goal)), width),
        *bullets("constraints", spec.constraints, width),
        *bullets("deliverables", spec.deliverables, width),
        *bullets("deliverables, as read", () if spec.deliverables else analysis.deliverables, width),
        *bullets("success criteria", spec.success_criteria, width),
        *bullets("success criteria, proposed besides", analysis.success_criteria, width),
        *bullets("phases", map(_phase, analysis.phases or spec.phases), width),
        *(line for each in spec.remarks for line in wrapped(each.text, width, f"? {_place(each.line)}")),
    ]


def _phase(phase: Phase) -> str:
    hours = f" ({_hours(phase.hours)})" if phase.hours is not None else ""
    return f"{phase.name}{hours}" + (f": {'; '.join(phase.tasks)}" if phase.tasks else "")


def _place(line: int) -> str:
    return f"line {line}: " if line else ""


def _hours(hours: float) -> str:
    return f"{hours:g} h"


def _reading(analysis: Analysis, width: int | None) -> Lines:
    return facts(_of_reading(analysis), width)


def _of_reading(analysis: Analysis) -> Iterator[tuple[str, str]]:
    yield "read", _reader(analysis)
    yield "in short", analysis.summary
    hours = f"about {_hours(analysis.hours)} of work" if analysis.hours is not None else ""
    said = ", ".join(part for part in (str(analysis.size or ""), hours) if part)
    yield "size", f"{said}: {analysis.size_basis}" if said and analysis.size_basis else said
    yield "answer", analysis.raw


def _reader(analysis: Analysis) -> str:
    if analysis.source is AnalysisSource.OFFLINE:
        return f"offline: {analysis.because or 'nobody was asked'}"
    spent = (
        analysis.model,
        f"{analysis.seconds:.0f} s" if analysis.seconds is not None else "",
        f"${analysis.cost_usd:.2f}" if analysis.cost_usd is not None else "",
    )
    said = ", ".join(part for part in spent if part)
    return f"by Claude ({said})" if said else "by Claude"


# --- the team


def _team(proposal: Proposal, look: Look) -> Lines:
    team = proposal.team
    count = f"{len(team.chosen)} of at most {team.cap} agents on plan {team.plan}, driver {proposal.driver}"
    columns = (Column("ROLE"), Column("CHECK-IN", right=True), Column("MODEL"), Column("PERMISSIONS"))
    rows = [
        (
            Cell(choice.role.key, "strong"),
            f"{choice.interval_min:g} min",
            choice.model,
            choice.permission_mode,
        )
        for choice in team.chosen
    ]
    head, *lines = table(columns, rows, width=look.width, color=look.color) or [""]
    body = [
        line
        for choice, row in zip(team.chosen, lines, strict=True)
        for line in (row, *wrapped(choice.reason, look.width, "    "))
    ]
    return [paint(f"TEAM: {count}", "strong", color=look.color), head, *body]


def _left_out(dropped: Sequence[RoleChoice], look: Look) -> Lines:
    if not dropped:
        return []
    column = max(len(choice.role.key) for choice in dropped) + 2
    lines = (wrapped(choice.reason, look.width, f"  {choice.role.key:<{column}}") for choice in dropped)
    return [paint("LEFT OUT", "strong", color=look.color), *(line for each in lines for line in each)]


def _suggestions(suggestions: Sequence[Suggestion], team: tuple[str, ...], look: Look) -> Lines:
    """Return the difference between the team and what is advised; what is taken already shows in the team."""
    is_open = [each for each in suggestions if (each.role in team) != (each.action is Action.ADD) or each.refused]
    if not is_open:
        return []
    column = max(len(each.role) for each in is_open) + 2
    lines = [line for each in is_open for line in _suggestion(each, column, look)]
    return [paint("SUGGESTED: --refine takes what can be taken", "strong", color=look.color), *lines]


def _suggestion(suggestion: Suggestion, column: int, look: Look) -> Lines:
    sign, style = ("+", "good") if suggestion.action is Action.ADD else ("-", "bad")
    if suggestion.refused:
        style = "dim"
    label = f"{sign} {suggestion.role:<{column}}"
    lines = wrapped(suggestion.why, look.width, label)
    below = " " * len(label)
    if suggestion.refused:
        lines += wrapped(f"not to be taken: {suggestion.refused}", look.width, below)
    if suggestion.warning:
        lines += wrapped(f"! {suggestion.warning}", look.width, below)
    return [paint(line, style, color=look.color) for line in lines]


# --- what the start makes and uses


def _start(proposal: Proposal, context: Context) -> Iterator[tuple[str, str]]:
    yield "estimate", _use(proposal.estimate) if proposal.estimate else ""
    yield "worktrees", proposal.worktrees and f"{proposal.worktrees}/ROLE"
    yield "branches", proposal.branches and f"{proposal.branches}ROLE"
    yield "gates", ", ".join(f"{name}: {policy}" for name, policy in gates(proposal, context).items())
    yield "changed by", ", ".join(proposal.overrides)


def _use(estimate: Estimate) -> str:
    low, high = estimate.tokens_per_hour
    tokens = f", {low:,} to {high:,} tokens for them" if high else ""
    return f"at most {estimate.check_ins_per_hour:.1f} check-ins an hour{tokens}. {estimate.basis}"
