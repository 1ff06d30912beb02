"""Names that are generated once, stored, and never derived again. Pure but for the random suffix."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable

from orchestrator_core.models.ids import OrchestrationId

SLUG_LENGTH = 24
FALLBACK = "project"


def slug(name: str) -> str:
    """Return `name` in lower-case ASCII letters, digits and single hyphens, at most 24 characters.

    It is fit for a tmux session, a branch and a folder; a name with nothing of that kind becomes `project`.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:SLUG_LENGTH].strip("-") or FALLBACK


def new_id(project_name: str, is_taken: Callable[[str], bool]) -> OrchestrationId:
    """Return a fresh id such as `shop-3f2a`; `is_taken` tells which ones, session names too, exist."""
    while True:
        candidate = f"{slug(project_name)}-{secrets.token_hex(2)}"
        if not is_taken(candidate):
            return OrchestrationId(candidate)


def branch_name(orchestration: OrchestrationId, role: str) -> str:
    """Return the branch of an agent."""
    return f"tmorch/{orchestration}/{role}"
