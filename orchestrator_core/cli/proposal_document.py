"""A proposed team, and the list of saved ones, as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import to_builtins

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import Json, choices_document
from orchestrator_core.models.analysis import Action, Analysis
from orchestrator_core.models.launch import Proposal, ProposalId, SavedProposal
from orchestrator_core.models.spec import Phase, Spec
from orchestrator_core.models.team import Estimate

CLAUDE = "claude"


def proposal_document(proposal: Proposal, context: Context) -> Json:
    """Return the document of `plan`."""
    team = proposal.team
    return {
        "proposal": proposal.saved or None,
        "project": proposal.project.path,
        "starting_branch": proposal.project.branch,
        "base_commit": proposal.project.head,
        "spec": _spec_document(proposal.spec),
        "analysis": _analysis_document(proposal.analysis, team.roles),
        "team_type": team.type,
        "evidence": list(team.detection.evidence),
        "confidence": team.detection.confidence,
        "plan": team.plan,
        "cap": team.cap,
        "driver": proposal.driver,
        "roles": choices_document(team.chosen),
        "dropped": choices_document(team.dropped),
        "routes": sorted(map(list, proposal.routes)),
        "estimate": _estimate_document(proposal.estimate),
        "worktrees": proposal.worktrees,
        "branches": proposal.branches,
        "gates": gates(proposal, context),
        "overrides": list(proposal.overrides),
        "warnings": warnings(proposal),
    }


def saved_document(saved: Iterable[SavedProposal], discarded: ProposalId | None = None) -> Json:
    """Return the document of `plan --saved` and `plan --discard`; times are seconds since the epoch."""
    rows = [
        {
            "proposal": each.id,
            "project": each.project,
            "spec": each.spec,
            "goal": each.goal,
            "agents": each.agents,
            "saved_at": each.saved_at,
        }
        for each in saved
    ]
    return {"proposals": rows, "discarded": discarded}


def gates(proposal: Proposal, context: Context) -> dict[str, str]:
    """Return what is done about each start-up dialog of Claude Code; empty for a driver that has none."""
    found: dict[str, str] = to_builtins(context.settings.claude.gates) if proposal.driver == CLAUDE else {}
    return found


def warnings(proposal: Proposal) -> list[str]:
    """Return what is to be known of the team and the project, each once."""
    return list(dict.fromkeys((*proposal.team.warnings, *proposal.warnings)))


def _spec_document(spec: Spec) -> Json:
    return {
        "path": spec.path,
        "project": spec.project,
        "goal": spec.goal,
        "constraints": list(spec.constraints),
        "deliverables": list(spec.deliverables),
        "success_criteria": list(spec.success_criteria),
        "phases": _phases(spec.phases),
        "remarks": [{"line": remark.line, "text": remark.text} for remark in spec.remarks],
    }


def _phases(phases: Iterable[Phase]) -> list[Json]:
    return [{"name": phase.name, "tasks": list(phase.tasks), "hours": phase.hours} for phase in phases]


def _analysis_document(analysis: Analysis, team: tuple[str, ...]) -> Json:
    return {
        "source": analysis.source,
        "because": analysis.because,
        "summary": analysis.summary,
        "phases": _phases(analysis.phases),
        "deliverables": list(analysis.deliverables),
        "success_criteria": list(analysis.success_criteria),
        "size": analysis.size,
        "size_basis": analysis.size_basis,
        "hours": analysis.hours,
        "suggestions": [
            {
                "action": each.action,
                "role": each.role,
                "why": each.why,
                "source": each.source,
                "taken": (each.role in team) == (each.action is Action.ADD),
                "refused": each.refused,
                "warning": each.warning,
            }
            for each in analysis.suggestions
        ],
        "model": analysis.model,
        "cost_usd": analysis.cost_usd,
        "seconds": analysis.seconds,
        "raw": analysis.raw,
    }


def _estimate_document(estimate: Estimate | None) -> Json | None:
    if estimate is None:
        return None
    return {
        "check_ins_per_hour": estimate.check_ins_per_hour,
        "tokens_per_hour": list(estimate.tokens_per_hour),
        "basis": estimate.basis,
    }
