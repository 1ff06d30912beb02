"""Starts whose launcher is gone: what became of them is decided by what is there."""

from __future__ import annotations

import psutil

from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.store import Store


def has_launcher(orchestration: Orchestration) -> bool:
    """Whether the process that starts this orchestration still runs."""
    if orchestration.launcher_pid is None:
        return False
    try:
        started = psutil.Process(orchestration.launcher_pid).create_time()
    except psutil.Error:
        return False
    return orchestration.launcher_started is None or abs(started - orchestration.launcher_started) < 1.0


def settle_starts(store: Store, at: float) -> None:
    """Count an orchestration as running whose launcher went away after it had made everything."""
    for orchestration in store.orchestrations.list(active=True):
        if orchestration.state is not OrchestrationState.STARTING or has_launcher(orchestration):
            continue
        agents = store.agents.of(orchestration.id)
        if agents and orchestration.session_id and all(agent.pane for agent in agents):
            store.orchestrations.update(orchestration.id, state=OrchestrationState.RUNNING)
            store.events.add(
                "orchestration.running",
                "its start was cut short after everything had been made; it runs",
                at=at,
                orchestration=orchestration.id,
            )
