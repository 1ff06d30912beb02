"""The supervisor's duty to look after agents whose context is nearly full; see `services/context_upkeep.py`.

What it decides and the message that follows are one transaction: a kill at any instant neither loses nor doubles one.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from orchestrator_core.agents.driver import Driver
from orchestrator_core.config.settings import ContextSettings
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.models.upkeep import Upkeep
from orchestrator_core.services.context_upkeep import COMPACT, Compact, Rearm, Situation, Tell, decide
from orchestrator_core.services.firing import Report
from orchestrator_core.services.holding import why_held
from orchestrator_core.store import Store
from orchestrator_core.team.upkeep import checkpoint_note

T = TypeVar("T")


class ContextDuty:
    """Puts the messages into the outbox that an agent with a nearly full context is to get. Raises nothing."""

    def __init__(
        self,
        store: Store,
        settings: ContextSettings,
        drivers: Mapping[str, Driver],
        clock: Callable[[], float],
        report: Report,
    ) -> None:
        self._store = store
        self._settings = settings
        self._drivers = drivers
        self._clock = clock
        self._report = report

    def round(self) -> None:
        """Do what is to be done now; costs one query while nobody's context is nearly full."""
        if not self._settings.checkpoint_percentage:
            return
        known = self._try("looking after contexts", self._store.upkeeps.all) or {}
        for agent in self._try("looking after contexts", self._store.agents.active) or ():
            is_full = agent.context_used is not None and agent.context_used >= self._settings.checkpoint_percentage
            if is_full or agent.id in known:
                self._try(f"the context of {agent.id}", partial(self._see_to, agent.id))

    def _try(self, what: str, do: Callable[[], T]) -> T | None:
        try:
            return do()
        except Exception as fault:  # an edge of the loop: nothing may stop it
            self._report(f"{what}: {type(fault).__name__}: {fault}", traceback.format_exc())
            return None

    def _see_to(self, name: AgentId) -> None:
        with self._store.transaction():
            agent, upkeep = self._store.agents.get(name), self._store.upkeeps.all().get(name)
            match decide(self._situation(agent, upkeep), self._settings, self._clock()):
                case Tell():
                    message = self._send(agent, checkpoint_note(agent.context_used or 0.0))
                    self._store.upkeeps.put(
                        Upkeep(agent=name, conversation=agent.conversation, checkpoint=message.id, at=self._clock())
                    )
                    self._tell(agent, "context.checkpoint", "is told to write its checkpoint")
                case Compact() if upkeep is not None:
                    self._store.upkeeps.put(replace(upkeep, compaction=self._send(agent, COMPACT).id))
                    self._tell(agent, "context.compact", f"is sent {COMPACT}")
                case Rearm():
                    self._store.upkeeps.end(name)
                case _:
                    pass

    def _situation(self, agent: Agent, upkeep: Upkeep | None) -> Situation:
        return Situation(
            agent=agent,
            told_of=self._store.upkeeps.told_of(agent.id),
            upkeep=upkeep,
            checkpoint=self._store.messages.get(upkeep.checkpoint) if upkeep is not None else None,
            is_held=bool(why_held(self._store, agent.id)),
            can_compact=COMPACT in self._drivers[agent.driver].commands,
        )

    def _send(self, agent: Agent, text: str) -> AgentMessage:
        return self._store.messages.add(agent.id, TMORCH, text, at=self._clock())

    def _tell(self, agent: Agent, kind: str, words: str) -> None:
        text = f"{agent.role} {words}: its context is {agent.context_used or 0:.0f} % full"
        self._store.events.add(kind, text, at=self._clock(), orchestration=agent.orchestration, agent=agent.id)
