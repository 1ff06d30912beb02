"""Real commands that the demo agent runs beside its screen.

`os.posix_spawnp` rather than `subprocess`: that alone would be a tenth of the agent's memory.
"""

from __future__ import annotations

import os
import signal
from typing import Protocol

from orchestrator_core.agents.demo.steps import Job, Outcome

TIMEOUT_S = 120.0
KEPT_BYTES = 65536
READ_BYTES = 16384
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_PAGER": "cat", "PAGER": "cat"}


class Jobs(Protocol):
    """What starts commands."""

    def start(self, argv: tuple[str, ...], now: float) -> Job:
        """Start a command in the agent's folder, apart from its terminal."""
        ...


class _NotStarted:
    """A command that could not be started."""

    def __init__(self, why: str) -> None:
        self._outcome = Outcome(ok=False, text=why)

    def poll(self, now: float) -> Outcome | None:
        """Return why not."""
        return self._outcome


class _Running:
    """A process group whose output is read as it comes; it is killed when it takes too long."""

    def __init__(self, pid: int, output: int, now: float) -> None:
        self._pid = pid
        self._output = output
        self._text = b""
        self._deadline = now + TIMEOUT_S
        os.set_blocking(output, False)

    def poll(self, now: float) -> Outcome | None:
        """Return how it ended, or None while it runs."""
        self._drain()
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            if now > self._deadline:
                os.killpg(self._pid, signal.SIGKILL)
            return None
        self._drain()
        os.close(self._output)
        return Outcome(ok=status == 0, text=self._text.decode("utf-8", "replace"))

    def _drain(self) -> None:
        while True:
            try:
                data = os.read(self._output, READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                return
            self._text = (self._text + data)[-KEPT_BYTES:]


class Processes:
    """Starts real processes in our own folder, without a terminal and without questions."""

    def start(self, argv: tuple[str, ...], now: float) -> Job:
        """Start a command."""
        output, theirs = os.pipe()
        try:
            pid = os.posix_spawnp(
                argv[0],
                argv,
                {**os.environ, **QUIET},
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, theirs, 1),
                    (os.POSIX_SPAWN_DUP2, theirs, 2),
                ),
                setsid=True,
                setsigdef=(signal.SIGPIPE,),
            )
        except OSError as error:
            os.close(output)
            return _NotStarted(f"{argv[0]}: {error.strerror}")
        finally:
            os.close(theirs)
        return _Running(pid, output, now)
