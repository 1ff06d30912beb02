"""A window is gone, and a person brings its agent back from the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import MakeProject
from tests.e2e.terminal import Terminal
from tests.rig import Rig, StandIn

TUI = f"{Path(sys.executable).with_name('tmorch-tui')}"


@contextmanager
def person_at(rig: Rig) -> Iterator[Terminal]:
    """Give a terminal that is not inside the agents' tmux."""
    terminal = Terminal(Path(os.environ["TMUX_TMPDIR"]) / "person", TUI, cwd=rig.folder)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def agents(rig: Rig, make_project: MakeProject) -> dict[str, StandIn]:
    """A demo team of two, at their prompts."""
    made = rig.start(make_project(), roles="orchestrator,developer", agent="demo")
    found = {role: rig.agent(made, role) for role in ("orchestrator", "developer")}
    for agent in found.values():
        agent.wait_status("idle", "working")
    return found


def close_window(rig: Rig, agent: StandIn) -> None:
    rig.tmux.run("kill-window", "-t", str(agent.row.window))
    agent.wait_status("exited", "failed")


def test_an_agent_whose_window_was_closed_is_back_and_nobody_else_is_touched(
    rig: Rig, agents: dict[str, StandIn]
) -> None:
    developer, orchestrator = agents["developer"], agents["orchestrator"]
    pane, conversation, other = developer.row.pane, developer.row.conversation, orchestrator.row
    close_window(rig, developer)
    with person_at(rig) as person:
        person.sees("2 agents", "developer")
        person.press("R")
        person.sees("1 not whole", "2 to do", "✔ orchestrator  kept", "rebuild     window", "continue    program")
        person.press("y")
        person.sees("Done: 1 part is rebuilt, 1 agent continues its conversation.")
        person.press("r")
        person.sees("Nothing is missing: all of it is there and runs.")
        person.press("Escape")
        person.sees("2 agents")
    assert developer.row.pane not in (None, pane)
    assert developer.row.conversation == conversation
    developer.wait_status("idle", "working")
    assert (orchestrator.row.pane, orchestrator.row.pid) == (other.pane, other.pid)


def test_what_a_reboot_interrupted_is_offered_once(rig: Rig, agents: dict[str, StandIn]) -> None:
    developer = agents["developer"]
    rig.tmorch("supervisor", "stop")
    rig.tmux.run("kill-window", "-t", str(developer.row.window))
    rig.store.orchestrations.update(developer.row.orchestration, boot_id="another boot")
    with person_at(rig) as person:
        person.sees("This machine was restarted (", "); 1 team was interrupted.", "1 not whole", "y resume")
        person.press("y")
        person.sees("y again resumes")
        person.press("y")
        person.sees("Done: ")
    developer.wait_status("idle", "working")
    close_window(rig, developer)
    with person_at(rig) as person:
        person.sees("2 agents", "■ developer")
        person.sees_no("This machine was restarted")
