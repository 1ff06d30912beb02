"""Ending a team. Its worktrees, branches and records stay."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services.liveness import agent_runs
from orchestrator_core.services.outbox import refuse_waiting
from orchestrator_core.store import Store
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress

STOPPED = Verdict(status=AgentStatus.EXITED, reason="the team was stopped")


async def stop(
    store: Store, address: ServerAddress, orchestration: Orchestration, at: float, *, keep_session: bool
) -> None:
    """End the agents and, unless it is kept, the tmux session of `orchestration`. Harmless when it has ended.

    A kept session shows each agent's last screen.
    """
    agents = store.agents.of(orchestration.id)
    if keep_session:
        for agent in agents:
            _terminate(agent)
    else:
        await asyncio.to_thread(end_session, address, orchestration.id)
    with store.transaction():
        for agent in agents:
            store.agents.set_verdict(agent.id, STOPPED, at)
            refuse_waiting(store, agent.id, STOPPED.reason, at)
        if orchestration.state.is_active:
            store.orchestrations.update(orchestration.id, state=OrchestrationState.STOPPED)
            store.events.add("orchestration.stopped", "stopped", at=at, orchestration=orchestration.id)


def end_session(address: ServerAddress, orchestration: OrchestrationId) -> bool:
    """End the tmux session that is tagged as `orchestration`'s; return False when there is none. Blocks."""
    session = sessions.session_of(address, orchestration)
    return session is not None and sessions.kill_session(address, session, orchestration=orchestration)


def _terminate(agent: Agent) -> None:
    """Ask the agent's own process to end, when it is surely that one."""
    if agent.pid is not None and agent_runs(agent):
        with contextlib.suppress(ProcessLookupError):
            os.kill(agent.pid, signal.SIGTERM)
