"""A captured screen without what is private, that is still read as what it was: for a test case to send. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from orchestrator_core.agents.screen_patterns import NEVER, Patterns
from orchestrator_core.agents.sgr import CODES

LINK = re.compile(r"\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")
"""A hyperlink: it names its target."""


def redact(lines: Sequence[str], patterns: Patterns) -> tuple[str, ...]:
    """Return `lines` with letters as x, digits as 0 and wide letters as a wide one.

    Widths, colours, rules, glyphs and the words that `patterns` knows stay; links lose their targets.
    """
    known = _known(patterns)
    return tuple(_row(LINK.sub("", line), known) for line in lines)


def _row(line: str, known: re.Pattern[str]) -> str:
    codes = list(CODES.finditer(line))
    plain = CODES.sub("", line)
    kept = [False] * len(plain)
    for found in known.finditer(plain):
        kept[found.start() : found.end()] = [True] * (found.end() - found.start())
    masked = iter(letter if keep else _masked(letter) for letter, keep in zip(plain, kept, strict=True))
    row: list[str] = []
    at = 0
    for code in codes:
        row += (next(masked) for _ in range(code.start() - at))
        row.append(code[0])
        at = code.end()
    return "".join((*row, *masked))


def _masked(letter: str) -> str:
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return "字"
    category = unicodedata.category(letter)
    if category.startswith("N"):
        return "0"
    return "x" if category.startswith("L") else letter


@lru_cache(maxsize=8)
def _known(patterns: Patterns) -> re.Pattern[str]:
    """Return an expression for the words that the reader looks for, and the numbers of choices.

    A phrase may be broken at the end of a row.
    """
    phrases = {phrase.strip() for phrase in patterns.phrases} - {""}
    broken = {part for phrase in phrases for part in _parts(phrase)}
    whole = "|".join(_words(phrase) for phrase in sorted(phrases, key=len, reverse=True))
    ends = "|".join(_words(part) for part, is_end in sorted(broken) if is_end)
    starts = "|".join(_words(part) for part, is_end in sorted(broken) if not is_end)
    number = r"^\W*\d+(?=\. )"
    return re.compile(f"{number}|{whole or NEVER}|(?:{ends or NEVER})\\s*$|^\\s*(?:{starts or NEVER})")


def _parts(phrase: str) -> Iterator[tuple[str, bool]]:
    """Return the pieces of `phrase`, and whether a piece stands at the end of a row."""
    words = phrase.split()
    for at in range(1, len(words)):
        yield " ".join(words[:at]), True
        yield " ".join(words[at:]), False


def _words(phrase: str) -> str:
    return r"\b" * phrase[0].isalnum() + re.escape(phrase) + r"\b" * phrase[-1].isalnum()
