"""`LaunchCalls`: what is wished while a team starts, each in one call of the facade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import Decision, Proposal, StepFailure
from orchestrator_core.models.orchestration import Orchestration
from tui.bridge import unexpected_error
from tui.messages import AgentWanted
from tui.opening import Errand
from tui.team_messages import Approved, DecisionMade, LaunchCancelled, LaunchLeft, LaunchWish

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.launch import LaunchScreen

UNDO_S = 60.0
"""How long the app waits at its end until a start is undone; what is left by then is undone by the next start."""


class LaunchCalls:
    """Opens the screen of a start, starts the team, and does what is wished meanwhile."""

    def __init__(
        self,
        app: App[int],
        orchestrator: Orchestrator,
        *,
        run: Run,
        errand: Errand,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._app = app
        self._orchestrator = orchestrator
        self._run = run
        self._errand = errand
        self._clock = clock
        self._keys_of = keys_of
        self._decision: asyncio.Future[Decision] | None = None
        self._starting: asyncio.Task[Orchestration] | None = None
        """A task of its own: a worker may be cancelled twice, and the second time would cut the undoing short."""

    def may_quit(self) -> bool:
        """Whether the app may end at once; if not, the screen of the start asks the person, or ends it when undone."""
        screen = self._screen if self._starting else None
        if screen is None or screen.may_quit():
            return True
        while self._app.screen is not screen:
            self._app.pop_screen()
        return False

    async def close(self) -> None:
        """Undo a start that is under way, and wait until it is undone."""
        if self._starting is not None and not self._starting.done():
            self._cancel()
            await asyncio.wait({self._starting}, timeout=UNDO_S)

    def take(self, wish: LaunchWish) -> None:
        """Do what the person wants."""
        match wish:
            case Approved():
                self._launch(wish.proposal)
            case DecisionMade():
                self._decide(wish.decision)
            case LaunchCancelled():
                self._cancel()
            case LaunchLeft():
                self._leave()

    @property
    def _screen(self) -> LaunchScreen | None:
        from tui.screens.launch import LaunchScreen

        return next((screen for screen in self._app.screen_stack if isinstance(screen, LaunchScreen)), None)

    def _launch(self, proposal: Proposal) -> None:
        from tui.screens.launch import LaunchScreen

        self._app.push_screen(LaunchScreen(proposal, clock=self._clock, keys_of=self._keys_of))
        self._run(self._start(proposal), group="launch", exclusive=True)

    async def _start(self, proposal: Proposal) -> None:
        screen = self._screen
        assert screen is not None
        self._errand.begin()
        self._starting = asyncio.create_task(self._orchestrator.start(proposal, screen.take_step, self._ask_person))
        try:
            started = await asyncio.shield(self._starting)
        except asyncio.CancelledError:
            if not self._starting.done():
                raise  # the app ends: `close` sees to the start
            screen.take_failed(None)
            return
        except Exception as error:
            failure = error if isinstance(error, TmorchError) else unexpected_error(error)
            self._errand.fail(failure)
            screen.take_failed(failure)
            return
        self._errand.done()
        screen.take_started(started)

    def _cancel(self) -> None:
        """Call the start off, once: what follows is its undoing."""
        if self._starting is not None and not self._starting.cancelling():
            self._starting.cancel()

    async def _ask_person(self, failure: StepFailure) -> Decision:
        self._decision = asyncio.get_running_loop().create_future()
        if screen := self._screen:
            screen.take_failure(failure)
        return await self._decision

    def _decide(self, decision: Decision) -> None:
        if self._decision is not None and not self._decision.done():
            self._decision.set_result(decision)

    def _leave(self) -> None:
        screen = self._screen
        if screen is None:
            return
        if self._errand.is_open:
            self._app.exit(0)
            return
        screen.dismiss()
        if screen.first_agent:
            self._app.post_message(AgentWanted(screen.first_agent))
