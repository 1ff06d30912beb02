"""Schedules for the screen that shows them: their check-ins, a team's day, a crowd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind, CheckInState
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.message import PERSON
from orchestrator_core.models.timeline import Lane, Tick, TickKind, Timeline
from tests.tui.samples import MINUTE, NOW, lane, many, schedule, tick

ENDS = {TickKind.DEAD: CheckInState.DEAD, TickKind.SENT: CheckInState.FIRED, TickKind.SKIPPED: CheckInState.FIRED}


def check_in(number: int, target: str, note: str, due_at: float = NOW, **more: Any) -> CheckIn:
    """Return a check-in that fires once unless `more` says otherwise."""
    given: dict[str, Any] = {"author": PERSON, "kind": CheckInKind.ONCE, "created_at": NOW - 90 * MINUTE, **more}
    return CheckIn(id=CheckInId(number), target=AgentId(target), note=note, due_at=due_at, zone="UTC", **given)


def numbered(lanes: Iterable[Lane]) -> Timeline:
    """Return lanes in which the ticks of one note are those of one check-in."""
    made: list[Lane] = []
    known: list[CheckIn] = []
    for lane_ in lanes:
        found = list(_of_lane(lane_, len(known)))
        known += found
        numbers = {one.note: one.id for one in found}
        ticks = tuple(t if t.check_in is None else replace(t, check_in=numbers[t.note]) for t in lane_.ticks)
        made.append(replace(lane_, ticks=ticks))
    return Timeline(start=NOW, end=NOW, lanes=tuple(made), check_ins=tuple(known))


def _of_lane(lane_: Lane, known: int) -> Iterator[CheckIn]:
    notes = dict.fromkeys(t.note for t in lane_.ticks if t.check_in is not None)
    for number, note in enumerate(notes, start=known + 1):
        ticks = [t for t in lane_.ticks if t.note == note and t.check_in is not None]
        due = [t for t in ticks if t.kind in (TickKind.DUE, TickKind.OVERDUE)]
        later = [t for t in ticks if t.kind is TickKind.REPEAT]
        more: dict[str, Any] = {}
        if due and later:
            apart = later[0].at - due[0].at
            more = {"kind": CheckInKind.EVERY, "interval_s": apart, "author": TMORCH, "is_standing": True}
        elif not due:
            more = {"state": ENDS.get(ticks[-1].kind, CheckInState.ACTIVE), "reason": ticks[-1].reason}
        yield check_in(number, lane_.agent, note, (due or ticks)[0].at, **more)


def day() -> Timeline:
    """Return the usual fleet's day: every kind of moment, one overdue, one dead."""
    return numbered(schedule().lanes)


def six() -> Timeline:
    """Return the first six lanes of it."""
    return numbered(schedule().lanes[:6])


def crowd() -> Timeline:
    """Return 50 lanes with ten moments each."""
    agents = [view.agent.id for team in many(50).teams for view in team.agents]
    lanes = []
    for i, agent in enumerate(agents):
        first = 3.0 + i * 7 % 23
        later = [tick(first + 17 * j, TickKind.REPEAT, "say what is next") for j in range(1, 8)]
        once = tick(31 + i * 11 % 61, note=f"look at part {i}")
        done = tick(-4 - i % 31, TickKind.SKIPPED, "say what is next", reason="it works")
        lanes.append(lane(agent, done, tick(first, TickKind.DUE, "say what is next"), *later, once))
    return numbered(lanes)


def one_of(lanes: Iterable[Lane], agent: str, kind: TickKind) -> Tick:
    """Return an agent's first tick of a kind."""
    return next(t for lane_ in lanes if lane_.agent == agent for t in lane_.ticks if t.kind is kind)
