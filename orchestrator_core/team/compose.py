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
    ReasonKind,
    RoleChoice,
    TeamProposal,
)
from orchestrator_core.team.catalogue import ORCHESTRATOR, Catalogue, OptionalRole, builtin, plan_named
from orchestrator_core.team.evidence import signs_in
from orchestrator_core.team.routing import hub_of

AUTO = "auto"
_SHOWN_SIGNS = 3

Because = tuple[ReasonKind, str]
Reasons = dict[str, Because]
"""Role → why it is in the team, or why not."""


def compose(
    detection: Detection,
    *,
    plan: str,
    roles: Sequence[str] = (),
    team_type: str = "",
    over_cap: bool = False,
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
    catalogue: Catalogue | None = None,
) -> TeamProposal:
    """Return the team for a project.

    `roles` are as the person gave them: names or comma-separated lists of names, in any case and with the usual
    other names such as `pm`. `team_type` overrides the detected type; empty or `auto` does not. With `over_cap`
    the plan's cap only warns. `added` and `removed` are changes to what comes of all that: they never push another
    role out or bring one in, and a team that they make larger than the plan carries is warned of, not refused.

    Raises:
        UsageError: an unknown plan, team type or role.
        RefusedError: more roles are named than the plan carries (`over-cap`).

    """
    catalogue = catalogue or builtin()
    bound = plan_named(plan)
    type = catalogue.type_named(team_type) if team_type.strip() not in ("", AUTO) else detection.type
    composing = _Composing(detection, bound, type, catalogue)
    chosen, left_out, warnings = composing.named(roles, over_cap) if roles else composing.proposed(over_cap)
    composing.change(chosen, left_out, added, removed)
    return composing.team(chosen, left_out, [*warnings, *composing.warnings(list(chosen))])


