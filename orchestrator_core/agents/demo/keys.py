"""From the bytes of a terminal to what was pressed, typed and pasted. Pure.

What arrived in one read stays together: an Enter that comes in the same read as typed text is not an Enter.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

PASTE_BEGIN = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
CONTROLS = {
    0x03: "C-c",
    0x04: "C-d",
    0x08: "Backspace",
    0x09: "Tab",
    0x0A: "C-j",
    0x0D: "Enter",
    0x15: "C-u",
    0x7F: "Backspace",
}
SEQUENCES = {
    b"\x1b[A": "Up", b"\x1b[B": "Down", b"\x1b[C": "Right", b"\x1b[D": "Left", b"\x1b[Z": "S-Tab",
    b"\x1bOA": "Up", b"\x1bOB": "Down", b"\x1bOC": "Right", b"\x1bOD": "Left", b"\x1bOM": "Enter",
}  # fmt: skip


class Typed(NamedTuple):
    """Characters that came one by one, or so fast that they look like it."""

    text: str


class Pasted(NamedTuple):
    """One bracketed paste; its line ends are line feeds."""

    text: str


class Key(NamedTuple):
    """A key that is not a character, by tmux's name for it."""

    name: str


Input = Typed | Pasted | Key


class KeyReader:
    """Takes a terminal apart, read by read; what is cut in two waits for its rest."""

    def __init__(self) -> None:
        self._rest = b""
        self._paste: bytearray | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def waits(self) -> bool:
        """Whether something is held back that may be an Escape, or the start of a longer key."""
        return self._paste is None and self._rest.startswith(b"\x1b")

    def feed(self, data: bytes) -> list[Input]:
        """Return what one read brought."""
        data = self._rest + data
        self._rest = b""
        found: list[Input] = []
        while data:
            data = self._paste_rest(data, found) if self._paste is not None else self._next(data, found)
        return found

    def flush(self) -> list[Input]:
        """Return the Escape that was held back: nothing followed it in time."""
        if not self.waits:
            return []
        rest, self._rest = self._rest, b""
        return [Key("Escape"), *self.feed(rest[1:])]

    def _paste_rest(self, data: bytes, found: list[Input]) -> bytes:
        assert self._paste is not None
        self._paste += data
        end = self._paste.find(PASTE_END)
        if end < 0:
            return b""
        pasted, after = bytes(self._paste[:end]), bytes(self._paste[end + len(PASTE_END) :])
        self._paste = None
        text = pasted.decode("utf-8", "replace")
        found.append(Pasted(text.replace("\r\n", "\n").replace("\r", "\n")))
        return after

    def _next(self, data: bytes, found: list[Input]) -> bytes:
        if data[0] == 0x1B:
            return self._escape(data, found)
        if data[0] in CONTROLS:
            found.append(Key(CONTROLS[data[0]]))
            return data[1:]
        if data[0] < 0x20:
            return data[1:]
        return self._text(data, found)

    def _escape(self, data: bytes, found: list[Input]) -> bytes:
        if data.startswith(PASTE_BEGIN):
            self._paste = bytearray()
            return data[len(PASTE_BEGIN) :]
        length = _sequence_length(data)
        if not length:
            self._rest = data
            return b""
        sequence = data[:length]
        if sequence == b"\x1b":
            found.append(Key("Escape"))
        elif sequence in (b"\x1b\r", b"\x1b\n"):
            found.append(Key("C-j"))
        elif sequence in SEQUENCES:
            found.append(Key(SEQUENCES[sequence]))
        return data[length:]

    def _text(self, data: bytes, found: list[Input]) -> bytes:
        end = next((at for at, byte in enumerate(data) if byte < 0x20 or byte == 0x7F), len(data))
        text = self._decoder.decode(data[:end])
        if text:
            found.append(Typed(text))
        return data[end:]


def _sequence_length(data: bytes) -> int:
    """Return how long the escape sequence at the start of `data` is; 0 when its end has not arrived."""
    if len(data) == 1:
        return 0
    if data[1:2] == b"O":
        return 3 if len(data) >= 3 else 0
    if data[1:2] == b"\x1b":
        return 1
    if data[1:2] != b"[":
        return 2
    return next((at + 1 for at in range(2, len(data)) if 0x40 <= data[at] <= 0x7E), 0)
