"""`TeamCalls`: what is wished on the form and the proposal of a new team, each in one call of the facade."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from textual.app import App
from textual.screen import Screen

from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.analysis import AnalysisProgress
from orchestrator_core.models.launch import Proposal, ProposalId
from tui.bridge import unexpected_error
from tui.launch_calls import LaunchCalls
from tui.opening import Errand, Opening
from tui.team_messages import (
    DEMO,
    AnalysisCancelled,
    AnalysisWanted,
    ApprovalLeft,
    Approved,
    BriefingWanted,
    ChangeWanted,
    DiscardWanted,
    LaunchWish,
    NewTeamLeft,
    NewTeamOpened,
    PathsWanted,
    ProposalWanted,
    RefineWanted,
    SavedOpened,
    SavedWanted,
    SaveWanted,
    TeamWish,
)

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.approval import ApprovalScreen
    from tui.screens.new_team import NewTeamScreen

S = TypeVar("S", bound=Screen[None])


class Reading(NamedTuple):
    """Claude reads a spec for a screen."""

    screen: ApprovalScreen


class TeamCalls:
    """Opens the screens of a new team, and does what is wished there."""

    def __init__(
        self,
        app: App[int],
        orchestrator: Orchestrator,
        *,
        run: Run,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
        settings: Settings,
        opening: Opening,
    ) -> None:
        self._app = app
        self._orchestrator = orchestrator
        self._run = run
        self._clock = clock
        self._keys_of = keys_of
        self._settings = settings
        self._opening = opening
        self._errand = Errand(opening)
        self.launch = LaunchCalls(app, orchestrator, run=run, errand=self._errand, clock=clock, keys_of=keys_of)
        self._reading: Reading | None = None

    def open(self) -> None:
        """Open what the app was started for."""
        opening = self._opening
        if opening.new_team:
            self._open_new_team()
        elif opening.proposal is not None:
            self._open_approval(opening.proposal, by_claude=opening.by_claude)

    @property
    def last_words(self) -> tuple[str, ...]:
        """What is to be said when the app has ended; see `Errand`."""
        return self._errand.last_words

    async def close(self) -> None:
        """End a reading, and let go of the proposal that was saved for this app alone unless its team was started."""
        self._reading = None
        self._app.workers.cancel_group(self._app, "analyse")
        if self._errand.is_open and not self._errand.is_kept and self._errand.number is not None:
            await self._orchestrator.proposals.discard(self._errand.number)

    def take(self, wish: TeamWish) -> None:
        """Do what the person wants."""
        match wish:
            case ChangeWanted() | RefineWanted() | BriefingWanted() | SaveWanted() | ApprovalLeft():
                self._take_of_proposal(wish)
            case AnalysisWanted():
                self._read()
            case AnalysisCancelled():
                self._cancel_reading()
            case Approved():
                self._close_approval()
                self.launch.take(wish)
            case LaunchWish():
                self.launch.take(wish)
            case _:
                self._take_of_form(wish)

    def _take_of_form(self, wish: TeamWish) -> None:
        match wish:
            case NewTeamOpened():
                self._open_new_team()
            case NewTeamLeft():
                self._close_new_team()
            case PathsWanted():
                self._run(self._complete(wish), group=f"paths-{wish.kind}", exclusive=True)
            case SavedWanted():
                self._run(self._list_saved(), group="saved", exclusive=True)
            case DiscardWanted():
                self._run(self._discard(wish), group="saved", exclusive=True)
            case ProposalWanted():
                make = partial(self._orchestrator.proposals.propose, wish.request)
                self._run(self._propose(make, by_claude=wish.by_claude), group="propose", exclusive=True)
            case SavedOpened():
                self._run(self._propose(partial(self._load, wish.number)), group="propose", exclusive=True)

    def _take_of_proposal(self, wish: ChangeWanted | RefineWanted | BriefingWanted | SaveWanted | ApprovalLeft) -> None:
        proposals = self._orchestrator.proposals
        match wish:
            case ChangeWanted():
                self._change(lambda proposal: proposals.revise(proposal, wish.change))
            case RefineWanted():
                self._change(proposals.refined)
            case BriefingWanted():
                self._run(self._show_briefing(wish), group="briefing", exclusive=True)
            case SaveWanted():
                self._run(self._save(), group="save", exclusive=True)
            case ApprovalLeft():
                self._leave_approval()

    def _screen(self, kind: type[S]) -> S | None:
        return next((screen for screen in self._app.screen_stack if isinstance(screen, kind)), None)

    @property
    def _new_team(self) -> NewTeamScreen | None:
        from tui.screens.new_team import NewTeamScreen

        return self._screen(NewTeamScreen)

    @property
    def _approval(self) -> ApprovalScreen | None:
        from tui.screens.approval import ApprovalScreen

        return self._screen(ApprovalScreen)

    # -- the form ---------------------------------------------------------------------------------

    def _open_new_team(self) -> None:
        from tui.screens.new_team import NewTeamScreen

        if self._new_team is None:
            self._app.push_screen(NewTeamScreen(self._settings, clock=self._clock, keys_of=self._keys_of))

    def _close_new_team(self) -> None:
        self._app.workers.cancel_group(self._app, "propose")
        if screen := self._new_team:
            screen.dismiss()

    async def _complete(self, wish: PathsWanted) -> None:
        found = await self._orchestrator.proposals.completions(wish.text, wish.kind, wish.project)
        if screen := self._new_team:
            screen.take_paths(wish.kind, wish.text, found)

    async def _list_saved(self) -> None:
        saved = await self._orchestrator.proposals.saved()
        if screen := self._new_team:
            screen.take_saved(saved)

    async def _discard(self, wish: DiscardWanted) -> None:
        await self._orchestrator.proposals.discard(wish.number)
        await self._list_saved()

    async def _propose(self, make: Callable[[], Awaitable[Proposal]], *, by_claude: bool = False) -> None:
        """Open the proposal that the form waits for; when there is none, the form says why."""
        try:
            self._open_approval(await make(), by_claude=by_claude)
        except Exception as error:
            if (screen := self._new_team) is None:
                raise
            screen.take_failure(error if isinstance(error, TmorchError) else unexpected_error(error))

    async def _load(self, number: ProposalId) -> Proposal:
        proposals = self._orchestrator.proposals
        return await proposals.renewed(await proposals.load(number))

    # -- the proposal -----------------------------------------------------------------------------

    def _open_approval(self, proposal: Proposal, *, by_claude: bool) -> None:
        from tui.screens.approval import ApprovalScreen

        roles = self._orchestrator.proposals.roles(proposal.project.path)
        if screen := self._new_team:
            screen.dismiss()
        self._app.push_screen(ApprovalScreen(proposal, roles, clock=self._clock, keys_of=self._keys_of))
        if by_claude and proposal.driver != DEMO:
            self._read()

    def _close_approval(self) -> None:
        self._cancel_reading()
        if screen := self._approval:
            screen.dismiss()

    def _leave_approval(self) -> None:
        self._close_approval()
        if self._errand.is_open:
            self._app.exit(0)

    def _change(self, make: Callable[[Proposal], Proposal]) -> None:
        if screen := self._approval:
            try:
                screen.take_proposal(make(screen.proposal))
            except TmorchError as error:
                screen.take_failure(error)
            finally:
                screen.settle()

    async def _show_briefing(self, wish: BriefingWanted) -> None:
        screen = self._approval
        if screen is None:
            return
        try:
            text = await asyncio.to_thread(self._orchestrator.proposals.briefing, screen.proposal, wish.role)
        except TmorchError as error:
            screen.take_failure(error)
            return
        if self._approval is screen:
            screen.take_briefing(wish.role, text)

    async def _save(self) -> None:
        screen = self._approval
        if screen is None:
            return
        try:
            saved = await self._orchestrator.proposals.save(screen.proposal)
            if saved.saved == self._errand.number:
                self._errand.is_kept = True
            screen.take_saved(saved)
            self._app.notify(f"tmorch start --proposal {saved.saved}", title="Saved", markup=False)
        finally:
            screen.settle()

    # -- reading by Claude ------------------------------------------------------------------------

    def _read(self) -> None:
        """Have Claude read the spec of the proposal on the screen, unless it does so already."""
        if (screen := self._approval) is not None and self._reading is None:
            self._reading = Reading(screen)
            self._run(self._analyse(self._reading), group="analyse", exclusive=True)

    async def _analyse(self, reading: Reading) -> None:
        """Read, and put what Claude says to what the person has made of the proposal meanwhile."""
        screen, proposals = reading.screen, self._orchestrator.proposals
        analysis, failure = None, None

        def hear(progress: AnalysisProgress) -> None:
            if self._reading is reading:
                screen.take_progress(progress)

        try:
            analysis = (await proposals.analyse(screen.proposal, hear)).analysis
            screen.take_proposal(proposals.with_analysis(screen.proposal, analysis))
        except TmorchError as error:
            failure = error
        finally:
            if self._reading is reading:  # else the person does not wait for it, and the screen may be gone
                self._reading = None
                screen.take_analysis(analysis)
                if failure is not None:
                    screen.take_failure(failure)

    def _cancel_reading(self) -> None:
        """End the reading; the screen knows at once, Claude ends a moment later."""
        reading, self._reading = self._reading, None
        if reading is not None:
            self._app.workers.cancel_group(self._app, "analyse")
            reading.screen.take_analysis(None)
