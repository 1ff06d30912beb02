"""What an agent is told by the check-in that tmorch keeps for it. The notes are data in `data/check_ins.toml`."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.routing import hub_of


def standing_note(role: str, team_roles: Collection[str], catalogue: Catalogue | None = None) -> str:
    """Return what the agent with `role` in a team of these roles is told at each of its standing check-ins."""
    catalogue = catalogue or builtin()
    texts, hub = catalogue.notes, hub_of(team_roles, catalogue)
    note = texts.hub if role == hub else texts.default if hub else texts.alone
    besides = f"{texts.roles[role]} " if role in texts.roles else ""
    return note.strip().format(hub=f"the {hub.replace('_', ' ')}", role=besides)
