"""Starts whose launcher is gone: what became of them is decided by what is there."""

from __future__ import annotations

from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services.liveness import is_running
from orchestrator_core.store import Store

RESUMES = "resume"
"""The kind of the journal's entries for programs that are being started again."""


def has_launcher(orchestration: Orchestration) -> bool:
    """Whether the process that starts this orchestration still runs."""
    return is_running(orchestration.launcher_pid, orchestration.launcher_started)


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
