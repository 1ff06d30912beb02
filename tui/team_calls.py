"""`TeamCalls`: what is wished on the screens of a new team, each in one call of the facade."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace
from textual.app import App
from textual.screen import Screen

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import Decision, Proposal, StepFailure
from tui.messages import AgentWanted
from tui.team_messages import (
    AnalysisCancelled,
    AnalysisWanted,
    ApprovalLeft,
    Approved,
    BriefingWanted,
    ChangeWanted,
    DecisionMade,
    DiscardWanted,
    LaunchCancelled,
    LaunchLeft,
    NewTeamOpened,
    PathsWanted,
    ProposalWanted,
    SavedOpened,
    SavedWanted,
    SaveWanted,
    TeamWish,
)

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.approval import ApprovalScreen
    from tui.screens.launch import LaunchScreen
    from tui.screens.new_team import NewTeamScreen

S = TypeVar("S", bound=Screen[None])


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
        by_claude: bool,
    ) -> None:
        """`by_claude`: whether Claude reads specs unless the person says otherwise."""
        self._app = app
        self._orchestrator = orchestrator
        self._run = run
        self._clock = clock
        self._keys_of = keys_of
        self._by_claude = by_claude
        self._decision: asyncio.Future[Decision] | None = None

    def take(self, wish: TeamWish) -> None:
        """Do what the person wants."""
        match wish:
            case NewTeamOpened():
                self._open_new_team()
            case PathsWanted():
                self._run(self._complete(wish), group=f"paths-{wish.kind}", exclusive=True)
            case SavedWanted():
                self._run(self._list_saved(), group="saved", exclusive=True)
            case DiscardWanted():
                self._run(self._discard(wish), group="saved", exclusive=True)
            case ProposalWanted():
                self._run(self._propose(wish), group="propose", exclusive=True)
            case SavedOpened():
                self._run(self._load(wish), group="propose", exclusive=True)
            case ChangeWanted():
                self._change(wish)
            case BriefingWanted():
                self._show_briefing(wish)
            case SaveWanted():
                self._run(self._save(), group="save", exclusive=True)
            case AnalysisWanted():
                self._run(self._analyse(), group="analyse", exclusive=True)
            case AnalysisCancelled():
                self._cancel_analysis()
            case ApprovalLeft():
                self._leave_approval()
            case Approved():
                self._launch(wish)
            case DecisionMade():
                self._decide(wish)
            case LaunchCancelled():
                self._app.workers.cancel_group(self._app, "launch")
            case LaunchLeft():
                self._leave_launch()

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

    @property
    def _launching(self) -> LaunchScreen | None:
        from tui.screens.launch import LaunchScreen

        return self._screen(LaunchScreen)

    # -- the form ---------------------------------------------------------------------------------

    def _open_new_team(self) -> None:
        from tui.screens.new_team import NewTeamScreen

        if self._new_team is None:
            self._app.push_screen(NewTeamScreen(by_claude=self._by_claude, clock=self._clock, keys_of=self._keys_of))

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

    async def _propose(self, wish: ProposalWanted) -> None:
        try:
            proposal = await self._orchestrator.proposals.propose(wish.request)
        except TmorchError as error:
            if (screen := self._new_team) is None:
                raise
            screen.take_failure(error)
            return
        self._open_approval(proposal)
        if wish.by_claude:
            self._run(self._analyse(), group="analyse", exclusive=True)

    async def _load(self, wish: SavedOpened) -> None:
        self._open_approval(await self._orchestrator.proposals.load(wish.number))

    # -- the proposal -----------------------------------------------------------------------------

    def _open_approval(self, proposal: Proposal) -> None:
        from tui.screens.approval import ApprovalScreen

        if screen := self._new_team:
            screen.dismiss()
        roles = self._orchestrator.proposals.roles(proposal.project.path)
        self._app.push_screen(ApprovalScreen(proposal, roles, clock=self._clock, keys_of=self._keys_of))

    def _change(self, wish: ChangeWanted) -> None:
        if screen := self._approval:
            try:
                screen.take_proposal(self._orchestrator.proposals.revise(screen.proposal, wish.change))
            except TmorchError as error:
                screen.take_failure(error)

    def _show_briefing(self, wish: BriefingWanted) -> None:
        if screen := self._approval:
            try:
                screen.take_briefing(wish.role, self._orchestrator.proposals.briefing(screen.proposal, wish.role))
            except TmorchError as error:
                screen.take_failure(error)

    async def _save(self) -> None:
        if screen := self._approval:
            saved = await self._orchestrator.proposals.save(screen.proposal)
            screen.take_proposal(replace(screen.proposal, saved=saved.saved))
            self._app.notify(f"tmorch start --proposal {saved.saved}", title="Saved", markup=False)

    async def _analyse(self) -> None:
        screen = self._approval
        if screen is None:
            return
        try:
            read = await self._orchestrator.proposals.analyse(screen.proposal, screen.take_progress)
        except asyncio.CancelledError:
            screen.take_analysis(None)
            raise
        except TmorchError as error:
            screen.take_analysis(None)
            screen.take_failure(error)
            return
        # what the person changed meanwhile stays
        screen.take_analysis(read.analysis)

    def _cancel_analysis(self) -> None:
        self._app.workers.cancel_group(self._app, "analyse")

    def _leave_approval(self) -> None:
        self._cancel_analysis()
        if screen := self._approval:
            screen.dismiss()

    # -- the launch -------------------------------------------------------------------------------

    def _launch(self, wish: Approved) -> None:
        from tui.screens.launch import LaunchScreen

        self._leave_approval()
        self._app.push_screen(LaunchScreen(wish.proposal, clock=self._clock, keys_of=self._keys_of))
        self._run(self._start(wish.proposal), group="launch", exclusive=True)

    async def _start(self, proposal: Proposal) -> None:
        screen = self._launching
        assert screen is not None
        try:
            started = await self._orchestrator.start(proposal, screen.take_step, self._ask_person)
        except asyncio.CancelledError:
            screen.take_failed(None)
            raise
        except TmorchError as error:
            screen.take_failed(error)
            return
        screen.take_started(started)

    async def _ask_person(self, failure: StepFailure) -> Decision:
        self._decision = asyncio.get_running_loop().create_future()
        if screen := self._launching:
            screen.take_failure(failure)
        return await self._decision

    def _decide(self, wish: DecisionMade) -> None:
        if self._decision is not None and not self._decision.done():
            self._decision.set_result(wish.decision)

    def _leave_launch(self) -> None:
        screen = self._launching
        if screen is None:
            return
        screen.dismiss()
        if screen.first_agent:
            self._app.post_message(AgentWanted(screen.first_agent))
