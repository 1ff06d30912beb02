"""The facade's part for pausing teams."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator_core.check_ins import Ask
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.store import Store


class Pausing:
    """Pausing all teams, or one: their check-ins do not fire, and messages wait, the person's own too.

    Whoever works goes on with what it has; what was asked is answered. It stays so over restarts.
    """

    def __init__(
        self,
        store: Store,
        ask: Ask,
        *,
        caller: Callable[[], Agent | None],
        wake: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        """`caller` is the agent in whose pane we run, `wake` has the supervisor look."""
        self._store = store
        self._ask = ask
        self._caller = caller
        self._wake = wake
        self._clock = clock

    async def pause_all(self) -> int:
        """Pause every team that runs, and return how many were not paused.

        Raises:
            RefusedError: the caller is an agent.

        """
        return len(await self._set((), paused=True))

    async def resume_all(self) -> int:
        """Let every team go on, and return how many were paused. Raises as `pause_all`."""
        return len(await self._set((), paused=False))

    async def pause(self, *teams: OrchestrationId, paused: bool = True) -> tuple[OrchestrationId, ...]:
        """Pause these teams, all without any, or let them go on; return those of whom that is news.

        Raises:
            NotFoundError: there is no such team.
            RefusedError: one has ended, or the caller is an agent.

        """
        return await self._set(teams, paused=paused)

    async def _set(self, teams: tuple[OrchestrationId, ...], *, paused: bool) -> tuple[OrchestrationId, ...]:
        from orchestrator_core.services.pausing import pause

        caller = await self._ask(self._caller)
        now = self._clock()
        changed = await self._ask(lambda: pause(self._store, now, teams=teams, paused=paused, caller=caller))
        await self._ask(self._wake)
        return changed
