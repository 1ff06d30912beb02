"""Pausing teams: whose word it is, what is held meanwhile, and how all of it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from orchestrator_core.errors import ExitCode, NotFoundError, RefusedError, UsageError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.pausing import Pausing
from orchestrator_core.services.firing import Scheduler
from orchestrator_core.services.holding import APART_S, PAUSED, let_fire, why_held
from orchestrator_core.services.pausing import pause
from orchestrator_core.store import Store, open_store
from tests.fakes.cli import FakeContext, FakeOrchestrator, make_team
from tests.fakes.json_shape import faults
from tests.unit.test_firing import ONCE, SETTINGS, a_check_in
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, path, store

__all__ = ["path", "store"]

NOW = 1_000_000.0
API = OrchestrationId("api-77c1")
LEAD = AgentId(f"{API}:developer")
T = TypeVar("T")


@pytest.fixture
def two(store: Store) -> Store:
    """A store with two teams that run; all agents are idle."""
    store.orchestrations.claim(an_orchestration(API, project="/projects/api"))
    store.agents.add(an_agent(LEAD, pane=PaneId("%3")))
    for agent in (DEVELOPER, TESTER, LEAD):
        store.agents.update(agent, status=AgentStatus.IDLE)
    return store


def paused(store: Store) -> list[str]:
    return [team.id for team in store.orchestrations.list() if team.paused_at is not None]


def scheduler(store: Store, now: float, held: Callable[[AgentId], str] = lambda agent: "") -> Scheduler:
    return Scheduler(store, SETTINGS, lambda: now, lambda text, details="": None, held)


# --- whose word, and of whom


def test_all_teams_are_paused_and_go_on_and_each_is_news_once(two: Store) -> None:
    assert pause(two, NOW) == (SHOP, API)
    assert pause(two, NOW + 1) == ()
    assert [team.paused_at for team in two.orchestrations.list()] == [NOW, NOW]
    assert pause(two, NOW, teams=(SHOP,), paused=False) == (SHOP,)
    assert paused(two) == [API]
    assert pause(two, NOW, paused=False) == (API,)
    assert pause(two, NOW, paused=False) == ()
    kinds = [event.kind for event in reversed(two.events.latest(50)) if event.kind.startswith("team.")]
    assert kinds == ["team.paused"] * 2 + ["team.resumed"] * 2


def test_it_is_in_the_store_and_outlives_whoever_said_it(two: Store, path: Path) -> None:
    pause(two, NOW)
    two.close()
    again = open_store(path)
    try:
        assert paused(again) == [SHOP, API]
        assert why_held(again, DEVELOPER) == PAUSED
    finally:
        again.close()


def test_an_agent_pauses_nobody(two: Store) -> None:
    with pytest.raises(RefusedError) as caught:
        pause(two, NOW, caller=two.agents.get(DEVELOPER))
    assert caught.value.code == "persons-only"
    assert paused(two) == []


def test_one_wrong_name_and_nothing_is_paused(two: Store) -> None:
    with pytest.raises(NotFoundError):
        pause(two, NOW, teams=(SHOP, OrchestrationId("nowhere")))
    two.orchestrations.update(API, state=OrchestrationState.STOPPED)
    with pytest.raises(RefusedError) as caught:
        pause(two, NOW, teams=(SHOP, API))
    assert caught.value.code == "team-ended"
    assert paused(two) == []
    assert pause(two, NOW) == (SHOP,), "all are all that run"


# --- what is held


def test_a_team_that_is_being_started_gets_its_briefings(two: Store) -> None:
    pause(two, NOW)
    two.orchestrations.update(SHOP, state=OrchestrationState.STARTING)
    assert (why_held(two, DEVELOPER), why_held(two, LEAD)) == ("", PAUSED)


def test_the_pause_is_named_before_the_budget(two: Store) -> None:
    two.agents.update(DEVELOPER, held_reason="too dear")
    assert (why_held(two, DEVELOPER), why_held(two, TESTER)) == ("too dear", "")
    pause(two, NOW)
    assert (why_held(two, DEVELOPER), why_held(two, TESTER)) == (PAUSED, PAUSED)


def test_nothing_fires_meanwhile_and_once_each_afterwards_one_after_the_other(two: Store) -> None:
    for agent in (LEAD, DEVELOPER, TESTER):
        two.check_ins.add(a_check_in(target=agent, due_at=NOW + 60, anchor_at=NOW + 60, set_at=NOW))
    later = two.check_ins.add(a_check_in(**ONCE, due_at=NOW + 9000, set_at=NOW))
    pause(two, NOW)
    assert scheduler(two, NOW + 3600).round() == ()
    assert two.check_ins.next_at() is None
    assert two.messages.latest() == ()
    pause(two, NOW + 3600, paused=False)
    fired = [scheduler(two, NOW + 3600 + place * APART_S).round() for place in range(4)]
    assert fired == [(LEAD,), (DEVELOPER,), (TESTER,), ()]
    assert [firing.missed for firing in two.firings.between(0, NOW + 9000)] == [5, 5, 5]
    assert two.check_ins.get(later.id).retry_at is None


def test_one_whose_agent_was_gone_keeps_its_turn(two: Store) -> None:
    """Going on after a pause is no reason to count an attempt."""
    tried = two.check_ins.add(a_check_in(due_at=NOW - 60, set_at=NOW - 600))
    two.check_ins.update(tried.id, attempts=2, retry_at=NOW + 500)
    let_fire(two, [DEVELOPER], NOW)
    assert two.check_ins.get(tried.id).retry_at == NOW + 500


def test_what_holds_an_agent_keeps_its_check_ins_without_an_attempt(two: Store) -> None:
    which = two.check_ins.add(a_check_in(due_at=NOW, set_at=NOW - 600)).id
    assert scheduler(two, NOW, lambda agent: "too dear").round() == ()
    held = two.check_ins.get(which)
    assert (held.reason, held.attempts, held.due_at) == ("too dear", 0, NOW)
    assert held.retry_at is not None
    let_fire(two, [DEVELOPER], NOW + 1)
    assert scheduler(two, NOW + 1).round() == (DEVELOPER,)


# --- the facade's part


async def test_the_facade_counts_and_wakes_the_supervisor(two: Store) -> None:
    rung: list[int] = []

    async def ask(question: Callable[[], T]) -> T:
        return question()

    pausing = Pausing(two, ask, caller=lambda: None, wake=lambda: rung.append(1), clock=lambda: NOW)
    assert await pausing.pause_all() == 2
    assert await pausing.pause_all() == 0
    assert await pausing.pause(SHOP, paused=False) == (SHOP,)
    assert await pausing.resume_all() == 1
    assert len(rung) == 4
    as_agent = Pausing(two, ask, caller=lambda: two.agents.get(TESTER), wake=lambda: None, clock=lambda: NOW)
    with pytest.raises(RefusedError):
        await as_agent.resume_all()


# --- the commands


def said(*words: str, facade: FakeOrchestrator) -> str:
    context = FakeContext(*words, orchestrator=facade)
    assert context.run() == ExitCode.DONE
    return context.said


def test_the_command_means_the_only_team_those_named_or_all() -> None:
    facade = FakeOrchestrator()
    shop = OrchestrationId("shop-1a2b")
    facade.pausing.news = (shop,)
    assert said("pause", facade=facade) == "shop-1a2b is paused\n"
    assert said("pause", "--all", facade=facade) == "shop-1a2b is paused\n"
    assert said("unpause", str(shop), str(shop), facade=facade) == "shop-1a2b goes on\n"
    assert facade.pausing.calls == [((shop,), True), ((), True), ((shop,), False)]
    facade.pausing.news = ()
    assert said("unpause", str(shop), facade=facade) == "shop-1a2b was not paused\n"
    facade.teams = [make_team("shop-1a2b"), make_team("api-77c1")]
    assert FakeContext("pause", orchestrator=facade).run() == ExitCode.NOT_FOUND
    assert FakeContext("pause", "nowhere", orchestrator=facade).run() == ExitCode.NOT_FOUND
    assert FakeContext("pause", "shop-1a2b", "--all", orchestrator=facade).run() == UsageError("x").exit_code
    assert len(facade.pausing.calls) == 4


def test_the_document_says_what_is_paused_now() -> None:
    facade = FakeOrchestrator()
    facade.teams = [make_team("shop-1a2b", paused_at=1.0), make_team("api-77c1")]
    facade.pausing.news = (OrchestrationId("shop-1a2b"),)
    context = FakeContext("pause", "shop-1a2b", "--json", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert context.json == {"changed": ["shop-1a2b"], "paused": ["shop-1a2b"]}
    help_ = FakeContext("help", "unpause", "--json")
    assert help_.run() == ExitCode.DONE
    assert faults(context.json, help_.json) == []


def test_the_status_says_that_a_team_is_paused() -> None:
    facade = FakeOrchestrator()
    assert "paused" not in said("status", facade=facade)
    facade.teams = [make_team("shop-1a2b", paused_at=1.0)]
    assert "running, paused" in said("status", facade=facade)
    context = FakeContext("list", "--json", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert context.json["orchestrations"][0]["paused"] is True
