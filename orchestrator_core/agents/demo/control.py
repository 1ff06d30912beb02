"""Orders from outside: JSON lines that somebody appends to a file or writes into a FIFO."""

from __future__ import annotations

import json
import os
from typing import Any

from orchestrator_core.agents.demo import files

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
        if path and files.is_fifo(path):
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
        except BlockingIOError:
            return b""
        if files.size(self._path) <= self._offset:
            return b""
        data = files.read_from(self._path, self._offset)
        self._offset += len(data)
        return data


def _order(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("do"), str) else None
