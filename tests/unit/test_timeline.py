"""The schedule as it is drawn, read from a real store."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInState, Firing, FiringOutcome
from orchestrator_core.models.ids import AgentId, CheckInId, FiringId, MessageId, OrchestrationId, agent_id
from orchestrator_core.models.message import CHECK_IN, MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.models.timeline import Lane, Tick, TickKind, Timeline
from orchestrator_core.services.timeline import DEAD_S, PAUSED, read_timeline
from orchestrator_core.store import Store
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, corrupt, path, store

__all__ = ["path", "store"]
NOW = 1_700_000_000.0
MINUTE = 60.0
HOUR = 60 * MINUTE
START, END = NOW - HOUR, NOW + 2 * HOUR


def set_up(store: Store, *, minutes: float = 10, target: AgentId = DEVELOPER, **changes: Any) -> CheckIn:
    """Store a check-in that is due in so many minutes."""
    values: dict[str, Any] = {
        "id": CheckInId(0),
        "target": target,
        "author": "you",
        "note": "look at the tests",
        "kind": CheckInKind.ONCE,
        "due_at": NOW + minutes * MINUTE,
        "set_at": NOW - HOUR,
    }
    return store.check_ins.add(CheckIn(**{**values, **changes}))


def every(store: Store, interval_s: float, *, minutes: float = 10, **changes: Any) -> CheckIn:
    """Store one that repeats."""
    anchor = NOW + minutes * MINUTE
    kind = CheckInKind.EVERY
    return set_up(store, minutes=minutes, kind=kind, interval_s=interval_s, anchor_at=anchor, **changes)


def fire(store: Store, check_in: CheckIn, *, minutes: float, state: MessageState | None = None) -> Firing:
    """Store a firing so many minutes ago; without a state it was skipped."""
    at = NOW - minutes * MINUTE
    message: MessageId | None = None
    if state is not None:
        message = store.messages.add(check_in.target, CHECK_IN, check_in.note, at=at).id
        if state is not MessageState.QUEUED:
            store.messages.claim_next(check_in.target, at)
        if state.is_final:
            store.messages.finish(message, state, at=at, reason="as it went")
    made = store.firings.add(
        Firing(
            id=FiringId(0),
            check_in=check_in.id,
            target=check_in.target,
            due_at=at,
            fired_at=at,
            missed=2,
            outcome=FiringOutcome.SENT if message else FiringOutcome.SKIPPED,
            message=message,
            reason="" if message else "it works",
        )
    )
    assert made is not None
    return made


def read(store: Store, start: float = START, end: float = END, *, step_s: float = MINUTE) -> Timeline:
    """Read the timeline as of NOW."""
    return read_timeline(store, start, end, step_s=step_s, now=NOW)


def lane(timeline: Timeline, agent: AgentId = DEVELOPER) -> Lane:
    """Return an agent's lane."""
    return next(lane for lane in timeline.lanes if lane.agent == agent)


def only(timeline: Timeline, agent: AgentId = DEVELOPER) -> Tick:
    """Return the one tick of an agent."""
    (tick,) = lane(timeline, agent).ticks
    return tick


def test_every_live_agent_has_a_lane_in_the_order_of_the_tree(store: Store) -> None:
    second = OrchestrationId("api-1")
    store.orchestrations.claim(an_orchestration(second, project="/projects/api"))
    store.agents.add(an_agent(agent_id(second, "orchestrator")))
    timeline = read(store)
    assert [lane.agent for lane in timeline.lanes] == [DEVELOPER, TESTER, "api-1:orchestrator"]
    assert (timeline.start, timeline.end, timeline.check_ins) == (START, END, ())
    assert lane(timeline) == Lane(
        agent=DEVELOPER, role="developer", orchestration=SHOP, is_live=True, is_paused=False, ticks=()
    )


def test_an_agent_that_has_ended_has_a_lane_while_it_has_a_tick(store: Store) -> None:
    store.agents.update(TESTER, status=AgentStatus.EXITED)
    assert [lane.agent for lane in read(store).lanes] == [DEVELOPER]
    set_up(store, target=TESTER)
    assert lane(read(store), TESTER).is_live is False


def test_a_team_that_stopped_stands_below_those_that_run_with_the_agents_that_have_ticks(store: Store) -> None:
    fire(store, set_up(store, target=TESTER, state=CheckInState.FIRED), minutes=5, state=MessageState.ACKNOWLEDGED)
    store.orchestrations.update(SHOP, state=OrchestrationState.STOPPED)
    for agent in (DEVELOPER, TESTER):
        store.agents.update(agent, status=AgentStatus.EXITED)
    store.orchestrations.claim(an_orchestration("shop-2"))
    store.agents.add(an_agent(AgentId("shop-2:developer")))
    assert [lane.agent for lane in read(store).lanes] == ["shop-2:developer", TESTER]


@pytest.mark.parametrize("state", [OrchestrationState.CLEANED, OrchestrationState.FAILED])
def test_a_team_that_is_not_shown_has_no_lane(store: Store, state: OrchestrationState) -> None:
    set_up(store)
    store.orchestrations.update(SHOP, state=state)
    assert read(store).lanes == ()
    assert read(store).check_ins == ()


def test_what_is_due_next(store: Store) -> None:
    made = set_up(store)
    timeline = read(store)
    assert only(timeline) == Tick(at=made.due_at, kind=TickKind.DUE, check_in=made.id, note=made.note)
    assert timeline.check_ins == (made,)
    assert timeline.check_in(made.id) == made


@pytest.mark.parametrize("minutes", [121.0, 60 * 24 * 300.0])
def test_what_is_due_later_than_is_looked_at_is_left_out(store: Store, minutes: float) -> None:
    set_up(store, minutes=minutes)
    assert lane(read(store)).ticks == ()
    assert read(store).check_ins == ()


