"""What tmorch knows of roles, types of project, plans and routes: the TOML files in `data/`, typed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from orchestrator_core.errors import UsageError
from orchestrator_core.models.team import Plan, ProjectType, Role

DATA = Path(__file__).parent / "data"
BRIEFINGS = Path(__file__).parent / "briefings"
ORCHESTRATOR = "orchestrator"

T = TypeVar("T")


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a data file: a key that nobody reads is an error."""


class Indicator(Strict, frozen=True, kw_only=True):
    """One kind of evidence for a type of project."""

    kind: str
    weight: int
    names: tuple[str, ...]


class OptionalRole(Strict, frozen=True, kw_only=True):
    """When a type of project gets a role that not every such project needs."""

    found: str
    """The reason to take it; `{found}` is what was seen."""
    missing: str
    """The reason not to."""
    signs: tuple[str, ...] = ()
    min_source_files: int = 0
    """From how many source files on size alone is reason enough; 0 = never."""


class Template(Strict, frozen=True, kw_only=True):
    """A type of project: what it is called, what speaks for it, and which team it gets."""

    title: str
    phrase: str
    """The title as it stands in a sentence, with its article."""
    required: dict[str, str]
    """Role → reason."""
    optional: dict[str, OptionalRole]
    indicators: tuple[Indicator, ...]


class Source(Strict, frozen=True, kw_only=True):
    """Files of program code and how much they speak for a code project."""

    weight: int
    names: tuple[str, ...]


class Templates(Strict, frozen=True, kw_only=True, eq=False):
    """All types of project, and what is common to them."""

    ignored: tuple[str, ...]
    minor: tuple[str, ...]
    always: dict[str, str]
    """The roles of every team → reason."""
    source: Source
    signs: dict[str, tuple[str, ...]]
    types: dict[ProjectType, Template]


class Plans(Strict, frozen=True, kw_only=True):
    """How many agents each plan carries, and who goes first."""

    caps: dict[Plan, int]
    order: dict[ProjectType, tuple[str, ...]]
    tokens_per_check_in: tuple[int, int]
    """From, to: what one standing check-in of one agent reads and writes."""
    basis: str
    """What that rests on, for the person."""


class Routes(Strict, frozen=True, kw_only=True):
    """Who may write to whom."""

    hub: str
    gate: str
    types: dict[ProjectType, tuple[str, ...]]
    """The sets of lateral routes that hold in a team of that type."""
    lateral: dict[str, tuple[tuple[str, str], ...]]


class Notes(Strict, frozen=True, kw_only=True):
    """What agents are told by their standing check-ins."""

    default: str
    """In each, `{hub}` is the role through which the team talks, `{role}` what the agent's own is told besides."""
    hub: str
    """To that role itself."""
    alone: str
    """To everyone in a team without one."""
    roles: dict[str, str]
    """What some roles are told besides."""


class _RoleEntry(Strict, frozen=True, kw_only=True):
    title: str
    summary: str
    check_in_min: int
    responsibilities: tuple[str, ...]
    owns: tuple[str, ...] = ()
    first_steps: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    model: str = ""


class _RoleFile(Strict, frozen=True, kw_only=True):
    roles: dict[str, _RoleEntry]
    aliases: dict[str, str]


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
    files: tuple[Path, ...] = ()
    """The files that change what the package brings, in the order in which they were read."""

    def role_named(self, name: str) -> Role:
        """Return the role a person means by `name`: case, spaces, hyphens and underscores do not matter.

        Raises:
            UsageError: no such role; names the nearest and all valid ones.

        """
        known = {_squeeze(key): key for key in self.roles} | self.aliases
        key = known.get(_squeeze(name))
        if key is None:
            raise _unknown("role", name, self.roles, known)
        return self.roles[key]

    def type_named(self, name: str) -> ProjectType:
        """Return the type of project a person means by `name`; its first word is enough.

        Raises:
            UsageError: no such type; names the nearest and all valid ones.

        """
        types = self.templates.types
        known = {kind.partition("_")[0]: kind for kind in types} | {_squeeze(kind): kind for kind in types}
        kind = known.get(_squeeze(name))
        if kind is None:
            raise _unknown("team type", name, tuple(types), known)
        return kind


@cache
def builtin() -> Catalogue:
    """Return the catalogue that the package brings."""
    role_file = _read("roles.toml", _RoleFile)
    entries = role_file.roles
    return Catalogue(
        roles={key: Role(key=key, **msgspec.structs.asdict(entry)) for key, entry in entries.items()},
        aliases=role_file.aliases,
        templates=_read("templates.toml", Templates),
        plans=_read("plans.toml", Plans),
        routes=_read("routing.toml", Routes),
        collaboration=_read("collaboration.toml", dict[str, dict[str, str]]),
        notes=_read("check_ins.toml", Notes),
    )


def _read(name: str, kind: type[T]) -> T:
    content: dict[str, Any] = tomllib.loads((DATA / name).read_text(encoding="utf-8"))
    return msgspec.convert(content, kind)


def plan_named(name: str) -> Plan:
    """Return the plan a person means by `name`.

    Raises:
        UsageError: no such plan; names the nearest and all valid ones.

    """
    known = {_squeeze(plan): plan for plan in Plan}
    plan = known.get(_squeeze(name))
    if plan is None:
        raise _unknown("plan", name, tuple(Plan), known)
    return plan


def _squeeze(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _unknown(what: str, name: str, valid: Iterable[str], known: Mapping[str, str]) -> UsageError:
    near = difflib.get_close_matches(_squeeze(name), known, n=1, cutoff=0.6)
    hint = f"did you mean {str(known[near[0]])!r}? " if near else ""
    return UsageError(
        f"there is no {what} {name!r}",
        cause=f"the {what}s are: {', '.join(str(word) for word in valid)}",
        remedy=f"{hint}use one of the names above",
        code=f"unknown-{what.replace(' ', '-')}",
    )
