"""From a project type, a plan and the person's wishes to a team, with a reason for each role. Pure.

Two ways lead to a team:

- *Named* with `--roles`: exactly those roles, whatever the type says. What is odd about them, such as a missing
  orchestrator or a role without the one it needs, becomes a warning. More than the plan carries is refused unless
  the person accepts it.
- *Proposed*: the roles of every team, those the type requires, and the optional ones for which there is evidence,
  cut to the plan's cap in the type's order. A role comes together with the roles it needs, or not at all.

On top of either come the roles that the person took in or out, one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from orchestrator_core.errors import RefusedError, UsageError
from orchestrator_core.models.analysis import Action, Suggestion
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
    suggestions: Sequence[Suggestion] = (),
    catalogue: Catalogue | None = None,
) -> TeamProposal:
    """Return the team for a project.

    `roles` are as the person gave them: names or comma-separated lists of names, in any case and with the usual
    other names such as `pm`. `team_type` overrides the detected type; empty or `auto` does not. With `over_cap`
    the plan's cap only warns. `added` and `removed` are changes to what comes of all that: they never push another
    role out or bring one in, and a team that they make larger than the plan carries is warned of, not refused. Where
    one of the `suggestions` has advised such a change, its words are the reason.

    Windows are in the order of the catalogue, the orchestrator first; those of named roles as they were named.

    Raises:
        UsageError: an unknown plan, team type or role, or nobody is left.
        RefusedError: more roles are named than the plan carries (`over-cap`).

    """
    catalogue = catalogue or builtin()
    bound = plan_named(plan)
    type = catalogue.type_named(detection.type if team_type.strip() in ("", AUTO) else team_type)
    composing = _Composing(detection, bound, type, catalogue)
    chosen, left_out, warnings = composing.named(roles, over_cap) if roles else composing.proposed(over_cap)
    taken_out = [key_of(name, catalogue) for name in removed]
    taken_in = [key_of(name, catalogue) for name in added]
    named = tuple(chosen) if roles else ()
    if taken_out or taken_in:
        composing.change(chosen, left_out, taken_in, taken_out, _advised(suggestions))
    chosen = composing.in_order(chosen, named)
    return composing.team(chosen, left_out, [*warnings, *composing.warnings(chosen, taken_out)])


def key_of(name: str, catalogue: Catalogue) -> str:
    """Return the key of the role a person means by `name`; quick when it is one already. Raises as `role_named`."""
    return name if name in catalogue.roles else catalogue.role_named(name).key


def joined(words: Sequence[str]) -> str:
    """Return words as they are listed in a sentence: `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def without_need(role: str, need: str) -> str:
    """Return what is to be known of a role that lacks the one whose work it builds on."""
    return f"{role} builds on the work of {need}, which is not in the team"


def over_cap_by(count: int, plan: Plan, cap: int) -> str:
    """Return what is to be known of a team larger than its plan carries."""
    return f"{count} agents are more than the plan {plan} carries ({cap}): its usage limit will come sooner"


def _advised(suggestions: Iterable[Suggestion]) -> dict[tuple[Action, str], str]:
    return {(each.action, each.role): each.why for each in suggestions}


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
        chosen, crowded = self._fit(wanted, len(self._catalogue.roles) if over_cap else self._cap)
        return chosen, unneeded | crowded, []

    def change(
        self,
        chosen: Reasons,
        left_out: Reasons,
        added: Iterable[str],
        removed: Iterable[str],
        advised: Mapping[tuple[Action, str], str],
    ) -> None:
        """Take roles in and out as the person wants it, in place."""
        for key in removed:
            if chosen.pop(key, None):
                left_out[key] = (ReasonKind.REMOVED, advised.get((Action.REMOVE, key)) or "you took it out")
        for key in added:
            why = advised.get((Action.ADD, key))
            chosen.setdefault(key, (ReasonKind.SUGGESTED, why) if why else (ReasonKind.ADDED, "you added it"))
        if not chosen:
            raise UsageError(
                "nobody is left in the team",
                cause="every role was taken out",
                remedy="add a role before you take out the last one",
                code="no-roles",
            )
        self._keep_true(chosen, left_out)

    def _keep_true(self, chosen: Reasons, left_out: Reasons) -> None:
        """Correct the reasons that a change has made wrong."""
        for key, (kind, why) in chosen.items():
            if kind is ReasonKind.DEPENDENCY and not self._needing(key, chosen):
                chosen[key] = (kind, f"{why}, but is not in the team any more")
        for key, (kind, why) in left_out.items():
            if kind is ReasonKind.NO_ROOM and len({key, *self._needs_of(key, {}), *chosen}) <= self._cap:
                left_out[key] = (kind, f"{why}; there is room now")

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
        keys = [key_of(name, self._catalogue) for name in names]
        doubled = dict.fromkeys(key for key in keys if keys.count(key) > 1)
        warnings = [f"{key} is named more than once: a team has one agent of each role" for key in doubled]
        return sorted(dict.fromkeys(keys), key=_orchestrator_first), warnings

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
            if key in wanted:
                continue
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

    def _fit(self, wanted: Reasons, cap: int) -> tuple[Reasons, Reasons]:
        """Return the roles that fit, each with what it needs, and those for which there is no room."""
        chosen: Reasons = {}
        crowded: Reasons = {}
        for key in self._by_rank(wanted):
            group = {key: wanted[key]} | self._needs_of(key, wanted)
            if len(chosen | group) <= cap:
                chosen |= {each: why for each, why in group.items() if each not in chosen}
            else:
                crowded[key] = (ReasonKind.NO_ROOM, self._no_room(key, chosen, group))
        return chosen, {key: why for key, why in crowded.items() if key not in chosen}

    def _by_rank(self, keys: Iterable[str]) -> list[str]:
        """Return roles in the order in which they get a place: those that the type's order does not name go last."""
        order = self._catalogue.plans.order.get(self._type, ())
        rank = {key: place for place, key in enumerate(order)}
        return sorted(keys, key=lambda key: (_orchestrator_first(key), rank.get(key, len(rank))))

    def _needs_of(self, key: str, wanted: Mapping[str, Because]) -> Reasons:
        """Return what a role needs, directly or not, with reasons."""
        found: Reasons = {}
        todo = [key]
        while todo:
            role = todo.pop()
            for need in self._catalogue.roles[role].needs:
                if need not in found and need != key:
                    found[need] = wanted.get(need, (ReasonKind.DEPENDENCY, f"{role} builds on its work"))
                    todo.append(need)
        return found

    def _no_room(self, key: str, chosen: Collection[str], group: Iterable[str]) -> str:
        phrase = self._catalogue.templates.types[self._type].phrase
        first = joined(self._by_rank(chosen))
        room = f"no room: the plan {self._plan} carries {self._cap} agents, and in {phrase} it comes after {first}"
        missing = [role for role in group if role != key and role not in chosen]
        return f"{room}; it would have to come with {joined(missing)}" if missing else room

    def _needing(self, key: str, keys: Iterable[str]) -> list[str]:
        return [role for role in keys if key in self._catalogue.roles[role].needs]

    def in_order(self, reasons: Reasons, named: Sequence[str] = ()) -> Reasons:
        """Return roles as windows are made: the orchestrator, those named, and the others as the catalogue has them."""
        keys = sorted(dict.fromkeys((*named, *self._catalogue.roles)), key=_orchestrator_first)
        return {key: reasons[key] for key in keys if key in reasons}

    # -- what is to be known of it

    def warnings(self, chosen: Reasons, taken_out: Collection[str]) -> list[str]:
        return [
            *self._without_hub(list(chosen)),
            *self._missing_needs(chosen),
            *self._left_over(chosen, taken_out),
            *self._over_cap(len(chosen)),
        ]

    def _without_hub(self, keys: Sequence[str]) -> list[str]:
        if ORCHESTRATOR in keys:
            return []
        hub = hub_of(keys, self._catalogue)
        instead = f"it talks through {hub} instead" if hub else "nobody coordinates it"
        return [f"this team has no orchestrator: {instead}"]

    def _missing_needs(self, keys: Iterable[str]) -> list[str]:
        return [
            without_need(key, need) for key in keys for need in self._catalogue.roles[key].needs if need not in keys
        ]

    def _left_over(self, chosen: Reasons, taken_out: Collection[str]) -> list[str]:
        """Return a warning for each role that came for the sake of another one which is out now."""
        alone = [
            key for key, (kind, _) in chosen.items() if kind is ReasonKind.DEPENDENCY and not self._needing(key, chosen)
        ]
        return [f"{key} came for the sake of {joined(self._needing(key, taken_out))} alone" for key in alone]

    def _over_cap(self, count: int) -> list[str]:
        return [over_cap_by(count, self._plan, self._cap)] if count > self._cap else []

    # -- the team

    def team(self, chosen: Reasons, left_out: Reasons, warnings: Sequence[str]) -> TeamProposal:
        out = {key: why for key, why in left_out.items() if key not in chosen}
        return TeamProposal(
            type=self._type,
            detection=self._detection,
            plan=self._plan,
            cap=self._cap,
            chosen=self._choices(chosen),
            dropped=self._choices(self.in_order(out)),
            warnings=tuple(warnings),
        )

    def _choices(self, reasons: Reasons) -> tuple[RoleChoice, ...]:
        roles = self._catalogue.roles
        return tuple(RoleChoice(role=roles[key], kind=kind, reason=why) for key, (kind, why) in reasons.items())


def _orchestrator_first(key: str) -> bool:
    return key != ORCHESTRATOR
