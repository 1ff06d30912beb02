"""Ending a team. Its worktrees, branches and records stay."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil

from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
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
        await asyncio.to_thread(sessions.kill_tagged_session, address, orchestration.session, orchestration.id)
    with store.transaction():
        for agent in agents:
            store.agents.set_verdict(agent.id, STOPPED, at)
            store.messages.refuse_waiting(agent.id, STOPPED.reason, at)
        if orchestration.state.is_active:
            store.orchestrations.update(orchestration.id, state=OrchestrationState.STOPPED)
            store.events.add("orchestration.stopped", "stopped", at=at, orchestration=orchestration.id)


def _terminate(agent: Agent) -> None:
    """Ask the agent's own process to end, when it is surely that one."""
    if agent.pid is None or agent.pid_started is None:
        return
    try:
        process = psutil.Process(agent.pid)
        if abs(process.create_time() - agent.pid_started) < 1.0:
            os.kill(agent.pid, signal.SIGTERM)
    except (psutil.Error, ProcessLookupError):
        return
