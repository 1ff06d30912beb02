"""From a project type, a plan and the person's wishes to a team, with a reason for each role. Pure.

Two ways lead to a team:

- *Named* with `--roles`: exactly those roles, whatever the type says. What is odd about them, such as a missing
  orchestrator or a role without the one it needs, becomes a warning. More than the plan carries is refused unless
  the person accepts it.
- *Proposed*: the roles of every team, those the type requires, and the optional ones for which there is evidence,
  cut to the plan's cap in the type's order. A role comes together with the roles it needs, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator_core.errors import RefusedError, UsageError
from orchestrator_core.models.team import (
    Detection,
    Plan,
    ProjectType,
    Role,
    RoleChoice,
    TeamProposal,
)
from orchestrator_core.team.catalogue import (
    ORCHESTRATOR,
    OptionalRole,
    plan_named,
    plans,
    role_named,
    roles,
    templates,
    type_named,
)
from orchestrator_core.team.evidence import signs_in
from orchestrator_core.team.routing import hub_of

AUTO = "auto"
_SHOWN_SIGNS = 3

Reasons = dict[str, str]
"""Role → why it is in the team, or why not."""


def compose(
    detection: Detection,
    *,
    plan: str,
    roles: Sequence[str] = (),
    team_type: str = "",
    over_cap: bool = False,
) -> TeamProposal:
    """Return the team for a project.

    `roles` are as the person gave them: names or comma-separated lists of names, in any case and with the usual
    other names such as `pm`. `team_type` overrides the detected type; empty or `auto` does not. With `over_cap`
    the plan's cap only warns.

    Raises:
        UsageError: an unknown plan, team type or role.
        RefusedError: more roles are named than the plan carries (`over-cap`).

    """
    bound = plan_named(plan)
    type = type_named(team_type) if team_type.strip() not in ("", AUTO) else detection.type
    if roles:
        return _named(detection, bound, type, roles, over_cap)
    return _proposed(detection, bound, type, over_cap)


def _named(detection: Detection, plan: Plan, type: ProjectType, given: Sequence[str], over_cap: bool) -> TeamProposal:
    keys, doubled = _parse(given)
    cap = plans().caps[plan]
    if len(keys) > cap and not over_cap:
        raise _too_many(keys, plan, cap)
    usual = _wanted(type, detection)[0]
    left_out = {key: "you named the team, and did not name it" for key in usual if key not in keys}
    warnings = (*doubled, *_oddities(keys), *_over_cap(keys, plan, cap))
    return _team(detection, plan, type, dict.fromkeys(keys, "you named it"), left_out, warnings)


def _parse(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the role keys, the orchestrator first, and a warning for each that was named twice."""
    names = [name.strip() for item in given for name in item.split(",") if name.strip()]
    if not names:
        raise UsageError(
            "no role is named",
            cause="the list of roles is empty",
            remedy="name roles, as in --roles orchestrator,developer,tester, or leave the list away",
        )
    keys = [role_named(name).key for name in names]
    doubled = dict.fromkeys(key for key in keys if keys.count(key) > 1)
    warnings = [f"{key} is named more than once: a team has one agent of each role" for key in doubled]
    return sorted(dict.fromkeys(keys), key=lambda key: key != ORCHESTRATOR), warnings


def _too_many(keys: Sequence[str], plan: Plan, cap: int) -> RefusedError:
    larger = next((str(other) for other, room in plans().caps.items() if room >= len(keys)), "")
    choose = f"choose a larger plan (--plan {larger}), " if larger else ""
    return RefusedError(
        f"{len(keys)} roles are more than the plan {plan} carries",
        cause=f"{plan} carries {cap} agents; named are {', '.join(keys)}",
        remedy=f"name at most {cap} roles, {choose}or accept the larger team with --over-cap",
        code="over-cap",
    )


def _oddities(keys: Sequence[str]) -> list[str]:
    catalogue = roles()
    return _without_hub(keys) + [
        f"{key} builds on the work of {need}, which is not in the team"
        for key in keys
        for need in catalogue[key].needs
        if need not in keys
    ]


