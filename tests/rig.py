"""A whole tmorch for a test: its own state, tmux server, project, and agents that can be told what to do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator_core.bootstrap import build
from orchestrator_core.cli.documents import team_document
from orchestrator_core.config.paths import Paths
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.launch import StartRequest
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor import control
from orchestrator_core.supervisor.lock import is_held
from tests.conftest import TmuxServer
from tests.fakes.claude_stand_in import write_stand_in
from tests.polling import eventually

COMMAND_TIMEOUT_S = 80
SPEC = "PROJECT: Shop\nGOAL: Sell things\nDELIVERABLES:\n1. A till\n"


class Done:
    """What a command did."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self) -> Any:
        """Its stdout, decoded."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class StandIn:
    """One scripted agent: what it was given, and a way to tell it what to do."""

    def __init__(self, rig: Rig, agent: str) -> None:
        self.id = AgentId(agent)
        self._rig = rig
        self._stem = rig.folder / agent.replace(":", "_")

    @property
    def record(self) -> Path:
        return self._stem.with_suffix(".jsonl")

    @property
    def control(self) -> Path:
        """Where it is told what to do; a program that is started anew reads it from the beginning."""
        return self._stem.with_suffix(".control")

    def prompts(self) -> list[str]:
        """All prompts that it took, oldest first."""
        if not self.record.exists():
            return []
        return [json.loads(line)["text"] for line in self.record.read_text(encoding="utf-8").splitlines()]

    def texts(self) -> list[str]:
        """Its prompts without the header, the briefing left out."""
        return [text.partition("] ")[2] for text in self.prompts() if not text.split("]")[0].endswith("briefing")]

    def do(self, what: str, **details: Any) -> None:
        """Tell it to do something; see the demo program's control words."""
        with self.control.open("a", encoding="utf-8") as control:
            control.write(json.dumps({"do": what, **details}) + "\n")

    @property
    def row(self) -> Agent:
        """The agent as the store has it."""
        return self._rig.store.agents.get(self.id)

    def screen(self) -> str:
        pane = self.row.pane
        assert pane is not None
        return self._rig.tmux.screen(pane)

    def wait_status(self, *statuses: str) -> None:
        eventually(lambda: self.row.status in statuses, what=f"{self.id} is {self.row.status}, not {statuses}")


class Rig:
    """Runs the installed `tmorch` on a private state folder and tmux server."""

    def __init__(self, tmux: TmuxServer, folder: Path) -> None:
        self.tmux = tmux
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.paths = Paths.from_env(os.environ)
        self._store: Store | None = None
        self.spec = folder / "SPEC.md"
        self.spec.write_text(SPEC)

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = open_store(self.paths.database)
        return self._store

    def configure(self, text: str = "", *, stand_in_args: tuple[str, ...] = (), as_driver: str = "stand-in") -> None:
        """Write the settings: a driver for the stand-in, and `text` after it."""
        program = write_stand_in(
            self.folder / "bin",
            *stand_in_args,
            "--record",
            f"{self.folder}/$(echo $TMORCH_AGENT | tr : _).jsonl",
            "--control",
            f"{self.folder}/$(echo $TMORCH_AGENT | tr : _).control",
        )
        driver = (
            f'[claude]\ncommand = ["{program}"]\n'
            if as_driver == "claude"
            else f'[drivers.stand-in]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n'
        )
        self.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config_file.write_text(f"{driver}{text}\n")

    def tmorch(
        self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "", cwd: Path | None = None
    ) -> Done:
        """Run a `tmorch` command without a terminal."""
        return Done(
            subprocess.run(
                [sys.executable, "-m", "orchestrator_core.cli.main", *args],
                capture_output=True,
                text=True,
                check=False,
                input=stdin,
                timeout=COMMAND_TIMEOUT_S,
                env={**os.environ, **(env or {})},
                cwd=cwd or self.folder,
            )
        )

    def start(self, project: Path, *args: str, roles: str = "developer", agent: str = "stand-in") -> dict[str, Any]:
        """Start a team as `tmorch start --json` does, and return its orchestration as that tells it.

        Without words of its own it is not a process of its own: half of what that costs is Python's start.
        """
        if not args:
            with ThreadPoolExecutor(1) as apart:  # whatever loop the test runs in
                return apart.submit(asyncio.run, self._start(project, roles, agent)).result()
        done = self.tmorch(
            "start", "--project", str(project), "--spec", str(self.spec), "--roles", roles, "--agent", agent,
            "--yes", "--json", *args,
        )  # fmt: skip
        assert done.code == 0, done
        found: dict[str, Any] = done.json["orchestrations"][0]
        return found

    async def _start(self, project: Path, roles: str, agent: str) -> dict[str, Any]:
        facade = build(os.environ)
        try:
            request = StartRequest(
                project=str(project), spec=str(self.spec), roles=tuple(roles.split(",")), driver=agent
            )
            started = await facade.start(await facade.proposals.propose(request), lambda step: None)
            (team,) = [team for team in (await facade.fleet()).teams if team.orchestration.id == started.id]
            return dict(team_document(team))
        finally:
            await facade.close()

    def agent(self, orchestration: Mapping[str, Any], role: str = "developer") -> StandIn:
        return StandIn(self, f"{orchestration['id']}:{role}")

    def wait_message(self, number: int, *states: str) -> AgentMessage:
        """Wait until a message is in one of `states`, and return it."""
        eventually(
            lambda: self.store.messages.get(MessageId(number)).state in states,
            what=f"message {number} is {self.store.messages.get(MessageId(number))}",
        )
        return self.store.messages.get(MessageId(number))

    def close(self) -> None:
        if is_held(self.paths.lock):
            control.stop(self.paths, self.store)
        if self._store is not None:
            self._store.close()


@contextmanager
def running_rig(tmux: TmuxServer, folder: Path) -> Iterator[Rig]:
    """Give a rig, and end its supervisor afterwards."""
    rig = Rig(tmux, folder)
    try:
        yield rig
    finally:
        rig.close()
