"""The demo agent in the shape of the `claude` command: for tests that need a scripted one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from orchestrator_core.agents.screen import Reading, ScreenState, read_screen
from orchestrator_core.agents.screen_patterns import patterns
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from tests.conftest import TmuxServer
from tests.polling import eventually

REPOSITORY = Path(__file__).parents[2]
PYTHON = Path(os.path.realpath(sys.executable))
"""The interpreter itself: one in a virtual environment finds that by its own name, which the wrapper changes."""


def write_stand_in(folder: Path, *arguments: str, name: str = "claude") -> Path:
    """Write a program called `name` into `folder`, and return its path.

    tmux shows it as `claude`, as it shows the real one. `arguments` come before those it is called with; the shell
    expands `$VARIABLES` and `$(commands)` in them, so that one program can serve many agents.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    quoted = " ".join(f'"{argument}"' for argument in arguments)
    program.write_text(
        "#!/bin/bash\n"
        f'export PYTHONPATH="{REPOSITORY}"\n'
        f'exec -a claude "{PYTHON}" -P -S -m orchestrator_core.agents.demo {quoted} "$@"\n'
    )
    program.chmod(0o755)
    return program


class StandInPane:
    """A stand-in in a pane of its own, and everything a test does to it or looks at."""

    def __init__(
        self,
        tmux: TmuxServer,
        folder: Path,
        *arguments: str,
        width: int = 100,
        height: int = 30,
        cwd: Path | None = None,
        environ: tuple[str, ...] = (),
    ) -> None:
        self.tmux = tmux
        self.folder = folder
        self._record = folder / "record.jsonl"
        self._trace = folder / "trace.jsonl"
        self._control = folder / "control.jsonl"
        program = write_stand_in(
            folder / "bin",
            *("--record", str(self._record)),
            *("--trace", str(self._trace)),
            *("--control", str(self._control)),
        )
        size = ("-x", str(width), "-y", str(height))
        self.pane = tmux.run(
            *("new-session", "-d", "-P", "-F", "#{pane_id}", *size, "-c", str(cwd or folder), *environ),
            *(str(program), *arguments),
            *(";", "set-option", "-g", "remain-on-exit", "on"),
        )

    def fact(self, name: str) -> str:
        """Return a format variable of the pane."""
        return self.tmux.run("display-message", "-p", "-t", self.pane, f"#{{{name}}}")

    def frame(self) -> PaneFrame:
        """Return its picture."""
        lines = tuple(self.tmux.run("capture-pane", "-p", "-e", "-t", self.pane).split("\n"))
        return PaneFrame(
            pane=PaneId(self.pane),
            lines=lines,
            width=int(self.fact("pane_width")),
            height=len(lines),
            cursor=Cursor(x=0, y=0, visible=False),
        )

    def reading(self) -> Reading:
        """Return what its screen is read as."""
        return read_screen(self.frame(), patterns("claude"))

    def text(self) -> str:
        """Return what is to be seen."""
        return self.tmux.screen(self.pane)

    def wait(self, state: ScreenState) -> Reading:
        """Wait until its screen is read as `state`."""
        eventually(lambda: self.reading().state is state, what=f"it is no {state}:\n{self.text()}")
        return self.reading()

    def wait_draft(self, draft: str) -> None:
        """Wait until `draft` lies at the prompt."""
        eventually(lambda: self.reading().draft == draft, what=f"the draft is {self.reading().draft!r}")

    def sees(self, text: str) -> None:
        """Wait until `text` is to be seen."""
        eventually(lambda: text in self.text(), what=f"{text!r} is not to be seen:\n{self.text()}")

    def paste(self, text: str) -> None:
        """Paste as tmorch does."""
        file = self.folder / "paste"
        file.write_text(text, encoding="utf-8", newline="")
        self.tmux.run("load-buffer", "-b", "stand-in", str(file))
        self.tmux.run("paste-buffer", "-p", "-r", "-d", "-b", "stand-in", "-t", self.pane)

    def type(self, text: str) -> None:
        """Type characters."""
        self.tmux.run("send-keys", "-t", self.pane, "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys, each in a call of its own."""
        for key in keys:
            self.tmux.run("send-keys", "-t", self.pane, key)

    def submit(self, text: str) -> None:
        """Paste `text` and send it."""
        self.paste(text)
        self.press("Enter")

    def do(self, what: str, **details: Any) -> None:
        """Give an order; see `orchestrator_core.agents.demo.orders`."""
        with self._control.open("a", encoding="utf-8") as control:
            control.write(json.dumps({"do": what, **details}) + "\n")

    def submissions(self) -> list[tuple[str, str]]:
        """Return the kind and the text of everything that was submitted."""
        return _entries(self._record)

    def texts(self) -> list[str]:
        """Return the text of everything that was submitted."""
        return [text for _, text in self.submissions()]

    def trace(self) -> list[tuple[str, str]]:
        """Return answers to dialogs, keys that interrupt, joined messages, and what a limit's end began."""
        return _entries(self._trace)

    def session(self) -> dict[str, Any]:
        """Return what it says of itself in Claude Code's sessions folder; nothing when it says nothing, or is at it."""
        folder = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
        file = folder / f"sessions/{self.fact('pane_pid')}.json"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        found: dict[str, Any] = json.loads(text) if text else {}
        return found

    def exit_code(self) -> int:
        """Wait until the program has ended, and return its exit code."""
        return int(self.ended("pane_dead_status"))

    def ended(self, how: str) -> str:
        """Wait until the program has ended and tmux knows how: `pane_dead_status` or `pane_dead_signal`."""

        def found() -> str:
            self.tmux.run("run-shell", "-b", "true")  # tmux may miss a child's end until the next one comes
            return self.fact(how)

        return eventually(found, what=f"it has not ended:\n{self.text()}")


def _entries(file: Path) -> list[tuple[str, str]]:
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    entries = [json.loads(line) for line in lines if line]
    return [(entry["kind"], entry["text"]) for entry in entries]
