"""Who may write to whom in a team. Pure; the rules are data in `data/routing.toml`."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from orchestrator_core.models.team import ProjectType
from orchestrator_core.team.catalogue import Catalogue, Routes, builtin


class Route(Struct, frozen=True, kw_only=True):
    """Whether one role may write to another, and if not, to whom instead."""

    allowed: bool
    why: str
    instead: str = ""
    """The role to write to instead; empty when it is allowed, or when there is nobody."""


def hub_of(team_roles: Collection[str], catalogue: Catalogue | None = None) -> str:
    """Return the role through which a team talks: the orchestrator, the project manager, or nobody ("")."""
    rules = (catalogue or builtin()).routes
    return next((role for role in (rules.hub, rules.gate) if role in team_roles), "")


def may_address(
    sender_role: str,
    target_role: str,
    team_roles: Collection[str],
    type: ProjectType,
    catalogue: Catalogue | None = None,
) -> Route:
    """Return whether `sender_role` may write to `target_role` in a team of these roles and this type."""
    catalogue = catalogue or builtin()
    hub = hub_of(team_roles, catalogue)
    if target_role == sender_role:
        return Route(allowed=False, why="an agent does not write to itself")
    if target_role not in team_roles:
        instead = hub if hub != sender_role else ""
        return Route(allowed=False, instead=instead, why=f"there is no {target_role} in this team")
    if not hub:
        return Route(allowed=True, why="nobody coordinates this team, so all write to each other")
    return _within(sender_role, target_role, hub, type, catalogue.routes)


def allowed_routes(
    team_roles: Collection[str], type: ProjectType, catalogue: Catalogue | None = None
) -> frozenset[tuple[str, str]]:
    """Return every pair of sender and target that may write to each other in a team of these roles and this type."""
    return frozenset(
        (sender, target)
        for sender in team_roles
        for target in team_roles
        if may_address(sender, target, team_roles, type, catalogue).allowed
    )


def _within(sender: str, target: str, hub: str, type: ProjectType, rules: Routes) -> Route:
    for role in (hub, rules.gate):
        if role in (sender, target):
            return Route(allowed=True, why=f"{role} and everybody else write to each other")
    if frozenset((sender, target)) in _lateral(type, rules):
        return Route(allowed=True, why=f"{sender} and {target} work hand in hand")
    return Route(allowed=False, instead=hub, why=f"{sender} and {target} talk through {hub}")


def _lateral(type: ProjectType, rules: Routes) -> set[frozenset[str]]:
    return {frozenset(pair) for name in rules.types.get(type, ()) for pair in rules.lateral[name]}
