"""`RecoveryCalls`: what is wished on the screen that resumes teams, each in one call of the facade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.app import App

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.recovery import RecoveryPlan, Step
from tui.bridge import unexpected_error
from tui.recovery_messages import PlansWanted, RecoveryOpened, RecoveryWish, ResumeWanted
from tui.recovery_rows import TeamRecovery
from tui.timeline_plan import clock
from tui.wording import clean, plural

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.main import MainScreen
    from tui.screens.recovery import RecoveryScreen

OFFER_S = 0.5
"""How long after the first picture it is asked what a reboot has interrupted."""
NOTICE_S = 12.0


class RecoveryCalls:
    """Opens the screen, reads what is missing, and has teams resumed: one after the other, each once at a time."""

    def __init__(
        self,
        app: App[int],
        main: MainScreen,
        orchestrator: Orchestrator,
        *,
        run: Run,
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._app = app
        self._main = main
        self._orchestrator = orchestrator
        self._run = run
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of
        self._wanted: dict[OrchestrationId, TeamRecovery] = {}
        """What the person wanted done, and what came of it: it goes on when the screen is left."""
        self._turn = asyncio.Lock()
        self._was_warned = False

    def offer(self) -> None:
        """Ask, once the first picture stands, what a reboot has interrupted; if anything, the screen opens."""
        self._app.set_timer(OFFER_S, lambda: self._run(self._offer(), group="offer"))

    def take(self, wish: RecoveryWish) -> None:
        """Do what the person wants."""
        match wish:
            case RecoveryOpened():
                self._open(wish)
            case PlansWanted():
                self._run(self._read(), group="recovery", exclusive=True)
            case ResumeWanted():
                self._begin(wish)

    def may_quit(self) -> bool:
        """Whether the app may end at once; the first time it may not while a team is being resumed: that is said."""
        names = ", ".join(clean(team.id) for team in self._wanted.values() if team.is_under_way)
        if not names or self._was_warned:
            return True
        self._was_warned = True
        words = f"{self._key_name('app.quit')} again leaves all the same: `tmorch resume` does what is left then."
        self._app.notify(words, title=f"{names}: being resumed", severity="warning", timeout=NOTICE_S, markup=False)
        return False

    @property
    def _screen(self) -> RecoveryScreen | None:
        from tui.screens.recovery import RecoveryScreen

        return next((screen for screen in self._app.screen_stack if isinstance(screen, RecoveryScreen)), None)

    # -- opening and reading ----------------------------------------------------------------------

    def _open(self, wish: RecoveryOpened, plans: tuple[RecoveryPlan, ...] = (), why: str = "") -> None:
        from tui.screens.recovery import RecoveryScreen

        if self._screen is None:
            self._app.push_screen(
                RecoveryScreen(
                    self._teams(plans),
                    keys_of=self._keys_of,
                    orchestration=wish.orchestration,
                    agent=wish.agent,
                    why=why,
                )
            )

    async def _offer(self) -> None:
        plans = await self._orchestrator.recovery.offer()
        if not plans:
            return
        were = "was" if len(plans) == 1 else "were"
        at = self._orchestrator.recovery.booted_at()
        when = f" ({clock(at, self._clock())})" if at is not None else ""
        why = f"This machine was restarted{when}; {plural(len(plans), 'team')} {were} interrupted."
        if self._app.screen is self._main and self._main.focused in (None, self._main.fleet_tree):
            self._open(RecoveryOpened(plans[0].orchestration), plans, why)
            return
        words = f"{self._key_name('main.recovery')} on the main screen shows what is missing."
        self._app.notify(words, title=why, severity="warning", timeout=NOTICE_S, markup=False)

    def _teams(self, plans: tuple[RecoveryPlan, ...]) -> tuple[TeamRecovery, ...]:
        """Return the teams of these plans, and those that are being resumed, as far as that is."""
        known = {plan.orchestration: TeamRecovery(plan=plan) for plan in plans}
        return tuple((known | self._wanted).values())

    async def _read(self) -> None:
        recovery = self._orchestrator.recovery
        for team in [team for team in self._wanted.values() if team.is_over]:
            del self._wanted[team.id]  # what ends from now on stays: the plans may have been made before
        try:
            plans = await recovery.plans()
        except Exception as error:
            if screen := self._screen:
                screen.reading_failed(_as_ours(error))
            return
        if screen := self._screen:
            screen.take_teams(self._teams(plans))
        orphans = await recovery.orphans()
        if screen := self._screen:
            screen.take_orphans(orphans)

    # -- resuming ---------------------------------------------------------------------------------

    def _begin(self, wish: ResumeWanted) -> None:
        before = self._wanted.get(wish.plan.orchestration)
        if before is not None and before.is_under_way:
            return
        self._was_warned = False
        self._put(TeamRecovery(plan=wish.plan, is_begun=True, rebrief_all=wish.rebrief_all))
        self._run(self._resume(wish), group="resume")

    async def _resume(self, wish: ResumeWanted) -> None:
        team = wish.plan.orchestration
        try:
            async with self._turn:
                outcome = await self._orchestrator.recovery.execute(
                    wish.plan, rebrief_all=wish.rebrief_all, hear=partial(self._hear, team)
                )
        except Exception as error:
            self._put(replace(self._wanted[team], error=_as_ours(error)))
        else:
            self._put(replace(self._wanted[team], outcome=outcome))
        if self._screen is None:
            self._say(self._wanted[team])

    def _hear(self, team: OrchestrationId, step: Step) -> None:
        self._put(replace(self._wanted[team], heard=(*self._wanted[team].heard, step)))

    def _put(self, team: TeamRecovery) -> None:
        self._wanted[team.id] = team
        if screen := self._screen:
            screen.take_progress(team)

    def _say(self, team: TeamRecovery) -> None:
        """Tell what came of it where its screen was left."""
        name = clean(team.id)
        if team.error is None and not team.failed:
            self._app.notify("All that was missing is back.", title=f"{name} was resumed", markup=False)
            return
        why = clean(team.error.title) if team.error else f"{plural(len(team.failed), 'part')} failed"
        words = f"{why}. {self._key_name('main.recovery')} shows it."
        self._app.notify(words, title=f"{name} is not whole", severity="warning", timeout=NOTICE_S, markup=False)


def _as_ours(error: Exception) -> TmorchError:
    return error if isinstance(error, TmorchError) else unexpected_error(error)
