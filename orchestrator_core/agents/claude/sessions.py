"""Claude Code's own file about a running session: `<configuration>/sessions/<pid>.json`.

Undocumented, and so an extra: whatever is missing or unknown in it counts as not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from orchestrator_core.agents.evidence import SessionEvidence
from orchestrator_core.config.paths import expanded

LATEST_MS = 1e14
"""What is later is no time."""


def folder(environ: Mapping[str, str]) -> Path:
    """Return where Claude Code keeps these files for who has that environment."""
    return expanded(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude", environ) / "sessions"


def decode(content: bytes) -> SessionEvidence | None:
    """Return what a session file says; None when it is none, or not written to its end."""
    try:
        fields = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(fields, dict):
        return None
    pid = _whole(fields, "pid")
    if pid is None:
        return None
    start = fields.get("procStart")
    return SessionEvidence(
        pid=pid,
        conversation=_text(fields, "sessionId"),
        process_start=str(start) if isinstance(start, str | int) else "",
        started_at=_seconds(fields, "startedAt"),
        status=_text(fields, "status"),
        waiting_for=_text(fields, "waitingFor"),
        status_at=_seconds(fields, "statusUpdatedAt"),
        pane=_text(fields, "tmux").rpartition(".")[2],
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _seconds(fields: Mapping[str, Any], name: str) -> float | None:
    """Return a time, which the file gives in milliseconds."""
    value = fields.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < LATEST_MS:
        return None
    return value / 1000