@pytest.mark.parametrize("state", [CheckInState.CANCELLED, CheckInState.FIRED])
def test_what_was_cancelled_or_has_fired_is_not_due(store: Store, state: CheckInState) -> None:
    set_up(store, state=state, ended_at=NOW - 5)
    assert lane(read(store)).ticks == ()


def test_one_that_repeats_is_drawn_to_the_end(store: Store) -> None:
    every(store, 30 * MINUTE)
    assert [(tick.kind, (tick.at - NOW) / MINUTE) for tick in lane(read(store)).ticks] == [
        (TickKind.DUE, 10),
        (TickKind.REPEAT, 40),
        (TickKind.REPEAT, 70),
        (TickKind.REPEAT, 100),
    ]


def test_one_that_repeats_often_has_one_tick_in_a_cell(store: Store) -> None:
    every(store, MINUTE, minutes=1)
    step = 10 * MINUTE
    cells = [(tick.at - START) // step for tick in lane(read(store, step_s=step)).ticks if tick.kind is TickKind.REPEAT]
    assert len(cells) == len(set(cells))
    assert set(range(6, 18)) <= set(cells)


def test_one_that_repeats_is_drawn_in_a_time_far_ahead(store: Store) -> None:
    every(store, HOUR)
    week = 7 * 24 * HOUR
    ticks = lane(read(store, NOW + week, NOW + week + 3 * HOUR)).ticks
    assert [tick.kind for tick in ticks] == [TickKind.REPEAT] * 3
    assert [b.at - a.at for a, b in pairwise(ticks)] == [HOUR, HOUR]


def test_what_is_overdue_is_there_whatever_time_is_looked_at(store: Store) -> None:
    made = set_up(store, minutes=-2000, reason="its usage limit ends at 14:05")
    for start, end in ((START, END), (NOW + HOUR, END), (NOW - 3000 * MINUTE, NOW - 2500 * MINUTE)):
        assert only(read(store, start, end)) == Tick(
            at=made.due_at, kind=TickKind.OVERDUE, check_in=made.id, note=made.note, reason=made.reason
        )


def test_of_one_that_is_overdue_and_repeats_only_times_to_come_are_drawn(store: Store) -> None:
    every(store, 7 * MINUTE, minutes=-30)
    first, *others = lane(read(store)).ticks
    assert first.kind is TickKind.OVERDUE
    assert others
    assert all(tick.kind is TickKind.REPEAT and tick.at >= NOW for tick in others)


def test_a_paused_team_says_why_nothing_fires(store: Store) -> None:
    store.orchestrations.update(SHOP, check_ins_paused_at=NOW - HOUR)
    set_up(store, minutes=-1)
    set_up(store, minutes=5)
    found = lane(read(store))
    assert found.is_paused
    assert [(tick.kind, tick.reason) for tick in found.ticks] == [(TickKind.OVERDUE, PAUSED), (TickKind.DUE, "")]


def test_a_dead_one_stays_for_a_day(store: Store) -> None:
    made = set_up(store, minutes=-90, state=CheckInState.DEAD, reason="its pane is gone", ended_at=NOW - 80 * MINUTE)
    set_up(store, minutes=-2000, state=CheckInState.DEAD, ended_at=NOW - DEAD_S - 1)
    assert only(read(store)) == Tick(
        at=NOW - 80 * MINUTE, kind=TickKind.DEAD, check_in=made.id, note=made.note, reason="its pane is gone"
    )


@pytest.mark.parametrize("state", list(MessageState))
def test_what_fired_carries_its_receipt(store: Store, state: MessageState) -> None:
    check_in = set_up(store, state=CheckInState.FIRED)
    firing = fire(store, check_in, minutes=5, state=state)
    tick = only(read(store))
    assert (tick.kind, tick.receipt, tick.message, tick.firing) == (TickKind.SENT, state, firing.message, firing.id)
    assert (tick.at, tick.note, tick.missed) == (NOW - 5 * MINUTE, check_in.note, 2)
    assert read(store).check_ins == (store.check_ins.get(check_in.id),)


def test_what_was_skipped_says_why(store: Store) -> None:
    fire(store, every(store, HOUR), minutes=5)
    skipped = lane(read(store)).ticks[0]
    assert (skipped.kind, skipped.reason, skipped.receipt) == (TickKind.SKIPPED, "it works", None)


def test_what_fired_before_the_time_that_is_looked_at_is_left_out(store: Store) -> None:
    fire(store, set_up(store, state=CheckInState.FIRED), minutes=61, state=MessageState.DELIVERED)
    assert lane(read(store)).ticks == ()


def test_the_end_of_a_limit(store: Store) -> None:
    store.agents.update(DEVELOPER, status=AgentStatus.LIMITED, limited_until=NOW + HOUR)
    store.agents.update(TESTER, status=AgentStatus.LIMITED, limited_until=NOW + 5 * HOUR)
    timeline = read(store)
    assert (only(timeline).kind, only(timeline).at, only(timeline).check_in) == (TickKind.RESET, NOW + HOUR, None)
    assert lane(timeline, TESTER).ticks == ()


def test_ticks_come_by_time(store: Store) -> None:
    every(store, 7 * MINUTE)
    fire(store, every(store, 11 * MINUTE, note="another"), minutes=20, state=MessageState.DELIVERED)
    set_up(store, minutes=-3)
    ticks = lane(read(store)).ticks
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)


def test_a_row_that_cannot_be_read_is_left_out(store: Store, path: Path) -> None:
    made, broken = set_up(store), set_up(store, minutes=20)
    corrupt(path, f"UPDATE checkin SET kind = 'whenever' WHERE id = {broken.id}")
    assert only(read(store)).check_in == made.id
