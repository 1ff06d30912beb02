"""A proposed team, as people read it and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import to_builtins

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import Json, choices_document
from orchestrator_core.cli.output import Look, aligned
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.launch import Proposal
from orchestrator_core.models.team import RoleChoice

CLAUDE = "claude"


def proposal_document(proposal: Proposal, context: Context) -> Json:
    """Return the document of `plan`."""
    team = proposal.team
    return {
        "project": proposal.project.path,
        "starting_branch": proposal.project.branch,
        "base_commit": proposal.project.head,
        "spec": {"path": proposal.spec.path, "goal": proposal.spec.goal},
        "team_type": team.type,
        "evidence": list(team.detection.evidence),
        "confidence": team.detection.confidence,
        "plan": team.plan,
        "cap": team.cap,
        "driver": proposal.driver,
        "roles": choices_document(team.chosen),
        "dropped": choices_document(team.dropped),
        "worktrees": worktrees_folder(context),
        "permission_mode": _permission_mode(proposal, context),
        "gates": _gates(proposal, context),
        "warnings": _warnings(proposal),
    }


def proposal_lines(proposal: Proposal, context: Context, look: Look) -> list[str]:
    """Return the proposal as lines: what it is about, who is in, who is not, and what to know."""
    lines = [*aligned(_facts(proposal, context)), ""]
    lines += _roles("ROLE", proposal.team.chosen, look, style="strong")
    if proposal.team.dropped:
        lines += ["", *_roles("LEFT OUT", proposal.team.dropped, look, style="dim")]
    warnings = _warnings(proposal)
    return [*lines, *([""] if warnings else []), *(f"! {warning}" for warning in warnings)]


def worktrees_folder(context: Context) -> str:
    """Return the folder below which the agents' worktrees are made."""
    return str(context.settings.worktrees.path(context.paths, context.environ))


def _facts(proposal: Proposal, context: Context) -> Iterable[tuple[str, str]]:
    team = proposal.team
    yield "project", proposal.project.path
    yield "goal", proposal.spec.goal
    yield "starts from", f"{proposal.project.branch} at {proposal.project.head[:10]}; your checkout is not touched"
    yield "type", f"{team.type} ({team.detection.confidence:.0%} sure)"
    if team.detection.evidence:
        yield "evidence", ", ".join(team.detection.evidence)
    yield "team", f"{len(team.chosen)} of at most {team.cap} agents on plan {team.plan}, driver {proposal.driver}"
    yield "worktrees", worktrees_folder(context)
    mode = _permission_mode(proposal, context)
    if mode:
        yield "permissions", mode
        yield "gates", ", ".join(f"{name}: {policy}" for name, policy in _gates(proposal, context).items())


def _roles(title: str, choices: Iterable[RoleChoice], look: Look, *, style: str) -> list[str]:
    rows = [(Cell(choice.role.key, style), f"{choice.role.check_in_min} min", choice.reason) for choice in choices]
    columns = (Column(title), Column("CHECK-IN", right=True), Column("WHY", elastic=True))
    return table(columns, rows, width=look.width, color=look.color)


def _permission_mode(proposal: Proposal, context: Context) -> str:
    """Return Claude Code's permission mode; empty for a driver that has none."""
    return str(context.settings.claude.permission_mode) if proposal.driver == CLAUDE else ""


def _gates(proposal: Proposal, context: Context) -> dict[str, str]:
    """Return what is done about each start-up dialog of Claude Code; empty for a driver that has none."""
    gates: dict[str, str] = to_builtins(context.settings.claude.gates) if proposal.driver == CLAUDE else {}
    return gates


def _warnings(proposal: Proposal) -> list[str]:
    return list(dict.fromkeys((*proposal.team.warnings, *proposal.warnings)))
