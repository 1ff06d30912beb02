"""What the demo agent was given, written down as it happens."""

from __future__ import annotations

import json
import time

from orchestrator_core.agents.demo import files


class Record:
    """A file of JSON lines, each appended by a single write; nothing is written without a path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._count = 0

    def add(self, kind: str, text: str) -> None:
        """Append one line: its number since the start, the text to the character, the time and its kind."""
        self._count += 1
        if not self._path:
            return
        entry = {"n": self._count, "text": text, "at": time.time(), "kind": kind}
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
        files.append(self._path, line)
