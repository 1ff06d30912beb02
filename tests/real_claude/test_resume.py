"""Agents of the real CLI that are gone come back: in their own conversation, told once, and nothing is doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator_core.services.liveness import started_at
from tests.integration.test_resume import kill_supervisor
from tests.polling import eventually
from tests.real_claude.island import Seed
from tests.real_claude.real_rig import PATIENCE_S, RealAgent, RealRig

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]

AGAIN = "You are being started again by tmorch"
OWN = "in your own conversation"
NEW = "nothing of your earlier conversation is left"
BRIEFING = "This is your briefing"
TURN = "the till is green"


def kill_agent(agent: RealAgent) -> None:
    os.kill(agent.pid, signal.SIGKILL)


def kill_window(agent: RealAgent) -> None:
    agent.rig.tmux.run("kill-window", "-t", str(agent.row.window))


def kill_server(agent: RealAgent) -> None:
    server = agent.rig.tmux.pid
    agent.rig.tmux.kill()
    eventually(lambda: started_at(server) is None)


def kill_all(agent: RealAgent) -> None:
    kill_supervisor(agent.rig)
    kill_server(agent)


KILLS: dict[str, Callable[[RealAgent], None]] = {
    "agent": kill_agent,
    "window": kill_window,
    "server": kill_server,
    "all": kill_all,
}


def kill_and_see(agent: RealAgent, kill: str) -> None:
    """Kill, and wait until the CLI has ended: it says goodbye where it can."""
    pid = agent.pid
    KILLS[kill](agent)
    eventually(lambda: started_at(pid) is None, timeout=PATIENCE_S, what="the CLI has not ended")


def resume(agent: RealAgent) -> Any:
    """Bring its team back, and return what came of that."""
    done = agent.rig.tmorch_inside("resume", agent.row.orchestration, "--yes", "--json")
    assert done.code == 0, (done, agent.screen())
    return done.json


def conversation_file(agent: RealAgent) -> Path:
    """Where the CLI keeps the agent's conversation."""
    (found,) = agent.rig.island.home.glob(f".claude/projects/*/{agent.row.conversation}.jsonl")
    return found


def wait_written(agent: RealAgent, text: str) -> None:
    """Wait until `text` is kept: the CLI writes it down a moment after it has sent it."""
    eventually(lambda: text in conversation_file(agent).read_text(), what=f"{text!r} is not kept")


def wait_all_taken(agent: RealAgent) -> None:
    """Wait until all that was sent to the agent was taken by it."""

    def waiting() -> list[str]:
        return [m.text for m in agent.rig.store.messages.latest(agent.id) if not m.state.is_final]

    eventually(lambda: not waiting(), timeout=PATIENCE_S, what=f"{waiting()}")


def check_again_does_nothing(agent: RealAgent) -> None:
    """Check that a second resume finds nothing to do, and that nothing lies at the agent's prompt after it."""
    before = agent.pid, agent.rig.island.texts(), agent.rig.store.messages.latest(agent.id)
    assert resume(agent)["outcomes"] == []
    done = agent.send("still there?")
    assert done.code == 0, (done, agent.screen())
    agent.rig.island.wait_text("still there?")
    pid, texts, messages = before
    assert agent.pid == pid
    assert agent.rig.island.texts() == [*texts, f"[tmorch {done.json['id']} from the person] still there?"]
    assert agent.rig.store.messages.latest(agent.id)[1:] == messages


@pytest.mark.parametrize("kill", list(KILLS))
def test_who_was_killed_goes_on_in_its_own_conversation(agent: RealAgent, kill: str) -> None:
    """Scenarios 48 and 49."""
    island = agent.rig.island
    assert agent.send(TURN).code == 0
    island.wait_text(TURN)
    wait_written(agent, TURN)
    agent.wait_status("idle")
    before = agent.row
    kill_and_see(agent, kill)

    (outcome,) = resume(agent)["outcomes"]

    assert outcome["failed"] == []
    briefing = island.wait_text(AGAIN)
    agent.wait_status("idle")
    wait_all_taken(agent)
    assert agent.row.conversation == agent.session()["sessionId"] == before.conversation
    command = psutil.Process(agent.pid).cmdline()
    assert command[command.index("--resume") + 1] == before.conversation
    assert OWN in briefing
    assert TURN in briefing
    (told,) = [got for got in island.received() if got.is_turn and briefing in got.texts]
    assert [TURN in text for text in told.earlier] == [False, True]
    assert BRIEFING in told.earlier[0]
    assert [AGAIN in text for text in island.texts()] == [False, False, True]
    assert agent.row.worktree == before.worktree
    check_again_does_nothing(agent)


