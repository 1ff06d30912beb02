"""Real commands that the demo agent runs beside its screen."""

from __future__ import annotations

import os
import subprocess
from typing import Protocol

from orchestrator_core.agents.demo.steps import Outcome

TIMEOUT_S = 120.0
KEPT_BYTES = 65536
READ_BYTES = 16384


class Job(Protocol):
    """A command that was started."""

    def poll(self, now: float) -> Outcome | None:
        """Return how it ended, or None while it runs. Never blocks."""
        ...


class Jobs(Protocol):
    """What starts commands."""

    def start(self, argv: tuple[str, ...], now: float) -> Job:
        """Start a command in the agent's folder, apart from its terminal."""
        ...


class _Ended:
    """A command that could not be started."""

    def __init__(self, why: str) -> None:
        self._outcome = Outcome(ok=False, text=why)

    def poll(self, now: float) -> Outcome | None:
        """Return why not."""
        return self._outcome


class _Running:
    """A process whose output is read as it comes; it is killed when it takes too long."""

    def __init__(self, process: subprocess.Popen[bytes], now: float) -> None:
        assert process.stdout is not None
        self._process = process
        self.output = process.stdout.fileno()
        self._text = b""
        self._deadline = now + TIMEOUT_S
        self._open = True
        os.set_blocking(self.output, False)

    def poll(self, now: float) -> Outcome | None:
        """Return how it ended, or None while it runs."""
        self._drain()
        code = self._process.poll()
        if code is None:
            if now > self._deadline:
                self._process.kill()
            return None
        self._drain()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return Outcome(ok=code == 0, text=self._text.decode("utf-8", "replace"))

    def _drain(self) -> None:
        while self._open:
            try:
                data = os.read(self.output, READ_BYTES)
            except BlockingIOError:
                return
            self._open = bool(data)
            self._text = (self._text + data)[-KEPT_BYTES:]


class Processes:
    """Starts real processes, without a terminal and without questions."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def start(self, argv: tuple[str, ...], now: float) -> Job:
        """Start a command in the agent's folder."""
        try:
            process = subprocess.Popen(
                argv,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "PAGER": "cat"},
            )
        except OSError as error:
            return _Ended(str(error))
        return _Running(process, now)
