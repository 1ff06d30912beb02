"""A `claude -p` that answers as a test says, and writes down how it was asked."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.polling import eventually

PLAN: dict[str, Any] = {
    "summary": "A shop whose customers log in.",
    "phases": [
        {"name": "Look around", "tasks": ["Read the code"], "hours": 1},
        {"name": "Build", "tasks": ["The form", "The session"], "hours": 6.5},
    ],
    "size": "medium",
    "size_basis": "two modules are touched",
    "hours": 7.5,
    "success_criteria": ["A wrong password is refused"],
    "deliverables": ["A login form"],
    "suggestions": [{"action": "add", "role": "securityops", "why": "Passwords are kept."}],
}
PROGRAM = """\
import json, os, pathlib, signal, subprocess, sys, time
folder = pathlib.Path({folder!r})
record = dict(argv=sys.argv[1:], stdin=sys.stdin.read(), cwd=os.getcwd(), env=dict(os.environ), pid=os.getpid())
def asked():
    (folder / "part").write_text(json.dumps(record))
    (folder / "part").rename(folder / "asked.json")
def say(*lines):
    for line in lines:
        sys.stdout.write(line if isinstance(line, str) else json.dumps(line))
        sys.stdout.write("\\n")
    sys.stdout.flush()
def wait(file):
    while not (folder / file).exists():
        time.sleep(0.01)
def child(words):
    record["child"] = subprocess.Popen([sys.executable, "-I", "-S", "-c", words]).pid
"""
HANG = "child('import time; time.sleep(600)'); asked(); time.sleep(600)"


class ClaudePrint:
    """The program: what it does is Python, with `say`, `asked`, `wait` and `child`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.program = folder / "claude"
        self.answers(envelope(PLAN))

    def answers(self, *lines: object, code: int = 0, stderr: str = "") -> None:
        """Have it print these: texts as they are, the rest as JSON."""
        given = json.dumps(json.dumps(lines))
        self.does(f"asked(); say(*json.loads({given})); sys.stderr.write({stderr!r}); sys.exit({code})")

    def does(self, words: str) -> None:
        script = self.folder / "claude.py"
        script.write_text(PROGRAM.format(folder=str(self.folder)) + words + "\n")
        self.program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(script))} "$@"\n'
        )
        self.program.chmod(0o755)

    @property
    def asked(self) -> Any:
        """How it was asked; None when it was not."""
        file = self.folder / "asked.json"
        return json.loads(file.read_text()) if file.exists() else None

    def let(self, file: str) -> None:
        """Let it go on that waits for `file`."""
        (self.folder / file).touch()

    def has_ended(self, *who: str) -> None:
        """Wait until none of its processes is there any more."""
        for pid in (self.asked[name] for name in who):
            eventually(lambda pid=pid: not _is_there(pid), what=f"{pid} is still there")  # type: ignore[misc]


def envelope(plan: object = None, **more: Any) -> dict[str, Any]:
    """Return the last event of a reading as the CLI prints it; `plan` is the structured output."""
    structured = {} if plan is None else {"structured_output": plan, "result": json.dumps(plan)}
    usual = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "total_cost_usd": 0.25,
        "api_error_status": None,
    }
    return {**usual, "modelUsage": {"claude-stub": {}}, **structured, **more}


def uses(tool: str, **given: str) -> dict[str, Any]:
    """Return the event that Claude uses a tool."""
    block = {"type": "tool_use", "id": "1", "name": tool, "input": given}
    return {"type": "assistant", "message": {"role": "assistant", "content": [block]}}


def _is_there(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
