"""The colour codes of `capture-pane -e`, as far as reading a screen needs them. Pure."""

from __future__ import annotations

import re
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
    coloured: bool = False
    """Its letters have a colour of their own."""


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


def look_after(line: str, look: Look) -> Look:
    """Return the look that `line`, which begins with `look`, ends with."""
    if "\x1b" in line:
        for code in CODES.finditer(line):
            if code[1] is not None:
                look = _changed(look, code[1])
    return look


def has_reset(line: str) -> bool:
    """Return whether what comes before `line` cannot matter to what follows it."""
    return "\x1b[0" in line or "\x1b[m" in line


@lru_cache(maxsize=4096)
def _changed(look: Look, parameters: str) -> Look:
    dim, reverse, background, coloured = look.dim, look.reverse, look.background, look.coloured
    skip = 0
    for parameter, following in _pairs(parameters):
        if skip:
            skip -= 1
        elif parameter in ("", "0"):
            dim = reverse = background = coloured = False
        elif parameter in ("2", "22"):
            dim = parameter == "2"
        elif parameter in ("7", "27"):
            reverse = parameter == "7"
        elif parameter in ("38", "48", "58"):
            skip = COLOUR_ARGUMENTS.get(following, 0)
            background = background or parameter == "48"
            coloured = coloured or parameter == "38"
        else:
            background = _ground(parameter, background, "4", 40)
            coloured = _ground(parameter, coloured, "3", 30)
    return Look(dim, reverse, background, coloured)


def _pairs(parameters: str) -> list[tuple[str, str]]:
    values = parameters.split(";")
    return list(zip(values, [*values[1:], ""], strict=True))


def _ground(parameter: str, current: bool, family: str, first: int) -> bool:
    """Return whether there is a colour after `parameter`; 3x and 9x are of letters, 4x and 10x of what is behind."""
    if parameter == f"{family}9":
        return False
    bright = first + 60
    is_colour = parameter.startswith(f"{family}8:") or (
        parameter.isdigit() and (first <= int(parameter) <= first + 7 or bright <= int(parameter) <= bright + 7)
    )
    return current or is_colour
