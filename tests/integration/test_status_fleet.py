"""Statuses of a running team, from every source there is, and the answer to "why?"."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.models.evidence import Source
from orchestrator_core.services.cases import judge_case, read_case
from tests.fakes.json_shape import faults
from tests.polling import eventually
from tests.rig import Rig, StandIn

QUICK = "[supervisor]\ntick_s = 0.2\n"
SELDOM = "[supervisor]\ntick_s = 1.0\n"


@pytest.fixture
def claude(rig: Rig, git_project: Path) -> StandIn:
    """A scripted Claude Code with hooks and a session file."""
    rig.configure(QUICK, as_driver="claude")
    agent = rig.agent(rig.start(git_project, agent="claude"))
    agent.wait_status("idle")
    return agent


def why(rig: Rig, *words: str) -> dict[str, Any]:
    done = rig.tmorch("why", "developer", "--json", *words)
    assert done.code == 0, done
    assert faults(done.json, schema_of("why")) == []
    found: dict[str, Any] = done.json
    return found


def weights(found: dict[str, Any]) -> dict[str, str]:
    return {ground["source"]: ground["weight"] for ground in found["grounds"]}


def test_all_sources_agree_on_an_agent_at_rest(rig: Rig, claude: StandIn) -> None:
    eventually(lambda: weights(why(rig))["session"] == "decides")
    found = why(rig)
    assert found["status"] == found["supervisor"]["status"] == "idle"
    assert [ground["source"] for ground in found["grounds"]] == list(Source)
    assert weights(found)["process"] == weights(found)["screen"] == "agrees"
    process = found["grounds"][0]
    assert str(claude.row.pid) in process["says"]
    assert process["at"] == claude.row.pid_started


def test_a_permission_prompt_is_in_the_store_with_its_whole_command(rig: Rig, claude: StandIn) -> None:
    command = "make test " + " ".join(f"argument-{number}" for number in range(40))
    claude.do("permission", command=command)
    claude.wait_status("waiting")
    dialog = eventually(lambda: claude.row.dialog)
    assert dialog is not None
    assert claude.row.waiting_for == dialog.name == "permission"
    assert [choice.key for choice in dialog.choices][:2] == ["1", "2"]
    assert not dialog.is_gate
    eventually(lambda: (claude.row.dialog or dialog).detail == command, what=f"{claude.row.dialog}")
    before = claude.row.dialog
    rig.tmux.run("send-keys", "-t", str(claude.row.pane), "Down")
    eventually(lambda: "❯ 2." in claude.screen())
    assert weights(why(rig))["session"] == "decides"
    assert claude.row.dialog == before


def test_a_session_file_alone_is_noticed_without_a_word_on_screen(rig: Rig, claude: StandIn) -> None:
    """Nothing moves in the pane: the file's time is what tells."""
    claude.do("session", status="busy")
    claude.wait_status("working")
    claude.wait_status("unknown")
    assert "session file says that it is busy" in claude.row.reason
    assert "it shows an empty prompt" in claude.row.reason
    found = why(rig)
    assert found["status"] == "unknown"
    assert (weights(found)["session"], weights(found)["screen"]) == ("disagrees", "disagrees")
    claude.do("session")
    claude.wait_status("idle")


def test_an_interrupt_that_no_hook_tells_of(rig: Rig, claude: StandIn) -> None:
    claude.do("busy")
    claude.wait_status("working")
    rig.tmux.run("send-keys", "-t", str(claude.row.pane), "Escape")
    claude.wait_status("idle")


def test_without_a_session_file_hooks_and_screen_do(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK, as_driver="claude", stand_in_args=("--no-session-file",))
    agent = rig.agent(rig.start(git_project, agent="claude"))
    agent.wait_status("idle")
    agent.do("busy")
    agent.wait_status("working")
    agent.do("idle")
    agent.wait_status("idle")
    assert weights(why(rig))["session"] == "silent"


def test_a_killed_agent_has_no_status_of_the_living(rig: Rig, claude: StandIn) -> None:
    """Its screen, session file and last hook all still say that it works."""
    claude.do("busy")
    claude.wait_status("working")
    pid = claude.row.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    claude.wait_status("failed", "exited")
    found = why(rig)
    assert weights(found)["process"] == "decides"
    assert weights(found)["session"] == "stale"
    assert (Path(os.environ["HOME"]) / f".claude/sessions/{pid}.json").exists()


def test_why_is_for_people_too(rig: Rig, claude: StandIn) -> None:
    claude.do("busy")
    claude.wait_status("working")
    lines = rig.tmorch("why", "developer").out.splitlines()
    assert lines[1].split() == ["status", "●", "working"]
    by_source = {line.split()[0]: line for line in lines if line}
    assert "● decides" in by_source["session"]
    assert "✓ agrees" in by_source["screen"]
    unknown = rig.tmorch("why", "nobody")
    assert unknown.code == 4


def test_a_wrong_status_becomes_a_case_without_anything_private(rig: Rig, claude: StandIn) -> None:
    secret = "my-secret-customer"
    claude.do("print", text=f"we work for {secret}")
    claude.do("permission", command=f"deploy --for {secret}")
    claude.wait_status("waiting")
    found = why(rig, "--wrong", "limited")
    path = Path(found["case"]["path"])
    assert path.parent == rig.paths.state / "cases"
    content = path.read_bytes()
    for private in (secret, claude.id, rig.agent({"id": claude.row.orchestration}).id, claude.row.worktree):
        assert private.encode() not in content
    case = read_case(content)
    assert case.should_be == "limited"
    assert case.judged == judge_case(case).verdict.status == "waiting"
    assert any("screen" in part for part in found["case"]["masked"])
    assert (path.stat().st_mode & 0o077) == 0


def test_why_of_a_stopped_team_is_that_its_pane_is_gone(rig: Rig, claude: StandIn) -> None:
    assert rig.tmorch("stop", str(claude.row.orchestration)).code == 0
    done = rig.tmorch("why", claude.id, "--json")
    assert done.json["status"] == "exited"
