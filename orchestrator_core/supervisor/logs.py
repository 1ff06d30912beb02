"""The supervisor's log: a file of bounded size, and the two before it. A dying interpreter's last words are in it."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

MOST_BYTES = 1_000_000
KEPT = 2
"""How many full files are kept besides the one that is being written."""
FORM = logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")


class LogFile(RotatingFileHandler):
    """Writes to a file that only we can read. Where stderr goes to that file, it follows to every new one."""

    def __init__(self, path: Path, most_bytes: int, *, takes_stderr: bool) -> None:
        self._takes_stderr = takes_stderr
        super().__init__(path, maxBytes=most_bytes, backupCount=KEPT, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(FORM)

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._takes_stderr:
            for stream in (1, 2):
                os.dup2(descriptor, stream)
        return io.TextIOWrapper(io.FileIO(descriptor, "a"), self.encoding, self.errors, write_through=True)


def log_to(path: Path, *, rotates: bool = True) -> None:
    """Have what is logged in this process go to the file at `path`, and to stderr unless that is the very file.

    Only one process may rotate a file: the one that holds the supervisor's lock.
    """
    is_stderr = _is_stderr(path)
    root = logging.getLogger()
    for before in tuple(root.handlers):
        root.removeHandler(before)
        before.close()
    root.addHandler(LogFile(path, MOST_BYTES if rotates else 0, takes_stderr=rotates and is_stderr))
    if not is_stderr:  # in the foreground, or under a service: there it is the journal
        echo = logging.StreamHandler(sys.stderr)
        echo.setFormatter(FORM)
        root.addHandler(echo)
    logging.getLogger("orchestrator_core").setLevel(logging.INFO)


def _is_stderr(path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(2), path.stat())
    return False
