"""Commands of the person's settings: run by a shell, given JSON, and killed when they take too long."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.steps import Outcome

SHELL = "/bin/sh"
NOTHING: Mapping[str, str] = {}


class ShellCommand:
    """One run of a command, in our folder, in our environment and `environ`, apart from our terminal.

    Input and output are files without a name rather than pipes: however much there is of either, neither side waits
    for the other.
    """

    def __init__(
        self, command: str, given: bytes, now: float, timeout: float, environ: Mapping[str, str] = NOTHING
    ) -> None:
        self.deadline = now + timeout
        """When it will be killed."""
        self._outcome: Outcome | None = None
        self._output = files.nameless()
        given_file = files.nameless(given)
        try:
            self._pid = os.posix_spawn(
                SHELL,
                (SHELL, "-c", command),
                {**os.environ, **environ},
                file_actions=(
                    (os.POSIX_SPAWN_DUP2, given_file, 0),
                    (os.POSIX_SPAWN_DUP2, self._output, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ),
                setsid=True,
                setsigdef=(signal.SIGPIPE,),
            )
        except OSError as error:
            self._end(Outcome(ok=False, text=str(error.strerror)))
        finally:
            os.close(given_file)

    def poll(self, now: float) -> Outcome | None:
        """Return how it ended, with what it put out, or None while it runs. Never blocks."""
        if self._outcome:
            return self._outcome
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._end(Outcome(ok=status == 0, text=files.whole(self._output)))
        elif now >= self.deadline:
            self.kill()
        return self._outcome

    def kill(self) -> None:
        """End it, and everything it has started; its outcome comes with the next `poll`."""
        if not self._outcome:
            os.killpg(self._pid, signal.SIGKILL)

    def _end(self, outcome: Outcome) -> None:
        os.close(self._output)
        self._outcome = outcome
