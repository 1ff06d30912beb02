"""The facade's part for check-ins, as a front end asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from orchestrator_core.check_ins import CheckIns
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckInRequest, CheckInState
from orchestrator_core.models.ids import AgentId
from orchestrator_core.services import schedule
from orchestrator_core.store import Store
from tests.unit.test_schedule import DEFAULTS, NOW, agent, number
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, path, store

__all__ = ["path", "store"]

T = TypeVar("T")


class Front:
    """The facade's part over a store, for whoever `caller` is."""

    def __init__(self, store: Store, caller: Agent | None = None) -> None:
        self.rung = 0
        self._store = store
        self.check_ins = CheckIns(
            store, DEFAULTS, self._ask, find=self._find, caller=lambda: caller, wake=self._ring, clock=lambda: NOW
        )

    async def _ask(self, question: Callable[[], T]) -> T:
        return question()

    async def _find(self, target: str) -> Agent:
        return self._store.agents.get(AgentId(f"{SHOP}:{target}"))

    def _ring(self) -> None:
        self.rung += 1


async def test_an_agent_means_itself_when_it_names_nobody(store: Store) -> None:
    front = Front(store, agent(store, TESTER))
    mine = (await front.check_ins.add(CheckInRequest(note="x", delay_s=60.0))).check_in
    other = (await front.check_ins.add(CheckInRequest(note="y", delay_s=60.0), "developer")).check_in
    assert (mine.target, mine.author) == (TESTER, TESTER)
    assert (other.target, other.author) == (DEVELOPER, TESTER)
    assert front.rung == 2
    with pytest.raises(NotFoundError):
        await Front(store).check_ins.add(CheckInRequest(note="x", delay_s=60.0))


async def test_every_change_is_one_call_and_wakes_the_supervisor(store: Store) -> None:
    front = Front(store)
    which = (await front.check_ins.add(CheckInRequest(note="x", delay_s=600.0, repeats=True), "developer")).check_in.id
    assert (await front.check_ins.move(which, to=NOW + 60)).due_at == NOW + 60
    assert (await front.check_ins.reword(which, "y")).note == "y"
    firing = await front.check_ins.fire(which)
    assert await front.check_ins.get(which) == (store.check_ins.get(which), firing)
    assert await front.check_ins.pause(SHOP)
    assert (await front.check_ins.cancel(which)).state is CheckInState.CANCELLED
    assert front.rung == 6


async def test_the_lists_of_a_front_end(store: Store) -> None:
    front = Front(store)
    late, early = number(store, note="1", delay_s=900.0), number(store, note="2", delay_s=60.0)
    other = number(store, target=TESTER, delay_s=30.0)
    ended = schedule.cancel(store, number(store, note="3", delay_s=60.0), None, NOW).id
    assert [check_in.id for check_in in await front.check_ins.list()] == [other, early, late]
    assert [check_in.id for check_in in await front.check_ins.list("developer", limit=1)] == [early]
    assert [check_in.id for check_in in await front.check_ins.list(ended=True)] == [ended, other, early, late]
    assert [check_in.id for check_in in await front.check_ins.list("tester", ended=True)] == [other]