class _Composing:
    """Composes one team."""

    def __init__(self, detection: Detection, plan: Plan, type: ProjectType, catalogue: Catalogue) -> None:
        self._detection = detection
        self._plan = plan
        self._type = type
        self._catalogue = catalogue
        self._cap = catalogue.plans.caps[plan]

    # -- the two ways to a team

    def named(self, given: Sequence[str], over_cap: bool) -> tuple[Reasons, Reasons, list[str]]:
        keys, doubled = self._parse(given)
        if len(keys) > self._cap and not over_cap:
            raise self._too_many(keys)
        usual = self._wanted()[0]
        left_out = {
            key: (ReasonKind.NOT_NAMED, "you named the team, and did not name it") for key in usual if key not in keys
        }
        return dict.fromkeys(keys, (ReasonKind.NAMED, "you named it")), left_out, doubled

    def proposed(self, over_cap: bool) -> tuple[Reasons, Reasons, list[str]]:
        wanted, unneeded = self._wanted()
        fitting, crowded = self._fit(wanted, len(self._catalogue.roles) if over_cap else self._cap)
        chosen = {key: fitting[key] for key in self._catalogue.roles if key in fitting}
        left_out = unneeded | {key: (ReasonKind.NO_ROOM, self._no_room(key, chosen)) for key in crowded}
        return chosen, left_out, []

    def change(self, chosen: Reasons, left_out: Reasons, added: Iterable[str], removed: Iterable[str]) -> None:
        """Take roles in and out as the person wants it, in place."""
        for name in removed:
            key = self._catalogue.role_named(name).key
            if chosen.pop(key, None):
                left_out[key] = (ReasonKind.REMOVED, "you took it out")
        for name in added:
            key = self._catalogue.role_named(name).key
            chosen.setdefault(key, (ReasonKind.ADDED, "you added it"))

    # -- what is asked for

    def _parse(self, given: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the role keys, the orchestrator first, and a warning for each that was named twice."""
        names = [name.strip() for item in given for name in item.split(",") if name.strip()]
        if not names:
            raise UsageError(
                "no role is named",
                cause="the list of roles is empty",
                remedy="name roles, as in --roles orchestrator,developer,tester, or leave the list away",
            )
        keys = [self._catalogue.role_named(name).key for name in names]
        doubled = dict.fromkeys(key for key in keys if keys.count(key) > 1)
        warnings = [f"{key} is named more than once: a team has one agent of each role" for key in doubled]
        return sorted(dict.fromkeys(keys), key=lambda key: key != ORCHESTRATOR), warnings

    def _too_many(self, keys: Sequence[str]) -> RefusedError:
        larger = next((str(other) for other, room in self._catalogue.plans.caps.items() if room >= len(keys)), "")
        choose = f"choose a larger plan (--plan {larger}), " if larger else ""
        return RefusedError(
            f"{len(keys)} roles are more than the plan {self._plan} carries",
            cause=f"{self._plan} carries {self._cap} agents; named are {', '.join(keys)}",
            remedy=f"name at most {self._cap} roles, {choose}or accept the larger team with --over-cap",
            code="over-cap",
        )

    # -- what the project needs

    def _wanted(self) -> tuple[Reasons, Reasons]:
        """Return the roles the project should have, and the optional ones it does not need."""
        templates = self._catalogue.templates
        template = templates.types[self._type]
        wanted: Reasons = {key: (ReasonKind.ALWAYS, why) for key, why in templates.always.items()}
        wanted |= {key: (ReasonKind.REQUIRED, why) for key, why in template.required.items()}
        unneeded: Reasons = {}
        for key, rule in template.optional.items():
            found = self._found(rule)
            if found:
                wanted[key] = (ReasonKind.EVIDENCE, rule.found.format(found=found))
            else:
                unneeded[key] = (ReasonKind.UNNEEDED, rule.missing)
        return wanted, unneeded

    def _found(self, rule: OptionalRole) -> str:
        """Return what was seen of what an optional role looks for; empty when nothing was."""
        detection = self._detection
        seen = signs_in((*detection.signs, *detection.evidence), rule.signs, self._catalogue.templates)
        if seen:
            return ", ".join(seen[:_SHOWN_SIGNS])
        is_large = 0 < rule.min_source_files <= detection.source_files
        return f"{detection.source_files} source files" if is_large else ""

    def _fit(self, wanted: Reasons, cap: int) -> tuple[Reasons, list[str]]:
        """Return the roles that fit, each with what it needs, and those for which there is no room."""
        chosen: Reasons = {}
        crowded: list[str] = []
        for key in sorted(wanted, key=self._catalogue.plans.order[self._type].index):
            group = {key: wanted[key]} | self._needs_of(key, wanted)
            if len(chosen | group) <= cap:
                chosen = group | chosen
            else:
                crowded.append(key)
        return chosen, [key for key in crowded if key not in chosen]

    def _needs_of(self, key: str, wanted: Mapping[str, Because]) -> Reasons:
        """Return what a role needs, directly or not, with reasons."""
        found: Reasons = {}
        todo = [key]
        while todo:
            role = todo.pop()
            for need in self._catalogue.roles[role].needs:
                if need not in found:
                    found[need] = wanted.get(need, (ReasonKind.DEPENDENCY, f"{role} builds on its work"))
                    todo.append(need)
        return found

    def _no_room(self, key: str, chosen: Iterable[str]) -> str:
        missing = [need for need in self._needs_of(key, {}) if need not in chosen]
        room = f"the plan {self._plan} carries {self._cap} agents"
        if missing:
            return f"no room: {room}, and it would have to come with {' and '.join(missing)}"
        return f"no room: {room}, and in {self._catalogue.templates.types[self._type].phrase} others go first"

    # -- what is to be known of it

    def warnings(self, keys: Sequence[str]) -> list[str]:
        return [*self._without_hub(keys), *self._missing_needs(keys), *self._over_cap(keys)]

    def _without_hub(self, keys: Sequence[str]) -> list[str]:
        if ORCHESTRATOR in keys:
            return []
        hub = hub_of(keys, self._catalogue)
        instead = f"it talks through {hub} instead" if hub else "nobody coordinates it"
        return [f"this team has no orchestrator: {instead}"]

    def _missing_needs(self, keys: Sequence[str]) -> list[str]:
        return [
            f"{key} builds on the work of {need}, which is not in the team"
            for key in keys
            for need in self._catalogue.roles[key].needs
            if need not in keys
        ]

    def _over_cap(self, keys: Sequence[str]) -> list[str]:
        if len(keys) <= self._cap:
            return []
        carries = f"the plan {self._plan} carries ({self._cap})"
        return [f"{len(keys)} agents are more than {carries}: its usage limit will come sooner"]

    # -- the team

    def team(self, chosen: Reasons, left_out: Reasons, warnings: Sequence[str]) -> TeamProposal:
        catalogue = self._catalogue.roles
        out = {key: left_out[key] for key in catalogue if key in left_out and key not in chosen}
        return TeamProposal(
            type=self._type,
            detection=self._detection,
            plan=self._plan,
            cap=self._cap,
            chosen=self._choices(chosen),
            dropped=self._choices(out),
            warnings=tuple(warnings),
        )

    def _choices(self, reasons: Reasons) -> tuple[RoleChoice, ...]:
        roles = self._catalogue.roles
        return tuple(RoleChoice(role=roles[key], kind=kind, reason=why) for key, (kind, why) in reasons.items())
