"""The supervisor's duty to fire check-ins on time: a timer to the next due time, set anew when the store has changed.

A fault in it is reported, and that part of it rests for a moment; nothing else of the supervisor's has to know.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId
from orchestrator_core.services.firing import BACK_S, Report, Scheduler
from orchestrator_core.services.standing import keep_standing
from orchestrator_core.services.watch import Change
from orchestrator_core.store import Store

FAULT_S = 5.0
"""How long a part rests that has failed."""
LONGEST_S = 3600.0
KEPT_BACK = (AgentStatus.STARTING, AgentStatus.LIMITED, AgentStatus.EXITED, AgentStatus.FAILED)
"""In which states an agent's check-ins are kept or tried again later."""


class FiringDuty:
    """Fires and keeps check-ins, between the loop's other duties. Raises nothing."""

    def __init__(
        self,
        store: Store,
        settings: ScheduleSettings,
        clock: Callable[[], float],
        kick: Callable[[AgentId], None],
        report: Report,
        held: Callable[[AgentId], str] = lambda agent: "",
    ) -> None:
        """`kick` has an agent served at once that has got a message; `held` tells why nothing fires for an agent."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._kick = kick
        self._report = report
        self._scheduler = Scheduler(store, settings, clock, report, held)
        self._timer: asyncio.TimerHandle | None = None
        self._next_at: float | None = None
        self._planned_at = 0.0
        self._has_begun = False
        self._is_closed = False
        self._rests: dict[str, float] = {}

    def begin(self) -> None:
        """Fire from now on; until then nothing does: after a reboot it is to be seen first which agents are there."""
        if not self._has_begun:
            self._has_begun = True
            self._try("releasing check-ins", self._release_able)
            self.plan()

    def close(self) -> None:
        """Fire nothing any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    def plan(self) -> None:
        """Fire what is due, and have the timer wake us for what is due next. Costs one query when nothing is due."""
        if not self._has_begun or self._is_closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        wait = LONGEST_S if self._try("firing check-ins", self._fire) else FAULT_S
        if self._next_at is not None:
            wait = min(wait, max(0.0, self._next_at - self._clock()))
        self._timer = asyncio.get_running_loop().call_later(wait, self.plan)

    def tick(self) -> None:
        """Plan anew when the timer cannot be right: the machine has slept, or its clock was set. Costs nothing else."""
        now = self._clock()
        is_late = self._next_at is not None and self._next_at <= now
        if is_late or now < self._planned_at - BACK_S:
            self.plan()

    def reconcile(self) -> None:
        """See to it that every live agent has its standing check-in, and that no broken row goes unnoticed."""
        self._try("looking for broken check-ins", self._scheduler.bury_broken)
        self._try("keeping standing check-ins", lambda: keep_standing(self._store, self._settings, self._clock()))

    def release(self, change: Change) -> None:
        """Have what was kept for an agent fire when it can take messages again."""
        if change.agent.status in KEPT_BACK and change.verdict.status not in KEPT_BACK:
            self._try("releasing check-ins", lambda: self._scheduler.release(change.agent.id))
            self.plan()

    def _release_able(self) -> None:
        """Release what nobody else will: the one before may have been killed right after an agent came back."""
        for agent in self._store.agents.active():
            if agent.status not in KEPT_BACK:
                self._scheduler.release(agent.id)

    def _fire(self) -> None:
        self._next_at = None  # when this fails, the timer is set to the end of the rest
        next_at = self._scheduler.next_at()
        self._planned_at = self._clock()
        if next_at is not None and next_at <= self._planned_at:
            for agent in self._scheduler.round():
                self._kick(agent)
            next_at = self._scheduler.next_at()
        self._next_at = next_at

    def _try(self, what: str, do: Callable[[], None]) -> bool:
        """Do one part unless it rests, and return whether it was done."""
        if time.monotonic() < self._rests.get(what, 0.0):
            return False
        try:
            do()
        except Exception as fault:  # an edge of the loop: nothing may stop it
            self._rests[what] = time.monotonic() + FAULT_S
            if isinstance(fault, StoreError):
                self._report(f"{what}: {fault.title}: {fault.cause}")
            else:
                self._report(f"{what}: {type(fault).__name__}: {fault}", traceback.format_exc())
            return False
        return True
