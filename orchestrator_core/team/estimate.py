"""What a team would use, said honestly: what is counted, and what nobody can know. Pure."""

from __future__ import annotations

from orchestrator_core.models.team import Estimate, TeamProposal
from orchestrator_core.team.catalogue import Catalogue

MINUTES = 60.0
NO_CHECK_INS = "The settings want no standing check-ins. What the work itself uses, nobody can say beforehand."
NO_TOKENS = "These agents only play a script: they use no tokens."


def estimate(team: TeamProposal, catalogue: Catalogue, *, standing: bool = True, is_demo: bool = False) -> Estimate:
    """Return what the standing check-ins of a team use at most, and what that rests on.

    `standing` tells whether the settings want such check-ins, `is_demo` whether no real agent is behind the team.
    """
    per_hour = sum(MINUTES / choice.interval_min for choice in team.chosen) if standing else 0.0
    low, high = (0, 0) if is_demo else catalogue.plans.tokens_per_check_in
    basis = NO_TOKENS if is_demo else catalogue.plans.basis.strip() if standing else NO_CHECK_INS
    return Estimate(
        check_ins_per_hour=per_hour, tokens_per_hour=(round(per_hour * low), round(per_hour * high)), basis=basis
    )
