"""When an agent that ends again and again is left to the person. Pure.

Only programs that ended by themselves count: what a reboot or a closed window took with it says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator_core.config.settings import ResumeSettings
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.need import Need, NeedKind


def restarts_after(agent: Agent, settings: ResumeSettings, now: float) -> int:
    """Return how many times in a row `agent` has been started again, the time that is just beginning with it."""
    return agent.restarts + 1 if _is_within(agent, settings, now) else 1


def refusal_of(agent: Agent, settings: ResumeSettings, now: float) -> str:
    """Return why `agent` is not started again unless the person names it; empty when it may be."""
    if agent.restarts < settings.crash_limit or not _is_within(agent, settings, now):
        return ""
    return (
        f"it ended {agent.restarts + 1} times in {settings.crash_window_min:g} min, needs you: look at its last "
        f"output, then `tmorch resume {agent.orchestration} --agent {agent.role}` starts it once more"
    )


def crash_needs(agents: Iterable[Agent], settings: ResumeSettings, now: float) -> tuple[Need, ...]:
    """Return what needs the person among `agents`: each takes the place of the need that tells of that one end."""
    return tuple(
        Need(
            key=f"{agent.id}:ended:{agent.status_since}",
            kind=NeedKind.FAILED,
            orchestration=agent.orchestration,
            agent=agent.id,
            detail=why,
            since=agent.status_since,
        )
        for agent in agents
        if not agent.status.is_live and (why := refusal_of(agent, settings, agent.status_since or now))
    )


def _is_within(agent: Agent, settings: ResumeSettings, now: float) -> bool:
    """Whether the latest start was so shortly before `now` that it counts; a clock that went back does not matter."""
    return agent.restarted_at is not None and abs(now - agent.restarted_at) < settings.crash_window_min * 60
