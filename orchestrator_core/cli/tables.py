"""Tables for people: columns as wide as their text looks, whatever script it is in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator_core.cli.output import paint, printable

GAP = "  "
ELLIPSIS = "…"
_WIDE = ("W", "F")
_UNSEEN = ("Mn", "Me", "Cf")


class Cell(NamedTuple):
    """A text with one of the styles of `output.STYLES`."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column with its title; an `elastic` one gives way when the terminal is too narrow."""

    title: str
    right: bool = False
    elastic: bool = False


def display_width(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def shorten(text: str, width: int) -> str:
    """Return `text`, cut to `width` columns with an ellipsis where it is longer."""
    if display_width(text) <= width:
        return text
    kept, room = [], width - 1
    for character in text:
        room -= _width(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS if width > 0 else ""


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], *, width: int | None, color: bool
) -> list[str]:
    """Return the lines of a table: titles, then a line a row. A column in which every cell is empty is left out.

    `width` is the terminal's; None leaves lines as long as they are.
    """
    cells = [[_as_cell(cell) for cell in row] for row in rows]
    used = [index for index in range(len(columns)) if any(row[index].text for row in cells)]
    heads = [columns[index] for index in used]
    body = [[row[index] for index in used] for row in cells]
    widths = [
        max(display_width(head.title), *(display_width(row[place].text) for row in body))
        for place, head in enumerate(heads)
    ]
    _squeeze(widths, heads, width)
    titles = [Cell(head.title, "dim") for head in heads]
    return [_line(row, heads, widths, color=color) for row in [titles, *body]] if body else []


def _as_cell(cell: str | Cell) -> Cell:
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Cell(printable(text), style)


def _squeeze(widths: list[int], heads: Sequence[Column], width: int | None) -> None:
    """Take what is too much from the elastic columns, the widest first, down to their titles."""
    if width is None:
        return
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    elastic = [place for place, head in enumerate(heads) if head.elastic]
    while excess > 0 and elastic:
        widest = max(elastic, key=lambda place: widths[place])
        if widths[widest] <= display_width(heads[widest].title):
            return
        widths[widest] -= 1
        excess -= 1


def _line(row: Sequence[Cell], heads: Sequence[Column], widths: Sequence[int], *, color: bool) -> str:
    parts = []
    for place, (cell, head, width) in enumerate(zip(row, heads, widths, strict=True)):
        text = shorten(cell.text, width)
        space = " " * (width - display_width(text))
        shown = paint(text, cell.style, color=color)
        is_last = place == len(row) - 1
        parts.append(space + shown if head.right else shown if is_last else shown + space)
    return GAP.join(parts).rstrip()


def _width(character: str) -> int:
    if unicodedata.category(character) in _UNSEEN:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
