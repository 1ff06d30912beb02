"""The facade's part that reads the fleet, and tells when it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec.structs import replace

from orchestrator_core.check_ins import Ask
from orchestrator_core.credits import read_accounts
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import PaneId
from orchestrator_core.services.fleet import guests, read_teams, schedule_version
from orchestrator_core.services.guests import TmuxPicture, TmuxSight
from orchestrator_core.store import Store

STORE_STEP_S = 0.25
"""How often another process's commit is looked for; one `stat`."""
LIVELY_S, LIVELY_STEP_S = 1.5, 0.1
"""For how long after a change, or a message of ours, it is looked for more often, and how often."""
BEAT_NEWS_S = 25.0
"""How old a known sign of life gets before a newer one is news: a fleet that rests is not to be painted for it."""
TMUX_STEP_S = 2.0
"""How often the panes are listed, for the guests and for tmux's state, and the supervisor's lock is looked at."""


class FleetFeed:
    """The fleet, from the store and from tmux. A fleet at rest costs a few `stat`s a second."""

    def __init__(
        self,
        store: Store,
        ask: Ask,
        *,
        sight: TmuxSight,
        health: Callable[[], Awaitable[SupervisorHealth]],
        own_pane: PaneId | None,
        shows_guests: bool,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._ask = ask
        self._sight = sight
        self._health = health
        self._own_pane = own_pane
        self._shows_guests = shows_guests
        self._clock = clock
        self._lively_until = 0.0

    def expect_news(self) -> None:
        """Look more often for a moment: something was asked for that changes the fleet."""
        self._lively_until = asyncio.get_running_loop().time() + LIVELY_S

    async def fleet(self) -> Fleet:
        """Return everything a front end shows, read now."""
        return self._picture(await self._ask(self._read), await self._health(), await self._sight.look())

    def _read(self) -> Fleet:
        """Return what of the fleet is in the store."""
        store = self._store
        return Fleet(
            teams=read_teams(store),
            needs=store.needs.open(),
            accounts=read_accounts(store, self._clock()),
            schedule_version=schedule_version(store),
        )

    def _picture(self, stored: Fleet, health: SupervisorHealth, tmux: TmuxPicture) -> Fleet:
        return replace(
            stored,
            guests=guests(tmux.panes, stored.teams, self._own_pane) if self._shows_guests else (),
            supervisor=health,
            tmux=tmux.state,
            tmux_detail=tmux.detail,
        )

    async def fleets(self) -> AsyncIterator[Fleet]:
        """Yield the fleet at once and then whenever it differs from the last one yielded."""
        loop = asyncio.get_running_loop()
        stamp, version, looked_at = (-1, -1), -1, float("-inf")
        stored, last = Fleet(), None
        while True:
            newest, now = self._store.stamp(), loop.time()
            is_time = now - looked_at >= TMUX_STEP_S
            if is_time:
                tmux, looked_at = await self._sight.look(), now
                known, version = version, await self._ask(self._store.data_version)
                stamp = stamp if version == known else (-1, -1)  # a stamp may miss one of two quick commits
            if newest != stamp or is_time:
                health = await self._health()
                if newest != stamp:
                    stored, stamp = await self._ask(self._read), newest
                fleet = self._picture(stored, health, tmux)
                if last is None or (fleet.teams, fleet.needs) != (last.teams, last.needs):
                    self._lively_until = now + LIVELY_S
                if last is None or not _looks_like(fleet, last):
                    last = fleet
                    yield fleet
            await asyncio.sleep(LIVELY_STEP_S if loop.time() < self._lively_until else STORE_STEP_S)

    async def changes(self) -> AsyncIterator[None]:
        """Yield once at first, and then whenever something may have been written to the store."""
        stamp, looked_at = (-1, -1), float("-inf")
        while True:
            newest, now = self._store.stamp(), asyncio.get_running_loop().time()
            if newest != stamp or now - looked_at > TMUX_STEP_S:  # a stamp may miss one of two quick commits
                stamp, looked_at = newest, now
                yield
            await asyncio.sleep(STORE_STEP_S)


def _looks_like(fleet: Fleet, last: Fleet) -> bool:
    """Whether nothing differs but the supervisor's latest sign of life, and that by little."""
    new, old = fleet.supervisor.heartbeat_at or 0.0, last.supervisor.heartbeat_at or 0.0
    if not 0 <= new - old < BEAT_NEWS_S:
        return False
    return replace(fleet, supervisor=replace(fleet.supervisor, heartbeat_at=last.supervisor.heartbeat_at)) == last
