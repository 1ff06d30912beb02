"""Paused teams with a real supervisor: nothing reaches their agents, and nothing is lost or doubled by it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import MessageState
from orchestrator_core.services.holding import PAUSED
from tests.conftest import MakeProject
from tests.integration.test_check_ins import firings, kill_supervisor, set_check_in, wait_taken
from tests.integration.test_delivery_hooks import handed, offered, type_in
from tests.polling import eventually
from tests.rig import Rig, StandIn


def send(rig: Rig, agent: StandIn, text: str, *options: str) -> MessageId:
    done = rig.tmorch("send", str(agent.id), text, "--no-wait", "--json", *options)
    assert done.code == 0, done
    return MessageId(done.json["id"])


def wait_held(rig: Rig, number: MessageId, reason: str = PAUSED) -> None:
    eventually(
        lambda: rig.store.messages.get(number).reason == reason, what=f"{rig.store.messages.get(number)} is not held"
    )
    assert rig.store.messages.get(number).state is MessageState.QUEUED


@pytest.fixture
def teams(rig: Rig, make_project: MakeProject) -> list[dict[str, Any]]:
    """Two teams: a developer and a tester, and a developer."""
    rig.configure()
    return [
        rig.start(make_project("one"), roles="developer,tester"),
        rig.start(make_project("two"), roles="developer"),
    ]


def test_all_wait_over_a_killed_supervisor_and_then_get_everything_in_order_once(
    rig: Rig, teams: list[dict[str, Any]]
) -> None:
    developer, tester, other = rig.agent(teams[0]), rig.agent(teams[0], "tester"), rig.agent(teams[1])
    done = rig.tmorch("pause", "--all", "--json")
    assert done.code == 0, done
    assert done.json["changed"] == done.json["paused"] == [team["id"] for team in teams]
    numbers = [send(rig, developer, f"message {n}") for n in range(3)]
    urgent = send(rig, other, "at once", "--now")
    due = set_check_in(rig, tester, "look at the tests")
    for number in (*numbers, urgent):
        wait_held(rig, number)
    kill_supervisor(rig)
    assert rig.tmorch("supervisor", "start").code == 0
    last = send(rig, developer, "message 3")
    wait_held(rig, last)
    assert [agent.texts() for agent in (developer, tester, other)] == [[], [], []]
    assert firings(rig, due) == []
    assert all(agent.row.status.is_live for agent in (developer, tester, other))

    assert rig.tmorch("unpause", "--all").code == 0
    for number in (*numbers, last, urgent):
        rig.wait_message(number, MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
    wait_taken(rig, due)
    eventually(lambda: developer.texts() == [f"message {n}" for n in range(4)], what=str(developer.texts()))
    assert other.texts() == ["at once"]
    assert tester.texts() == ["look at the tests"]
    assert len(firings(rig, due)) == 1


def test_one_team_waits_and_the_other_goes_on(rig: Rig, teams: list[dict[str, Any]]) -> None:
    developer, other = rig.agent(teams[0]), rig.agent(teams[1])
    assert rig.tmorch("pause").code == 4, "it is not clear which"
    assert rig.tmorch("pause", teams[0]["id"]).code == 0
    held = send(rig, developer, "wait")
    wait_held(rig, held)
    assert rig.tmorch("send", str(other.id), "go", "--wait", "30").code == 0
    assert (developer.texts(), other.texts()) == ([], ["go"])
    assert "paused" in rig.tmorch("status").out
    assert rig.tmorch("unpause", teams[0]["id"]).code == 0
    rig.wait_message(held, MessageState.DELIVERED, MessageState.ACKNOWLEDGED)


def test_an_agent_pauses_nobody(rig: Rig, teams: list[dict[str, Any]]) -> None:
    inside = {"TMUX": f"{rig.tmux.socket_path},{rig.tmux.pid},0", "TMUX_PANE": str(rig.agent(teams[0]).row.pane)}
    for words in (("pause", "--all"), ("pause",), ("unpause", "--all")):
        done = rig.tmorch(*words, "--json", env=inside)
        assert (done.code, done.json["error"]["code"]) == (3, "persons-only"), done
    assert all(team.paused_at is None for team in rig.store.orchestrations.list())


def test_what_was_offered_for_the_end_of_the_turn_is_taken_back(rig: Rig, make_project: MakeProject) -> None:
    rig.configure(as_driver="claude", stand_in_args=("--think", "0"))
    agent = rig.agent(rig.start(make_project(), agent="claude"))
    agent.wait_status("idle")
    eventually(lambda: rig.store.messages.interrupted() == (), what="the briefing is not settled")
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    type_in(rig, agent, "half a thought")
    message = offered(rig, agent, "hello")
    assert rig.tmorch("pause").code == 0
    wait_held(rig, message.id)
    agent.do("idle")
    agent.wait_status("idle")
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > 1.0)
    assert handed(agent, message) == 0
    wait_held(rig, message.id)
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "C-u")
    assert rig.tmorch("unpause").code == 0
    rig.wait_message(message.id, MessageState.ACKNOWLEDGED)
    assert handed(agent, message) == 1


def test_what_is_being_asked_can_be_answered_all_the_same(rig: Rig, teams: list[dict[str, Any]]) -> None:
    developer = rig.agent(teams[0])
    developer.do("permission", command="make all")
    developer.wait_status("waiting")
    assert rig.tmorch("pause", "--all").code == 0
    assert rig.tmorch("answer", str(AgentId(developer.id)), "approve").code == 0
    developer.wait_status("working", "idle")
