"""The captured screens of Claude Code, and what can be done to one without changing what it shows."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import patterns
from orchestrator_core.agents.sgr import strip
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame

Lines = tuple[str, ...]

FOLDER = Path(__file__).parents[1] / "data/claude-screens"
CLAUDE = patterns("claude")
GLYPHS = "·✢✳∗✻✽✶*"
CODE = re.compile(r"\x1b(?:\[[0-9;:]*m|\]8;[^\x1b\x07]*(?:\x1b\\|\x07))")
CELL = re.compile(CODE.pattern + "|.")
FULL_RULE = re.compile(r"^(?:─{20,}|▔{20,}|╌{20,}|─{20,} .+ ─)$")


def _manifest(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


EXPECTED = {name: state for name, state in _manifest(FOLDER).items() if state != "shell"}
EXPECTED |= {f"panes/{name}": state for name, state in _manifest(FOLDER / "panes").items()}
"""Every captured screen of a living agent and its state, in the words of `in_words`; one that ends with a question mark
does not show it for sure: there `none` is right too."""


def lines_of(name: str) -> Lines:
    return tuple((FOLDER / f"{name}.ansi.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n"))


def read(lines: Sequence[str], *, width: int = 120, history: int = 0) -> Reading:
    cursor = Cursor(x=0, y=0, visible=False)
    height = len(lines) - history
    frame = PaneFrame(pane=PaneId("%1"), lines=tuple(lines), width=width, height=height, cursor=cursor, history=history)
    return read_screen(frame, CLAUDE)


def in_words(reading: Reading) -> str:
    """The state in the words of the manifests."""
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


def is_right(name: str, reading: Reading) -> bool:
    """Whether `reading` is what the screen `name` was captured as."""
    expected = EXPECTED[name]
    words = in_words(reading)
    return words == expected.rstrip("?") or (expected.endswith("?") and words == "none")


def is_never_wrong(name: str, reading: Reading) -> bool:
    """Whether `reading` is right as far as it goes, when part of the screen is missing."""
    expected = EXPECTED[name].rstrip("?")
    words = in_words(reading)
    return words in ("none", expected, expected.partition(":")[0]) or (
        words.partition("_")[0] == expected.partition("_")[0] == "limit"
        or (words == "dialog:other" and expected.startswith("dialog:"))
    )


def box_of(lines: Lines) -> tuple[int, int] | None:
    """Return the rows of the prompt box's rules."""
    rules = [row for row, line in enumerate(lines) if strip(line).startswith("────")]
    if len(rules) < 2 or not strip(lines[rules[-2] + 1]).startswith(("❯\u00a0", "!\u00a0")):
        return None
    return rules[-2], rules[-1]


def newest_message(lines: Lines, end: int) -> int:
    """Return the row of the newest message above `end`, or 0."""
    return max((row for row in range(end) if strip(lines[row]).startswith(("❯ ", "! "))), default=0)


def at_width(lines: Lines, width: int) -> Lines:
    """Draw a screen again at another width: rules anew, long rows wrapped, the mode's row cut with an ellipsis."""
    drawn: list[str] = []
    for line in lines:
        drawn += _row_at_width(line, width)
    return tuple(drawn)


def _row_at_width(line: str, width: int) -> list[str]:
    text = strip(line).rstrip(" ")
    if FULL_RULE.match(text):
        tail = "" if len(set(text)) == 1 else text[text.index(" ") :]
        return [line.replace(text, text[0] * max(width - len(tail), 4) + tail)]
    if columns_of(text) <= width:
        return [line]
    indent = len(text) - len(text.lstrip(" "))
    if indent >= 12:  # a hint at the right edge
        return [" " * max(width - len(text.strip()), 12) + text.strip()[: width - 12]]
    if text.startswith(("  ⏸", "  ⏵⏵")):
        return [text[: width - 1] + "…"]
    return wrapped(line, width, indent + _hang(text.strip()))


def _hang(text: str) -> int:
    if re.match(r"(?:❯ )?\d+\. ", text):
        return text.index(".") + 2
    return 3 if text.startswith("⎿") else 2 if text[0] in GLYPHS + "●❯!" else 0


def columns_of(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(line: str, width: int, indent: int) -> list[str]:
    """Break `line` into rows of at most `width`, all but the first indented: between words where it can be."""
    rows, room = [""], width
    for cell in CELL.findall(line):
        columns = 0 if cell.startswith("\x1b") else columns_of(cell)
        if columns > room:
            head, _, word = rows[-1].rpartition(" ")
            is_short = bool(strip(head).strip()) and columns_of(strip(word)) + columns < width - indent
            rows[-1:] = [head, " " * indent + word] if is_short and cell != " " else [rows[-1], " " * indent]
            room = width - columns_of(strip(rows[-1]))
        rows[-1] += cell
        room -= columns
    return rows


def replaced(lines: Lines, pattern: str, new: str) -> Lines:
    """Replace the rows whose text matches `pattern` by `new`, in which `\\1` and so on stand for groups."""
    return tuple(found.expand(new) if (found := re.match(pattern, strip(line).rstrip(" "))) else line for line in lines)
