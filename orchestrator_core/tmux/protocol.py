"""tmux's control protocol: bytes in, replies and notifications out. Pure, and fed in any chunks.

A command's output stands between `%begin T N F` and `%end T N F` (or `%error T N F`), raw: its lines may begin with
`%` too, so only the closing line with the same numbers ends it. Everything else is one notification a line.
"""

from __future__ import annotations

import re

from msgspec import Struct

from orchestrator_core.models.ids import PaneId

_BEGIN = re.compile(rb"%begin \d+ (\d+) (\d+)$")
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_SOLICITED = 1
_OUTPUT = b"%output "
_EXTENDED = b"%extended-output "
_OF_PANES = frozenset({"pause", "continue", "pane-mode-changed"})


class Reply(Struct, frozen=True, kw_only=True):
    """What one command answered."""

    number: int
    """tmux's own number of the command."""
    ok: bool
    lines: tuple[str, ...]
    """Its output; of a failed one, tmux's message."""
    solicited: bool = True
    """Whether this client asked; tmux also reports commands run by hooks."""


class Notification(Struct, frozen=True, kw_only=True):
    """Something tmux tells by itself. Names are tmux's, without the `%`, known or not."""

    name: str
    """Empty for a line that is no notification, such as a hook's output."""
    args: str = ""
    pane: PaneId | None = None
    data: bytes = b""
    """Of `output` and `extended-output`: what the pane put out, still escaped."""

    def payload(self) -> bytes:
        """Return what the pane put out."""
        return unescape(self.data)


Event = Reply | Notification


def unescape(data: bytes) -> bytes:
    r"""Return the bytes that tmux escaped as `\ooo` in `%output`."""
    return _OCTAL.sub(lambda match: bytes((int(match[1], 8),)), data)


class ControlParser:
    """Takes a control client's output apart. Keeps what is unfinished until the next `feed`."""

    def __init__(self) -> None:
        self._rest = b""
        self._block: _Block | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := self._take(line)) is not None]

    def _take(self, line: bytes) -> Event | None:
        if self._block is not None:
            return self._within(self._block, line)
        begin = _BEGIN.match(line) if line.startswith(b"%begin ") else None
        if begin is None:
            return parse_notification(line)
        self._block = _Block(line.removeprefix(b"%begin"), int(begin[1]), int(begin[2]))
        return None

    def _within(self, block: _Block, line: bytes) -> Reply | None:
        if line not in block.ends:
            block.lines.append(line.decode(errors="replace"))
            return None
        self._block = None
        return block.reply(ok=line.startswith(b"%end"))


class _Block:
    """A reply whose closing line has not come yet."""

    def __init__(self, numbers: bytes, number: int, flags: int) -> None:
        self.ends = (b"%end" + numbers, b"%error" + numbers)
        self.lines: list[str] = []
        self._number = number
        self._flags = flags

    def reply(self, *, ok: bool) -> Reply:
        return Reply(number=self._number, ok=ok, lines=tuple(self.lines), solicited=bool(self._flags & _SOLICITED))


def parse_notification(line: bytes) -> Notification:
    """Return what a line outside of replies says."""
    if line.startswith(_OUTPUT):
        pane, _, data = line[len(_OUTPUT) :].partition(b" ")
        return Notification(name="output", pane=PaneId(pane.decode(errors="replace")), data=data)
    if line.startswith(_EXTENDED):
        head, _, data = line[len(_EXTENDED) :].partition(b" : ")
        pane_id, _, age = head.decode(errors="replace").partition(" ")
        return Notification(name="extended-output", args=age, pane=PaneId(pane_id), data=data)
    text = line.decode(errors="replace")
    if not text.startswith("%"):
        return Notification(name="", args=text)
    name, _, args = text[1:].partition(" ")
    return Notification(name=name, args=args, pane=PaneId(args) if name in _OF_PANES else None)
