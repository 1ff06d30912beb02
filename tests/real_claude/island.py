"""An island: a network namespace with nothing but loopback, and in it the stub, a tmux server, and a seeded home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.conftest import TmuxServer
from tests.polling import eventually

STUB = Path(__file__).with_name("stub.py")
KEY = "sk-ant-made-up-for-a-test"
TOKEN = "sk-ant-oat01-made-up-for-a-test"
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
}
"""Without these the CLI looks for hosts that are not there, and waits."""
PASTED = re.compile(r'</?pasted_content(?: id="[^"]*")?>\n?')
TEXTS = ("texts", "earlier")


class Seed(Struct, frozen=True, kw_only=True):
    """What the CLI finds in its home."""

    trusted: tuple[Path, ...] = ()
    """Repositories of which the person has said that they are safe; that holds for their worktrees too."""
    is_key_approved: bool = True
    settings: dict[str, Any] = {}
    """What the person's own settings file says besides."""


class Received(Struct, frozen=True, kw_only=True):
    """A request that the stub got."""

    at: float
    texts: tuple[str, ...]
    """What the user sent since the last answer, without the CLI's marks around pastes."""
    earlier: tuple[str, ...]
    """What the user had sent in the conversation before."""
    results: int
    """How many results of tools came after those texts."""
    told: str
    """The newest of them, as the model sees it."""
    is_turn: bool
    """False for what the CLI asks on its own account."""
    tools: tuple[str, ...]
    """Those that the model may use."""


class Island:
    """What runs in the namespace, seen from outside."""

    def __init__(self, stub: subprocess.Popen[str], folder: Path, tmux: TmuxServer, home: Path) -> None:
        self._stub = stub
        self._folder = folder
        self.tmux = tmux
        self.home = home
        assert stub.stdout is not None
        self.port = int(stub.stdout.readline())

    def seed(self, seed: Seed) -> None:
        """Write the CLI's home, so that it starts without the dialogs of a first run."""
        known = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "hasSeenAutoDefaultNotice": True,
            "hasSeenAutoDefaultNudge": True,
            "customApiKeyResponses": {"approved": [KEY[-20:]] if seed.is_key_approved else [], "rejected": []},
            "projects": {str(folder): {"hasTrustDialogAccepted": True} for folder in seed.trusted},
        }
        (self.home / ".claude.json").write_text(json.dumps(known))
        (self.home / ".claude").mkdir(exist_ok=True)
        settings = {"permissions": {"defaultMode": "default"}, **seed.settings}
        (self.home / ".claude/settings.json").write_text(json.dumps(settings))

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that is to run in the namespace."""
        return ("nsenter", "-t", str(self._stub.pid), "-n")

    def environ(self, *, is_oauth: bool = False, **more: str) -> dict[str, str]:
        """Return the environment of a program that finds the stub and looks for nobody else."""
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **{name: os.environ[name] for name in ("PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")},
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "TMPDIR": str(temporary),
            "CLAUDE_CODE_TMPDIR": str(temporary),
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            **({"CLAUDE_CODE_OAUTH_TOKEN": TOKEN} if is_oauth else {"ANTHROPIC_API_KEY": KEY}),
            **QUIET,
            **more,
        }

    def start_tmux(self, *, is_oauth: bool = False, **more: str) -> None:
        """Start the tmux server; its environment is what every window inherits."""
        environ = self.environ(is_oauth=is_oauth, **more)
        inside = (*self.inside, "env", "-i", *(f"{n}={v}" for n, v in environ.items()))
        tmux = ("tmux", "-f", "/dev/null", "-S", self.tmux.socket_path)
        new = ("new-session", "-d", "-s", "island", "-x", "100", "-y", "30", "cat")
        subprocess.run([*inside, *tmux, *new], check=True, timeout=20)

    @property
    def _release(self) -> Path:
        return self._folder / "release"

    def release(self) -> None:
        """Let what hangs go on."""
        self._release.touch()

    def received(self) -> list[Received]:
        """Return the requests so far, oldest first."""
        log = self._folder / "requests.jsonl"
        if not log.exists():
            return []
        entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return [
            Received(
                **{
                    **entry,
                    **{name: tuple(PASTED.sub("", text).strip() for text in entry[name]) for name in TEXTS},
                    "tools": tuple(entry["tools"]),
                }
            )
            for entry in entries
        ]

    def texts(self) -> list[str]:
        """Return what the user sent, each text once, oldest first."""
        firsts = [got.texts for got in self.received() if got.is_turn and not got.results]
        return [text for texts in firsts for text in texts]

    def wait_text(self, part: str) -> str:
        """Wait until a text with `part` in it was received, and return it."""

        def found() -> str:
            return next((text for text in self.texts() if part in text), "")

        return eventually(found, timeout=30, what=f"{part!r} is in none of {self.texts()}")


@contextmanager
def running_island(folder: Path, tmux: TmuxServer, home: Path) -> Iterator[Island]:
    """Make the namespace and start the stub in it; it ends with us, whatever becomes of us."""
    folder.mkdir(parents=True)
    program = (sys.executable, "-I", str(STUB), str(folder / "requests.jsonl"), str(folder / "release"))
    stub = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Island(stub, folder, tmux, home)
    finally:
        tmux.kill()
        stub.communicate(timeout=20)
