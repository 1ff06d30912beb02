"""What is known of one role: itself, whom it may write to, and which files made it what it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

from msgspec import Struct

from orchestrator_core.models.team import ProjectType, Role
from orchestrator_core.team.catalogue import Catalogue
from orchestrator_core.team.routing import allowed_routes

_FILE = "roles.toml"


class RoleFacts(Struct, frozen=True, kw_only=True):
    """A role as a project has it."""

    role: Role
    partners: dict[ProjectType, tuple[str, ...]]
    """By the type of a team that has every role: those it may write to, in the catalogue's order."""
    others: int
    """How many other roles there are."""
    files: tuple[str, ...]
    """The files of the person and of the project that say something about it; none for the package's own."""


def facts_of(catalogue: Catalogue, name: str) -> RoleFacts:
    """Return what is known of the role that `name` means.

    Raises:
        UsageError: there is no such role.

    """
    role = catalogue.role_named(name)
    return RoleFacts(
        role=role,
        partners={kind: _partners(role.key, kind, catalogue) for kind in catalogue.templates.types},
        others=len(catalogue.roles) - 1,
        files=tuple(str(file) for file in catalogue.files if file.name == _FILE and role.key in _roles_in(file)),
    )


def _partners(role: str, kind: ProjectType, catalogue: Catalogue) -> tuple[str, ...]:
    routes = allowed_routes(catalogue.roles, kind, catalogue)
    return tuple(other for other in catalogue.roles if other != role and (role, other) in routes)


def _roles_in(file: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("roles", {})
    return found
