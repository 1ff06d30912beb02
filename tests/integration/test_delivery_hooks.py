"""Messages to agents that speak for themselves: acknowledged, handed over without a key, and known after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.supervisor.lock import is_held
from tests.conftest import MakeProject
from tests.polling import eventually
from tests.rig import Rig, StandIn

ARRIVED = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)


@pytest.fixture
def agent(rig: Rig, make_project: MakeProject) -> StandIn:
    """A Claude Code stand-in with its hooks, idle after its briefing."""
    rig.configure(as_driver="claude", stand_in_args=("--think", "0"))
    found = rig.agent(rig.start(make_project(), agent="claude"))
    found.wait_status("idle")
    eventually(lambda: rig.store.messages.interrupted() == (), what="the briefing is not settled")
    return found


def queue(rig: Rig, agent: StandIn, text: str) -> MessageId:
    return rig.store.messages.add(AgentId(agent.id), "you", text, at=1.0).id


def claim(rig: Rig, agent: StandIn, text: str) -> MessageId:
    """Leave a message as a supervisor that was killed in the middle of typing leaves it."""
    number = queue(rig, agent, text)
    rig.store.messages.claim_next(agent.id, 1.0)
    return number


def submit(rig: Rig, agent: StandIn, text: str) -> None:
    """Do by hand what a supervisor does."""
    before = len(agent.prompts())
    type_in(rig, agent, text)
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "Enter")
    eventually(lambda: len(agent.prompts()) > before)


def type_in(rig: Rig, agent: StandIn, text: str) -> None:
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "-l", text)
    eventually(lambda: text in agent.screen(), what=agent.screen())


def got(agent: StandIn) -> list[str]:
    """Return the prompts after the briefing, without their headers."""
    return [prompt.rpartition("from the person] ")[2] for prompt in agent.prompts()[1:]]


def kill_supervisor(rig: Rig) -> None:
    pid = rig.store.health.read().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_held(rig.paths.lock))


def times(rig: Rig) -> list[tuple[int, float, float]]:
    with closing(sqlite3.connect(rig.paths.database)) as database:
        return database.execute(
            "SELECT id, claimed_at, acknowledged_at FROM message WHERE kind = 'text' ORDER BY id"
        ).fetchall()


def test_the_agents_own_word_makes_it_acknowledged(rig: Rig, agent: StandIn) -> None:
    done = rig.tmorch("send", "developer", "hello", "--json", "--wait", "30")
    assert done.code == 0, done
    assert done.json["state"] in ARRIVED
    message = rig.wait_message(done.json["id"], MessageState.ACKNOWLEDGED)
    assert message.acknowledged_at is not None
    assert message.delivered_at is not None
    assert got(agent) == ["hello"]


def test_the_next_message_waits_for_the_agents_word(rig: Rig, agent: StandIn) -> None:
    numbers = [queue(rig, agent, f"message {number}") for number in range(5)]
    for number in numbers:
        rig.wait_message(number, MessageState.ACKNOWLEDGED)
    assert got(agent) == [f"message {number}" for number in range(5)]
    rows = times(rig)
    for (_, _, acknowledged), (_, claimed, _) in pairwise(rows):
        assert acknowledged <= claimed


def test_after_a_crash_the_agents_word_counts_first(rig: Rig, agent: StandIn) -> None:
    """The message has scrolled out of what the screen can tell: only the hook that came meanwhile knows."""
    assert rig.tmorch("supervisor", "stop").code == 0
    number = claim(rig, agent, "hello")
    submit(rig, agent, f"[tmorch {number} from the person] hello")
    submit(rig, agent, "something else")
    eventually(lambda: len(list((rig.paths.spool / "new").iterdir())) >= 2)
    rig.tmorch("supervisor", "start")
    rig.wait_message(number, MessageState.ACKNOWLEDGED)
    assert got(agent) == ["hello", "something else"]


def test_what_is_unconfirmed_may_be_acknowledged_later(rig: Rig, agent: StandIn) -> None:
    assert rig.tmorch("supervisor", "stop").code == 0
    number = claim(rig, agent, "hello")
    rig.tmorch("supervisor", "start")
    rig.wait_message(number, MessageState.UNCONFIRMED)
    submit(rig, agent, f"[tmorch {number} from the person] hello")
    rig.wait_message(number, MessageState.ACKNOWLEDGED)


def test_a_command_of_the_agents_own_goes_alone(rig: Rig, agent: StandIn) -> None:
    """Scenario 33."""
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    number = rig.tmorch("send", "developer", "/compact", "--now", "--no-wait", "--json").json["id"]
    eventually(lambda: rig.store.messages.get(number).reason == "it is working")
    assert "/compact" not in agent.prompts()
    agent.do("idle")
    rig.wait_message(number, *ARRIVED)
    assert agent.prompts()[-1] == "/compact"
    assert rig.tmorch("send", "developer", "say /compact when you like", "--wait", "30").code == 0
    assert got(agent)[-1] == "say /compact when you like"
    assert "/compact" in agent.prompts()
    assert agent.prompts().count("/compact") == 1


# --- handed over


@pytest.fixture
def drafted(rig: Rig, agent: StandIn) -> StandIn:
    """It works, and a person's draft lies at its prompt."""
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    type_in(rig, agent, "half a thought")
    return agent


