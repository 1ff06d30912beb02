"""What the demo agent was given, written down as it happens."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path


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
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
