"""How much of a subscription is used, by what Claude Code has told an agent's status line.

Only subscriptions are told of, and only after the first answer: whatever is missing counts as not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from orchestrator_core.agents.claude.status_program import KEPT
from orchestrator_core.agents.limits import DOOMSDAY, EPOCH, UsageWindow

STATUS_LINE = KEPT
"""In an agent's folder: the latest that its status line was told."""
WINDOWS = ("five_hour", "seven_day")


def decode(content: bytes) -> tuple[UsageWindow, ...]:
    """Return the windows that a status line was told of, as far as they can be read."""
    try:
        limits = _table(msgspec.json.decode(content), "rate_limits")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    found = (_window(_table(limits, name)) for name in WINDOWS)
    return tuple(window for window in found if window is not None)


def _table(fields: object, name: str) -> Mapping[str, Any]:
    found = fields.get(name) if isinstance(fields, dict) else None
    return found if isinstance(found, dict) else {}


def _window(fields: Mapping[str, Any]) -> UsageWindow | None:
    used, resets_at = _number(fields, "used_percentage"), _number(fields, "resets_at")
    if used is None or resets_at is None or not EPOCH < resets_at < DOOMSDAY:
        return None
    return UsageWindow(used_percentage=used, resets_at=resets_at)


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
