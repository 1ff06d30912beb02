"""What Claude Code has written into a conversation: whether anything was said, and the limit that was met."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator_core.agents.limits import DOOMSDAY, EPOCH

TAIL = 1 << 18
"""How many bytes of a conversation's end are looked through: it may be long, and holds whole requests."""
MARK = b"usage_limit_reached"
TURN = b'"uuid"'
"""What every entry has that is part of the conversation: those without it only name it, or tell how it is shown."""


class LimitRecord(Struct, frozen=True, kw_only=True):
    """A limit that was met. Times are seconds since the epoch."""

    window: str
    at: float
    resets_at: float


def has_turns(file: Path) -> bool:
    """Whether anything is in a conversation: one that holds only its title, as right after /clear, is "not found"."""
    try:
        with file.open("rb") as lines:
            return any(TURN in line for line in lines)
    except OSError:
        return False


def newest_limit(tail: bytes) -> LimitRecord | None:
    """Return the last limit in the end of a conversation; None when there is none that can be read."""
    for line in reversed(tail.split(b"\n")):
        if MARK in line and (found := _record(line)) is not None:
            return found
    return None


def _record(line: bytes) -> LimitRecord | None:
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(entry, dict) or entry.get("isApiErrorMessage") is not True:
        return None  # what somebody quoted
    if entry.get("apiError") != "usage_limit_reached" or not isinstance(quota := entry.get("quotaLimits"), dict):
        return None
    resets_at, window, at = _epoch(quota.get("resetsAt")), quota.get("rateLimitType"), _moment(entry.get("timestamp"))
    if resets_at is None or at is None or not isinstance(window, str) or not window:
        return None
    return LimitRecord(window=window, at=at, resets_at=resets_at)


def _epoch(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and EPOCH < value < DOOMSDAY else None


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
