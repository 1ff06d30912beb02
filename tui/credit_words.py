"""How credit and context are shown: marks, colours and short phrases. Pure."""

from __future__ import annotations

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.credit import AccountStatus, CreditReading
from orchestrator_core.models.credit_words import (
    UNKNOWN,
    Level,
    Thresholds,
    about,
    context_left,
    countdown,
    has_reset,
    level_of,
    percentage,
    used_now,
    window_name,
)
from orchestrator_core.models.spans import HOUR_S, MINUTE_S
from tui.wording import QUIET, clean

MARKS: dict[Level, str] = {
    Level.UNKNOWN: UNKNOWN,
    Level.OK: "✔",
    Level.WARNING: "!",
    Level.ALARM: "‼",
    Level.EXHAUSTED: "⏸",
}
"""A mark per level, no two alike, so that colour is never needed."""
STYLES: dict[Level, str] = {
    Level.UNKNOWN: QUIET,
    Level.OK: "",
    Level.WARNING: "$text-warning",
    Level.ALARM: "bold $text-error",
    Level.EXHAUSTED: "bold $status-limited",
}
LEVEL_WORDS: dict[Level, str] = {
    Level.UNKNOWN: "unknown",
    Level.OK: "ok",
    Level.WARNING: "warning",
    Level.ALARM: "warning: nearly used up",
    Level.EXHAUSTED: "exhausted",
}


def mark(level: Level) -> str:
    """Return what stands before a window in the header: nothing for one that is well."""
    return "" if level in (Level.OK, Level.UNKNOWN) else f"{MARKS[level]} "


def used_words(reading: CreditReading, now: float, level: Level) -> str:
    """Return how much is used; of a limit of which only the reset was told, that it is one."""
    is_bare = level is Level.EXHAUSTED and used_now(reading, now) is None
    return "limited" if is_bare else percentage(reading, now)


def brief_countdown(reading: CreditReading, now: float) -> str:
    """Return how long it is until the reset, in at most six characters: `1h12`, `~42m`, `3d04h`."""
    if reading.resets_at is None or has_reset(reading, now):
        return ""
    minutes = max(0, round((reading.resets_at - now) / MINUTE_S))
    hours, rest = divmod(minutes, MINUTE_S)
    if hours >= 48:
        return f"{about(reading)}{hours // 24}d{hours % 24:02}h"
    return about(reading) + (f"{hours}h{rest:02}" if hours else f"{minutes}m" if minutes else "<1m")


def window_forms(reading: CreditReading, now: float, thresholds: Thresholds) -> tuple[str, str, str, str]:
    """Return what is said of a window: before its bar, behind it in full and in brief, and without a bar at all."""
    level = level_of(reading, now, thresholds)
    name = clean(window_name(reading.window))
    used, brief = used_words(reading, now, level), brief_countdown(reading, now)
    full = f"{used} {countdown(reading, now)}".rstrip()
    return f"{mark(level)}{name}", full, f"{used} {brief}".rstrip(), _tight(name, used, brief, level)


def _tight(name: str, used: str, brief: str, level: Level) -> str:
    """Return the shortest form; of a limit it says when it ends, of anything else how much is used."""
    short = {"5 h": "5h", "week": "wk"}.get(name, name)
    words = brief if level is Level.EXHAUSTED and brief else used.replace(" ", "")
    return f"{mark(level).strip()}{short} {words}".strip()


def shown_windows(account: AccountStatus, now: float, thresholds: Thresholds) -> tuple[CreditReading, ...]:
    """Return the readings that the header shows: the first two windows, and whatever else is getting short."""
    readings = [window.reading for window in account.windows]
    short = [reading for reading in readings[2:] if level_of(reading, now, thresholds).value > Level.OK.value]
    return (*readings[:2], *short)


def context_mark(agent: Agent, nearly_full: float) -> str:
    """Return how much context an agent has left, as a row has room for it; empty when that is not known."""
    left = context_left(agent.context_used)
    if left is None or not agent.status.is_live:
        return ""
    return f"{'!' if is_nearly_full(agent, nearly_full) else ''}ctx {int(left)}%"


def is_nearly_full(agent: Agent, nearly_full: float) -> bool:
    """Whether an agent's context is as full as `nearly_full` says, in percent; 0 is never."""
    return nearly_full > 0 and agent.context_used is not None and agent.context_used >= nearly_full


def hours(seconds: float) -> str:
    """Return how much time a plot shows: `5 h`, `7 d`."""
    whole = round(seconds / HOUR_S)
    return f"{whole // 24} d" if whole >= 48 else f"{whole} h"
