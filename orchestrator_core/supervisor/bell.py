"""A doorbell: whoever has put something into the outbox wakes the supervisor at once.

It carries nothing. A ring that is lost costs a moment: the supervisor looks for itself several times a second.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NAME = "supervisor.bell"
MUCH = 4096


def ring(state: Path) -> None:
    """Wake the supervisor of this state folder, if one listens."""
    try:
        bell = os.open(state / NAME, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # nobody listens, or there never was one
        return
    with contextlib.suppress(OSError):
        os.write(bell, b".")
    os.close(bell)


class Bell:
    """The supervisor's side. Only the holder of the supervisor's lock opens it."""

    def __init__(self, state: Path) -> None:
        path = state / NAME
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        # for writing too: a reader alone would see the end of the file whenever a ringer leaves
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def hush(self) -> None:
        """Take in all rings so far."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self.descriptor, MUCH)) == MUCH:
                pass

    def close(self) -> None:
        """Listen no more."""
        os.close(self.descriptor)
