"""What a team would use, said honestly: what is counted, and what nobody can know. Pure."""

from __future__ import annotations

from orchestrator_core.models.team import Estimate, TeamProposal
from orchestrator_core.team.catalogue import Catalogue

MINUTES = 60.0


def estimate(team: TeamProposal, catalogue: Catalogue) -> Estimate:
    """Return what the standing check-ins of a team use at most, and what that rests on."""
    per_hour = sum(MINUTES / choice.interval_min for choice in team.chosen)
    tokens = catalogue.plans.tokens_per_check_in
    return Estimate(
        check_ins_per_hour=per_hour,
        tokens_per_hour=(round(per_hour * tokens[0]), round(per_hour * tokens[1])),
        basis=catalogue.plans.basis.strip(),
    )
