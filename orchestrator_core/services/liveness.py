"""Whether a process that was recorded still runs: a number alone may be a stranger's by now."""

from __future__ import annotations

from orchestrator_core.models.agent import Agent

SAME_START_S = 1.0
"""How far two readings of one process's start may lie apart."""


def started_at(pid: int) -> float | None:
    """Return when the process started, seconds since the epoch; None when it does not run (any more)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_running(pid: int | None, started: float | None) -> bool:
    """Whether the very process that was recorded runs."""
    if pid is None or started is None:
        return False
    now = started_at(pid)
    return now is not None and abs(now - started) < SAME_START_S


def agent_runs(agent: Agent) -> bool:
    """Whether the agent's own process runs."""
    return is_running(agent.pid, agent.pid_started)
