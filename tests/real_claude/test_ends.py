"""Limits, ends and new conversations of the real CLI are noticed, and hold messages back."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.polling import eventually
from tests.real_claude.island import Seed
from tests.real_claude.real_rig import PATIENCE_S, RealAgent, RealRig

pytestmark = [pytest.mark.real_claude, pytest.mark.timeout(180)]

SELDOM = "[supervisor]\ntick_s = 60\n"
"""Two looks at the agents are so far apart that only the hooks can have told."""


def subscriber(rig: RealRig, project: Path, settings: dict[str, Any]) -> RealAgent:
    """Start a developer on a subscription: only there the CLI honours usage limits."""
    rig.island.seed(Seed(trusted=(project,), settings=settings))
    rig.island.start_tmux(is_oauth=True)
    agent = rig.real_agent(rig.start_claude(project))
    agent.wait_status("idle")
    return agent


def test_a_usage_limit_holds_messages_back(bare_rig: RealRig, git_project: Path) -> None:
    """The CLI goes on by itself after the reset; until then it calls itself idle."""
    agent = subscriber(bare_rig, git_project, {})
    assert agent.send("work [[limit five_hour 3000]]").code == 0
    agent.wait_status("limited")
    held = agent.send("hello", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert "limit" in held.json["reason"]
    assert not [text for text in bare_rig.island.texts() if "hello" in text]


def test_the_menu_at_a_usage_limit_is_not_typed_into(bare_rig: RealRig, git_project: Path) -> None:
    """Its third choice would buy a larger plan."""
    agent = subscriber(bare_rig, git_project, {"autoContinueAtUsageLimit": False})
    assert agent.send("work [[limit five_hour 3000]]").code == 0
    agent.wait_status("waiting", "limited")
    agent.wait_screen("What do you want to do?")
    before = agent.screen()
    held = agent.send("3", wait=2)
    assert (held.code, held.json["state"]) == (5, "queued"), held
    assert agent.screen() == before


def test_what_only_speaks_of_a_limit_is_none(bare_rig: RealRig, git_project: Path) -> None:
    """A warning before a limit, and an agent that quotes the words of one."""
    agent = subscriber(bare_rig, git_project, {})
    for order in ("warn five_hour 93", "text You've hit your 5-hour limit · resets 2:59pm (UTC)"):
        done = agent.send(f"[[{order}]]")
        assert done.code == 0, (done, agent.screen())
        bare_rig.wait_message(done.json["id"], "acknowledged")
        bare_rig.island.wait_text(order)
        agent.wait_status("idle")
    assert agent.send("go on").code == 0
    bare_rig.island.wait_text("go on")


def test_a_request_that_is_tried_again_is_work(agent: RealAgent) -> None:
    done = agent.send("work [[status 500 3]]")
    assert done.code == 0, done
    agent.wait_status("working")
    agent.wait_screen("attempt")
    assert agent.row.status == "working"
    agent.wait_screen("All right.")
    agent.wait_status("idle")
    assert agent.rig.tmorch("needs", "--json").json["needs"] == []


def test_an_error_that_ends_a_turn_is_said(agent: RealAgent) -> None:
    assert agent.send("work [[credit]]").code == 0
    shown = eventually(
        lambda: agent.rig.tmorch("needs", "--json").json["needs"], timeout=PATIENCE_S, what=agent.screen()
    )
    assert [need["kind"] for need in shown] == ["error"]
    assert "Credit balance too low" in shown[0]["detail"]
    assert "/effort" not in shown[0]["detail"]


def test_a_killed_agent_is_no_working_agent(agent: RealAgent) -> None:
    """Its screen still shows the spinner, and its session file still says that it is busy."""
    assert agent.send("work [[hang]]").code == 0
    agent.wait_status("working")
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait_status("failed")
    done = agent.send("hello", wait=2)
    assert done.json["state"] in ("queued", "refused"), done
    assert done.code in (3, 5)
    assert not [text for text in agent.rig.island.texts() if "hello" in text]


def test_an_agent_that_was_left_is_no_idle_agent(agent: RealAgent) -> None:
    agent.type("/exit")
    agent.wait_screen("❯\N{NO-BREAK SPACE}/exit")
    agent.press("Enter")
    agent.wait_status("exited")


def test_a_cleared_conversation_is_followed(agent: RealAgent) -> None:
    """Scenario 87: hooks of the new conversation count, those of the old one no more."""
    before = agent.row.conversation
    assert agent.session()["sessionId"] == before
    agent.type("/clear")
    agent.wait_screen("❯\N{NO-BREAK SPACE}/clear")
    agent.press("Enter")
    eventually(lambda: agent.row.conversation != before, timeout=PATIENCE_S, what="the conversation is the old one")
    assert agent.row.conversation == agent.session()["sessionId"]
    agent.rig.wait_message(agent.send("still there?").json["id"], "acknowledged")


def test_hooks_alone_keep_the_status(real_rig: RealRig, git_project: Path) -> None:
    """Scenario 87: the supervisor looks once a minute; the rest it is told."""
    real_rig.set_up(SELDOM)
    agent = real_rig.real_agent(real_rig.start_claude(git_project))
    agent.wait_status("idle")
    begun = time.time()
    number = agent.send("work [[hang]]").json["id"]
    real_rig.wait_message(number, "acknowledged")
    agent.wait_status("working")
    real_rig.island.release()
    agent.wait_status("idle")
    assert agent.send("[[bash touch made]]").code == 0
    assert agent.wait_status("waiting").waiting_for == "permission"
    assert time.time() - begun < 50, "a look of the supervisor may have told"
