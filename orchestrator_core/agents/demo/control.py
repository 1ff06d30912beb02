"""Orders from outside: JSON lines that somebody appends to a file or writes into a FIFO."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

POLL_S = 0.05
"""How often a regular file is looked at; a FIFO wakes its reader by itself."""


class Control:
    """Reads orders as they come. A path that does not exist yet is waited for."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self.fifo: int | None = None
        """To be waited on for reading, when the path is a FIFO."""
        if path and os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH110, PTH116
            self.fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    @property
    def poll_s(self) -> float | None:
        """After how many seconds to look again; None when that is not needed."""
        return POLL_S if self._path and self.fifo is None else None

    def take(self) -> list[dict[str, Any]]:
        """Return the orders that have come since the last time; what is not an order is left out."""
        lines = (self._rest + self._read()).split(b"\n")
        self._rest = lines.pop()
        return [order for line in lines if (order := _order(line))]

    def _read(self) -> bytes:
        if not self._path:
            return b""
        try:
            if self.fifo is not None:
                return os.read(self.fifo, 65536)
            if os.stat(self._path).st_size <= self._offset:  # noqa: PTH116  # a poll: cheaper than a Path each time
                return b""
            with open(self._path, "rb") as file:  # noqa: PTH123
                file.seek(self._offset)
                data = file.read()
        except (FileNotFoundError, BlockingIOError):
            return b""
        self._offset += len(data)
        return data


def _order(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("do"), str) else None
