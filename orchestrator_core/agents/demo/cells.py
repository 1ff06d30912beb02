"""Text measured in terminal cells. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

ZERO_WIDTH = ("Mn", "Me", "Cf")
"""Unicode categories of marks that take no cell of their own."""


def width(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else sum(map(cell_width, text))


def cell_width(character: str) -> int:
    """Return how many cells one character takes."""
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clean(text: str) -> str:
    """Return `text` without what would move the cursor; a tab becomes spaces."""
    return "".join(c for c in text.expandtabs(4) if c == "\n" or (c >= " " and not "\x7f" <= c < "\xa0"))


def cut(text: str, columns: int) -> str:
    """Return as much of `text` as fits into `columns` cells."""
    if text.isascii() or width(text) <= columns:
        return text[:columns] if text.isascii() else text
    used = 0
    for at, character in enumerate(text):
        used += cell_width(character)
        if used > columns:
            return text[:at]
    return text


def wrap(text: str, columns: int) -> Iterator[str]:
    """Yield `text` in rows of at most `columns` cells, broken at spaces where there are any."""
    columns = max(columns, 4)
    for line in clean(text).split("\n"):
        yield from _wrap_line(line, columns)


def _wrap_line(line: str, columns: int) -> Iterator[str]:
    while width(line) > columns:
        head = cut(line, columns)
        at = head.rfind(" ")
        if at <= 0 or line[len(head)] == " ":
            at = len(head)
        yield line[:at].rstrip(" ")
        line = line[at:].removeprefix(" ")
    yield line
