"""The facade's part for credit without anything behind it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator_core.credits import Credits
from orchestrator_core.models.credit import AccountId, AccountStatus, AgentUse, CreditReading


class FakeCredits(Credits):
    """Tells what a test says."""

    def __init__(self, note: Callable[..., None]) -> None:
        self._note = note
        self.accounts: tuple[AccountStatus, ...] = ()
        self.readings: tuple[CreditReading, ...] = ()
        self.uses: tuple[AgentUse, ...] = ()
        self.reads = 0

    async def status(self) -> tuple[AccountStatus, ...]:
        self.reads += 1
        self._note("credits")
        return self.accounts

    async def history(self, account: AccountId, window: str, since: float) -> tuple[CreditReading, ...]:
        told = (reading for reading in self.readings if (reading.account, reading.window) == (account, window))
        return tuple(reading for reading in told if reading.at >= since)

    async def use(self, since: float) -> tuple[AgentUse, ...]:
        return tuple(use for use in self.uses if use.at >= since)
