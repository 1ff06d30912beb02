"""The facade's part for what is missing of teams: plans and outcomes are what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.recovery import Orphan, RecoveryOutcome, RecoveryPlan, Step, Verb
from orchestrator_core.recovery import NOBODY, Recovery, ignore


class Executed(Struct, frozen=True):
    """A call of `execute`."""

    plan: RecoveryPlan
    rebrief_all: bool


class FakeRecovery(Recovery):
    """Plans that a test says. What is to be done is told step by step and succeeds, except what is to fail."""

    def __init__(self, may_fail: Callable[[str], None]) -> None:
        self._may_fail = may_fail
        self.found: tuple[RecoveryPlan, ...] = ()
        self.left_over: tuple[Orphan, ...] = ()
        self.interrupted: tuple[RecoveryPlan, ...] = ()
        """What a reboot has interrupted: it is offered once."""
        self.booted: float | None = None
        self.failing: tuple[tuple[Step, str], ...] = ()
        self.refusing: dict[str, TmorchError] = {}
        """What is raised when one of these teams is to be brought back."""
        self.executed: list[Executed] = []
        self.readings = 0
        self.named = NOBODY
        self.offers = 0
        self.may_read = asyncio.Event()
        """Set unless a test holds plans back."""
        self.may_read.set()
        self.may_end = asyncio.Event()
        """Set unless a test holds back what comes after the first step."""
        self.may_end.set()

    def booted_at(self) -> float | None:
        return self.booted

    async def plan(self, orchestration: OrchestrationId, *, named: frozenset[str] = NOBODY) -> RecoveryPlan:
        self.named = named
        return next(plan for plan in self.found if plan.orchestration == orchestration)

    async def plans(self) -> tuple[RecoveryPlan, ...]:
        self.readings += 1
        await self.may_read.wait()
        self._may_fail("plans")
        return self.found

    async def execute(
        self, plan: RecoveryPlan, *, rebrief_all: bool = False, hear: Callable[[Step], None] = ignore
    ) -> RecoveryOutcome:
        if plan.orchestration in self.refusing:
            raise self.refusing[plan.orchestration]
        self.executed.append(Executed(plan, rebrief_all))
        wanted = [step for step in plan.steps if step.verb not in (Verb.KEEP, Verb.REFUSE)]
        done = tuple(step for step in wanted if step not in [failing for failing, _ in self.failing])
        for i, step in enumerate(done):
            hear(step)
            if i == 0:
                await self.may_end.wait()
        await self.may_end.wait()
        self._may_fail("execute")
        return RecoveryOutcome(plan=plan, done=done, failed=self.failing)

    async def orphans(self) -> tuple[Orphan, ...]:
        self._may_fail("orphans")
        return self.left_over

    async def offer(self) -> tuple[RecoveryPlan, ...]:
        self.offers += 1
        self._may_fail("offer")
        offered, self.interrupted = self.interrupted, ()
        return offered
