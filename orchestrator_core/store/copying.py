"""Copying the database without opening it: opening one with a write-ahead log writes beside it, even only to read."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from orchestrator_core.errors import StoreError

SIDES = ("", "-wal")
TRIES = 50
PAUSE_S = 0.02


def copy_database(path: Path, folder: Path) -> Path:
    """Copy the database at `path` with its write-ahead log into `folder`, as they are at one moment; return it there.

    Where there is none, none is copied.

    Raises:
        StoreError: it cannot be read, or never stands still long enough.

    """
    copy = folder / path.name
    try:
        for _ in range(TRIES):
            before = _stamps(path)
            for side in SIDES:
                with suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{side}", f"{copy}{side}")
            if _stamps(path) == before:
                return copy
            for side in SIDES:
                Path(f"{copy}{side}").unlink(missing_ok=True)
            time.sleep(PAUSE_S)
    except OSError as error:
        raise StoreError("the database cannot be read", cause=str(error), code="cannot-open") from error
    raise StoreError("the database cannot be read", cause="it is being written all the time", remedy="try it again")


def _stamps(path: Path) -> list[tuple[int, int, int] | None]:
    """Return what changes with each write: a commit touches the log, a checkpoint the database."""
    found: list[tuple[int, int, int] | None] = []
    for side in SIDES:
        try:
            stat = Path(f"{path}{side}").stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return found
