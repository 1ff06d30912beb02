"""What the tmux tests play with: programs for panes, and a person at a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

from orchestrator_core.tmux.address import ServerAddress
from tests.conftest import TmuxServer
from tests.polling import DEADLINE_S, STEP_S

TAKER = """\
import os, sys, tty
path, brackets = sys.argv[1:]
tty.setraw(0)
with open(path, "ab", buffering=0) as file:
    sys.stdout.write(("\\x1b[?2004h" if brackets == "on" else "") + "ready\\r\\n")
    sys.stdout.flush()
    while data := os.read(0, 65536):
        file.write(data)
"""
"""A program that writes down what it is given, to the byte."""


def address_of(server: TmuxServer) -> ServerAddress:
    """Return the address of a test's server."""
    return ServerAddress(socket_path=os.path.realpath(server.socket_path))


def taker(path: Path, *, brackets: bool = True) -> tuple[str, ...]:
    """Return the argv of a program that writes what it is given to `path`, and prints `ready` first."""
    return (sys.executable, "-S", "-c", TAKER, str(path), "on" if brackets else "off")


async def until(check: Callable[[], Awaitable[bool]], *, timeout: float = DEADLINE_S) -> None:
    """Wait until `check`, a coroutine function, says yes."""
    async with asyncio.timeout(timeout):
        while not await check():
            await asyncio.sleep(STEP_S)


class Person:
    """A person's tmux client in a terminal of its own."""

    def __init__(self, server: TmuxServer, session: str, *, columns: int = 80, rows: int = 24) -> None:
        self._master, slave = pty.openpty()
        self._seen = bytearray()
        self._process: subprocess.Popen[bytes] | None = None
        self.resize(columns, rows)
        self._process = subprocess.Popen(
            ["tmux", "-S", server.socket_path, "attach-session", "-t", session],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self.name = os.ttyname(slave)
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if self._process is not None:
            self._process.send_signal(signal.SIGWINCH)

    def sees(self, text: str) -> bool:
        """Whether `text` has been shown, in one piece."""
        return text.encode() in bytes(self._seen)

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65536):
                self._seen += data
        except OSError:
            return  # the terminal is closed

    def __enter__(self) -> Person:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        os.close(self._master)
