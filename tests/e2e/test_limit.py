"""A usage limit as a person meets it: seen in the header and among the needs at once, and over by itself."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator_core.models.credit import ContinuationState
from tests.conftest import MakeProject
from tests.e2e.terminal import Terminal
from tests.polling import eventually
from tests.rig import Rig, StandIn

TUI = f"{Path(sys.executable).with_name('tmorch-tui')}"
LASTS_S = 12


@pytest.fixture
def agents(rig: Rig, make_project: MakeProject) -> tuple[StandIn, StandIn]:
    rig.configure("[credit]\nmargin_s = 1\nverify_s = 2\n", as_driver="claude", stand_in_args=("--think", "0.05"))
    team = rig.start(make_project(), roles="orchestrator,developer", agent="claude")
    found = rig.agent(team, "orchestrator"), rig.agent(team, "developer")
    for agent in found:
        agent.wait_status("idle")
    return found


@pytest.fixture
def person(rig: Rig, agents: tuple[StandIn, StandIn]) -> Iterator[Terminal]:
    terminal = Terminal(Path(os.environ["TMUX_TMPDIR"]) / "person", TUI, cwd=rig.folder)
    terminal.sees("2 agents", "developer")
    yield terminal
    terminal.close()


def test_a_limit_is_seen_counted_down_and_gone_on_from(
    rig: Rig, agents: tuple[StandIn, StandIn], person: Terminal
) -> None:
    _, developer = agents
    until = int(time.time()) + LASTS_S
    developer.do("limit", until=until, **{"continue": False})
    person.sees("⏸1 limited", "Needs you (1)", "⏸ 5 h 100 %", "limit: 1 agent waits")
    sent = rig.tmorch("send", "developer", "and then this", "--json", "--no-wait", "--now")
    assert sent.json["state"] == "queued"
    eventually(lambda: sum("usage limit that stopped you is over" in text for text in developer.texts()) == 1)
    person.sees_no("Needs you")
    eventually(lambda: developer.texts()[-1] == "and then this")
    assert len([text for text in developer.texts() if text]) == 2


def test_a_demo_shows_a_limit_from_which_its_agents_go_on_by_themselves(rig: Rig) -> None:
    done = rig.tmorch("demo", "--limit", "6", "--agents", "2", "--speed", "20", "--no-tui", "--json")
    assert done.code == 0, done
    terminal = Terminal(Path(os.environ["TMUX_TMPDIR"]) / "person", TUI, cwd=rig.folder)
    try:
        terminal.sees("demo", "2 agents")
        terminal.sees("⏸2 limited", "Needs you (1)", "⏸ 5 h 100 %")
        terminal.sees_no("limited")
        terminal.sees_no("Needs you")
    finally:
        terminal.close()
    assert [found.state for found in rig.store.continuations.since(0.0)] == [ContinuationState.OVER]
    assert rig.store.continuations.unsettled() == {}
    assert rig.tmorch("demo", "--stop").code == 0
