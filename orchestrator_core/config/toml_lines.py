"""On which line of a TOML file each key stands, which tomllib does not tell."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping

Key = tuple[str, ...]
"""The names on the way to a value; the entries of a list are called `1`, `2`, and so on."""

END = ""

_TOKEN = re.compile(
    r'"""(?:\\.|(?!""").)*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\n|[\[\]{},=.]|[^\s\[\]{},=.#\"']+|#[^\n]*",
    re.DOTALL,
)


def lines_of(text: str) -> dict[Key, int]:
    """Return the line of every table, key and list entry in `text`, which must be TOML; lines count from 1."""
    return _Lines(text).found


def written_part(key: Key, lines: Mapping[Key, int]) -> Key:
    """Return the longest beginning of `key` that stands in the file with these lines; empty when nothing of it does."""
    return next((key[:length] for length in range(len(key), 0, -1) if key[:length] in lines), ())


class _Lines:
    """Reads TOML that is known to be right; only as much of its grammar as tells names from values."""

    def __init__(self, text: str) -> None:
        self.found: dict[Key, int] = {}
        self._tokens = _tokens(text)
        self._at = 0
        self._entries: Counter[Key] = Counter()
        table: Key = ()
        while token := self._next():
            if token == "[":
                table = self._header()
            elif not _is_blank(token):
                self._at -= 1
                self._pair(table)

    # -- tokens

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else END

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _skip_blank(self) -> None:
        while _is_blank(self._peek()):
            self._at += 1

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)][1]

    def _mark(self, key: Key, line: int) -> None:
        for length in range(1, len(key) + 1):
            self.found.setdefault(key[:length], line)

    # -- grammar

    def _header(self) -> Key:
        line = self._line()
        is_entry = self._peek() == "["
        self._at += is_entry
        *outer, last = self._names("]")
        table: Key = ()
        for name in outer:
            table = self._newest((*table, name))
        table = (*table, last)
        if is_entry:
            self._entries[table] += 1
        table = self._newest(table)
        self._at += is_entry
        self._mark(table, line)
        return table

    def _newest(self, table: Key) -> Key:
        """Return the newest entry of a list of tables; of anything else itself."""
        return (*table, str(self._entries[table])) if self._entries[table] else table

    def _names(self, end: str) -> list[str]:
        names = []
        while (token := self._next()) not in (end, END):
            if token != ".":
                names.append(_name(token))
        return names

    def _pair(self, table: Key) -> None:
        line = self._line()
        key = (*table, *self._names("="))
        self._mark(key, line)
        self._value(key)

    def _value(self, key: Key) -> None:
        match self._peek():
            case "[":
                self._list(key)
            case "{":
                self._inline(key)
            case _:
                while self._peek() not in (END, "\n", ",", "]", "}") and not self._peek().startswith("#"):
                    self._at += 1

    def _list(self, key: Key) -> None:
        count = 0
        while self._is_inside("]"):
            count += 1
            entry = (*key, str(count))
            self._mark(entry, self._line())
            self._value(entry)

    def _inline(self, key: Key) -> None:
        while self._is_inside("}"):
            self._pair(key)

    def _is_inside(self, end: str) -> bool:
        """Go on behind a bracket that opens, a comma or nothing, and say whether another entry comes."""
        self._skip_blank()
        self._at += self._peek() in ("[", "{", ",")
        self._skip_blank()
        is_over = self._peek() in (end, END)
        self._at += is_over
        return not is_over


def _tokens(text: str) -> list[tuple[str, int]]:
    """Return the tokens of a text, each with its line."""
    found, line, at = [], 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        found.append((token[0], line))
    return found


def _is_blank(token: str) -> bool:
    return token == "\n" or token.startswith("#")


def _name(token: str) -> str:
    if token[0] == "'":
        return token[1:-1]
    return str(tomllib.loads(f"k = {token}")["k"]) if token[0] == '"' else token