@pytest.mark.parametrize("kill", ["agent", "server"])
def test_who_was_killed_at_work_is_told_once(agent: RealAgent, kill: str) -> None:
    """What it was asked and had not answered is still there, and is not asked twice."""
    island = agent.rig.island
    assert agent.send(f"{TURN} [[hang]]").code == 0
    agent.wait_status("working")
    island.wait_text(TURN)
    before = agent.row
    wait_written(agent, TURN)
    kill_and_see(agent, kill)
    island.release()
    resume(agent)
    assert TURN in island.wait_text(AGAIN)
    agent.wait_status("idle")
    wait_all_taken(agent)
    assert agent.row.conversation == agent.session()["sessionId"] == before.conversation
    (told,) = [got for got in island.received() if got.is_turn and any(AGAIN in text for text in got.texts)]
    asked = [text for text in (*told.earlier, *told.texts) if TURN in text and AGAIN not in text]
    assert len(asked) == 1
    check_again_does_nothing(agent)


@pytest.mark.parametrize("kill", ["window", "server"])
def test_who_had_no_turn_yet_begins_anew_with_its_briefing(bare_rig: RealRig, git_project: Path, kill: str) -> None:
    """At a dialog before its first prompt the CLI keeps no conversation: "No conversation found"."""
    bare_rig.set_up('[claude.gates]\ntrust = "ask"\n')
    bare_rig.island.seed(Seed())
    bare_rig.island.start_tmux()
    agent = bare_rig.real_agent(bare_rig.start_claude(git_project))
    agent.wait_status("waiting")
    before = agent.row
    kill_and_see(agent, kill)
    resume(agent)
    agent.wait_status("waiting")
    assert agent.row.conversation != before.conversation
    assert bare_rig.island.texts() == []
    assert bare_rig.tmorch("answer", agent.id, "Yes, I trust this folder").code == 0
    bare_rig.island.wait_text(BRIEFING)
    agent.wait_status("idle")
    wait_all_taken(agent)
    assert agent.row.conversation == agent.session()["sessionId"]
    assert len(bare_rig.island.texts()) == 1
    check_again_does_nothing(agent)


def test_who_was_killed_in_a_cleared_conversation_comes_back(agent: RealAgent) -> None:
    """Of a new conversation the CLI may leave only its title, and then does not find it again: both happen here."""
    before = agent.row.conversation
    agent.type("/clear")
    agent.wait_screen("❯\N{NO-BREAK SPACE}/clear")
    agent.press("Enter")
    eventually(lambda: agent.row.conversation != before, timeout=PATIENCE_S)
    kill_and_see(agent, "window")
    resume(agent)
    agent.rig.island.wait_text(AGAIN)
    agent.wait_status("idle")
    wait_all_taken(agent)
    assert agent.row.conversation == agent.session()["sessionId"]
    assert sum(AGAIN in text for text in agent.rig.island.texts()) == 1
    check_again_does_nothing(agent)


LOST = {"empty": b"", "zeros": bytes(4096), "no-turn": b'{"type":"mode","mode":"normal"}\n'}


@pytest.mark.parametrize("left", LOST.values(), ids=LOST)
def test_a_conversation_that_cannot_be_gone_on_with_is_begun_anew(agent: RealAgent, left: bytes) -> None:
    """After a power cut its file may be there with no turn in it: "No conversation found"."""
    before = agent.row
    kill_and_see(agent, "window")
    conversation_file(agent).write_bytes(left)
    resume(agent)
    told = agent.rig.island.wait_text(AGAIN)
    agent.wait_status("idle")
    assert NEW in told
    assert BRIEFING in told
    assert agent.row.conversation == agent.session()["sessionId"] != before.conversation
    check_again_does_nothing(agent)
