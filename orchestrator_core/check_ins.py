"""The facade's part for check-ins: each use case is one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckIn, CheckInRequest, Firing, Scheduled
from orchestrator_core.models.ids import CheckInId, OrchestrationId
from orchestrator_core.models.timeline import Timeline
from orchestrator_core.store import Store

T = TypeVar("T")


class Ask(Protocol):
    """Runs a question to the store in the store's own thread."""

    def __call__(self, question: Callable[[], T], /) -> Awaitable[T]:
        """Return what the question does."""
        ...


class CheckIns:
    """The schedule. Raises `TmorchError`s that are fit to be shown; times are seconds since the epoch."""

    def __init__(
        self,
        store: Store,
        settings: ScheduleSettings,
        ask: Ask,
        *,
        find: Callable[[str], Awaitable[Agent]],
        caller: Callable[[], Agent | None],
        wake: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        """`find` resolves a target, `caller` is the agent in whose pane we run, `wake` has the supervisor look."""
        self._store = store
        self._settings = settings
        self._ask = ask
        self._find = find
        self._caller = caller
        self._wake = wake
        self._clock = clock

    async def add(self, request: CheckInRequest, target: str = "", *, author: str = "") -> Scheduled:
        """Set a check-in for the agent that `target` names; empty: for the one in whose pane we run.

        `author` is who a person says it is from; an agent is always itself. One that means the same as one that is
        set already - the same agent and note, due at about the same time - is not added again.

        Raises:
            NotFoundError: `target` names nothing or more than one agent, or nothing and we run in no agent's pane.
            UsageError: the note is empty, or a time, interval, cron expression or zone cannot be.
            RefusedError: the caller is an agent that does not write to this one, or has set too many already.

        """
        from orchestrator_core.services import schedule

        caller = await self._ask(self._caller)
        agent = await self._find(target) if target or caller is None else caller

        def add() -> Scheduled:
            return schedule.add(
                self._store, self._settings, request, agent, author=author, caller=caller, now=self._clock()
            )

        scheduled = await self._ask(add)
        await self._ask(self._wake)
        return scheduled

    async def preview(self, request: CheckInRequest) -> tuple[float, ...]:
        """Return when a request would be due: the first times, as many as three, without setting anything.

        Raises:
            UsageError: a time, interval, cron expression or zone cannot be.

        """
        from orchestrator_core.services import schedule

        return await self._ask(lambda: schedule.preview(self._settings, request, self._clock()))

    async def list(self, target: str = "", *, ended: bool = False, limit: int = 200) -> tuple[CheckIn, ...]:
        """Return those that are going to fire, the next one first; with `ended` the latest of all, newest first.

        Raises:
            NotFoundError: `target` names nothing, or more than one agent.

        """
        agent = (await self._find(target)).id if target else None
        found = self._store.check_ins
        if ended:
            return await self._ask(lambda: found.latest(limit, agent))
        return await self._ask(lambda: found.active(agent, limit))

    async def get(self, check_in: CheckInId) -> tuple[CheckIn, Firing | None]:
        """Return a check-in and its last firing.

        Raises:
            NotFoundError: there is none with that number.

        """
        store = self._store
        return await self._ask(lambda: (store.check_ins.get(check_in), store.firings.latest([check_in]).get(check_in)))

    async def move(self, check_in: CheckInId, *, to: float) -> CheckIn:
        """Have a check-in fire at another time; one that has fired, was cancelled or died is set again.

        One that repeats goes on from there, by its interval or its cron expression.

        Raises:
            NotFoundError: there is none with that number.
            UsageError: the time cannot be.
            RefusedError: its agent is of a team that has ended, or the caller is an agent whose it is not.

        """
        from orchestrator_core.services import schedule

        return await self._change(lambda caller: schedule.move(self._store, check_in, to, caller, self._clock()))

    async def reword(self, check_in: CheckInId, note: str) -> CheckIn:
        """Change the note of an active check-in; of agents only its author may. Raises as `move`."""
        from orchestrator_core.services import schedule

        return await self._change(lambda caller: schedule.reword(self._store, check_in, note, caller, self._clock()))

    async def cancel(self, check_in: CheckInId) -> CheckIn:
        """Have a check-in never fire again; one that has ended is returned as it is. Raises as `move`."""
        from orchestrator_core.services import schedule

        return await self._change(lambda caller: schedule.cancel(self._store, check_in, caller, self._clock()))

    async def fire(self, check_in: CheckInId) -> Firing:
        """Have an active check-in fire now, besides its own times when it repeats. Raises as `move`."""
        from orchestrator_core.services import schedule

        return await self._change(lambda caller: schedule.fire(self._store, check_in, caller, self._clock()))

    async def pause(self, orchestration: OrchestrationId, *, paused: bool = True) -> bool:
        """Let nothing fire for a team, or let it fire again; return False when that is so already.

        What came due meanwhile fires once afterwards.

        Raises:
            NotFoundError: there is no such team.
            RefusedError: it has ended, or the caller is an agent.

        """
        from orchestrator_core.services import schedule

        return await self._change(
            lambda caller: schedule.pause(self._store, orchestration, paused, self._clock(), caller=caller)
        )

    async def timeline(self, start: float, end: float, *, step_s: float) -> Timeline:
        """Return the schedule from `start` to `end`.

        Of the later due times of a check-in that repeats, one in each `step_s` seconds is shown: what one cell of a
        screen stands for.
        """
        from orchestrator_core.services.timeline import read_timeline

        return await self._ask(lambda: read_timeline(self._store, start, end, step_s=step_s, now=self._clock()))

    async def _change(self, change: Callable[[Agent | None], T]) -> T:
        caller = await self._ask(self._caller)
        changed = await self._ask(lambda: change(caller))
        await self._ask(self._wake)
        return changed
