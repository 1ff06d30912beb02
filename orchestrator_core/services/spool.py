"""The folder in which agents' hooks leave what they tell; see `agents/claude/hook_program.py` for the other side."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from orchestrator_core.agents.claude.hook_program import FAILED, NEW, TMP
from orchestrator_core.models.ids import AgentId, MessageId, PaneId

ASIDE = "aside"
KEPT_ASIDE = 50
"""How many broken files are kept to be looked at."""
PAYLOAD_BYTES = 64 * 1024 * 1024
HALF_WRITTEN_S = 3600.0
"""After which a file that was never finished is removed: its writer was killed."""
BROKEN = (ValueError, LookupError, TypeError, RecursionError, OSError)


class Told(Struct, frozen=True, kw_only=True):
    """What one hook told."""

    name: str
    """Of its file; files are in the order of their names."""
    agent: AgentId
    """Whose settings named the hook."""
    at: float
    pane: PaneId | None
    """Where the hook says that it ran."""
    handed_over: MessageId | None
    """The message that the hook has said to the agent."""
    payload: dict[str, Any]


class Spool:
    """What was left in the spool and not yet taken in. `report` is told what goes wrong, each thing once."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._folder = folder
        self._new = folder / NEW
        self._report = report
        self._stuck: set[str] = set()
        """What cannot be read or moved away: it is told of once, and files are not looked at again."""

    def names(self) -> list[str]:
        """Return the names of what there is, oldest first. Costs one look into a folder."""
        try:
            return sorted(entry.name for entry in self._new.iterdir() if entry.name not in self._stuck)
        except FileNotFoundError:  # the next hook makes it
            return []
        except OSError as fault:
            if str(self._new) not in self._stuck:
                self._stuck.add(str(self._new))
                self._report(f"the spool of the agents' hooks cannot be read: {self._new}: {fault.strerror}")
            return []

    def read(self, name: str) -> Told | None:
        """Return what the file tells; None when it is gone or broken, and then it does not come again."""
        path = self._new / name
        try:
            if path.stat().st_size > PAYLOAD_BYTES:
                raise ValueError(f"it has more than {PAYLOAD_BYTES} bytes")
            return _told(name, path.read_bytes())
        except FileNotFoundError:
            return None
        except BROKEN as fault:
            self.set_aside(name, str(fault))
            return None

    def done(self, name: str) -> None:
        """Remove a file whose effects are stored."""
        try:
            (self._new / name).unlink(missing_ok=True)
        except OSError as fault:
            self._stuck.add(name)
            self._report(f"a file of the spool cannot be removed: {name}: {fault.strerror}")

    def set_aside(self, name: str, why: str) -> None:
        """Keep a file that nothing can be made of, to be looked at, where it holds nothing up."""
        self._report(f"what a hook told cannot be taken in, and was set aside: {name}: {why}")
        try:
            (self._folder / ASIDE).mkdir(mode=0o700, exist_ok=True)
            (self._new / name).rename(self._folder / ASIDE / name)
        except OSError:
            self._stuck.add(name)

    def tidy(self, now: float) -> None:
        """Report what hooks could not leave here, and remove what nobody will take in any more."""
        self._report_failures()
        for path in self._in(TMP):
            with contextlib.suppress(OSError):
                if now - path.stat().st_mtime > HALF_WRITTEN_S:
                    path.unlink()
        for path in self._in(ASIDE)[:-KEPT_ASIDE]:
            with contextlib.suppress(OSError):
                path.unlink()

    def _report_failures(self) -> None:
        notes = self._folder / FAILED
        try:
            lines = notes.read_text(encoding="utf-8", errors="replace").splitlines()
            notes.unlink()
        except OSError:
            return
        if lines:
            self._report(f"{len(lines)} hooks of agents could not tell what happened; the last one: {lines[-1]}")

    def _in(self, folder: str) -> list[Path]:
        with contextlib.suppress(OSError):
            return sorted((self._folder / folder).iterdir())
        return []


def _told(name: str, data: bytes) -> Told:
    nanoseconds, _, pane, rest = name.removesuffix(".json").split("-", 3)
    agent, _, message = rest.partition("+")
    payload = _storable(data.decode("utf-8", "replace"))
    if not isinstance(payload, dict):
        raise TypeError("it is no JSON object")
    return Told(
        name=name,
        agent=AgentId(unquote(agent)),
        at=int(nanoseconds) / 1e9,
        pane=PaneId(f"%{pane}") if pane else None,
        handed_over=MessageId(int(message)) if message else None,
        payload=payload,
    )


def _storable(text: str) -> Any:
    """Return what the JSON `text` says, without halves of surrogate pairs: they can be told, and not be stored."""
    found = json.loads(text)
    if "\\ud" not in text.lower():
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
