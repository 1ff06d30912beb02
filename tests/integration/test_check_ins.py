"""Check-ins with a real supervisor: they arrive at the right agent, once, whatever becomes of the supervisor."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.models.check_in import CheckIn, CheckInRequest, Firing
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.message import MessageState
from orchestrator_core.services import schedule
from orchestrator_core.supervisor.bell import ring
from orchestrator_core.supervisor.lock import is_held
from orchestrator_core.supervisor.spawn import ensure_running
from tests.conftest import MakeProject
from tests.polling import eventually
from tests.rig import Rig, StandIn
from tests.unit.test_store_contract import corrupt

OFTEN = ScheduleSettings(min_interval_min=0.01)
TAKEN = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)


def set_check_in(rig: Rig, agent: StandIn, note: str, delay_s: float = 0.0, **changes: Any) -> CheckInId:
    """Set a check-in as the agent itself does, or as `caller` does."""
    request = CheckInRequest(note=note, delay_s=delay_s, repeats=changes.pop("repeats", False))
    caller = rig.store.agents.get(changes.pop("caller", agent.id))
    added = schedule.add(rig.store, OFTEN, request, agent.row, author="", caller=caller, now=time.time())
    ring(rig.paths.state)
    return added.check_in.id


def firings(rig: Rig, check_in: CheckInId) -> list[Firing]:
    return [firing for firing in rig.store.firings.between(0, time.time() + 60) if firing.check_in == check_in]


def wait_taken(rig: Rig, check_in: CheckInId) -> Firing:
    """Wait until a check-in's last firing has got to its agent."""
    eventually(
        lambda: [firing.receipt in TAKEN for firing in firings(rig, check_in)[-1:]] == [True],
        what=f"{firings(rig, check_in)} of {rig.store.check_ins.get(check_in)}",
    )
    return firings(rig, check_in)[-1]


def standing(rig: Rig, agent: AgentId) -> list[CheckIn]:
    return [found for found in rig.store.check_ins.active(agent) if found.is_standing]


def kill_supervisor(rig: Rig) -> None:
    pid = rig.store.health.read().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_held(rig.paths.lock))


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> dict[str, Any]:
    """A developer and a tester; the supervisor ends as soon as there is nothing to do."""
    rig.configure("[supervisor]\nidle_exit_min = 0.01\n[schedule]\nretries = 2\nretry_s = 0.3")
    return rig.start(make_project(), roles="orchestrator,developer,tester")


@pytest.fixture
def developer(rig: Rig, team: dict[str, Any]) -> StandIn:
    return rig.agent(team)


@pytest.fixture
def tester(rig: Rig, team: dict[str, Any]) -> StandIn:
    return rig.agent(team, "tester")


def test_a_note_to_itself_arrives_in_its_own_pane(rig: Rig, developer: StandIn, tester: StandIn) -> None:
    """Scenarios 34 and 35."""
    number = set_check_in(rig, tester, "Review auth", 1.5)
    due_at = rig.store.check_ins.get(number).due_at
    firing = wait_taken(rig, number)
    assert (firing.due_at, firing.missed) == (due_at, 0)
    assert firing.fired_at >= due_at
    assert tester.prompts()[-1] == f"[tmorch {firing.message} check-in] Review auth"
    assert tester.texts() == ["Review auth"]
    assert developer.texts() == []
    assert rig.store.check_ins.get(number).state == "fired"


def test_whom_it_is_for_is_named_in_any_way_and_from_anywhere(
    rig: Rig, team: dict[str, Any], tester: StandIn, tmp_path: Path
) -> None:
    """Scenarios 34 and 41."""
    (tmp_path / "else").mkdir()
    names = ("tester", tester.id, str(tester.row.pane), f"{team['session']}:tester")
    set_ = [rig.tmorch("schedule", str(30.5 + n), f"note {n}", name, "--json") for n, name in enumerate(names)]
    assert [done.code for done in set_] == [0] * 4, set_
    every = rig.tmorch("schedule", "30", "again", "tester", "--every", "--json", cwd=tmp_path / "else")
    unknown = rig.tmorch("schedule", "30", "lost", f"{team['session']}:nobody")
    assert (unknown.code, rig.tmorch("schedule", "30", "whose?").code) == (4, 4)
    here, there = (rig.tmorch("schedule", "list", "--json", cwd=cwd).json for cwd in (tmp_path, tmp_path / "else"))
    assert here == there
    own = [found for found in here["check_ins"] if found["author"] == "you"]
    assert {found["target"] for found in own} == {tester.id}
    assert sorted(found["kind"] for found in own) == ["every", *["once"] * 4]
    assert every.json["check_ins"][0]["id"] in {found["id"] for found in own}


def test_who_else_has_set_it_is_named(rig: Rig, team: dict[str, Any], developer: StandIn) -> None:
    orchestrator = rig.agent(team, "orchestrator")
    firing = wait_taken(rig, set_check_in(rig, developer, "How far is it?", caller=orchestrator.id))
    assert developer.prompts()[-1] == f"[tmorch {firing.message} check-in by {orchestrator.id}] How far is it?"


