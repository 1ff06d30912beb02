"""The facade's part for credit: what is known of accounts and of what agents use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from orchestrator_core.check_ins import Ask
from orchestrator_core.models.credit import AccountId, AccountStatus, AgentUse, CreditReading, WindowStatus
from orchestrator_core.services.credit import accounts_of, limits_of
from orchestrator_core.services.projection import LOOK_BACK_S, project
from orchestrator_core.store import Store

SHOWN_S = 8 * 86400.0
"""A window of which nothing was told for so long is not shown."""


def read_accounts(store: Store, now: float) -> tuple[AccountStatus, ...]:
    """Return what is known of each account of active agents, and of those told of in the last days."""
    return accounts_of(store.readings.current(now - SHOWN_S), store.agents.active(), now, str(Path.home()))


def limit_of(store: Store, account: str, now: float) -> float | None:
    """Return until when a limit holds an account; None when none does."""
    held = limits_of([each for each in store.readings.current() if each.account == account], now)
    return held[0].resets_at if held else None


class Credits:
    """Credit. Times are seconds since the epoch."""

    def __init__(self, store: Store, ask: Ask, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._ask = ask
        self._clock = clock

    async def status(self) -> tuple[AccountStatus, ...]:
        """Return every account with its windows, each with when it would be used up at the pace of late."""
        return await self._ask(self._status)

    async def history(self, account: AccountId, window: str, since: float) -> tuple[CreditReading, ...]:
        """Return what was told of a window from `since` on, oldest first."""
        return await self._ask(lambda: self._store.readings.history(account, window, since))

    async def use(self, since: float) -> tuple[AgentUse, ...]:
        """Return what all agents told of their use from `since` on, oldest first."""
        return await self._ask(lambda: self._store.agent_uses.since(since))

    def _status(self) -> tuple[AccountStatus, ...]:
        now = self._clock()
        return tuple(
            replace(account, windows=tuple(self._projected(window, now) for window in account.windows))
            for account in read_accounts(self._store, now)
        )

    def _projected(self, window: WindowStatus, now: float) -> WindowStatus:
        reading = window.reading
        told = self._store.readings.history(reading.account, reading.window, now - 2 * LOOK_BACK_S)
        return replace(window, projection=project(told, now))
