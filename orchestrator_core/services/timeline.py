"""The schedule as it is drawn: what fired, what is due and what is overdue, agent by agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckIn, CheckInState, Firing, FiringOutcome
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.timeline import Lane, Tick, TickKind, Timeline
from orchestrator_core.services.fleet import SHOWN
from orchestrator_core.services.recurrence import expand
from orchestrator_core.store import Store

DEAD_S = 86400.0
"""How long a dead check-in stays in its lane, whatever time is looked at."""
PAUSED = "the check-ins of its team are paused"
KnownCheckIns = Mapping[CheckInId, CheckIn]
Ticks = defaultdict[AgentId, list[Tick]]


def read_timeline(store: Store, start: float, end: float, *, step_s: float, now: float) -> Timeline:
    """Return the schedule from `start` to `end` as of `now`, in a few queries however much is stored.

    Overdue check-ins, and those that died within a day, are there whatever their time is. Of the later due times of a
    check-in that repeats, one in each `step_s` seconds is.
    """
    teams = sorted(
        (team for team in store.orchestrations.list() if team.state in SHOWN), key=lambda team: not team.state.is_active
    )
    firings = store.firings.between(start, end)
    shown = store.check_ins.shown(min(start, now - DEAD_S), max(end, now))
    known = {check_in.id: check_in for check_in in shown}
    fired = {firing.check_in for firing in firings} - known.keys()
    known |= {check_in.id: check_in for check_in in store.check_ins.named(fired)} if fired else {}

    ticks: Ticks = defaultdict(list)
    for firing in firings:
        ticks[firing.target].append(_tick_of_firing(firing, known))
    paused = {team.id for team in teams if team.holds_check_ins}
    agents = {agent.id: agent for agent in _agents(store, teams, {check_in.target for check_in in known.values()})}
    for check_in in shown:
        if agent := agents.get(check_in.target):
            found = _ticks_of_check_in(check_in, start, end, step_s, now, is_paused=agent.orchestration in paused)
            ticks[check_in.target] += found
    lanes = tuple(
        _lane(agent, ticks[agent.id], start, end, is_paused=agent.orchestration in paused)
        for agent in agents.values()
        if agent.status.is_live or agent.id in ticks
    )
    drawn = {tick.check_in for lane in lanes for tick in lane.ticks}
    return Timeline(
        start=start, end=end, lanes=lanes, check_ins=tuple(known[number] for number in known if number in drawn)
    )


def _agents(store: Store, teams: Iterable[Orchestration], targets: set[AgentId]) -> Iterator[Agent]:
    """Yield the agents of these teams in their order; of teams that have stopped only those that are looked for."""
    of_active: dict[str, list[Agent]] = defaultdict(list)
    for agent in store.agents.active():
        of_active[agent.orchestration].append(agent)
    for team in teams:
        if team.state.is_active:
            yield from of_active[team.id]
        elif any(target.startswith(f"{team.id}:") for target in targets):
            yield from (agent for agent in store.agents.of(team.id) if agent.id in targets)


def _lane(agent: Agent, ticks: list[Tick], start: float, end: float, *, is_paused: bool) -> Lane:
    if agent.limited_until is not None and start <= agent.limited_until <= end:
        ticks = [*ticks, Tick(at=agent.limited_until, kind=TickKind.RESET, reason=agent.reason)]
    return Lane(
        agent=agent.id,
        role=agent.role,
        orchestration=agent.orchestration,
        is_live=agent.status.is_live,
        is_paused=is_paused,
        ticks=tuple(sorted(ticks, key=lambda tick: tick.at)),
    )


def _tick_of_firing(firing: Firing, known: KnownCheckIns) -> Tick:
    check_in = known.get(firing.check_in)
    return Tick(
        at=firing.fired_at,
        kind=TickKind.SENT if firing.outcome is FiringOutcome.SENT else TickKind.SKIPPED,
        check_in=firing.check_in,
        note=check_in.note if check_in else "",
        firing=firing.id,
        message=firing.message,
        receipt=firing.receipt,
        reason=firing.receipt_reason or firing.reason,
        missed=firing.missed,
    )


def _ticks_of_check_in(
    check_in: CheckIn, start: float, end: float, step_s: float, now: float, *, is_paused: bool
) -> Iterator[Tick]:
    def tick(at: float, kind: TickKind, reason: str = "") -> Tick:
        return Tick(at=at, kind=kind, check_in=check_in.id, note=check_in.note, reason=reason)

    if check_in.state is CheckInState.DEAD:
        yield tick(check_in.ended_at or check_in.due_at, TickKind.DEAD, check_in.reason)
        return
    if check_in.due_at < now:
        yield tick(check_in.due_at, TickKind.OVERDUE, PAUSED if is_paused else check_in.reason)
    elif start <= check_in.due_at <= end:
        yield tick(check_in.due_at, TickKind.DUE)
    first_cell = start + max(0.0, (now - start) // step_s) * step_s
    for at in expand(check_in, first_cell, end, step_s):
        if at >= now:
            yield tick(at, TickKind.REPEAT)
