"""What tmorch knows of roles, types of project, plans and routes: the TOML files in `data/`, typed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from orchestrator_core.errors import UsageError
from orchestrator_core.models.team import CODE_PROJECT, Plan, ProjectType, Role

DATA = Path(__file__).parent / "data"
BRIEFINGS = Path(__file__).parent / "briefings"
ORCHESTRATOR = "orchestrator"

_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
_NAME = "lower-case letters, digits{} and _, beginning with a letter"
Line = Annotated[str, Meta(pattern=_ONE_LINE, max_length=400, description="one line of text, not empty")]
Lines = tuple[Line, ...]
Reason = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=400, description="one line of text")]
"""Empty in a file that changes another: not so after all."""
Text = Annotated[str, Meta(min_length=1, max_length=4000, description="a text, not empty")]
RoleKey = Annotated[
    str, Meta(pattern="^(?!(you|tmorch|check-in)$)[a-z][a-z0-9_-]{0,39}$", description=_NAME.format(", -"))
]
"""It becomes a window, a folder, a part of a branch and the name that others write to."""
TypeKey = Annotated[ProjectType, Meta(pattern="^(?!auto$)[a-z][a-z0-9_]{0,39}$", description=_NAME.format(""))]
SetName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,39}$", description=_NAME.format(", -"))]
Model = Annotated[
    str,  # nothing that a command line would take for an option
    Meta(pattern=r"^([A-Za-z0-9][\w.:/@\[\]-]{0,99})?$", description="the name of a model, such as opus, or empty"),
]
Minutes = Annotated[int, Meta(gt=0, le=10080)]
Weight = Annotated[int, Meta(gt=0, le=100)]
Count = Annotated[int, Meta(ge=0)]
Cap = Annotated[int, Meta(gt=0, le=100)]
Pair = Annotated[tuple[str, str], Meta(description='two roles, as in ["developer", "tester"]')]
Tokens = Annotated[tuple[Count, Count], Meta(description="two whole numbers of 0 or more, from and to")]


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a data file: a key that nobody reads is an error."""


class Indicator(Strict, frozen=True, kw_only=True):
    """One kind of evidence for a type of project."""

    kind: Line
    weight: Weight
    names: Lines


class OptionalRole(Strict, frozen=True, kw_only=True):
    """When a type of project gets a role that not every such project needs."""

    found: Line
    """The reason to take it; `{found}` is what was seen."""
    missing: Line
    """The reason not to."""
    signs: Lines = ()
    min_source_files: Count = 0
    """From how many source files on size alone is reason enough; 0 = never."""


class Template(Strict, frozen=True, kw_only=True):
    """A type of project: what it is called, what speaks for it, and which team it gets."""

    title: Line
    phrase: Line
    """The title as it stands in a sentence, with its article."""
    required: dict[str, Reason] = {}
    """Role → reason."""
    optional: dict[str, OptionalRole] = {}
    indicators: tuple[Indicator, ...] = ()


class Source(Strict, frozen=True, kw_only=True):
    """Files of program code and how much they speak for a code project."""

    weight: Weight
    names: Lines


class Templates(Strict, frozen=True, kw_only=True, eq=False):
    """All types of project, and what is common to them."""

    ignored: Lines
    minor: Lines
    aside: Lines
    always: dict[str, Reason]
    """The roles of every team → reason."""
    source: Source
    signs: dict[SetName, Lines]
    types: dict[TypeKey, Template]


class Plans(Strict, frozen=True, kw_only=True):
    """How many agents each plan carries, and who goes first."""

    caps: dict[Plan, Cap]
    order: dict[ProjectType, Lines]
    tokens_per_check_in: Tokens
    """From, to: what one standing check-in of one agent reads and writes."""
    basis: Text
    """What that rests on, for the person."""


class Routes(Strict, frozen=True, kw_only=True):
    """Who may write to whom."""

    hub: str
    gate: str
    types: dict[ProjectType, Lines]
    """The sets of lateral routes that hold in a team of that type."""
    lateral: dict[SetName, tuple[Pair, ...]]


class Notes(Strict, frozen=True, kw_only=True):
    """What agents are told by their standing check-ins."""

    default: Text
    """In each, `{hub}` is the role through which the team talks, `{role}` what the agent's own is told besides."""
    hub: Text
    """To that role itself."""
    alone: Text
    """To everyone in a team without one."""
    roles: dict[str, Line]
    """What some roles are told besides."""


class RoleEntry(Strict, frozen=True, kw_only=True):
    """A role as it is written; its key is the table's."""

    title: Line
    summary: Line
    check_in_min: Minutes
    responsibilities: Lines
    owns: Lines = ()
    first_steps: Lines = ()
    needs: Lines = ()
    model: Model = ""


class Roles(Strict, frozen=True, kw_only=True):
    """The role catalogue."""

    roles: dict[RoleKey, RoleEntry]
    aliases: dict[str, str]


Collaboration = dict[str, dict[str, Line]]


class Parts(Struct, frozen=True, kw_only=True):
    """What the data files hold, a file each."""

    roles: Roles
    templates: Templates
    plans: Plans
    routing: Routes
    collaboration: Collaboration
    check_ins: Notes


