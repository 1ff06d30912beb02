"""The file in which a Claude Code session says what it is and how it stands."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import Any

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.conversation import VERSION, Conversation
from orchestrator_core.agents.demo.jobs import Processes
from orchestrator_core.agents.demo.standing import Standing
from orchestrator_core.agents.demo.steps import Done, Job

TMUX_PLACE = "#{session_name}:#{window_id}.#{pane_id}"
START_FIELD = 22
LOOK_S = 0.05


class SessionFile:
    """Ours in the `sessions` folder; there from the first `update` to `remove`, and written in its place meanwhile."""

    def __init__(self, conversation: Conversation, name: str, now: float) -> None:
        self._conversation = conversation
        self._path = files.join(conversation.folder, f"sessions/{os.getpid()}.json")
        self._place: Job | None = _ask_place(now)
        self._shown: tuple[Standing, str] | None = None
        started_at = _milliseconds()
        self._content: dict[str, Any] = {
            "pid": os.getpid(),
            "sessionId": "",
            "cwd": conversation.project,
            "startedAt": started_at,
            "procStart": _process_start() or str(started_at),
            "version": VERSION,
            "kind": "interactive",
            "entrypoint": "cli",
            "pidDomain": _pid_domain(),
            "name": name or f"{files.name(conversation.project)}-{os.getpid() & 0xFF:02x}",
            "nameSource": "user" if name else "derived",
            "nameSince": started_at,
        }

    def deadline(self, now: float) -> float:
        """Return when `update` is to be called again although nothing has changed."""
        return now + LOOK_S if self._place else math.inf

    def update(self, standing: Standing, now: float) -> None:
        """Say how the agent stands, as soon as it is known where it is."""
        if self._place:
            found = self._place.poll(now)
            if not found:
                return
            self._place = None
            if found.ok and found.text.strip():
                self._content["tmux"] = found.text.strip()
        if self._shown != (standing, self._conversation.id):
            self._shown = (standing, self._conversation.id)
            self._write(standing)

    def _write(self, standing: Standing) -> None:
        at = _milliseconds()
        state: dict[str, Any] = {"status": standing.status, "updatedAt": at, "statusUpdatedAt": at}
        if standing.waiting_for:
            state["waitingFor"] = standing.waiting_for
        files.overwrite(self._path, json.dumps({**self._content, "sessionId": self._conversation.id, **state}))

    def remove(self) -> None:
        """Take it away."""
        files.remove(self._path)


def _ask_place(now: float) -> Job:
    pane = os.environ.get("TMUX_PANE", "")
    if not pane or not os.environ.get("TMUX"):
        return Done()
    return Processes().start(("tmux", "display-message", "-p", "-t", pane, TMUX_PLACE), now)


def _milliseconds() -> int:
    return int(time.time() * 1000)


def _process_start() -> str:
    """Return when we were started, as the kernel counts; empty where it does not say."""
    fields = files.read("/proc/self/stat").rpartition(")")[2].split()
    return fields[START_FIELD - 3] if fields else ""


def _pid_domain() -> str:
    machine = files.read("/proc/sys/kernel/random/boot_id").strip().replace("-", "")
    return f"{sys.platform}:{machine}:{files.link('/proc/self/ns/pid')}"
