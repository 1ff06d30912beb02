"""Ending a team. Its worktrees, branches and records stay."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from orchestrator_core.models.agent import Agent, AgentStatus, Verdict
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services.adopt import release
from orchestrator_core.services.liveness import agent_runs
from orchestrator_core.store import Store
from orchestrator_core.tmux.address import ServerAddress

PATIENCE_S = 4.0
"""How long a program may take to end before it is asked more firmly."""
STEP_S = 0.05
STOPPED = Verdict(status=AgentStatus.EXITED, reason="the team was stopped")
RELEASED = Verdict(status=AgentStatus.EXITED, reason="tmorch let go of it; what runs in its pane is the person's")


async def stop(
    store: Store, address: ServerAddress, orchestration: Orchestration, at: float, *, keep_session: bool
) -> None:
    """End the agents and, unless it is kept, the tmux session of `orchestration`. Harmless when it has ended.

    A kept session shows each agent's last screen. Adopted agents are let go of, and run on.
    """
    agents = store.agents.of(orchestration.id)
    own = tuple(agent for agent in agents if not agent.is_adopted)
    await release(address, agents)
    if keep_session:
        for agent in own:
            _signal(agent, signal.SIGTERM)
    else:
        await asyncio.to_thread(end_session, address, orchestration.id)
    await _see_them_end(own)
    with store.transaction():
        for agent in agents:
            verdict = RELEASED if agent.is_adopted else STOPPED
            store.agents.set_verdict(agent.id, verdict, at)
            store.messages.refuse_queued(agent.id, verdict.reason)
            store.check_ins.cancel_all([agent.id], verdict.reason, at)
        if orchestration.state.is_active:
            store.orchestrations.update(orchestration.id, state=OrchestrationState.STOPPED)
            store.events.add("orchestration.stopped", "stopped", at=at, orchestration=orchestration.id)


async def _see_them_end(agents: tuple[Agent, ...]) -> None:
    """Wait until the agents' programs are gone: they were asked already, then are asked again, then are killed."""
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGKILL, None):
        deadline = loop.time() + PATIENCE_S
        while any(agent_runs(agent) for agent in agents):
            if loop.time() > deadline:
                break
            await asyncio.sleep(STEP_S)
        for agent in agents:
            if signal_number is not None:
                _signal(agent, signal_number)


def end_session(address: ServerAddress, orchestration: OrchestrationId) -> bool:
    """End the tmux session that is tagged as `orchestration`'s; return False when there is none. Blocks."""
    from orchestrator_core.tmux import sessions

    session = sessions.session_of(address, orchestration)
    return session is not None and sessions.kill_session(address, session, orchestration=orchestration)


def _signal(agent: Agent, number: signal.Signals) -> None:
    """Signal the agent's own process, when it is surely that one."""
    if agent.pid is not None and agent_runs(agent):
        with contextlib.suppress(ProcessLookupError):
            os.kill(agent.pid, number)
