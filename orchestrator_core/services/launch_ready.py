"""Waiting until the agents of a start are ready, and asking what to do about those that are not going to be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from orchestrator_core.agents.status import JUST_ENDED
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.launch import Decide, Decision, StepFailure, StepState
from orchestrator_core.models.message import MessageKind
from orchestrator_core.store import Store

LOOK_S = 0.1
STEP = "ready"
Tell = Callable[[str, StepState, str, str], None]


class Trouble(Struct, frozen=True, kw_only=True):
    """An agent that is not ready, and is not going to be by itself."""

    agent: Agent
    is_late: bool
    """Its program runs; it has only not shown its prompt in time."""


class Readiness:
    """Waits for the agents of one start."""

    def __init__(
        self,
        store: Store,
        timeout_s: float,
        tell: Tell,
        decide: Decide | None,
        start_again: Callable[[Agent], Awaitable[None]],
    ) -> None:
        """`start_again` starts the program of an agent that has ended anew, in its own window."""
        self._store = store
        self._timeout_s = timeout_s
        self._tell = tell
        self._decide = decide
        self._start_again = start_again
        self._told: set[AgentId] = set()
        self._left_alone: set[AgentId] = set()

    async def wait(self, orchestration: OrchestrationId) -> None:
        """Wait until every agent is ready, waits for the person, or has failed; the person decides about the last.

        Raises:
            TmorchError: no agent lives, or the person wants everything undone.

        """
        while troubles := await self._settled(orchestration):
            if self._decide is None:
                break
            for trouble in troubles:
                await self._see_to(trouble, self._store.agents.of(orchestration), self._decide)
        agents = self._store.agents.of(orchestration)
        _check_any_alive(agents)
        ready = sum(_is_well(agent) for agent in agents)
        self._tell(STEP, StepState.DONE, f"{ready} of {len(agents)} agents are ready", "")

    async def _settled(self, orchestration: OrchestrationId) -> list[Trouble]:
        """Return who is not ready, once nobody is on the way any more or the time is over."""
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        while True:
            agents = [a for a in self._store.agents.of(orchestration) if a.id not in self._left_alone]
            open_ones = [agent for agent in agents if not self._is_settled(agent)]
            for agent in agents:
                if agent not in open_ones:
                    self._tell_once(agent)
            if not open_ones or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(LOOK_S)
        for agent in open_ones:
            words = f"{agent.role}: not ready after {self._timeout_s:g} s; it stays open, look at its window"
            self._tell(STEP, StepState.FAILED, words, agent.role)
        ended = [Trouble(agent=agent, is_late=False) for agent in agents if not agent.status.is_live]
        late = [Trouble(agent=agent, is_late=True) for agent in open_ones if agent.status.is_live]
        return [*ended, *late]

    def _is_settled(self, agent: Agent) -> bool:
        if not agent.status.is_live:
            return agent.reason != JUST_ENDED  # how it ended is known a moment later
        if agent.status is AgentStatus.WAITING:
            return True
        if agent.status is AgentStatus.STARTING:
            return False
        briefings = [m for m in self._store.messages.latest(agent.id) if m.kind is MessageKind.BRIEFING]
        return all(message.state.is_final for message in briefings)

    def _tell_once(self, agent: Agent) -> None:
        if agent.id in self._told:
            return
        self._told.add(agent.id)
        text = f"{agent.role}: {agent.status}" + (f" ({agent.reason})" if agent.reason else "")
        self._tell(STEP, StepState.DONE if _is_well(agent) else StepState.FAILED, text, agent.role)

    async def _see_to(self, trouble: Trouble, agents: Sequence[Agent], decide: Decide) -> None:
        """Have the person decide about an agent, and do it.

        Raises:
            TmorchError: everything is to be undone, or the agent cannot be started again.

        """
        agent = trouble.agent
        others = any(other.status.is_live for other in agents if other.id != agent.id)
        failure = _failure_of(trouble, self._timeout_s, may_go_on=others)
        decision = await decide(failure)
        if decision is Decision.RETRY:
            self._told.discard(agent.id)
            self._tell(STEP, StepState.RUNNING, f"{agent.role}: once more", agent.role)
            if not trouble.is_late:
                await self._start_again(agent)
        elif decision is Decision.GO_ON and others:
            self._left_alone.add(agent.id)
        else:
            raise TmorchError(failure.title, cause=failure.cause, remedy=failure.remedy, code="agents-failed")


def _is_well(agent: Agent) -> bool:
    return agent.status.is_live and agent.status not in (AgentStatus.WAITING, AgentStatus.STARTING)


def _failure_of(trouble: Trouble, timeout_s: float, *, may_go_on: bool) -> StepFailure:
    agent = trouble.agent
    if trouble.is_late:
        title, cause = f"{agent.role} is not ready", f"it has not shown its prompt within {timeout_s:g} s"
        remedy = "look at its window; trying again waits for it once more"
    else:
        title, cause = f"{agent.role} has ended", agent.reason
        remedy = "trying again starts its program anew"
    last = f"\nits last output:\n{agent.last_output}" if agent.last_output else ""
    return StepFailure(step=STEP, agent=agent.role, title=title, cause=cause + last, remedy=remedy, may_go_on=may_go_on)


def _check_any_alive(agents: Sequence[Agent]) -> None:
    if any(agent.status.is_live for agent in agents):
        return
    worst = agents[0]
    raise TmorchError(
        "no agent could be started",
        cause="; ".join(f"{agent.role}: {agent.reason}" for agent in agents)
        + (f"\nlast output of {worst.role}:\n{worst.last_output}" if worst.last_output else ""),
        remedy="run the agent's command by hand in the project to see what is wrong, then start again",
        code="agents-failed",
    )
