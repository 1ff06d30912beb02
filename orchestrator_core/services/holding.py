"""What is held back from agents: messages wait in the outbox with the reason, check-ins fire afterwards."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.store import Store

PAUSED = "its team is paused"
APART_S = 2.0
"""How far apart the check-ins of several agents fire that were held back together."""


def why_held(store: Store, agent: AgentId) -> str:
    """Return why nothing is sent to an agent for now; empty when nothing holds it.

    A team that is being started is not held: its agents get their briefings.
    """
    found = store.agents.get(agent)
    run = store.orchestrations.get(found.orchestration)
    if run.state is OrchestrationState.STARTING:
        return ""
    return PAUSED if run.paused_at is not None else found.held_reason


def let_fire(store: Store, agents: Collection[AgentId], now: float) -> None:
    """Have what came due for these agents while they were held fire from now on, in order and not all at once."""
    due = [
        check_in
        for agent in agents
        for check_in in store.check_ins.active(agent)
        if check_in.due_at <= now and not check_in.attempts
    ]
    with store.transaction():
        for place, check_in in enumerate(sorted(due, key=lambda check_in: (check_in.due_at, check_in.id))):
            store.check_ins.update(check_in.id, retry_at=now + place * APART_S, reason="")
