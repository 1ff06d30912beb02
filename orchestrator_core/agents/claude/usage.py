"""What Claude Code has told an agent's status line: how much is used of a subscription, and by the agent itself.

Windows are told of for subscriptions only, and only after the first answer: whatever is missing counts as not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator_core.agents.claude.status_program import KEPT
from orchestrator_core.agents.limits import DOOMSDAY, EPOCH, UsageWindow

STATUS_LINE = KEPT
"""In an agent's folder: the latest that its status line was told."""
NAME_LENGTH = 40
"""A longer name of a window is none."""


class StatusLine(Struct, frozen=True, kw_only=True):
    """The part of it that tmorch heeds."""

    conversation: str = ""
    transcript: str = ""
    """Where Claude Code keeps the conversation."""
    model: str = ""
    cost_usd: float | None = None
    context_used: float | None = None
    """In percent."""
    context_size: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    windows: Mapping[str, UsageWindow] = {}


def decode(content: bytes) -> StatusLine | None:
    """Return what a status line was told, as far as it can be read; None when it is no such thing."""
    try:
        fields = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(fields, dict):
        return None
    context, cost, limits = (_table(fields, name) for name in ("context_window", "cost", "rate_limits"))
    return StatusLine(
        conversation=_text(fields, "session_id"),
        transcript=_text(fields, "transcript_path"),
        model=_text(_table(fields, "model"), "display_name"),
        cost_usd=_number(cost, "total_cost_usd"),
        context_used=_number(context, "used_percentage"),
        context_size=_whole(context, "context_window_size"),
        input_tokens=_whole(context, "total_input_tokens"),
        output_tokens=_whole(context, "total_output_tokens"),
        windows=_windows(limits),
    )


def _windows(limits: Mapping[str, Any]) -> dict[str, UsageWindow]:
    found = {name: _window(_table(limits, name)) for name in limits if 0 < len(name) <= NAME_LENGTH}
    return {name: window for name, window in found.items() if window is not None}


def _table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _window(fields: Mapping[str, Any]) -> UsageWindow | None:
    used, resets_at = _number(fields, "used_percentage"), _number(fields, "resets_at")
    if used is None or resets_at is None or not EPOCH < resets_at < DOOMSDAY:
        return None
    return UsageWindow(used_percentage=used, resets_at=resets_at)


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62
    return value if is_count else None
