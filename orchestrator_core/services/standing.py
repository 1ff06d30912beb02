"""The check-ins that tmorch keeps: every live agent has one, the hub too, so that no team falls asleep for good.

An agent that the person started by hand gets none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind, CheckInState
from orchestrator_core.models.ids import CheckInId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services.schedule import log
from orchestrator_core.services.zones import local_zone
from orchestrator_core.store import Store
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.check_ins import standing_note

FIRST = "check-in.standing"
AGAIN = "check-in.repaired"
UNWANTED = "the settings want no standing check-ins"
BAD_ROW = "bad-row"
LOOKED_BACK = 1000
"""Among how many of an agent's check-ins the one that was kept before is looked for."""
DOUBLE = "there is another one that tmorch keeps"


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be done so that everyone has exactly one."""

    missing: tuple[Agent, ...] = ()
    spare: tuple[CheckInId, ...] = ()


def begin_standing(
    store: Store,
    settings: ScheduleSettings,
    agents: Collection[Agent],
    now: float,
    catalogue: Catalogue | None = None,
) -> None:
    """Give each of a new team's agents its standing check-in, unless the settings want none.

    What it says is from the team's catalogue, the package's by default, and stays: one that takes its place says the
    same.
    """
    if settings.standing:
        team = {agent.role for agent in agents}
        for agent in agents:
            _make(store, settings, agent, standing_note(agent.role, team, catalogue), now)


def keep_standing(store: Store, settings: ScheduleSettings, now: float) -> None:
    """See to it that every live agent of a running team has one standing check-in. Writes nothing when that is so.

    What is missing is made and due after its interval; of two the later one is cancelled. When the settings want
    none, all are cancelled.
    """
    if _plan(store, settings) == Plan():
        return
    with store.transaction():
        plan = _plan(store, settings)  # somebody else may have been quicker
        for agent in plan.missing:
            _make(store, settings, agent, _note(store, agent), now)
        for number in plan.spare:
            _cancel(store, number, DOUBLE if settings.standing else UNWANTED, now)


def _plan(store: Store, settings: ScheduleSettings) -> Plan:
    kept = store.check_ins.standing()
    if not settings.standing:
        return Plan(spare=tuple(number for numbers in kept.values() for number in numbers))
    return Plan(
        missing=tuple(agent for agent in _to_be_woken(store) if agent.id not in kept),
        spare=tuple(number for numbers in kept.values() for number in numbers[1:]),
    )


def _to_be_woken(store: Store) -> Iterable[Agent]:
    teams = {team.id for team in store.orchestrations.list(active=True) if _is_kept_awake(team)}
    for agent in store.agents.active():
        if agent.orchestration in teams and agent.status.is_live and agent.pane is not None and not agent.is_adopted:
            yield agent


def _is_kept_awake(team: Orchestration) -> bool:
    return team.state is OrchestrationState.RUNNING and not team.is_adopted


def _note(store: Store, agent: Agent) -> str:
    """Return what the agent was told until now, or what the package has for it."""
    before = (found.note for found in store.check_ins.latest(LOOKED_BACK, agent.id) if found.is_standing)
    team = {other.role for other in store.agents.of(agent.orchestration)}
    return next(before, "") or standing_note(agent.role, team)


def _make(store: Store, settings: ScheduleSettings, agent: Agent, note: str, now: float) -> None:
    interval_s = _minutes(settings, agent) * 60
    check_in = store.check_ins.add(
        CheckIn(
            id=CheckInId(0),
            target=agent.id,
            author=TMORCH,
            note=note,
            kind=CheckInKind.EVERY,
            due_at=now + interval_s,
            interval_s=interval_s,
            anchor_at=now + interval_s,
            zone=local_zone(),
            is_standing=True,
            set_at=now,
            created_at=now,
        )
    )
    kind = AGAIN if store.events.latest(1, agent=agent.id, text=FIRST) else FIRST
    log(store, kind, check_in, f"is kept by tmorch: every {interval_s / 60:g} minutes", now)


def _minutes(settings: ScheduleSettings, agent: Agent) -> float:
    if agent.check_in_min is not None and agent.check_in_min > 0:
        return agent.check_in_min
    role = builtin().roles.get(agent.role)
    return role.check_in_min if role else settings.standing_min


def _cancel(store: Store, number: CheckInId, reason: str, now: float) -> None:
    ended = {"state": CheckInState.CANCELLED, "reason": reason, "ended_at": now, "retry_at": None}
    try:
        check_in = store.check_ins.update(number, **ended)
    except StoreError as fault:
        if fault.code != BAD_ROW:
            raise
        store.check_ins.bury(number, reason, now)
    else:
        log(store, "check-in.cancelled", check_in, f"was cancelled: {reason}", now)
