"""`CreditCalls`: opens the screen that shows credit, and reads what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App

from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.credit import SEVEN_DAY, AgentUse, CreditReading
from orchestrator_core.models.credit_words import Thresholds
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tui.credit_lines import DAY_S, FIVE_HOURS_S, Knowledge, WindowKey
from tui.credit_messages import CreditsOpened, CreditsWanted, CreditWish

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.credits import CreditsScreen

USE_S = DAY_S
"""How far back it is read what agents used."""


def thresholds_of(settings: Settings) -> Thresholds:
    """Return from how much use on a window is shown otherwise."""
    return Thresholds(settings.credit.warn_percentage, settings.credit.alarm_percentage)


class CreditCalls:
    """Opens the screen, and reads for it."""

    def __init__(
        self,
        app: App[int],
        orchestrator: Orchestrator,
        *,
        run: Run,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
        thresholds: Thresholds,
        nearly_full: float,
    ) -> None:
        self._app = app
        self._orchestrator = orchestrator
        self._run = run
        self._clock = clock
        self._keys_of = keys_of
        self._thresholds = thresholds
        self._nearly_full = nearly_full

    def take(self, wish: CreditWish, fleet: Fleet | None) -> None:
        """Do what the person wants."""
        match wish:
            case CreditsOpened():
                self._open(fleet)
            case CreditsWanted():
                self._run(self._read(), group="credits", exclusive=True)

    @property
    def _screen(self) -> CreditsScreen | None:
        from tui.screens.credits import CreditsScreen

        return next((screen for screen in self._app.screen_stack if isinstance(screen, CreditsScreen)), None)

    def _open(self, fleet: Fleet | None) -> None:
        from tui.screens.credits import CreditsScreen

        if self._screen is None:
            self._app.push_screen(
                CreditsScreen(
                    fleet,
                    clock=self._clock,
                    keys_of=self._keys_of,
                    thresholds=self._thresholds,
                    nearly_full=self._nearly_full,
                )
            )

    async def _read(self) -> None:
        try:
            known = await self._knowledge()
        except TmorchError as error:
            if screen := self._screen:
                screen.reading_failed(error)
            return
        if screen := self._screen:
            screen.take_knowledge(known)

    async def _knowledge(self) -> Knowledge:
        now, facade = self._clock(), self._orchestrator.credits
        accounts = await facade.status()
        history: dict[WindowKey, tuple[CreditReading, ...]] = {}
        for account in accounts:
            for window in account.windows:
                name = window.reading.window
                since = now - (7 * DAY_S if name == SEVEN_DAY else FIVE_HOURS_S)
                history[account.account, name] = await facade.history(account.account, name, since)
        latest: dict[AgentId, AgentUse] = {use.agent: use for use in await facade.use(now - USE_S)}
        return Knowledge(accounts=accounts, history=history, use=latest)
