"""Whether a screen has anything new to show. Pure.

What moves by itself is no news: spinners, running seconds, hints, the prompt box and what stands below it. Nor is what
the screen has shown a moment ago, as where something blinks or a picture was taken halfway.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen import find_box
from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.agents.sgr import strip
from orchestrator_core.agents.transcript import counts, spins
from orchestrator_core.models.pane import PaneFrame

RECENT = 8
"""How many different pictures are remembered."""
ROWS = 8192
"""How many rows are remembered with what they come to: most rows of a screen stay as they are."""
RUNNING = r"(?:\d+(?:\.\d+)?(?:ms|[smhd])(?![A-Za-z]) ?)+|\d{1,2}:\d\d(?::\d\d)?"
"""Times that run, and clocks: `1m 12s`, `0:42`."""
SPINNING = r"[\s|/\\·•✢✳∗✻✽✶*●⏺◌◐◑◒◓○\u2800-\u28ff-]+"
MOVING = re.compile(f"{RUNNING}|{SPINNING}")
MOVING_OR_COUNTING = re.compile(rf"{MOVING.pattern}|\d+")


class Shown(Struct, frozen=True, kw_only=True):
    """What an agent's screen has shown of late."""

    latest: tuple[int, ...]
    """Fingerprints of its different pictures, the newest last."""
    at: float
    """Since when there was nothing new, seconds since the epoch."""
    is_witnessed: bool
    """That news was seen to come; else `at` is when the window last put something out, be it a spinner's turn."""


def shown_after(before: Shown | None, fingerprint: int, *, now: float, activity: float) -> Shown:
    """Return what has been shown when a screen has just been read; `activity` is its window's last output."""
    if before is None:
        return Shown(latest=(fingerprint,), at=min(activity, now), is_witnessed=False)
    if fingerprint not in before.latest:
        return Shown(latest=(*before.latest, fingerprint)[-RECENT:], at=now, is_witnessed=True)
    return before


def fingerprint_of(frame: PaneFrame, patterns: Patterns) -> int:
    """Return a number that differs, within this process, when a screen shows something else that counts as news.

    Of a screen with a prompt box that is what stands above it; of any other one all of it, without its digits.
    """
    lines = frame.lines[frame.history :]
    box = find_box(Rows(lines), patterns) if patterns.readable and patterns.prompt is None else None
    if box is None:
        return hash(tuple(filter(None, map(_drawn, lines))))
    return hash(tuple(filter(None, (_said(line, patterns) for line in lines[: box.top]))))


@lru_cache(maxsize=ROWS)
def _drawn(line: str) -> int:
    """Return a number for a row of any screen; 0 when there is nothing on it that counts."""
    text = MOVING_OR_COUNTING.sub("", strip(line))
    return hash(text) if text else 0


@lru_cache(maxsize=ROWS)
def _said(line: str, patterns: Patterns) -> int:
    """Return a number for a row above a prompt box; 0 when there is nothing on it that counts."""
    text = strip(line).rstrip(" ")
    if not counts(text, patterns) or spins(text, patterns):
        return 0
    said = MOVING.sub("", text)
    return hash(said) if said else 0
