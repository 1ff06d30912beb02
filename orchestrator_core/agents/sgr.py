"""The colour codes of `capture-pane -e`, as far as reading a screen needs them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

CODES = re.compile(r"\x1b(?:\[([0-9;:]*)m|\]8;[^\x1b\x07]*(?:\x1b\\|\x07))")
"""Colours and attributes, and hyperlinks."""

SHIFTS = {0x0E: None, 0x0F: None}
"""The switches of the line-drawing set."""

COLOUR_ARGUMENTS = {"2": 4, "5": 2}
"""How many parameters follow 38, 48 or 58, the kind included, less one."""


class Look(Struct, frozen=True):
    """What a cell looks like, as far as it matters here."""

    dim: bool = False
    reverse: bool = False
    background: bool = False
    """It has a background colour of its own."""


class Run(Struct, frozen=True):
    """Neighbouring cells that look the same."""

    text: str
    look: Look


PLAIN = Look()


def strip(line: str) -> str:
    """Return `line` without its codes."""
    if "\x1b" in line:
        line = CODES.sub("", line)
    return line.translate(SHIFTS) if "\x0e" in line else line


def runs(line: str, look: Look = PLAIN) -> tuple[tuple[Run, ...], Look]:
    """Return the runs of `line`, which begins with `look`, and the look it ends with."""
    found: list[Run] = []
    at = 0
    for code in CODES.finditer(line):
        if code.start() > at:
            found.append(Run(line[at : code.start()], look))
        at = code.end()
        if code[1] is not None:
            look = _changed(look, code[1])
    if at < len(line):
        found.append(Run(line[at:], look))
    return tuple(found), look


def look_before(lines: Sequence[str], row: int) -> Look:
    """Return the look that row `row` begins with: codes carry over from the rows above it.

    tmux drops an attribute only by resetting all of them, so the search ends at the last reset.
    """
    start = row
    while start > 0 and not _has_reset(lines[start - 1]):
        start -= 1
    look = PLAIN
    for line in lines[max(start - 1, 0) : row]:
        for code in CODES.finditer(line):
            if code[1] is not None:
                look = _changed(look, code[1])
    return look


def _has_reset(line: str) -> bool:
    return "\x1b[0" in line or "\x1b[m" in line


@lru_cache(maxsize=4096)
def _changed(look: Look, parameters: str) -> Look:
    dim, reverse, background = look.dim, look.reverse, look.background
    skip = 0
    for parameter, following in _pairs(parameters):
        if skip:
            skip -= 1
        elif parameter in ("", "0"):
            dim = reverse = background = False
        elif parameter in ("2", "22"):
            dim = parameter == "2"
        elif parameter in ("7", "27"):
            reverse = parameter == "7"
        elif parameter in ("38", "48", "58"):
            skip = COLOUR_ARGUMENTS.get(following, 0)
            background = background or parameter == "48"
        else:
            background = _background(parameter, background)
    return Look(dim, reverse, background)


def _pairs(parameters: str) -> list[tuple[str, str]]:
    values = parameters.split(";")
    return list(zip(values, [*values[1:], ""], strict=True))


def _background(parameter: str, current: bool) -> bool:
    if parameter == "49":
        return False
    is_colour = parameter.startswith("48:") or (
        parameter.isdigit() and (40 <= int(parameter) <= 47 or 100 <= int(parameter) <= 107)
    )
    return current or is_colour
