"""Messages on real tmux: each arrives once at the right agent, or is visibly held or refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import DeliveryMode, MessageKind, MessageState
from orchestrator_core.services.envelope import REQUEST
from tests.conftest import MakeProject, TmuxServer
from tests.polling import eventually
from tests.rig import Rig, StandIn

NASTY = {
    "semicolon": "fix;",
    "dash": "-x",
    "key name": "Enter",
    "shell and format": "$(date) `id` #{pane_id}",
    "three lines": "one\ntwo\nthree",
    "10 kB": "".join(f"line {n}: the quick brown fox 日本 🙂\n" for n in range(240)) + "end",
    "emoji": "👩‍👩‍👧 🙂 é",
    "bang": "!rm -rf build",
    "slash": "/tmp/x and /compact",
    "digit": "1",
    "trailing backslash": "path C:\\",
    "leading spaces": "    indented",
    "quotes": 'it\'s "so" \\n',
}


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> dict[str, Any]:
    return rig.start(make_project())


@pytest.fixture
def agent(rig: Rig, team: dict[str, Any]) -> StandIn:
    found = rig.agent(team)
    eventually(lambda: "I have read" in found.screen() and "done" in found.screen(), what="the briefing was not read")
    found.wait_status("idle")
    return found


def states(rig: Rig) -> list[str]:
    return [message.state for message in reversed(rig.store.messages.latest(limit=500)) if message.kind == "text"]


def test_texts_of_any_kind_arrive_to_the_character(rig: Rig, agent: StandIn) -> None:
    """Scenario 21."""
    for name, text in NASTY.items():
        done = rig.tmorch("send", "developer", "-", "--json", "--wait", "30", stdin=text)
        assert done.code == 0, (name, done)
        assert done.json["state"] == "delivered", (name, done)
        assert done.json["target"] == {"agent": agent.id, "pane": agent.row.pane}
        agent.wait_status("idle")
    wanted = [text + (" " if text.endswith("\\") else "") for text in NASTY.values()]
    assert [text.removeprefix(REQUEST) for text in agent.texts()] == wanted
    assert [text.startswith(REQUEST) for text in agent.texts()] == [name == "10 kB" for name in NASTY]


def test_control_characters_cannot_end_the_paste(rig: Rig, agent: StandIn) -> None:
    """Scenario 21: CR LF becomes LF, ESC[201~ loses its escape."""
    sent = rig.tmorch("send", "developer", "-", "--wait", "30", stdin="a\r\nb\x1b[201~c\x07d")
    assert sent.code == 0, sent
    assert agent.texts() == ["a\nb[201~cd"]


def test_a_session_name_is_never_a_prefix(rig: Rig, team: dict[str, Any], agent: StandIn) -> None:
    """Scenario 22."""
    done = rig.tmorch("send", f"{team['id'][:-1]}:developer", "to nobody", "--json")
    assert done.code == 4
    assert agent.id in json.dumps(done.json)
    assert agent.texts() == []
    assert rig.tmorch("send", f"{team['session']}:0", "by window", "--wait", "30").code == 0
    assert rig.tmorch("send", str(agent.row.pane), "by pane", "--wait", "30").code == 0
    assert agent.texts() == ["by window", "by pane"]


def test_nothing_is_typed_into_a_shell(rig: Rig, make_project: MakeProject, isolated_home: Path) -> None:
    """Scenario 23: the agent ended and left a shell in its pane."""
    program = rig.folder / "bin" / "leaves-a-shell"
    program.write_text(f'#!/bin/bash -m\n{rig.folder}/bin/claude "$@"\nexec bash --norc -i\n')
    program.chmod(0o755)
    rig.configure(f'[drivers.shell]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n')
    agent = rig.agent(rig.start(make_project(), agent="shell"))
    agent.do("exit", code=0)
    agent.wait_status("exited", "failed", "unknown")
    before = agent.screen()
    done = rig.tmorch("send", "developer", "touch /tmp/typed-into-a-shell", "--json", "--wait", "5")
    assert (done.code, done.json["state"]) == (3, "refused"), done
    assert done.json["reason"] == "not an agent: bash is in front in its pane"
    assert "touch" not in agent.screen()
    assert agent.screen() == before


def test_messages_for_an_agent_that_is_gone_stay_and_say_so(rig: Rig, agent: StandIn) -> None:
    agent.do("exit", code=0)
    agent.wait_status("exited")
    done = rig.tmorch("send", "developer", "are you there?", "--json", "--wait", "0.5")
    assert (done.code, done.json["state"], done.json["reason"]) == (5, "queued", "its program has ended"), done
    rig.tmux.run("kill-pane", "-t", str(agent.row.pane))
    eventually(lambda: "tmux server" in rig.store.messages.get(done.json["id"]).reason or states(rig) != ["queued"])
    assert states(rig) == ["queued"]


def test_a_usage_limit_is_waited_for(rig: Rig, agent: StandIn) -> None:
    agent.do("limit", until="2:59pm")
    agent.wait_status("limited")
    done = rig.tmorch("send", "developer", "go on", "--json", "--wait", "0.5")
    assert (done.json["state"], done.json["reason"]) == ("queued", "it waits for a usage limit"), done
    agent.do("idle")
    rig.wait_message(done.json["id"], MessageState.DELIVERED)
    assert agent.texts() == ["go on"]


def test_a_text_behind_a_dialog_is_sent_when_that_is_gone(rig: Rig, agent: StandIn) -> None:
    """It was pasted by a supervisor that is no more, and then a dialog opened."""
    assert rig.tmorch("supervisor", "stop").code == 0
    number = half_typed(rig, agent, "hello")
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "-l", f"[tmorch {number} from the person] hello")
    eventually(lambda: "hello" in agent.screen())
    agent.do("permission", command="rm -rf build")
    eventually(lambda: "rm -rf build" in agent.screen())
    rig.tmorch("supervisor", "start")
    eventually(lambda: "permission" in rig.store.messages.get(MessageId(number)).reason)
    assert agent.texts() == []
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "Escape")
    rig.wait_message(number, MessageState.DELIVERED)
    assert agent.texts() == ["hello"]


def test_a_draft_behind_our_text_is_not_sent_along(rig: Rig, agent: StandIn) -> None:
    assert rig.tmorch("supervisor", "stop").code == 0
    number = half_typed(rig, agent, "hello")
    pane = str(agent.row.pane)
    rig.tmux.run("send-keys", "-t", pane, "-l", f"[tmorch {number} from the person] hello and a thought")
    eventually(lambda: "a thought" in agent.screen())
    rig.tmorch("supervisor", "start")
    eventually(lambda: "somebody types" in rig.store.messages.get(MessageId(number)).reason)
    assert agent.texts() == []
    rig.tmux.run("send-keys", "-t", pane, *["BSpace"] * len(" and a thought"))
    rig.wait_message(number, MessageState.DELIVERED)
    assert agent.texts() == ["hello"]


def test_copy_mode_is_left_first(rig: Rig, agent: StandIn) -> None:
    """Scenario 24."""
    pane = str(agent.row.pane)
    rig.tmux.run("copy-mode", "-t", pane)
    assert rig.tmux.run("display-message", "-p", "-t", pane, "#{pane_in_mode}") == "1"
    assert rig.tmorch("send", "developer", "hello", "--wait", "30").code == 0
    assert agent.texts() == ["hello"]


def test_a_persons_draft_is_waited_for(rig: Rig, agent: StandIn) -> None:
    """Scenario 25."""
    pane = str(agent.row.pane)
    rig.tmux.run("send-keys", "-t", pane, "-l", "half a thought")
    eventually(lambda: "half a thought" in agent.screen())
    done = rig.tmorch("send", "developer", "hello", "--json", "--wait", "0.5")
    assert done.code == 5, done
    assert done.json["state"] == "queued"
    assert "draft" in done.json["reason"]
    assert "half a thought" in agent.screen()
    assert agent.texts() == []
    rig.tmux.run("send-keys", "-t", pane, "Enter")
    rig.wait_message(done.json["id"], MessageState.DELIVERED)
    assert agent.prompts()[-2:] == ["half a thought", f"[tmorch {done.json['id']} from the person] hello"]


def test_a_swallowed_enter_is_repeated_and_the_text_is_not(rig: Rig, agent: StandIn) -> None:
    """Scenario 26."""
    agent.do("swallow-enter", count=1)
    done = rig.tmorch("send", "developer", "hello", "--json", "--wait", "30")
    assert done.json["state"] == "delivered", done
    assert agent.texts() == ["hello"]


def test_a_working_agent_is_not_interrupted(rig: Rig, agent: StandIn) -> None:
    """Scenario 27."""
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    done = rig.tmorch("send", "developer", "when you can", "--json", "--wait", "0.5")
    assert (done.code, done.json["state"]) == (5, "queued"), done
    assert "working" in done.json["reason"]
    assert agent.row.status == "working"
    agent.do("idle")
    rig.wait_message(done.json["id"], MessageState.DELIVERED)
    assert agent.texts() == ["when you can"]


def test_now_goes_into_the_agents_own_queue(rig: Rig, agent: StandIn) -> None:
    """Scenario 27, with --now."""
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    done = rig.tmorch("send", "developer", "at once", "--now", "--json", "--wait", "30")
    assert done.json["state"] == "delivered", done
    assert agent.row.status == "working"
    agent.do("idle")
    eventually(lambda: agent.texts() == ["at once"])


def test_a_dialog_is_named_and_left_as_it_is(rig: Rig, agent: StandIn) -> None:
    """Scenario 28."""
    agent.do("permission", command="rm -rf build")
    agent.wait_status("waiting")
    before = agent.screen()
    done = rig.tmorch("send", "developer", "1 please", "--json", "--wait", "0.5")
    assert (done.code, done.json["state"]) == (5, "queued"), done
    assert "permission" in done.json["reason"]
    assert agent.screen() == before
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "Escape")
    rig.wait_message(done.json["id"], MessageState.DELIVERED)
    assert agent.texts() == ["1 please"]


def test_many_senders_at_once_do_not_interleave(rig: Rig, agent: StandIn) -> None:
    """Scenario 29: 10 processes, 10 messages each, one pane."""
    agent.do("think", seconds=0)
    script = (
        "import sys\n"
        "from orchestrator_core.cli.main import main\n"
        "for n in range(10):\n"
        "    words = ['send', 'developer', f'{sys.argv[1]}-{n}', '--from', sys.argv[1], '--no-wait']\n"
        "    assert main(words) == 0\n"
    )
    senders = [
        subprocess.Popen([sys.executable, "-c", script, f"s{number}"], stdout=subprocess.DEVNULL)
        for number in range(10)
    ]
    assert [sender.wait(timeout=80) for sender in senders] == [0] * 10
    eventually(lambda: len(agent.texts()) == 100, timeout=80, what=f"{len(agent.texts())} of 100, {states(rig)}")
    got = agent.texts()
    for number in range(10):
        assert [text for text in got if text.startswith(f"s{number}-")] == [f"s{number}-{n}" for n in range(10)]
    eventually(lambda: states(rig) == ["delivered"] * 100)


def test_a_flood_of_one_text_is_suppressed_and_counted(rig: Rig, agent: StandIn) -> None:
    """Scenario 30."""
    agent.do("think", seconds=0)
    codes = [rig.tmorch("send", "developer", "are you there?", "--no-wait").code for _ in range(12)]
    assert codes.count(0) == 5
    assert codes.count(3) == 7
    assert rig.tmorch("send", "developer", "another matter", "--wait", "30").code == 0
    eventually(lambda: len(agent.texts()) == 6)
    assert agent.texts() == ["are you there?"] * 5 + ["another matter"]
    suppressed = [message for message in rig.store.messages.latest(limit=50) if message.suppressed]
    assert [(message.state, message.suppressed) for message in suppressed] == [
        ("refused", 6)
    ]  # it and the six after it


def test_an_agent_is_its_own_pane_and_does_not_send_to_itself(
    rig: Rig, make_project: MakeProject, tmux_server: TmuxServer
) -> None:
    """Scenario 31: asked from window 1 while window 0 is active."""
    team = rig.start(make_project(), roles="orchestrator,developer")
    developer = rig.agent(team, "developer").row
    tmux_server.run("select-window", "-t", f"={team['session']}:0")
    inside = {"TMUX": f"{tmux_server.socket_path},{tmux_server.pid},0", "TMUX_PANE": str(developer.pane)}
    told = rig.tmorch("whoami", "--json", env=inside)
    assert told.json["agent"] == developer.id
    assert told.json["role"] == "developer"
    assert told.json["worktree"] == developer.worktree
    assert rig.tmorch("send", "developer", "me", env=inside).code == 3
    assert rig.tmorch("send", "orchestrator", "done", "--wait", "30", env=inside).code == 0
    assert rig.agent(team, "orchestrator").prompts()[-1] == (
        f"[tmorch {rig.store.messages.latest(limit=1)[0].id} from {developer.id}] done"
    )


def test_a_server_that_dies_takes_no_receipt_with_it(rig: Rig, agent: StandIn, tmux_server: TmuxServer) -> None:
    """Scenario 32."""
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    sending = subprocess.Popen(
        [
            sys.executable, "-m", "orchestrator_core.cli.main", "send", "developer", "hello", "--json", "--wait", "60",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    eventually(lambda: states(rig) == ["queued"])
    tmux_server.kill()
    out, _ = sending.communicate(timeout=30)
    assert sending.returncode == 6, out
    assert states(rig)[0] != "delivered"


@pytest.fixture
def stopped_supervisor(rig: Rig, agent: StandIn) -> None:
    assert rig.tmorch("supervisor", "stop").code == 0


def half_typed(rig: Rig, agent: StandIn, text: str) -> int:
    """Leave a message as a supervisor that was killed in the middle of typing leaves it."""
    message = rig.store.messages.add(
        target=AgentId(agent.id), sender="you", text=text, mode=DeliveryMode.WHEN_IDLE, kind=MessageKind.TEXT, at=1.0
    )
    rig.store.messages.claim_next(agent.id, 1.0)
    return message.id


def test_after_a_crash_what_lies_at_the_prompt_is_sent_not_typed_again(
    rig: Rig, agent: StandIn, stopped_supervisor: None
) -> None:
    number = half_typed(rig, agent, "hello")
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "-l", f"[tmorch {number} from the person] hello")
    eventually(lambda: "hello" in agent.screen())
    rig.tmorch("supervisor", "start")
    rig.wait_message(number, MessageState.DELIVERED)
    assert agent.texts() == ["hello"]


def test_after_a_crash_what_was_sent_is_not_sent_again(rig: Rig, agent: StandIn, stopped_supervisor: None) -> None:
    number = half_typed(rig, agent, "hello")
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "-l", f"[tmorch {number} from the person] hello")
    eventually(lambda: "hello" in agent.screen())
    rig.tmux.run("send-keys", "-t", str(agent.row.pane), "Enter")
    eventually(lambda: agent.texts() == ["hello"])
    rig.tmorch("supervisor", "start")
    rig.wait_message(number, MessageState.DELIVERED)
    assert agent.texts() == ["hello"]


def test_after_a_crash_what_nobody_can_know_is_said_to_be_unknown(
    rig: Rig, agent: StandIn, stopped_supervisor: None
) -> None:
    number = half_typed(rig, agent, "hello")
    rig.tmorch("supervisor", "start")
    rig.wait_message(number, MessageState.UNCONFIRMED)
    assert agent.texts() == []
