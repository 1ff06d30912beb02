"""The demo agent's terminal: raw mode, the alternate screen, and painting only the rows that changed."""

from __future__ import annotations

import os
import termios
from collections.abc import Sequence

READ_BYTES = 65536
ENTER = "\x1b[?2004h\x1b[?25l"
LEAVE = "\x1b[?2004l\x1b[?25h"
ALTERNATE_ON = "\x1b[?1049h\x1b[2J"
ALTERNATE_OFF = "\x1b[?1049l"


class Terminal:
    """A terminal on two file descriptors."""

    def __init__(self, source: int, target: int, *, alternate: bool) -> None:
        self.source = source
        self._target = target
        self._alternate = alternate
        self._shown: list[str] = []
        self._live = 0
        self._before = termios.tcgetattr(source)
        self._is_open = False

    def open(self) -> None:
        """Take the terminal over. What was typed before is kept."""
        raw = termios.tcgetattr(self.source)
        raw[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
        raw[1] &= ~termios.OPOST
        raw[2] = (raw[2] & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.source, termios.TCSANOW, raw)
        self._is_open = True
        self.write((ALTERNATE_ON if self._alternate else "") + ENTER)

    def close(self) -> None:
        """Give the terminal back as it was."""
        if not self._is_open:
            return
        self._is_open = False
        self.write(LEAVE + (ALTERNATE_OFF if self._alternate else "\r\n"))
        termios.tcsetattr(self.source, termios.TCSADRAIN, self._before)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        size = os.get_terminal_size(self._target)
        return max(size.columns, 20), max(size.lines, 6)

    def read(self) -> bytes:
        """Return what is there; nothing when the terminal is gone."""
        try:
            return os.read(self.source, READ_BYTES)
        except OSError:
            return b""

    def paint(self, rows: Sequence[str]) -> None:
        """Show `rows` as the whole alternate screen."""
        changed = [
            f"\x1b[{at + 1};1H{row}\x1b[0m\x1b[K"
            for at, row in enumerate(rows)
            if at >= len(self._shown) or self._shown[at] != row
        ]
        self._shown = list(rows)
        if changed:
            self.write("".join(changed))

    def scroll(self, settled: Sequence[str], live: Sequence[str]) -> None:
        """Print `settled` rows for good, and `live` rows under them to be replaced by the next call."""
        if not settled and list(live) == self._shown:
            return
        up = f"\x1b[{self._live - 1}A" if self._live > 1 else ""
        body = "\r\n".join(f"{row}\x1b[0m\x1b[K" for row in [*settled, *live])
        self.write(f"\r{up}\x1b[J{body}")
        self._shown = list(live)
        self._live = len(live)

    def forget(self) -> None:
        """Paint everything anew the next time: the terminal has another size."""
        self._shown = []
        if self._alternate:
            self.write("\x1b[2J")

    def write(self, text: str) -> None:
        """Write all of `text`; a terminal that is gone takes nothing."""
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(self._target, data) :]
        except OSError:
            return