def _without_hub(keys: Sequence[str]) -> list[str]:
    if ORCHESTRATOR in keys:
        return []
    hub = hub_of(keys)
    instead = f"it talks through {hub} instead" if hub else "nobody coordinates it"
    return [f"this team has no orchestrator: {instead}"]


def _over_cap(keys: Sequence[str], plan: Plan, cap: int) -> list[str]:
    if len(keys) <= cap:
        return []
    return [f"{len(keys)} agents are more than the plan {plan} carries ({cap}): its usage limit will come sooner"]


def _proposed(detection: Detection, plan: Plan, type: ProjectType, over_cap: bool) -> TeamProposal:
    wanted, unneeded = _wanted(type, detection)
    cap = len(roles()) if over_cap else plans().caps[plan]
    fitting, crowded = _fit(wanted, type, cap)
    chosen = {key: fitting[key] for key in roles() if key in fitting}
    dropped = unneeded | {key: _no_room(key, plan, type, chosen) for key in crowded}
    return _team(detection, plan, type, chosen, dropped, _over_cap(list(chosen), plan, plans().caps[plan]))


def _wanted(type: ProjectType, detection: Detection) -> tuple[Reasons, Reasons]:
    """Return the roles the project should have, and the optional ones it does not need."""
    template = templates().types[type]
    wanted = templates().always | template.required
    unneeded: Reasons = {}
    for key, rule in template.optional.items():
        found = _found(rule, detection)
        if found:
            wanted[key] = rule.found.format(found=found)
        else:
            unneeded[key] = rule.missing
    return wanted, unneeded


def _found(rule: OptionalRole, detection: Detection) -> str:
    """Return what was seen of what an optional role looks for; empty when nothing was."""
    seen = signs_in((*detection.signs, *detection.evidence), rule.signs)
    if seen:
        return ", ".join(seen[:_SHOWN_SIGNS])
    is_large = 0 < rule.min_source_files <= detection.source_files
    return f"{detection.source_files} source files" if is_large else ""


def _fit(wanted: Reasons, type: ProjectType, cap: int) -> tuple[Reasons, list[str]]:
    """Return the roles that fit, each with what it needs, and those for which there is no room."""
    chosen: Reasons = {}
    crowded: list[str] = []
    for key in sorted(wanted, key=plans().order[type].index):
        group = {key: wanted[key]} | _needs_of(key, wanted)
        if len(chosen | group) <= cap:
            chosen = group | chosen
        else:
            crowded.append(key)
    return chosen, [key for key in crowded if key not in chosen]


def _needs_of(key: str, wanted: Mapping[str, str]) -> Reasons:
    """Return what a role needs, directly or not, with reasons."""
    catalogue = roles()
    found: Reasons = {}
    todo = [key]
    while todo:
        role = todo.pop()
        for need in catalogue[role].needs:
            if need not in found:
                found[need] = wanted.get(need, f"{role} builds on its work")
                todo.append(need)
    return found


def _no_room(key: str, plan: Plan, type: ProjectType, chosen: Iterable[str]) -> str:
    missing = [need for need in _needs_of(key, {}) if need not in chosen]
    room = f"the plan {plan} carries {plans().caps[plan]} agents"
    if missing:
        return f"no room: {room}, and it would have to come with {' and '.join(missing)}"
    return f"no room: {room}, and in {templates().types[type].phrase} others go first"


def _team(
    detection: Detection,
    plan: Plan,
    type: ProjectType,
    chosen: Reasons,
    dropped: Reasons,
    warnings: Sequence[str],
) -> TeamProposal:
    catalogue = roles()
    return TeamProposal(
        type=type,
        detection=detection,
        plan=plan,
        cap=plans().caps[plan],
        chosen=_choices(chosen, catalogue),
        dropped=_choices({key: dropped[key] for key in catalogue if key in dropped and key not in chosen}, catalogue),
        warnings=tuple(warnings),
    )


def _choices(reasons: Reasons, catalogue: Mapping[str, Role]) -> tuple[RoleChoice, ...]:
    return tuple(RoleChoice(role=catalogue[key], reason=reason) for key, reason in reasons.items())
