"""From a proposal and what the person does to it to the proposal as it is then. Pure.

A proposal is made anew from its request each time: the rules first, what the person took in and out on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import UsageError
from orchestrator_core.models.analysis import Action, Suggestion
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
from orchestrator_core.services.tuning import BYPASS, tuned, tunings
from orchestrator_core.team.catalogue import Catalogue, plan_named
from orchestrator_core.team.compose import AUTO, compose, joined, key_of
from orchestrator_core.team.estimate import estimate
from orchestrator_core.team.routing import allowed_routes
from orchestrator_core.team.suggest import is_open, judged

if TYPE_CHECKING:
    from orchestrator_core.agents.driver import Driver
    from orchestrator_core.config.settings import Settings


def first_team(
    request: StartRequest,
    spec: Spec,
    detection: Detection,
    settings: Settings,
    catalogue: Catalogue,
    suggestions: Sequence[Suggestion] = (),
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
        suggestions=suggestions,
        catalogue=catalogue,
    )


def complete(bare: Proposal, driver: Driver, settings: Settings, paths: Paths, catalogue: Catalogue) -> Proposal:
    """Return a proposal with all that follows from its request and its team.

    Raises:
        UsageError: the request sets an interval, model or permission mode that is not one.

    """
    request = replace(bare.request, tuning=tunings(bare.request, driver, catalogue))
    chosen = tuple(tuned(each, request.tuning.get(each.role.key, Tuning()), driver) for each in bare.team.chosen)
    warnings = dict.fromkeys((*bare.team.warnings, *_warnings(chosen, driver)))
    team = replace(bare.team, chosen=chosen, warnings=tuple(warnings))
    identifier = bare.orchestration or new_id(bare.project.name, lambda name: False)
    return replace(
        bare,
        request=request,
        asked=bare.asked or request,
        team=team,
        analysis=replace(bare.analysis, suggestions=judged(bare.analysis.suggestions, team, catalogue)),
        orchestration=identifier,
        estimate=estimate(team, catalogue, standing=settings.schedule.standing, is_demo=driver.is_demo),
        routes=allowed_routes(team.roles, team.type, catalogue),
        worktrees=str(settings.worktrees.path(paths) / identifier),
        branches=branch_name(identifier, ""),
        permission_modes=driver.permission_modes,
        models=driver.models,
        types=tuple(catalogue.templates.types),
        overrides=tuple(map(str, catalogue.files)),
    )


def revise(
    proposal: Proposal, change: Change, driver: Driver, settings: Settings, paths: Paths, catalogue: Catalogue
) -> Proposal:
    """Return the proposal after a change; what was made of the spec and the project stays.

    More named roles than the plan carries are warned of, not refused: the person sees what they approve.

    Raises:
        UsageError: a role, plan, type, interval, model or permission mode is not one, the role to be tuned is not in
            the team, or nobody would be left in it.

    """

    def team_of(request: StartRequest) -> TeamProposal:
        named = bool(request.roles or proposal.spec.wishes.roles)
        lenient = replace(request, over_cap=request.over_cap or named)
        suggestions = proposal.analysis.suggestions
        return first_team(lenient, proposal.spec, proposal.team.detection, settings, catalogue, suggestions)

    request = _changed(proposal, change, catalogue, team_of)
    return complete(replace(proposal, request=request, team=team_of(request)), driver, settings, paths, catalogue)


def accepted(proposal: Proposal) -> tuple[Change, ...]:
    """Return the changes that accept every open suggestion which can be taken, removals first.

    No role is added for which the plan has no room, unless the person has accepted a team larger than its cap.
    """
    team = proposal.team
    takeable = [each for each in proposal.analysis.suggestions if not each.refused and is_open(each, team)]
    leaving = [each.role for each in takeable if each.action is Action.REMOVE][: len(team.chosen) - 1]
    coming = [each.role for each in takeable if each.action is Action.ADD]
    room = len(coming) if proposal.request.over_cap else max(0, team.cap - len(team.chosen) + len(leaving))
    return (
        *(RoleToggled(role=role, is_in=False) for role in leaving),
        *(RoleToggled(role=role, is_in=True) for role in coming[:room]),
    )


def _changed(
    proposal: Proposal, change: Change, catalogue: Catalogue, team_of: Callable[[StartRequest], TeamProposal]
) -> StartRequest:
    request = proposal.request
    match change:
        case RoleToggled(role=name, is_in=is_in):
            role = key_of(name, catalogue)
            if (role in proposal.team.roles) == is_in:
                return request
            return _toggled(request, role, is_in, catalogue, team_of)
        case RoleTuned(role=name, tuning=tuning):
            role = key_of(name, catalogue)
            _require(role, proposal.team)
            return replace(request, tuning={**request.tuning, role: tuning})
        case PlanChosen(plan=plan):
            return replace(request, plan=plan_named(plan).value)
        case TypeChosen(team_type=name):
            is_auto = name.strip() in ("", AUTO)
            return replace(request, team_type=AUTO if is_auto else str(catalogue.type_named(name)))
        case TeamReset():
            return proposal.asked or request


def _toggled(
    request: StartRequest,
    role: str,
    is_in: bool,
    catalogue: Catalogue,
    team_of: Callable[[StartRequest], TeamProposal],
) -> StartRequest:
    """Return the request that has a role in or out; one that the rules have so anyway leaves no trace in it."""
    plain = replace(
        request,
        added=_keys(request.added, catalogue, but=role),
        removed=_keys(request.removed, catalogue, but=role),
    )
    if (role in team_of(plain).roles) == is_in:
        return plain
    if is_in:
        return replace(plain, added=_keys((*plain.added, role), catalogue))
    return replace(plain, removed=_keys((*plain.removed, role), catalogue))


def _keys(names: Iterable[str], catalogue: Catalogue, but: str = "") -> tuple[str, ...]:
    """Return the roles that are meant, in the catalogue's order, so that the same team comes of the same request."""
    meant = {key_of(name, catalogue) for name in names}
    return tuple(key for key in catalogue.roles if key in meant and key != but)


def _require(role: str, team: TeamProposal) -> None:
    if role not in team.roles:
        raise UsageError(
            f"{role} is not in the team",
            cause=f"the team is {', '.join(team.roles)}",
            remedy="add it to the team first",
            code="not-in-team",
        )


def _warnings(chosen: Sequence[RoleChoice], driver: Driver) -> list[str]:
    warnings = []
    unasked = [choice.role.key for choice in chosen if choice.permission_mode == BYPASS]
    if unasked:
        verb = "works" if len(unasked) == 1 else "work"
        warnings.append(f"{joined(unasked)} {verb} without asking for any permission ({BYPASS})")
    if driver.is_demo:
        warnings.append("these agents only play a script: nothing of the spec will be done")
    return warnings
