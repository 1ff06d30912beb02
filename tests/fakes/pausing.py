"""The facade's part for pausing without anything behind it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.pausing import Pausing


class FakePausing(Pausing):
    """Writes down what was asked for; `news` is of whom it is news."""

    def __init__(self, note: Callable[..., None]) -> None:
        self._note = note
        self.calls: list[tuple[tuple[OrchestrationId, ...], bool]] = []
        """The teams, none for all, and whether they were to pause."""
        self.news: tuple[OrchestrationId, ...] = ()

    async def _set(self, teams: tuple[OrchestrationId, ...], *, paused: bool) -> tuple[OrchestrationId, ...]:
        self.calls.append((teams, paused))
        self._note("pausing")
        return self.news
