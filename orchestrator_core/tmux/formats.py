r"""Rows of format fields that can be told apart whatever the fields hold. Pure.

Every field is asked for with tmux's `q:`, which puts a backslash before `|`, `;` and itself: so a bare `|` ends a
field and a bare `;` ends a row, even when a folder's name holds a line break. Newer versions of tmux moreover print
control characters as `\033` or `\n`, which no `q:` text can hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_FIELD = re.compile(r"(?:(?<=;)\n)?([^\\|;]*(?:\\.[^\\|;]*)*)([|;])", re.DOTALL)
_ESCAPED = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def row_format(fields: Iterable[str]) -> str:
    """Return the format that prints `fields` as one row."""
    return "|".join(f"#{{q:{field}}}" for field in fields) + ";"


def parse_rows(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the fields of every row that tmux printed for a `row_format`."""
    rows: list[tuple[str, ...]] = []
    row: list[str] = []
    for text, end in _FIELD.findall("\n".join(lines)):
        row.append(_ESCAPED.sub(_unescape, text) if "\\" in text else text)
        if end == ";":
            rows.append(tuple(row))
            row = []
    return rows


def _unescape(match: re.Match[str]) -> str:
    what = match[1]
    if len(what) == 3:
        return chr(int(what, 8))
    return _LETTERS.get(what, what)


def number(text: str) -> int:
    """Return a number field's value; tmux leaves out what it does not know, which counts as 0."""
    return int(text) if text.isdecimal() else 0