def test_a_killed_supervisor_makes_up_for_it_once(rig: Rig, developer: StandIn, tester: StandIn) -> None:
    """Scenarios 36 and 37: killed for several intervals, then two are started at once."""
    every = set_check_in(rig, developer, "every second", 1.0, repeats=True)
    once = set_check_in(rig, tester, "once", 2.0)
    wait_taken(rig, every)
    kill_supervisor(rig)
    killed_at = time.time()
    eventually(lambda: time.time() > killed_at + 4.5)
    ensure_running(rig.paths)
    ensure_running(rig.paths)
    wait_taken(rig, once)
    eventually(lambda: any(firing.missed >= 3 for firing in firings(rig, every)))
    assert rig.tmorch("supervisor", "run").code == 3
    wait_taken(rig, every)
    assert rig.tmorch("supervisor", "stop").code == 0
    assert rig.store.check_ins.get(every).due_at > time.time() - 1
    covered = [(firing.due_at, firing.missed) for firing in firings(rig, every)]
    for (due_at, missed), (following, _) in pairwise(covered):
        assert following == pytest.approx(due_at + missed + 1, abs=1e-3)
    assert tester.texts() == ["once"]
    sent = sum(firing.receipt in TAKEN for firing in firings(rig, every))
    assert developer.texts() == ["every second"] * sent


def test_one_whose_agent_was_killed_ends_dead_with_the_reason(rig: Rig, developer: StandIn, tester: StandIn) -> None:
    """Scenario 38."""
    assert developer.row.pid
    os.kill(developer.row.pid, signal.SIGKILL)
    developer.wait_status("failed", "exited")
    number = set_check_in(rig, developer, "to nobody", caller=tester.id)
    eventually(lambda: rig.store.check_ins.get(number).state == "dead")
    dead = rig.store.check_ins.get(number)
    assert dead.attempts == 2
    assert dead.reason.startswith("its agent has ")
    assert firings(rig, number) == []
    assert any(event.kind == "check-in.dead" for event in rig.store.events.latest(50, agent=developer.id))
    wait_taken(rig, set_check_in(rig, tester, "to somebody"))


def test_a_broken_row_stops_nobody(rig: Rig, developer: StandIn, tester: StandIn) -> None:
    """Scenario 39."""
    broken = set_check_in(rig, developer, "broken", 3600)
    corrupt(rig.paths.database, "UPDATE checkin SET due_at = 'soon' WHERE id = ?", broken)
    wait_taken(rig, set_check_in(rig, tester, "well", 0.5))
    eventually(lambda: rig.store.check_ins.get(broken).state == "dead")
    assert rig.store.check_ins.get(broken).reason
    assert developer.texts() == []


def test_every_agent_has_one_and_gets_it_back(rig: Rig, team: dict[str, Any]) -> None:
    """Scenario 40, the orchestrator included."""
    ids = [rig.agent(team, role).id for role in ("orchestrator", "developer", "tester")]
    for agent, minutes in zip(ids, (20, 30, 30), strict=True):
        [first] = standing(rig, agent)
        assert first.interval_s == minutes * 60
        assert first.due_at > time.time()
        assert rig.store.agents.get(agent).check_in_min == minutes
    corrupt(rig.paths.database, "DELETE FROM checkin")
    for agent in ids:
        [again] = eventually(lambda agent=agent: standing(rig, agent))  # type: ignore[misc]
        assert again.due_at > time.time()
        kinds = [event.kind for event in rig.store.events.latest(20, agent=agent)]
        assert kinds.count("check-in.standing") == kinds.count("check-in.repaired") == 1


def test_a_working_agent_is_not_interrupted(rig: Rig, developer: StandIn) -> None:
    """Its standing one is left out, what it has asked for waits; nothing is typed while it works."""
    developer.do("busy")
    developer.wait_status("working")
    [kept] = standing(rig, developer.id)
    rig.store.check_ins.update(kept.id, due_at=time.time(), set_at=time.time())
    own = set_check_in(rig, developer, "what I asked for")
    eventually(lambda: firings(rig, kept.id) and firings(rig, own))
    assert [(firing.outcome, firing.reason) for firing in firings(rig, kept.id)] == [("skipped", "its agent works")]
    number = firings(rig, own)[0].message
    assert number is not None
    eventually(lambda: rig.store.messages.get(number).reason)
    assert rig.store.messages.get(number).state == "queued"
    assert developer.texts() == []
    developer.do("idle")
    wait_taken(rig, own)
    assert developer.texts() == ["what I asked for"]


def test_a_standing_one_wakes_an_idle_agent(rig: Rig, developer: StandIn) -> None:
    developer.wait_status("idle")
    [kept] = standing(rig, developer.id)
    rig.store.check_ins.update(kept.id, due_at=time.time(), set_at=time.time())
    firing = wait_taken(rig, kept.id)
    assert developer.prompts()[-1] == f"[tmorch {firing.message} check-in] {kept.note}"


def test_a_team_that_is_stopped_is_told_nothing_more(rig: Rig, team: dict[str, Any], tester: StandIn) -> None:
    number = set_check_in(rig, tester, "too late", 3600)
    assert rig.tmorch("stop", team["id"]).code == 0
    assert rig.store.check_ins.active() == ()
    assert rig.store.check_ins.get(number).reason == "the team was stopped"


def test_a_start_that_is_undone_leaves_none(rig: Rig, make_project: MakeProject) -> None:
    rig.configure('[drivers.broken]\ncommand = ["false"]')
    done = rig.tmorch(
        "start", "--project", str(make_project()), "--spec", str(rig.spec), "--agent", "broken", "--yes", "--json"
    )
    assert done.code == 1, done
    left = rig.store.check_ins.latest(20)
    assert left
    assert {(found.state, found.reason) for found in left} == {("cancelled", "its team did not start")}
