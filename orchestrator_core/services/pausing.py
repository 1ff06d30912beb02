"""Pausing teams by the person's word: no check-in fires, no message is delivered; all of it waits, and nothing ends."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.services.holding import let_fire
from orchestrator_core.store import Store


def pause(
    store: Store,
    now: float,
    *,
    teams: Collection[OrchestrationId] = (),
    paused: bool = True,
    caller: Agent | None = None,
) -> tuple[OrchestrationId, ...]:
    """Pause `teams`, or all that are active when there are none; or let them go on. Return those of whom that is news.

    Afterwards messages are delivered in their order; of each check-in that came due one firing stands for all, and
    they fire one after the other.

    Raises:
        NotFoundError: there is no such team. Nothing was changed.
        RefusedError: one has ended, or the caller is an agent. Nothing was changed.

    """
    if caller is not None:
        raise _persons_only(caller)
    with store.transaction():
        chosen = [store.orchestrations.get(team) for team in teams] or store.orchestrations.list(active=True)
        for team in chosen:
            _check_active(team)
        changed = [team for team in chosen if (team.paused_at is not None) is not paused]
        for team in changed:
            _change(store, team, now, paused=paused)
        if not paused:
            let_fire(store, [agent.id for team in changed for agent in store.agents.of(team.id)], now)
    return tuple(team.id for team in changed)


def _change(store: Store, team: Orchestration, now: float, *, paused: bool) -> None:
    store.orchestrations.update(team.id, paused_at=now if paused else None)
    kind, text = ("team.paused", "is paused") if paused else ("team.resumed", "goes on")
    store.events.add(kind, f"{team.id} {text}", at=now, orchestration=team.id)


def _check_active(team: Orchestration) -> None:
    if not team.state.is_active:
        raise RefusedError(
            f"the team {team.id} does not run",
            cause=f"it is {team.state}, and there is nothing to pause",
            remedy="`tmorch list` shows the teams that run",
            code="team-ended",
        )


def _persons_only(caller: Agent) -> RefusedError:
    return RefusedError(
        f"{caller.role} does not pause teams",
        cause="whether a team goes on is for the person to say",
        remedy="if you wait for something, set yourself a reminder and end your turn",
        code="persons-only",
    )
