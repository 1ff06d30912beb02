"""The supervisor's part of firing: awake at the right time and not otherwise, and no fault of it is anybody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.check_in import CheckIn, CheckInKind
from orchestrator_core.models.ids import AgentId, CheckInId, PaneId
from orchestrator_core.services.firing import Scheduler
from orchestrator_core.services.watch import Change
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor import firing_duty
from orchestrator_core.supervisor.firing_duty import FiringDuty
from tests.polling import aeventually
from tests.unit.test_store_contract import DEVELOPER, an_agent, an_orchestration, path

__all__ = ["path"]


class Post:
    """A duty over a real store; its clock runs, and may be set."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ahead = 0.0
        self.kicked: list[AgentId] = []
        self.reports: list[str] = []
        self.duty = FiringDuty(
            store, ScheduleSettings(), lambda: time.time() + self.ahead, self.kicked.append, self._report
        )

    def _report(self, text: str, details: str = "") -> None:
        self.reports.append(text)

    def add(self, delay_s: float) -> CheckInId:
        now = time.time() + self.ahead
        once = CheckIn(
            id=CheckInId(0),
            target=DEVELOPER,
            author="you",
            note="look",
            kind=CheckInKind.ONCE,
            due_at=now + delay_s,
            set_at=now,
        )
        return self.store.check_ins.add(once).id


@pytest.fixture
def post(path: Path) -> Iterator[Post]:
    with closing(open_store(path)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent(pane=PaneId("%1"), status=AgentStatus.IDLE))
        made = Post(store)
        yield made
        made.duty.close()


async def test_it_wakes_when_something_is_due_and_not_before(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    real = Scheduler.next_at

    def counted(scheduler: Scheduler) -> float | None:
        looks.append(time.time())
        return real(scheduler)

    monkeypatch.setattr(Scheduler, "next_at", counted)
    number = post.add(0.4)
    post.duty.begin()
    assert post.kicked == []
    await aeventually(lambda: post.kicked == [DEVELOPER])
    [firing] = post.store.firings.between(0, 1e12)
    assert firing.fired_at >= post.store.check_ins.get(number).due_at
    assert len(looks) <= 8


async def test_nothing_fires_before_it_begins_or_after_its_end(post: Post) -> None:
    post.add(0.0)
    post.duty.plan()
    post.duty.tick()
    assert post.kicked == []
    post.duty.close()
    post.duty.begin()
    assert post.kicked == []


async def test_what_is_set_later_is_not_slept_through(post: Post) -> None:
    post.duty.begin()
    post.add(0.2)
    post.duty.plan()
    await aeventually(lambda: post.kicked == [DEVELOPER])


@pytest.mark.parametrize("hours", [3, -3])
async def test_a_clock_that_jumps_is_noticed_by_the_tick(post: Post, hours: int) -> None:
    """The machine slept, or the clock was set: timers know nothing of it."""
    post.add(3600.0)
    post.duty.begin()
    post.ahead += hours * 3600.0
    post.duty.tick()
    [check_in] = post.store.check_ins.latest(1)
    now = time.time() + post.ahead
    if hours > 0:
        assert post.kicked == [DEVELOPER]
    else:
        assert check_in.due_at == pytest.approx(now + 3600, abs=60)


async def test_a_tick_without_news_asks_nobody(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.add(3600.0)
    post.duty.begin()
    monkeypatch.setattr(Scheduler, "next_at", lambda _: pytest.fail("it asked"))
    for _ in range(5):
        post.duty.tick()
    assert post.reports == []


@pytest.mark.parametrize("fault", [RuntimeError("odd"), StoreError("the disk is full", cause="no room")])
async def test_a_fault_is_reported_and_rests(post: Post, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    rounds = 0

    def failing(scheduler: Scheduler) -> None:
        nonlocal rounds
        rounds += 1
        raise fault

    monkeypatch.setattr(Scheduler, "round", failing)
    monkeypatch.setattr(firing_duty, "FAULT_S", 0.3)
    post.add(0.0)
    post.duty.begin()
    for _ in range(5):
        post.duty.plan()
        post.duty.reconcile()
    assert rounds == len(post.reports) == 1
    assert str(fault) in post.reports[0]
    assert post.store.check_ins.standing().keys() == {DEVELOPER}
    monkeypatch.undo()
    await aeventually(lambda: post.kicked == [DEVELOPER])


async def test_who_can_take_messages_again_gets_what_was_kept(post: Post) -> None:
    number = post.add(0.0)
    limited = post.store.agents.update(DEVELOPER, status=AgentStatus.LIMITED, limited_until=time.time() + 3600)
    post.duty.begin()
    assert post.kicked == []
    assert "usage limit" in post.store.check_ins.get(number).reason
    idle = Verdict(status=AgentStatus.IDLE, reason="its prompt is free")
    post.store.agents.set_verdict(DEVELOPER, idle, time.time())
    post.duty.release(Change(agent=replace(limited, status=AgentStatus.IDLE), verdict=idle))
    assert post.kicked == []
    post.duty.release(Change(agent=limited, verdict=idle))
    assert post.kicked == [DEVELOPER]


async def test_what_was_kept_back_fires_when_a_supervisor_begins_that_did_not_see_the_limit_end(post: Post) -> None:
    """The one before was killed between the verdict and the release: nobody sees the change any more."""
    number = post.add(-5.0)
    post.store.check_ins.update(number, retry_at=time.time() + 3600, reason="its usage limit is not over")
    post.duty.begin()
    assert post.kicked == [DEVELOPER]


async def test_what_is_kept_back_for_a_limited_agent_stays_so(post: Post) -> None:
    post.store.agents.update(DEVELOPER, status=AgentStatus.LIMITED)
    number = post.add(-5.0)
    post.store.check_ins.update(number, retry_at=time.time() + 3600, reason="its usage limit is not over")
    post.duty.begin()
    assert post.kicked == []
    assert post.store.check_ins.get(number).retry_at is not None
