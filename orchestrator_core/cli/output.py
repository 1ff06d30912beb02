"""The only writer to stdout: data for people, scripts and agents."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TextIO

STYLES = {"strong": "1", "dim": "2", "good": "32", "warn": "33", "bad": "31", "info": "36"}
_CONTROLS = {
    **dict.fromkeys(range(32), " "),
    **dict.fromkeys(range(127, 160), ""),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), ""),
}
"""C0, C1, and the marks that turn the direction of what follows."""


class Look(NamedTuple):
    """How text is laid out on a stream: its terminal's columns, None where lines may be of any length."""

    width: int | None
    color: bool


def printable(text: str) -> str:
    """Return `text` without control characters, so that an agent's screen cannot steer the terminal."""
    return text.translate(_CONTROLS)


def paint(text: str, style: str, *, color: bool) -> str:
    """Return `text` in one of `STYLES` when `color` is on; an empty style leaves it alone."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if color and style else text


def aligned(fields: Iterable[tuple[str, str]]) -> list[str]:
    """Return names and values, a pair a line, values in one column."""
    pairs = [(name, printable(value)) for name, value in fields]
    column = max((len(name) for name, _ in pairs), default=0) + 2
    return [f"{name:<{column}}{value}".rstrip() for name, value in pairs]


def look_of(stream: TextIO, environ: Mapping[str, str]) -> Look:
    """Return how to write to `stream`: plain and unbounded where it is not a terminal."""
    if not stream.isatty():
        return Look(width=None, color=False)
    is_plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Look(width=terminal_size(stream).columns, color=not is_plain)


def terminal_size(stream: TextIO) -> os.terminal_size:
    """Return the size of the terminal that `stream` is; 80 by 24 where it does not say."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return os.terminal_size((80, 24))
    return size if size.columns and size.lines else os.terminal_size((80, 24))


class Output:
    """Writes a command's result: lines or a table for people, or one JSON document."""

    def __init__(self, stream: TextIO, *, as_json: bool, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._environ = environ
        self.as_json = as_json

    @property
    def look(self) -> Look:
        """How to lay text out now: a terminal may have been resized."""
        return look_of(self._stream, self._environ)

    def line(self, text: str = "") -> None:
        """Write one line."""
        self._stream.write(text + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Write several lines."""
        for line in lines:
            self.line(line)

    def fields(self, fields: Iterable[tuple[str, str]]) -> None:
        """Write names and values, a pair a line, values aligned."""
        self.lines(aligned(fields))

    def document(self, value: object, *, indent: bool = True) -> None:
        """Write `value` as JSON: indented on a terminal, unless told otherwise, else on one line."""
        text = _json(value, indent=indent and self._stream.isatty())
        self.flush()
        raw = getattr(self._stream, "buffer", None)
        if raw is None:
            self._stream.write(text.decode() + "\n")
        else:  # JSON is UTF-8, whatever the terminal's encoding is
            raw.write(text + b"\n")
        self.flush()

    @contextmanager
    def repainting(self) -> Iterator[Callable[[Sequence[str]], None]]:
        """Give a call that paints lines over the ones before, on a screen of their own that goes away at the end.

        Lines that do not fit are cut, at the right and at the bottom.
        """
        self._stream.write("\x1b[?1049h\x1b[?25l\x1b[?7l")
        try:
            yield self._repaint
        finally:
            self._stream.write("\x1b[?7h\x1b[?25h\x1b[?1049l")
            self.flush()

    def _repaint(self, lines: Sequence[str]) -> None:
        rows = "\x1b[K\r\n".join(lines[: terminal_size(self._stream).lines])
        self._stream.write(f"\x1b[H{rows}\x1b[K\x1b[J")
        self.flush()

    def flush(self) -> None:
        """Hand everything written so far to the reader."""
        self._stream.flush()

    def give_up(self) -> None:
        """Let later writes and the interpreter's last flush go nowhere: the reader has gone."""
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, self._stream.fileno())
        os.close(sink)


def _json(value: object, *, indent: bool) -> bytes:
    from msgspec import json, to_builtins

    try:
        text = json.encode(value)
    except UnicodeEncodeError:  # a file name that is not UTF-8: the standard library can write it escaped
        from json import dumps

        text = dumps(to_builtins(value)).encode()
    return json.format(text) if indent else text
