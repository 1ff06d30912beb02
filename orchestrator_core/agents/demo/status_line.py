"""The status line of the person's settings: a command that is told how the agent stands, and says a line."""

from __future__ import annotations

import json
import math
import time
from typing import Any

from orchestrator_core.agents.demo.conversation import MODEL, MODEL_NAME, VERSION, Conversation
from orchestrator_core.agents.demo.shell import ShellCommand
from orchestrator_core.agents.demo.trouble import Limit

TIMEOUT_S = 5.0
LOOK_S = 0.1
MOST_ROWS = 5
WINDOW_TOKENS = 1_000_000
TURN_USD = 0.0635
WINDOWS_S = {"five_hour": 5 * 3600, "seven_day": 7 * 86400}
PERCENT_USED, PERCENT_MOST = 55, 85


class StatusLine:
    """Runs the command whenever something has changed, one run at a time."""

    def __init__(self, command: str, conversation: Conversation, now: float, *, has_windows: bool = False) -> None:
        """`has_windows`: there is a subscription whose use is told of before any limit was met, too."""
        self.rows: tuple[str, ...] = ()
        """What it said last; a row without words when it said nothing."""
        self._command = command
        self._conversation = conversation
        self._has_windows = has_windows
        self._begun = now
        self._running: ShellCommand | None = None
        self._told: object = None

    def deadline(self, now: float) -> float:
        """Return when to look again."""
        return now + LOOK_S if self._running else math.inf

    def update(self, state: object, limit: Limit | None, now: float) -> None:
        """Tell the command, if `state` is not the one it was told last."""
        outcome = self._running.poll(now) if self._running else None
        if outcome:
            self._running = None
            self.rows = tuple((outcome.text if outcome.ok else "").rstrip("\n").split("\n")[:MOST_ROWS])
        if state != self._told and not self._running:
            self._told = state
            windows = windows_at(time.time()) if self._has_windows else None
            told = json.dumps(payload(self._conversation, now - self._begun, limit, windows)).encode()
            self._running = ShellCommand(self._command, told, now, TIMEOUT_S)

    def end(self) -> None:
        """Leave nothing running."""
        if self._running:
            self._running.kill()


def payload(
    conversation: Conversation, seconds: float, limit: Limit | None, windows: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the command is told, in Claude Code's shape; a limit comes with how much of it is used."""
    tokens = conversation.tokens
    used = {
        "input_tokens": tokens - 20_000,
        "output_tokens": 8,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 20_000,
    }
    prompt = {"prompt_id": conversation.prompt_id} if conversation.prompt_id else {}
    return {
        "session_id": conversation.id,
        "transcript_path": conversation.path,
        "cwd": conversation.project,
        **prompt,
        "effort": {"level": "medium"},
        "model": {"id": MODEL, "display_name": MODEL_NAME},
        "workspace": {"current_dir": conversation.project, "project_dir": conversation.project, "added_dirs": []},
        "version": VERSION,
        "output_style": {"name": "default"},
        "cost": {
            "total_cost_usd": round(TURN_USD * conversation.prompts, 6),
            "total_duration_ms": int(seconds * 1000),
            "total_api_duration_ms": 363 * conversation.prompts,
            "total_lines_added": 0,
            "total_lines_removed": 0,
        },
        "context_window": {
            "total_input_tokens": tokens,
            "total_output_tokens": 8 * conversation.prompts,
            "context_window_size": WINDOW_TOKENS,
            "current_usage": used,
            "used_percentage": round(100 * tokens / WINDOW_TOKENS),
            "remaining_percentage": 100 - round(100 * tokens / WINDOW_TOKENS),
        },
        "exceeds_200k_tokens": tokens > 200_000,
        "prompt_cache": _cache(conversation.prompts, tokens),
        "fast_mode": False,
        "thinking": {"enabled": True},
        **({"rate_limits": _rate_limits(limit, windows)} if limit or windows else {}),
    }


def _cache(prompts: int, tokens: int) -> dict[str, Any]:
    return {
        "warm": True,
        "caching_observed": True,
        "ttl": "5m",
        "expires_at": int(time.time()) + 300,
        "requests": prompts,
        "misses": 0,
        "expected_rebuilds": 0,
        "hit_ratio": 0.94,
        "cache_write_tokens": 0,
        "miss_recache_tokens": 0,
        "last_miss_at": None,
        "last_miss_cause": None,
        "miss_causes": {},
        "recache_tokens_if_cold": tokens,
    }


def windows_at(moment: float) -> dict[str, Any]:
    """Return a subscription as it might be: all demo agents tell the same, and it fills while the time goes."""
    return {window: _filling(moment, seconds) for window, seconds in WINDOWS_S.items()}


def _filling(moment: float, seconds: int) -> dict[str, Any]:
    begun = moment // seconds * seconds
    return {"used_percentage": round(PERCENT_MOST * (moment - begun) / seconds), "resets_at": int(begun + seconds)}


def _rate_limits(limit: Limit | None, windows: dict[str, Any] | None) -> dict[str, Any]:
    now = int(time.time())
    told = windows or {
        window: {"used_percentage": PERCENT_USED, "resets_at": now + seconds} for window, seconds in WINDOWS_S.items()
    }
    return {**told, limit.window: {"used_percentage": 100, "resets_at": limit.resets_at or now}} if limit else told