def offered(rig: Rig, agent: StandIn, text: str) -> AgentMessage:
    """Send a message, and wait until it is offered to the agent's hook."""
    number = rig.tmorch("send", "developer", text, "--no-wait", "--json").json["id"]
    message = rig.wait_message(number, MessageState.DELIVERING)
    assert message.reason == "it gets it when its turn ends: a draft is at its prompt"
    folder = rig.paths.agents / agent.row.orchestration / agent.row.role / "hand-over"
    eventually(lambda: (folder / f"{number}.json").exists())
    return message


def handed(agent: StandIn, message: AgentMessage) -> int:
    """Return how often the agent was given a message."""
    return sum(f"[tmorch {message.id} from the person]" in prompt for prompt in agent.prompts())


def test_what_cannot_be_typed_is_handed_over_when_the_turn_ends(rig: Rig, drafted: StandIn) -> None:
    message = offered(rig, drafted, "hello")
    assert handed(drafted, message) == 0
    drafted.do("idle")
    rig.wait_message(message.id, MessageState.ACKNOWLEDGED)
    eventually(lambda: handed(drafted, message) == 1)  # its hook has it a moment before the agent does
    assert "half a thought" in drafted.screen()


def test_an_offer_is_taken_back_when_the_prompt_is_free(rig: Rig, drafted: StandIn) -> None:
    message = offered(rig, drafted, "hello")
    rig.tmux.run("send-keys", "-t", str(drafted.row.pane), "C-u")
    rig.wait_message(message.id, MessageState.QUEUED)
    assert rig.store.messages.get(message.id).reason in ("", "it is working")
    drafted.do("idle")
    rig.wait_message(message.id, MessageState.ACKNOWLEDGED)
    assert handed(drafted, message) == 1


def test_after_a_crash_the_files_tell_what_became_of_an_offer(rig: Rig, drafted: StandIn) -> None:
    message = offered(rig, drafted, "hello")
    kill_supervisor(rig)
    drafted.do("idle")
    eventually(lambda: handed(drafted, message) == 1)
    rig.tmorch("supervisor", "start")
    rig.wait_message(message.id, *ARRIVED)
    assert handed(drafted, message) == 1


def test_an_offer_that_a_crash_prevented_is_queued_again(rig: Rig, drafted: StandIn) -> None:
    kill_supervisor(rig)
    number = claim(rig, drafted, "hello")
    folder = rig.paths.agents / drafted.row.orchestration / drafted.row.role / "hand-over"
    folder.mkdir(exist_ok=True)
    (folder / f"{number}.offer").write_text("{}")
    rig.tmorch("supervisor", "start")
    eventually(lambda: (folder / f"{number}.json").exists())
    drafted.do("idle")
    rig.wait_message(number, *ARRIVED)
    eventually(lambda: handed(drafted, rig.store.messages.get(number)) == 1)


def test_nothing_is_handed_over_when_the_settings_say_so(rig: Rig, make_project: MakeProject) -> None:
    rig.configure("[messages]\nhand_over = false\n", as_driver="claude", stand_in_args=("--think", "0"))
    agent = rig.agent(rig.start(make_project(), agent="claude"))
    agent.wait_status("idle")
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    type_in(rig, agent, "half a thought")
    done = rig.tmorch("send", "developer", "hello", "--json", "--wait", "1")
    assert (done.json["state"], done.json["reason"]) == ("queued", "a draft is at its prompt")


def test_agents_write_along_their_teams_routes(rig: Rig, make_project: MakeProject) -> None:
    team: dict[str, Any] = rig.start(make_project(), roles="orchestrator,developer,researcher")
    researcher, developer = (rig.agent(team, role).row for role in ("researcher", "developer"))
    inside = {"TMUX": f"{rig.tmux.socket_path},{rig.tmux.pid},0", "TMUX_PANE": str(researcher.pane)}
    done = rig.tmorch("send", "developer", "psst", "--json", env=inside)
    assert done.code == 3, done
    assert done.json["error"]["code"] == "route"
    assert "tmorch send orchestrator" in done.json["error"]["remedy"]
    assert rig.store.messages.latest(developer.id, limit=1)[0].kind == "briefing"
    assert rig.tmorch("send", "orchestrator", "hello", "--no-wait", env=inside).code == 0
