"""Usage limits with a real supervisor and agents in tmux: held, looked at, told once, and everything after that."""

from __future__ import annotations

import os
import signal
import time

import pytest

from orchestrator_core.models.credit import AccountId, Continuation, ContinuationState, ReadingSource
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.need import NeedKind
from orchestrator_core.services.continuation import GO_ON
from tests.conftest import MakeProject
from tests.integration.test_pausing import send
from tests.polling import eventually
from tests.rig import Rig, StandIn
from tests.unit.test_credit import reading

QUICK = "[credit]\nmargin_s = 1\nverify_s = 2\nbackoff_min = 0.02\n"
OWN_WORDS = "Your claude.ai usage limit has reset"
"""What Claude Code says to itself when it goes on."""


@pytest.fixture
def agent(rig: Rig, make_project: MakeProject) -> StandIn:
    rig.configure(QUICK, as_driver="claude", stand_in_args=("--think", "0.05"))
    found = rig.agent(rig.start(make_project(), agent="claude"))
    found.wait_status("idle")
    return found


def told(agent: StandIn) -> int:
    """How many times it was told to go on."""
    return sum(GO_ON[:30] in text for text in agent.texts())


def needs(rig: Rig) -> list[NeedKind]:
    return [need.kind for need in rig.store.needs.open()]


def ways_out(rig: Rig) -> list[Continuation]:
    return list(rig.store.continuations.since(0.0))


def is_over(rig: Rig) -> bool:
    return bool(ways_out(rig)) and all(found.state is ContinuationState.OVER for found in ways_out(rig))


def wait_over(rig: Rig) -> None:
    def check() -> bool:
        assert is_over(rig), ways_out(rig)
        return True

    eventually(check, timeout=30)


def kill_supervisor(rig: Rig) -> None:
    pid = rig.store.health.read().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert rig.tmorch("supervisor", "start").code == 0


def test_who_goes_on_by_itself_is_told_nothing_and_gets_what_waited(rig: Rig, agent: StandIn) -> None:
    """Scenarios 44 and 46: the supervisor is killed between the limit and its end."""
    until = int(time.time()) + 6
    agent.do("limit", until=until)
    agent.wait_status("limited")
    eventually(lambda: needs(rig) == [NeedKind.LIMITED])
    number = send(rig, agent, "and then this")
    eventually(lambda: rig.store.messages.get(number).reason == "it waits for a usage limit")
    eventually(lambda: [found.resets_at for found in rig.store.continuations.open()] == [until])
    kill_supervisor(rig)
    (reading,) = [each for each in rig.store.readings.current() if each.is_limit]
    assert (reading.resets_at, reading.source) in ((until, ReadingSource.STATUS_LINE), (until, ReadingSource.RECORD))
    rig.wait_message(number, MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
    wait_over(rig)
    eventually(lambda: needs(rig) == [])
    assert len(ways_out(rig)) == 1
    assert told(agent) == 0
    assert agent.texts().count("and then this") == 1


@pytest.mark.parametrize("menu", [False, True])
def test_who_does_not_is_told_once(rig: Rig, agent: StandIn, *, menu: bool) -> None:
    """Scenario 45. The menu of a limit is left by its own words, and nothing is bought."""
    agent.do("limit", until=int(time.time()) + 3, **{"continue": False, "menu": menu})
    agent.wait_status("limited")
    number = send(rig, agent, "and then this")
    eventually(lambda: told(agent) == 1, what=agent.screen())
    rig.wait_message(number, MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
    wait_over(rig)
    assert told(agent) == 1
    assert [text for text in agent.texts() if text == "and then this"] == ["and then this"]
    assert len(ways_out(rig)) == 1
    assert needs(rig) == []


def test_who_is_still_limited_is_told_again_later_and_less_often(rig: Rig, agent: StandIn) -> None:
    an_hour_ago = time.strftime("%I:%M%p", time.gmtime(time.time() - 3600)).lower().removeprefix("0")
    agent.do("limit", until=an_hour_ago, **{"continue": False})
    agent.wait_status("limited")
    eventually(lambda: told(agent) == 2, timeout=30, what=f"{ways_out(rig)}")
    (found,) = ways_out(rig)
    assert found.attempts >= 1
    agent.do("idle")
    wait_over(rig)


def test_nobody_is_told_when_the_settings_leave_it_to_the_person(rig: Rig, make_project: MakeProject) -> None:
    rig.configure(f"{QUICK}resume = false\n", as_driver="claude", stand_in_args=("--think", "0.05"))
    agent = rig.agent(rig.start(make_project(), agent="claude"))
    agent.wait_status("idle")
    agent.do("limit", until=int(time.time()) + 2, **{"continue": False})
    agent.wait_status("limited")
    eventually(lambda: any("leave it to you" in need.detail for need in rig.store.needs.open()))
    assert told(agent) == 0


def test_a_plan_for_an_account_that_is_limited_says_that_agents_would_wait(rig: Rig, make_project: MakeProject) -> None:
    rig.configure(as_driver="claude")
    account, now = AccountId(f"{os.environ['HOME']}/.claude"), time.time()
    rig.store.readings.add(reading(100, account=account, at=now, is_limit=True, resets_at=now + 3600))
    words = ("plan", "--offline", "--project", str(make_project()), "--spec", str(rig.spec), "--agent", "claude")
    assert "! a usage limit holds the account until " in rig.tmorch(*words).out
    rig.store.readings.add(reading(1, account=account, at=now, resets_at=now + 3600))
    assert "a usage limit holds" not in rig.tmorch(*words).out
