"""A person's terminal: an outer tmux whose one pane runs a program; keys go in, the screen comes out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.polling import eventually

WAIT_S = 25.0


class Terminal:
    """Runs one program at a given size, on a tmux server that has nothing to do with the agents'."""

    def __init__(self, socket: Path, command: str, *, width: int = 120, height: int = 40, cwd: Path) -> None:
        self._socket = socket
        self._run(
            "-f", "/dev/null", "new-session", "-d", "-s", "person", "-x", str(width), "-y", str(height), "-c", str(cwd),
            "env", "-u", "TMUX", "-u", "TMUX_PANE", "-u", "COLUMNS", "-u", "LINES",
            "COLORTERM=truecolor", "sh", "-c", command,
        )  # fmt: skip
        self._run("set-option", "-g", "status", "off")
        self._run("set-option", "-g", "escape-time", "0")
        self._run("set-option", "-g", "prefix", "None")
        self._run("set-option", "-g", "remain-on-exit", "on")
        self.resize(width, height)  # without a client, tmux may fall back to 80 x 24 when an option changes

    def _run(self, *args: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *args], capture_output=True, text=True, check=False, timeout=20,
            env=dict(os.environ),
        )  # fmt: skip
        assert done.returncode == 0, f"{args}: {done.stderr}"
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them."""
        self._run("send-keys", "-t", "person", *keys)

    def type(self, text: str) -> None:
        """Type `text` as it is."""
        self._run("send-keys", "-t", "person", "-l", text)

    def resize(self, width: int, height: int) -> None:
        self._run("resize-window", "-t", "person", "-x", str(width), "-y", str(height))

    def text(self) -> str:
        """Return what is on the screen."""
        return self._run("capture-pane", "-p", "-t", "person")

    def sees(self, *texts: str, timeout: float = WAIT_S) -> str:
        """Wait until all of `texts` are on the screen, and return it."""

        def look() -> str:
            screen = self.text()
            missing = [text for text in texts if text not in screen]
            assert not missing, f"{missing} not on the screen:\n{screen}"
            return screen

        return eventually(look, timeout=timeout)

    def sees_no(self, text: str) -> None:
        """Wait until `text` is not on the screen."""

        def look() -> bool:
            screen = self.text()
            assert text not in screen, f"{text!r} still on the screen:\n{screen}"
            return True

        eventually(look, timeout=WAIT_S)

    def exit_status(self) -> int:
        """Wait until the program has ended, and return its exit status."""

        def status() -> str:
            self._run("run-shell", "-b", "true")  # tmux may miss a child's end until the next one comes
            return self._run("display-message", "-p", "-t", "person", "#{pane_dead}#{pane_dead_status}").strip()[1:]

        return int(eventually(status, timeout=WAIT_S))

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], check=False, capture_output=True)
