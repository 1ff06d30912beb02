"""A real CLI that a person started by hand, taken in by tmorch."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.polling import eventually
from tests.real_claude.real_rig import PATIENCE_S, RealAgent, RealRig

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]


def test_one_started_by_hand_is_messaged_watched_and_let_go(
    real_rig: RealRig, git_project: Path, claude_program: Path
) -> None:
    pane = real_rig.tmux.run(
        *("new-window", "-P", "-F", "#{pane_id}", "-t", "island:", "-c", str(git_project)),
        shlex.join([str(claude_program)]),
    )
    eventually(lambda: "for shortcuts" in real_rig.tmux.screen(pane), timeout=PATIENCE_S)
    adopted = real_rig.tmorch("adopt", pane, "--role", "mine", "--json")
    assert adopted.code == 0, adopted
    agent = RealAgent(real_rig, adopted.json["agent"])
    agent.wait_status("idle")
    done = agent.send("hello [[hang]]")
    assert done.code == 0, done
    real_rig.island.wait_text("hello")
    agent.wait_status("working")
    held = agent.send("and then", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    real_rig.island.release()
    real_rig.island.wait_text("and then")
    agent.wait_status("idle")
    agent.press("C-l")
    assert real_rig.tmorch("send", agent.id, "[[bash touch made]]").code == 0
    assert agent.wait_status("waiting").waiting_for == "permission"
    assert real_rig.tmorch("answer", agent.id, "deny").code == 0
    agent.wait_status("idle")
    assert not (git_project / "made").exists()
    assert real_rig.tmorch("stop", agent.row.orchestration).code == 0
    assert real_rig.tmux.run("display-message", "-p", "-t", pane, "#{pane_dead}") == "0"
