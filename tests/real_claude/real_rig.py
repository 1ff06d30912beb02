"""A whole tmorch whose agents are the real Claude Code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId
from tests.polling import eventually
from tests.real_claude.island import Island
from tests.rig import COMMAND_TIMEOUT_S, Done, Rig

PATIENCE_S = 40


class RealAgent:
    """One agent, as a person sees it who uses only `tmorch` and looks at the pane."""

    def __init__(self, rig: RealRig, agent: str) -> None:
        self.id = AgentId(agent)
        self.rig = rig

    @property
    def shown(self) -> dict[str, Any]:
        """What `tmorch status --json` says of it."""
        teams = self.rig.tmorch("status", "--json").json["orchestrations"]
        found: dict[str, Any] = next(agent for team in teams for agent in team["agents"] if agent["id"] == self.id)
        return found

    @property
    def row(self) -> Agent:
        """The agent as the store has it."""
        return self.rig.store.agents.get(self.id)

    @property
    def pane(self) -> str:
        pane = self.row.pane
        assert pane is not None
        return pane

    def screen(self) -> str:
        return self.rig.tmux.screen(self.pane)

    def send(self, text: str, *options: str, wait: float = PATIENCE_S) -> Done:
        """Send it a message, as the person."""
        return self.rig.tmorch("send", self.id, "-", "--json", "--wait", str(wait), *options, stdin=text)

    def press(self, *keys: str) -> None:
        """Press keys as a person does who sits at the pane."""
        for key in keys:
            self.rig.tmux.run("send-keys", "-t", self.pane, key)

    def type(self, text: str) -> None:
        """Type at the pane as a person does."""
        self.rig.tmux.run("send-keys", "-t", self.pane, "-l", text)

    def wait_status(self, *statuses: str) -> Agent:
        """Wait until the agent has one of `statuses`, and return its row."""
        eventually(
            lambda: self.row.status in statuses,
            timeout=PATIENCE_S,
            what=f"{self.id} is {self.row.status} ({self.row.reason}), not {statuses}\n{self.screen()}",
        )
        return self.row

    def wait_screen(self, text: str) -> None:
        eventually(lambda: text in self.screen(), timeout=PATIENCE_S, what=f"{text!r} is not on\n{self.screen()}")

    @property
    def pid(self) -> int:
        """The process id of the CLI."""
        return int(self.rig.tmux.run("display-message", "-p", "-t", self.pane, "#{pane_pid}"))

    def session(self) -> dict[str, Any]:
        """What the CLI itself says of its session."""
        file = self.rig.island.home / ".claude/sessions" / f"{self.pid}.json"
        found: dict[str, Any] = json.loads(file.read_text())
        return found


class RealRig(Rig):
    """Runs `tmorch` outside the island, on the island's tmux server."""

    def __init__(self, island: Island, folder: Path, program: Path) -> None:
        super().__init__(island.tmux, folder)
        self.island = island
        self._program = program
        self.set_up()

    def set_up(self, text: str = "") -> None:
        """Write the settings: the program, and `text` after it."""
        self.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config_file.write_text(f"[claude]\ncommand = [{json.dumps(str(self._program))}]\n{text}\n")

    def start_claude(self, project: Path, *args: str, roles: str = "developer") -> dict[str, Any]:
        """Start a team of the real CLI."""
        return self.start(project, *args, roles=roles, agent="claude")

    def real_agent(self, team: Mapping[str, Any], role: str = "developer") -> RealAgent:
        return RealAgent(self, f"{team['id']}:{role}")

    def tmorch_inside(self, *args: str) -> Done:
        """Run a `tmorch` command on the island: a tmux server that it starts is there too, and so are its agents."""
        return Done(
            subprocess.run(
                [*self.island.inside, sys.executable, "-m", "orchestrator_core.cli.main", *args],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
                timeout=COMMAND_TIMEOUT_S,
                env={**os.environ, **self.island.environ()},
                cwd=self.folder,
            )
        )
