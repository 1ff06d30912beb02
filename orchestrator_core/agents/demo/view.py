"""The demo agent's whole screen, put together from its parts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.cells import clean, cut, width, wrap
from orchestrator_core.agents.demo.dialogs import Dialog
from orchestrator_core.agents.demo.transcript import NBSP, Block, Prompt, Transcript
from orchestrator_core.agents.demo.trouble import Limit

MARK = "demo agent · not a real AI"
MODES = {
    "acceptEdits": "⏵⏵ accept edits on (shift+tab to cycle)",
    "auto": "⏵⏵ auto mode on (shift+tab to cycle)",
    "bypassPermissions": "⏵⏵ bypass permissions on (shift+tab to cycle)",
    "dontAsk": "⏵⏵ don't ask on (shift+tab to cycle)",
    "plan": "⏸ plan mode on (shift+tab to cycle)",
}
MANUAL = "⏸ manual mode on"
QUEUED = "  ⎿  Queued · ctrl+x ctrl+s to send now"
AROUND_DRAFT = 9
"""Rows that a long draft leaves to the rest of the screen."""


class View(NamedTuple):
    """Everything that is to be seen."""

    transcript: Transcript
    name: str = ""
    mode: str = "manual"
    draft: str = ""
    placeholder: str = ""
    completions: tuple[tuple[str, str], ...] = ()
    busy: bool = False
    spinner: str = ""
    queued: tuple[str, ...] = ()
    dialog: Dialog | None = None
    limit: Limit | None = None
    shells: int = 0
    """How many commands run in the background."""
    tasks: int = 0
    """How many commands and subagents do."""
    status_line: tuple[str, ...] = ()
    hint: str = ""
    warning: str = ""
    starting: bool = False
    """Nothing is drawn but a dialog."""


def compose(view: View, columns: int, height: int) -> list[str]:
    """Return `height` rows."""
    if view.starting:
        rows = list(view.dialog.rows(columns)) if view.dialog else []
        return [*rows[:height], *[""] * (height - len(rows))]
    lower = list(lower_part(view, columns, height))
    room = max(height - len(lower), 0)
    live = list(live_part(view, columns))
    upper = [*view.transcript.tail(columns, room), *live]
    upper = upper[max(len(upper) - room, 0) :]
    return [*upper, *[""] * (room - len(upper)), *lower][-height:]


def live_part(view: View, columns: int) -> Iterator[str]:
    """Yield what stands between the transcript and the prompt."""
    if view.dialog:
        return
    for text in view.queued:
        yield ""
        yield from Prompt(text).rows(columns)
        yield f"{c.GREY}{cut(QUEUED, columns)}{c.RESET}"
    if view.spinner:
        yield ""
        yield f"{c.ACCENT}{view.spinner[:1]}{c.GREY}{cut(view.spinner[1:], columns - 1)}{c.RESET}"


def lower_part(view: View, columns: int, height: int) -> Iterator[str]:
    """Yield the prompt box with its footer, or the dialog that stands in its place."""
    if view.dialog:
        yield ""
        yield from view.dialog.rows(columns)
        return
    yield f"{c.GREY}{view.hint.rjust(columns)[:columns]}{c.RESET}" if view.hint else ""
    yield from _completions(view.completions, columns)
    yield _top_rule(view.name, columns)
    yield from _draft(view, columns, height)
    yield f"{c.RULE}{'─' * columns}{c.RESET}"
    yield from _footer(view, columns)


def settled_rows(blocks: Sequence[Block], columns: int) -> list[str]:
    """Return blocks as rows, for a screen that scrolls them away."""
    rows: list[str] = []
    for block in blocks:
        rows += block.rows(columns) if block.joins else ["", *block.rows(columns)]
    return rows


def _completions(found: Sequence[tuple[str, str]], columns: int) -> Iterator[str]:
    for at, (word, meaning) in enumerate(found):
        row = cut(f"  {' ' if at else '❯'} {word:<28}{meaning}", columns)
        yield f"{c.GREY if at else c.BLUE}{row}{c.RESET}"


def _top_rule(name: str, columns: int) -> str:
    end = f" {name} ─" if name and width(name) + 8 < columns else ""
    return f"{c.RULE}{'─' * (columns - width(end))}{end}{c.RESET}"


def _draft(view: View, columns: int, height: int) -> Iterator[str]:
    ink = c.GREY if view.busy else ""
    prompt = f"{ink}❯{NBSP}{c.RESET if ink else ''}"
    if not view.draft:
        yield prompt + _placeholder(cut(view.placeholder, columns - 2))
        return
    rows = list(wrap(view.draft, columns - 3))
    rows = rows[-max(height - AROUND_DRAFT, 1) :]
    for at, row in enumerate(rows):
        cursor = f"{c.REVERSE} {c.RESET}" if at == len(rows) - 1 else ""
        yield (prompt if at == 0 else "  ") + row + cursor


def _placeholder(text: str) -> str:
    if not text:
        return f"{c.REVERSE} {c.RESET}"
    return f"{c.REVERSE}{text[0]}{c.DIM}{text[1:]}{c.RESET}"


def _footer(view: View, columns: int) -> Iterator[str]:
    if view.limit:
        yield from _limit_rows(view.limit, columns)
    for row in view.status_line:
        yield f"{c.GREY}{cut(f'  {clean(row)}' if row else '', columns)}{c.RESET}"
    yield f"{c.ACCENT}{cut(f'  {MARK}', columns)}{c.RESET}"
    if view.warning:
        yield f"{c.GREY}{cut(f'  {view.warning}', columns)}{c.RESET}"
        return
    mode = MODES.get(view.mode, MANUAL)
    parts = [f"  {mode}", *_mode_parts(view)]
    yield f"{c.GREY}{cut(' · '.join(parts), columns)}{c.RESET}"


def _mode_parts(view: View) -> Iterator[str]:
    """Yield what follows the mode; how to interrupt is left out while something is typed."""
    if view.busy and not view.draft:
        yield "esc to interrupt"
    if view.shells:
        yield f"{view.shells} shell{'s' if view.shells > 1 else ''}"
    if view.tasks:
        yield "/tasks to see subagents"


def _limit_rows(limit: Limit, columns: int) -> Iterator[str]:
    yield f"{c.WHITE}{cut(f'  ⚠ Usage limit reached · limit resets {limit.until}', columns)}{c.RESET}"
    if limit.continues:
        yield f"{c.WHITE}{cut(f'    Continuing automatically at {limit.until} · Esc to cancel', columns)}{c.RESET}"
