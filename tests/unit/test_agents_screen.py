from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import Patterns, line_prompt, patterns, unread
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame

SCREENS = Path(__file__).parents[1] / "data/claude-screens"
EXPECTED: dict[str, str] = json.loads((SCREENS / "manifest.json").read_text(encoding="utf-8"))
CLAUDE = patterns("claude")


def frame_of(text: str, *, width: int = 120, history: int = 0, cursor: Cursor | None = None) -> PaneFrame:
    lines = tuple(text.split("\n"))
    return PaneFrame(
        pane=PaneId("%1"),
        lines=lines,
        width=width,
        height=len(lines) - history,
        cursor=cursor or Cursor(x=0, y=0, visible=False),
        history=history,
    )


def captured(name: str) -> str:
    return (SCREENS / f"{name}.ansi.txt").read_text(encoding="utf-8").removesuffix("\n")


def reading_of(name: str) -> Reading:
    return read_screen(frame_of(captured(name)), CLAUDE)


def in_words(reading: Reading) -> str:
    """The state in the words of manifest.json."""
    match reading.state:
        case ScreenState.READY:
            return "idle:shell" if reading.background else "idle"
        case ScreenState.BUSY:
            return "busy:retrying" if reading.retrying else "busy"
        case ScreenState.LIMIT:
            return "limit_waiting" if reading.resumes else "limit_stopped"
        case ScreenState.DIALOG:
            return f"dialog:{reading.dialog}"
        case _:
            return str(reading.state)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected != "shell"])
def test_every_captured_screen_is_read_as_what_it_was(name: str) -> None:
    assert in_words(reading_of(name)) == EXPECTED[name]


def test_every_captured_screen_has_an_expected_state() -> None:
    assert {path.name.removesuffix(".ansi.txt") for path in SCREENS.glob("*.txt")} == set(EXPECTED)