PARTS: Mapping[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Parts)}
"""The data files, without their `.toml`, and what each holds."""


class Catalogue(Struct, frozen=True, kw_only=True, eq=False):
    """All that is data in a team: what the package brings, and what the person and the project have changed of it."""

    roles: dict[str, Role]
    """Key → role, in the order in which windows are made."""
    aliases: dict[str, str]
    """Other names people give to roles → key."""
    templates: Templates
    plans: Plans
    routes: Routes
    collaboration: dict[str, dict[str, str]]
    """What a role does with another one: role → other role → sentence."""
    notes: Notes
    """What agents are told by their standing check-ins."""
    briefings: tuple[Path, ...] = (BRIEFINGS,)
    """The folders of briefing templates, the first one that has a template wins."""
    rules: tuple[str, ...] = ()
    """House rules of the person and of the project, as they wrote them, for every briefing."""
    files: tuple[Path, ...] = ()
    """The files that change what the package brings, in the order in which they were read."""

    def role_named(self, name: str) -> Role:
        """Return the role a person means by `name`: case, spaces, hyphens and underscores do not matter.

        Raises:
            UsageError: no such role; names the nearest and all valid ones.

        """
        known = self.aliases | {squeeze(key): key for key in self.roles}
        key = known.get(squeeze(name))
        if key is None:
            raise _unknown("role", name, self.roles, known)
        return self.roles[key]

    def type_named(self, name: str) -> ProjectType:
        """Return the type of project a person means by `name`; its first word is enough for the first such type.

        Raises:
            UsageError: no such type; names the nearest and all valid ones.

        """
        types = self.templates.types
        known = {kind.partition("_")[0]: kind for kind in reversed(types)} | {squeeze(kind): kind for kind in types}
        kind = known.get(squeeze(name))
        if kind is None:
            raise _unknown("team type", name, tuple(types), known)
        return kind


@cache
def builtin() -> Catalogue:
    """Return the catalogue that the package brings."""
    return assembled(msgspec.convert(package_tables(), Parts))


@cache
def package_tables() -> dict[str, dict[str, Any]]:
    """Return the package's data files as they are written, by their names without `.toml`. Not to be changed."""
    return {name: tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8")) for name in PARTS}


def assembled(parts: Parts) -> Catalogue:
    """Return the catalogue of data that is right, with what it leaves open filled in.

    A role that a type's order does not name goes last in it. A type without an order has its roles first; one
    without routes has those of a code project. A reason that is empty takes the role out of its list.
    """
    entries, templates = parts.roles.roles, _with_reasons(parts.templates)
    orders = {type: _order(type, parts.plans, templates, entries) for type in templates.types}
    usual = parts.routing.types[CODE_PROJECT]
    routes = {type: parts.routing.types.get(type, usual) for type in templates.types}
    return Catalogue(
        roles={key: Role(key=key, **msgspec.structs.asdict(entry)) for key, entry in entries.items()},
        aliases={squeeze(alias): key for alias, key in parts.roles.aliases.items()},
        templates=templates,
        plans=msgspec.structs.replace(parts.plans, order=orders),
        routes=msgspec.structs.replace(parts.routing, types=routes),
        collaboration=parts.collaboration,
        notes=parts.check_ins,
    )


def _with_reasons(templates: Templates) -> Templates:
    types = {type: _with_required(template) for type, template in templates.types.items()}
    always = {role: why for role, why in templates.always.items() if why}
    return msgspec.structs.replace(templates, types=types, always=always)


def _with_required(template: Template) -> Template:
    required = {role: why for role, why in template.required.items() if why}
    optional = {role: rule for role, rule in template.optional.items() if role not in required}
    return msgspec.structs.replace(template, required=required, optional=optional)


def _order(type: ProjectType, plans: Plans, templates: Templates, roles: Iterable[str]) -> tuple[str, ...]:
    template, always = templates.types[type], tuple(templates.always)
    own = (*always[:1], *template.required, *always, *template.optional)
    return tuple(dict.fromkeys((*plans.order.get(type, own), *roles)))


def plan_named(name: str) -> Plan:
    """Return the plan a person means by `name`.

    Raises:
        UsageError: no such plan; names the nearest and all valid ones.

    """
    known = {squeeze(plan): plan for plan in Plan}
    plan = known.get(squeeze(name))
    if plan is None:
        raise _unknown("plan", name, tuple(Plan), known)
    return plan


def squeeze(name: str) -> str:
    """Return a name as it is compared: without case, spaces, hyphens and underscores."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _unknown(what: str, name: str, valid: Iterable[str], known: Mapping[str, str]) -> UsageError:
    near = difflib.get_close_matches(squeeze(name), known, n=1, cutoff=0.6)
    hint = f"did you mean {str(known[near[0]])!r}? " if near else ""
    return UsageError(
        f"there is no {what} {name!r}",
        cause=f"the {what}s are: {', '.join(str(word) for word in valid)}",
        remedy=f"{hint}use one of the names above",
        code=f"unknown-{what.replace(' ', '-')}",
    )
