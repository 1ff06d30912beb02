"""Hooks in a whole tmorch: what an agent's own hooks tell is acted upon as soon as they tell it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator_core.models.hook import HookClaim
from orchestrator_core.models.message import MessageKind
from tests.polling import eventually
from tests.rig import Rig, StandIn

SELDOM = "[supervisor]\ntick_s = 60\n"
"""Two looks at the agents are so far apart that only the hooks can have told."""


@pytest.fixture
def agent(rig: Rig, git_project: Path) -> StandIn:
    rig.configure(SELDOM, as_driver="claude")
    return rig.agent(rig.start(git_project, agent="claude"))


def send(rig: Rig, agent: StandIn, text: str) -> int:
    sent = rig.tmorch("send", agent.id, text, "--json")
    assert sent.code == 0, sent
    return int(sent.json["id"])


def claim(rig: Rig, agent: StandIn) -> HookClaim | None:
    fact = rig.store.hook_facts.of(agent.id)
    return fact.claim if fact else None


def events(rig: Rig, kind: str) -> list[str]:
    return [event.text for event in rig.store.events.latest(100) if event.kind == kind]


def test_what_the_agent_took_is_acknowledged_the_briefing_too(rig: Rig, agent: StandIn) -> None:
    rig.wait_message(send(rig, agent, "hello"), "acknowledged")
    (briefing,) = [m for m in rig.store.messages.latest(agent.id) if m.kind is MessageKind.BRIEFING]
    assert briefing.state == "acknowledged"
    assert agent.texts().count("hello") == 1


def test_the_demo_agent_acknowledges_too(rig: Rig, git_project: Path) -> None:
    agent = rig.agent(rig.start(git_project, agent="demo"))
    rig.wait_message(send(rig, agent, "hello"), "acknowledged")


def test_status_follows_the_hooks_at_once(rig: Rig, agent: StandIn) -> None:
    agent.wait_status("idle")
    agent.do("permission", command="rm -r build")
    agent.wait_status("waiting")
    fact = rig.store.hook_facts.of(agent.id)
    assert fact is not None
    assert (fact.event, fact.detail) == ("PermissionRequest", "rm -r build")
    agent.do("idle")
    agent.do("error", text="API Error: overloaded", error="server_error")
    eventually(lambda: claim(rig, agent) is HookClaim.FAILED)
    assert "API Error: overloaded" in events(rig, "hook.failed")[0]


def test_a_new_conversation_is_followed(rig: Rig, agent: StandIn) -> None:
    agent.wait_status("idle")
    before = agent.row.conversation
    pane = agent.row.pane
    assert pane is not None
    rig.tmux.run("send-keys", "-t", pane, "-l", "/clear")
    eventually(lambda: "/clear" in agent.screen())
    rig.tmux.run("send-keys", "-t", pane, "Enter")
    eventually(lambda: agent.row.conversation != before)
    assert "/clear" in events(rig, "hook.conversation")[0]
    rig.wait_message(send(rig, agent, "still there?"), "acknowledged")


@pytest.mark.parametrize(("order", "status", "is_told"), [("exit", "exited", True), ("crash", "failed", False)])
def test_an_end_is_told_by_the_agent_unless_it_is_killed(
    rig: Rig, git_project: Path, order: str, status: str, is_told: bool
) -> None:
    rig.configure(as_driver="claude")
    agent = rig.agent(rig.start(git_project, agent="claude"))
    agent.do(order)
    agent.wait_status(status)
    assert bool(events(rig, "hook.ended")) is is_told


def test_the_hooks_of_another_pane_are_not_believed(rig: Rig, agent: StandIn) -> None:
    agent.wait_status("idle")
    folder = rig.paths.agents / agent.row.orchestration / agent.row.role
    command = json.loads((folder / "settings.json").read_text())["hooks"]["Stop"][0]["hooks"][0]["command"]
    told = {"hook_event_name": "StopFailure", "error": "server_error", "session_id": agent.row.conversation}
    environ = {**os.environ, "TMUX_PANE": "%4711"}
    subprocess.run(["/bin/sh", "-c", command], input=json.dumps(told).encode(), check=True, env=environ, timeout=30)
    eventually(lambda: events(rig, "hook.foreign"))
    assert claim(rig, agent) is not HookClaim.FAILED
    assert not events(rig, "hook.failed")


def test_what_happened_without_a_supervisor_is_made_up_for(rig: Rig, agent: StandIn) -> None:
    agent.wait_status("idle")
    rig.tmorch("supervisor", "stop")
    agent.do("permission", command="make")
    eventually(lambda: len(list((rig.paths.spool / "new").iterdir())) >= 1)
    rig.tmorch("supervisor", "start")
    agent.wait_status("waiting")


def test_the_persons_own_settings_are_never_written_to_and_their_hooks_run_besides(
    rig: Rig, git_project: Path, isolated_home: Path
) -> None:
    seen = isolated_home / "stopped"
    own = {
        isolated_home / ".claude/settings.json": {
            "statusLine": {"type": "command", "command": "echo MY-OWN-LINE"},
            "hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"touch {seen}"}]}]},
        },
        git_project / ".claude/settings.json": {"env": {"X": "1"}},
        git_project / ".claude/settings.local.json": {},
    }
    for file, settings in own.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=3))
    before = {file: file.read_bytes() for file in own}
    rig.configure(as_driver="claude")
    orchestration = rig.start(git_project, agent="claude")
    agent = rig.agent(orchestration)
    rig.wait_message(send(rig, agent, "hello"), "acknowledged")
    eventually(seen.exists)
    eventually(lambda: "MY-OWN-LINE" in agent.screen())
    rig.tmorch("stop", orchestration["id"], "--yes")
    assert {file: file.read_bytes() for file in own} == before
    assert {path.name for path in (isolated_home / ".claude").iterdir()} - {"settings.json"} <= {"sessions", "projects"}
