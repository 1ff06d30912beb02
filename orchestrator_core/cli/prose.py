"""Text in lines: wrapped to the terminal's columns, with what follows a label or a bullet set below it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator_core.cli.output import printable
from orchestrator_core.cli.tables import display_width

NARROWEST = 40


def wrapped(text: str, width: int | None, first: str = "", rest: str | None = None) -> list[str]:
    """Return `text` in lines: the first begins with `first`, the others with `rest`, else with as many blanks.

    `width` is the terminal's; None leaves it one line. A longer word is left as it is: it may be a path to copy.
    """
    words = printable(text).split()
    if width is None or not words:
        return [f"{first}{' '.join(words)}".rstrip()]
    room, indent = max(width, NARROWEST), " " * display_width(first) if rest is None else rest
    lines, line, is_empty = [], first, True
    for word in words:
        if not is_empty and display_width(line) + 1 + display_width(word) > room:
            lines.append(line)
            line, is_empty = indent, True
        line += word if is_empty else f" {word}"
        is_empty = False
    return [*lines, line]


def facts(fields: Iterable[tuple[str, str]], width: int | None) -> list[str]:
    """Return names and values, the values in one column; empty values are left out."""
    pairs = [(name, value) for name, value in fields if value]
    column = max((len(name) for name, _ in pairs), default=0) + 2
    return [line for name, value in pairs for line in wrapped(value, width, f"{name:<{column}}")]


def bullets(title: str, items: Iterable[str], width: int | None) -> list[str]:
    """Return items below their title, a bullet each; nothing for none."""
    lines = [line for item in items for line in wrapped(item, width, "  - ")]
    return [title, *lines] if lines else []
