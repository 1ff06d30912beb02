"""The choices of a dialog, and which of them the cursor is on. Pure."""

from __future__ import annotations

from itertools import takewhile

from msgspec import Struct

from orchestrator_core.agents.rows import Rows
from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.models.dialog import Choice

__all__ = ["Choice", "Choices", "choices_of"]


class Choices(Struct, frozen=True, kw_only=True):
    """The choices of a dialog as far as they are on the screen."""

    choices: tuple[Choice, ...] = ()
    top: int
    """The row of the first one; where the search ended when there is none with the cursor on it."""
    bottom: int
    """The row of the last one."""
    column: int = -1
    """Where the cursor is; -1 when there is none."""
    more: bool = False
    """Others are out of sight."""


def choices_of(rows: Rows, first: int, end: int, patterns: Patterns) -> Choices:
    """Return the choices in the rows from `first` to before `end`."""
    at = _cursor_row(rows, first, end, patterns)
    if at is None:
        return Choices(top=end, bottom=end)
    label = _label_column(rows.text(at), patterns)
    text = rows.text(at)[label:]
    if patterns.number.match(text) or text.strip() in patterns.plain:
        return _numbered(rows, first, end, label, at, patterns)
    return _unnumbered(rows, first, end, label, at, patterns)


def _cursor_row(rows: Rows, first: int, end: int, patterns: Patterns) -> int | None:
    """Return the last of the leftmost rows that begin like one with the cursor.

    What an agent or a file says may begin like that: it stands above the choices or further to the right.
    """
    mark = patterns.cursor.strip()
    columns = {
        row: column
        for row in range(first, end)
        if mark and mark in rows.raw(row) and (column := _label_column(rows.text(row), patterns))
    }
    leftmost = min(columns.values(), default=0)
    return max((row for row, column in columns.items() if column == leftmost), default=None)


def _label_column(text: str, patterns: Patterns) -> int:
    """Return where the label of the row with the cursor begins, or 0."""
    bare = text.lstrip(" ")
    if not bare.startswith(patterns.cursor):
        return 0
    return len(text) - len(bare) + len(patterns.cursor)


def _numbered(rows: Rows, first: int, end: int, label: int, at: int, patterns: Patterns) -> Choices:
    """Collect the rows around the cursor that count on; descriptions, blank rows and rules may lie between them."""
    found: dict[int, tuple[int, str]] = {}
    plain: dict[int, str] = {}
    hidden = False
    for row in range(first, end):
        text = rows.text(row)
        margin, rest = text[:label].strip(), text[label:]
        if row != at and margin and margin not in patterns.more:
            continue
        if numbered := patterns.number.match(rest):
            found[row] = int(numbered["key"]), patterns.aside.sub("", numbered["label"])
            hidden = hidden or margin in patterns.more
        elif rest.strip() in patterns.plain:
            plain[row] = rest.strip()
    counted = _counting(found, at)
    keys = [found[row][0] for row in counted]
    chosen = sorted({*counted, *(row for row in plain if not counted or row > counted[0])})
    return Choices(
        choices=tuple(_choice(found.get(r), plain.get(r, ""), selected=r == at) for r in chosen),
        top=chosen[0],
        bottom=chosen[-1],
        column=label - len(patterns.cursor),
        more=hidden or keys != list(range(1, len(keys) + 1)),
    )


def _choice(numbered: tuple[int, str] | None, plain: str, *, selected: bool) -> Choice:
    key, label = (str(numbered[0]), numbered[1]) if numbered else ("", plain)
    return Choice(key=key, label=label, selected=selected)


def _counting(found: dict[int, tuple[int, str]], at: int) -> list[int]:
    """Return the rows around `at` whose numbers grow from row to row, perhaps with gaps."""
    counted: list[int] = []
    for row in sorted((row for row in found if row <= at), reverse=True):
        if counted and found[row][0] >= found[counted[0]][0]:
            break
        counted.insert(0, row)
    for row in sorted(row for row in found if row > at):
        if not counted or found[row][0] > found[counted[-1]][0]:
            counted.append(row)
    return counted


def _unnumbered(rows: Rows, first: int, end: int, label: int, at: int, patterns: Patterns) -> Choices:
    """Collect the rows around the cursor that begin at the same column."""
    above = list(takewhile(lambda row: _begins_at(rows.text(row), label, patterns), range(at - 1, first - 1, -1)))
    below = list(takewhile(lambda row: _begins_at(rows.text(row), label, patterns), range(at + 1, end)))
    chosen = (*reversed(above), at, *below)
    return Choices(
        choices=tuple(Choice(key="", label=rows.text(row)[label:], selected=row == at) for row in chosen),
        top=chosen[0],
        bottom=chosen[-1],
        column=label - len(patterns.cursor),
        more=any(rows.text(row)[:label].strip() for row in chosen if row != at),
    )


def _begins_at(text: str, column: int, patterns: Patterns) -> bool:
    return len(text) > column and text[column] != " " and text[:column].strip() in ("", *patterns.more)
