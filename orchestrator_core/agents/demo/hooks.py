"""The hooks of the person's settings, run one event after the other, in the order in which things happened."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from orchestrator_core.agents.demo.settings import Hook
from orchestrator_core.agents.demo.shell import ShellCommand
from orchestrator_core.agents.demo.steps import Outcome

LOOK_S = 0.1


class Call:
    """One event on its way through its hooks, which run side by side."""

    def __init__(self, hooks: Sequence[Hook], payload: dict[str, Any]) -> None:
        self._hooks = hooks
        self._payload = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._environ = {
            "CLAUDECODE": "1",
            "CLAUDE_PID": str(os.getpid()),
            "CLAUDE_CODE_SESSION_ID": str(payload["session_id"]),
            "CLAUDE_PROJECT_DIR": str(payload["cwd"]),
        }
        self._commands: list[ShellCommand] = []
        self._outcome: Outcome | None = None

    def poll(self, now: float) -> Outcome | None:
        """Return the answers of all its hooks as one JSON object, or None until the last one has ended."""
        return self._outcome

    def start(self, now: float) -> None:
        """Start the hooks."""
        for hook in self._hooks:
            self._commands.append(ShellCommand(hook.command, self._payload, now, hook.timeout, self._environ))

    def advance(self, now: float) -> bool:
        """Look at the hooks, and return whether all have ended."""
        outcomes = [command.poll(now) for command in self._commands]
        ended = [outcome for outcome in outcomes if outcome]
        if len(ended) < len(outcomes):
            return False
        answers: dict[str, Any] = {}
        for outcome in ended:
            answers = {**_answer(outcome), **answers}
        self._outcome = Outcome(text=json.dumps(answers))
        return True

    def kill(self) -> None:
        """End the hooks."""
        for command in self._commands:
            command.kill()


class HookRunner:
    """Runs hooks beside everything else."""

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self._hooks = hooks
        self._waiting: deque[Call] = deque()
        self._current: Call | None = None

    def has(self, event: str) -> bool:
        """Whether anybody wants to know of events of that name."""
        return any(hook.event == event for hook in self._hooks)

    def fire(self, event: str, subject: str, payload: dict[str, Any]) -> Call:
        """Have the hooks run that match; what came before is run first."""
        call = Call([hook for hook in self._hooks if hook.event == event and _matches(hook, subject)], payload)
        self._waiting.append(call)
        return call

    def advance(self, now: float) -> None:
        """Do what can be done without waiting."""
        while self._current or self._waiting:
            if not self._current:
                self._current = self._waiting.popleft()
                self._current.start(now)
            if not self._current.advance(now):
                return
            self._current = None

    def deadline(self, now: float) -> float:
        """Return when to look again."""
        return now + LOOK_S if self._current or self._waiting else math.inf

    def finish(self, seconds: float) -> None:
        """Wait until everything was run, but no longer than that; kill what still runs then."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.advance(now)
            if not self._current:
                return
            time.sleep(LOOK_S / 10)
        if self._current:
            self._current.kill()


def _matches(hook: Hook, subject: str) -> bool:
    if hook.matcher in ("", "*"):
        return True
    try:
        return re.fullmatch(hook.matcher, subject) is not None
    except re.error:
        return False


def _answer(outcome: Outcome) -> dict[str, Any]:
    if not outcome.ok:
        return {}
    try:
        found = json.loads(outcome.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
