"""The facade's part for check-ins without anything behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from orchestrator_core.check_ins import CheckIns
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.check_in import CheckIn, CheckInRequest, Firing, FiringOutcome, Scheduled
from orchestrator_core.models.ids import CheckInId, FiringId, OrchestrationId
from orchestrator_core.models.timeline import Timeline
from tests.tui.samples import NOW
from tui.messages import Window


class FakeCheckIns(CheckIns):
    """The schedule that a test says. Changes are written down, and change nothing."""

    def __init__(self, may_fail: Callable[[str], None]) -> None:
        self._may_fail = may_fail
        self.schedule = Timeline(start=0, end=0)
        """What is read, whatever time is asked for."""
        self.windows: list[Window] = []
        """Every part of it that was asked for."""
        self.calls: list[tuple[object, ...]] = []
        """Every change that was asked for: its name, and what of."""
        self.requests: list[CheckInRequest] = []
        """Every request that was to be added."""
        self.last: dict[CheckInId, Firing] = {}
        self.may_change = asyncio.Event()
        """Set unless a test holds changes back."""
        self.may_change.set()

    async def timeline(self, start: float, end: float, *, step_s: float) -> Timeline:
        self.windows.append(Window(start, end, step_s))
        self._may_fail("timeline")
        return replace(self.schedule, start=start, end=end)

    async def get(self, check_in: CheckInId) -> tuple[CheckIn, Firing | None]:
        return self._known(check_in), self.last.get(check_in)

    async def preview(self, request: CheckInRequest) -> tuple[float, ...]:
        self._may_fail("preview")
        if request.at is not None:
            return (request.at,)
        apart = request.delay_s or 0.0
        return tuple(NOW + apart * i for i in range(1, 4 if request.repeats else 2))

    async def add(self, request: CheckInRequest, target: str = "", *, author: str = "") -> Scheduled:
        await self._asked_for("add", target)
        self.requests.append(request)
        known = self.schedule.check_ins[0]
        return Scheduled(check_in=known, is_new=known.note != request.note)

    async def move(self, check_in: CheckInId, *, to: float) -> CheckIn:
        await self._asked_for("move", check_in, to)
        return replace(self._known(check_in), due_at=to)

    async def reword(self, check_in: CheckInId, note: str) -> CheckIn:
        await self._asked_for("reword", check_in, note)
        return replace(self._known(check_in), note=note)

    async def cancel(self, check_in: CheckInId) -> CheckIn:
        await self._asked_for("cancel", check_in)
        return self._known(check_in)

    async def fire(self, check_in: CheckInId) -> Firing:
        await self._asked_for("fire", check_in)
        known = self._known(check_in)
        return Firing(
            id=FiringId(1), check_in=check_in, target=known.target, due_at=0, fired_at=0, outcome=FiringOutcome.SENT
        )

    async def pause(self, orchestration: OrchestrationId, *, paused: bool = True) -> bool:
        await self._asked_for("pause", orchestration, paused)
        return True

    async def _asked_for(self, name: str, *about: object) -> None:
        self.calls.append((name, *about))
        await self.may_change.wait()
        self._may_fail(name)

    def _known(self, number: CheckInId) -> CheckIn:
        found = self.schedule.check_in(number)
        if found is None:
            raise NotFoundError(f"there is no check-in {number}")
        return found
