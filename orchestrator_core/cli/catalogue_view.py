"""Roles, types of project and what a project was found to be: as people read them, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator_core.cli.documents import Json
from orchestrator_core.cli.output import Look, paint
from orchestrator_core.cli.prose import bullets, facts, wrapped
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.team import Detection, Role

if TYPE_CHECKING:
    from orchestrator_core.services.role_facts import RoleFacts
    from orchestrator_core.team.catalogue import Catalogue, Template

Lines = list[str]


def role_document(known: RoleFacts) -> Json:
    """Return the document of `team show`."""
    return {
        **_role(known.role),
        "responsibilities": list(known.role.responsibilities),
        "owns": list(known.role.owns),
        "first_steps": list(known.role.first_steps),
        "writes_to": {kind: list(partners) for kind, partners in known.partners.items()},
        "files": list(known.files),
    }


def roles_document(catalogue: Catalogue) -> Json:
    """Return the document of `team roles`."""
    return {"roles": [_role(role) for role in catalogue.roles.values()], "files": _files(catalogue)}


def types_document(catalogue: Catalogue) -> Json:
    """Return the document of `team types`."""
    always = catalogue.templates.always
    types = [
        {
            "type": kind,
            "title": each.title,
            "required": {**always, **each.required},
            "optional": {role: rule.found for role, rule in each.optional.items()},
        }
        for kind, each in catalogue.templates.types.items()
    ]
    return {"types": types, "files": _files(catalogue)}


def detection_document(found: Detection) -> Json:
    """Return the document of `team detect`."""
    return {
        "type": found.type,
        "confidence": found.confidence,
        "evidence": list(found.evidence),
        "reason": found.reason,
        "signs": list(found.signs),
        "source_files": found.source_files,
    }


def _role(role: Role) -> Json:
    return {
        "role": role.key,
        "title": role.title,
        "summary": role.summary,
        "check_in_min": role.check_in_min,
        "model": role.model,
        "needs": list(role.needs),
    }


def _files(catalogue: Catalogue) -> list[str]:
    return list(map(str, catalogue.files))


# --- for people


def role_lines(known: RoleFacts, look: Look) -> Lines:
    """Return one role as lines."""
    role, width = known.role, look.width
    fields = (
        ("for", role.summary),
        ("check-in", f"every {role.check_in_min} min"),
        ("model", role.model or "the agent's own default"),
        ("needs", ", ".join(role.needs)),
        ("owns", ", ".join(role.owns)),
        ("changed by", ", ".join(known.files)),
    )
    return [
        paint(f"{role.key}: {role.title}", "strong", color=look.color),
        *facts(fields, width),
        *bullets("does", role.responsibilities, width),
        *bullets("first steps", role.first_steps, width),
        "may write to, where they are in the team",
        *facts(((f"  {kind}", text) for kind, text in _partners(known)), width),
    ]


def _partners(known: RoleFacts) -> Iterator[tuple[str, str]]:
    for kind, partners in known.partners.items():
        yield kind, "everybody" if len(partners) == known.others else ", ".join(partners) or "nobody"


def roles_lines(catalogue: Catalogue, look: Look) -> Lines:
    """Return a table with a line a role."""
    columns = (Column("ROLE"), Column("CHECK-IN", right=True), Column("MODEL"), Column("FOR", elastic=True))
    rows = (
        (Cell(role.key, "strong"), f"{role.check_in_min} min", role.model, role.summary)
        for role in catalogue.roles.values()
    )
    return [*table(columns, rows, width=look.width, color=look.color), *_changed_by(catalogue, look.width)]


def types_lines(catalogue: Catalogue, look: Look) -> Lines:
    """Return every type of project with its team."""
    always = facts((("in every team", ", ".join(catalogue.templates.always)),), look.width)
    types = (line for kind, each in catalogue.templates.types.items() for line in (*_type(kind, each, look), ""))
    return [*types, *always, *_changed_by(catalogue, look.width)]


def _type(kind: str, template: Template, look: Look) -> Lines:
    fields = (("  has", ", ".join(template.required)), ("  may have", ", ".join(template.optional)))
    return [paint(f"{kind}: {template.title}", "strong", color=look.color), *facts(fields, look.width)]


def _changed_by(catalogue: Catalogue, width: int | None) -> Lines:
    return [line for file in _files(catalogue) for line in wrapped(file, width, "changed by ")]


def detection_lines(found: Detection, look: Look) -> Lines:
    """Return what a project was found to be."""
    fields = (
        ("type", found.type),
        ("confidence", f"{found.confidence:.0%}"),
        ("why", found.reason),
        ("evidence", ", ".join(found.evidence) or "none"),
        ("signs", ", ".join(found.signs)),
        ("source files", str(found.source_files)),
    )
    return facts(fields, look.width)
