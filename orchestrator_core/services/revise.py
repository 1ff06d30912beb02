"""From a proposal and what the person does to it to the proposal as it is then. Pure but for the catalogue's values.

A proposal is made anew from its request each time: the rules first, what the person took in and out on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.analysis import Action
from orchestrator_core.models.launch import (
    Change,
    PlanChosen,
    Proposal,
    RoleToggled,
    RoleTuned,
    StartRequest,
    TeamReset,
    TypeChosen,
)
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Detection, RoleChoice, TeamProposal, Tuning
from orchestrator_core.services.naming import branch_name, new_id
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.compose import compose
from orchestrator_core.team.estimate import estimate
from orchestrator_core.team.routing import allowed_routes

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver
    from orchestrator_core.config.settings import Settings


def first_team(
    request: StartRequest, spec: Spec, detection: Detection, settings: Settings, catalogue: Catalogue
) -> TeamProposal:
    """Return the team that the rules make of a request; the spec's wishes hold where the request says nothing.

    Raises as `compose`.
    """
    return compose(
        detection,
        plan=request.plan or spec.wishes.plan or settings.team.plan,
        roles=request.roles or spec.wishes.roles,
        team_type=request.team_type or spec.wishes.team_type,
        over_cap=request.over_cap,
        added=request.added,
        removed=request.removed,
        catalogue=catalogue,
    )


def complete(bare: Proposal, driver: Driver, settings: Settings, paths: Paths, catalogue: Catalogue) -> Proposal:
    """Return a proposal with all that follows from its request and its team."""
    tuned = replace(bare.team, chosen=tuple(_tuned(choice, bare.request, driver) for choice in bare.team.chosen))
    identifier = bare.orchestration or new_id(bare.project.name, lambda name: False)
    return replace(
        bare,
        team=tuned,
        orchestration=identifier,
        estimate=estimate(tuned, catalogue),
        routes=allowed_routes(tuned.roles, tuned.type, catalogue),
        worktrees=str(settings.worktrees.path(paths) / identifier),
        branches=branch_name(identifier, ""),
        permission_modes=driver.permission_modes,
        models=driver.models,
        overrides=tuple(map(str, catalogue.files)),
    )


def revise(
    proposal: Proposal, change: Change, driver: Driver, settings: Settings, paths: Paths, catalogue: Catalogue
) -> Proposal:
    """Return the proposal after a change; what was made of the spec and the project stays.

    Raises:
        UsageError: a role, plan, type, interval or permission mode is not one.

    """
    request = _changed(proposal.request, change)
    team = first_team(request, proposal.spec, proposal.team.detection, settings, catalogue)
    return complete(replace(proposal, request=request, team=team), driver, settings, paths, catalogue)


def accepted(proposal: Proposal) -> tuple[Change, ...]:
    """Return the changes that accept every suggestion which can be taken and is not yet so."""
    team = proposal.team.roles
    return tuple(
        RoleToggled(role=each.role, is_in=each.action is Action.ADD)
        for each in proposal.analysis.suggestions
        if not each.refused and (each.role in team) != (each.action is Action.ADD)
    )


def _changed(request: StartRequest, change: Change) -> StartRequest:
    match change:
        case RoleToggled(role=role, is_in=is_in):
            added = tuple(key for key in request.added if key != role)
            removed = tuple(key for key in request.removed if key != role)
            if is_in:
                return replace(request, added=(*added, role), removed=removed)
            return replace(request, added=added, removed=(*removed, role))
        case RoleTuned(role=role, tuning=tuning):
            return replace(request, tuning={**request.tuning, role: tuning})
        case PlanChosen(plan=plan):
            return replace(request, plan=plan)
        case TypeChosen(team_type=team_type):
            return replace(request, team_type=team_type)
        case TeamReset():
            return replace(request, added=(), removed=(), tuning={})


def _tuned(choice: RoleChoice, request: StartRequest, driver: Driver) -> RoleChoice:
    tuning = request.tuning.get(choice.role.key, Tuning())
    return replace(
        choice,
        check_in_min=tuning.check_in_min,
        model=tuning.model or (choice.role.model if driver.models else ""),
        permission_mode=tuning.permission_mode or driver.permission_mode,
    )
