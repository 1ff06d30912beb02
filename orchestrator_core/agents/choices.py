"""The choices of a dialog, and which of them the cursor is on. Pure."""

from __future__ import annotations

from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.models.dialog import Choice

__all__ = ["Choice", "choices_of"]


def choices_of(rows: Rows, first: int, end: int, patterns: Patterns) -> tuple[tuple[Choice, ...], int]:
    """Return the choices in the rows from `first` to before `end`, and the row of the first one.

    The row is `end` when there is no choice with the cursor on it.
    """
    at = next((row for row in range(end - 1, first - 1, -1) if _cursor_column(rows.text(row), patterns)), None)
    if at is None:
        return (), end
    column = _cursor_column(rows.text(at), patterns)
    if patterns.number.match(rows.text(at)[column:]):
        return _numbered(rows, first, end, column, at, patterns)
    return _unnumbered(rows, first, end, column, at)


def _cursor_column(text: str, patterns: Patterns) -> int:
    """Return where the label of the row with the cursor begins, or 0."""
    bare = text.lstrip(" ")
    if not patterns.cursor or not bare.startswith(patterns.cursor):
        return 0
    return len(text) - len(bare) + len(patterns.cursor)


def _numbered(
    rows: Rows, first: int, end: int, column: int, at: int, patterns: Patterns
) -> tuple[tuple[Choice, ...], int]:
    """Collect rows that continue the count; descriptions, blank rows and rules may lie between them."""
    found: dict[int, tuple[str, str]] = {}
    for row in range(first, end):
        text = rows.text(row)
        numbered = patterns.number.match(text[column:]) if row == at or not text[:column].strip() else None
        if numbered:
            found[row] = numbered["key"], numbered["label"]
    top = _start_of_count(found, at)
    choices: list[Choice] = []
    for row in sorted(row for row in found if row >= top):
        key, label = found[row]
        if key == str(len(choices) + 1):
            choices.append(Choice(key=key, label=label, selected=row == at))
    return tuple(choices), top


def _start_of_count(found: dict[int, tuple[str, str]], at: int) -> int:
    """Return the nearest row at or above `at` that is number 1."""
    return max((row for row, (key, _) in found.items() if key == "1" and row <= at), default=at)


def _unnumbered(rows: Rows, first: int, end: int, column: int, at: int) -> tuple[tuple[Choice, ...], int]:
    """Collect the rows around the cursor that begin at the same column."""
    top = at
    while top > first and _begins_at(rows.text(top - 1), column):
        top -= 1
    bottom = at + 1
    while bottom < end and _begins_at(rows.text(bottom), column):
        bottom += 1
    return (
        tuple(Choice(key="", label=rows.text(row)[column:], selected=row == at) for row in range(top, bottom)),
        top,
    )


def _begins_at(text: str, column: int) -> bool:
    return len(text) > column and text[column] != " " and not text[:column].strip()
