"""One supervisor per state folder: a kernel lock that is held for life and never unlinked."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

PROBE_GRACE_S = 1.0
STEP_S = 0.02


class SupervisorLock:
    """The right to be the supervisor. The kernel lets it go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock; return False when another process has it.

        `is_held` probes take it for an instant, so a refusal counts only when it lasts.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + PROBE_GRACE_S
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(descriptor)
                return False
            time.sleep(STEP_S)
        self._file = descriptor
        return True

    def wait(self) -> None:
        """Take the lock as soon as no other process has it. Costs nothing until then."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._file = descriptor

    def beat(self) -> None:
        """Give a sign of life: the file's time. A commit would wake every client."""
        if self._file is not None:
            os.utime(self._file)

    def release(self) -> None:
        """Let the lock go. The file stays: unlinking it would let two processes hold two locks."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def last_beat(path: Path) -> float | None:
    """Return when the latest supervisor last gave a sign of life, seconds since the epoch; None if none ever ran."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def is_held(path: Path) -> bool:
    """Whether a supervisor runs on the state folder that `path` belongs to. Starts no process."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
