"""`Overlays`: the screens over the main one, and the facade's calls that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Protocol, TypeVar

from textual.app import App

from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.event import Event
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.models.need import Answer, AnswerState, Need
from tui.credit_calls import CreditCalls, thresholds_of
from tui.credit_messages import CreditWish
from tui.messages import (
    AgentWanted,
    AnswerOpened,
    AnswerWanted,
    DismissWanted,
    EventsWanted,
    LogOpened,
    MessagesOpened,
    MessagesWanted,
    PauseAllWanted,
    WhyOpened,
    WhyWanted,
    Wish,
    WrongWanted,
)
from tui.opening import Opening
from tui.pages import PAGE
from tui.recovery_calls import RecoveryCalls
from tui.recovery_messages import RecoveryWish
from tui.schedule_calls import ScheduleCalls
from tui.screens.over import OverScreen
from tui.team_calls import TeamCalls
from tui.team_messages import TeamWish
from tui.widgets.need_rows import what
from tui.wording import clean

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.screens.main import MainScreen
    from tui.screens.why import WhyScreen

S = TypeVar("S", bound=OverScreen)
ANSWER_WAIT_S = 15.0
"""How long an answer may take until it is said that it is still being given."""


class Run(Protocol):
    """Starts work of the app; its errors are shown."""

    def __call__(self, work: Coroutine[object, object, None], *, group: str, exclusive: bool = False) -> None: ...


class Overlays:
    """Opens screens and does what is wished on them: each wish ends in one call of the facade."""

    def __init__(
        self,
        app: App[int],
        main: MainScreen,
        orchestrator: Orchestrator,
        *,
        run: Run,
        follow_changes: Callable[[bool], None],
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
        settings: Settings,
        opening: Opening,
    ) -> None:
        self._app = app
        self._main = main
        self._orchestrator = orchestrator
        self._run = run
        self._follow_changes = follow_changes
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of
        self._schedule = ScheduleCalls(app, orchestrator, run=run, clock=clock, key_name=key_name, keys_of=keys_of)
        self._credit = CreditCalls(
            app,
            orchestrator,
            run=run,
            clock=clock,
            keys_of=keys_of,
            thresholds=thresholds_of(settings),
            nearly_full=settings.context.checkpoint_percentage,
        )
        self.recovery = RecoveryCalls(app, main, orchestrator, run=run, clock=clock, key_name=key_name, keys_of=keys_of)
        self.team = TeamCalls(
            app, orchestrator, run=run, clock=clock, keys_of=keys_of, settings=settings, opening=opening
        )

    @property
    def open_screens(self) -> tuple[OverScreen, ...]:
        """The screens that are open, the topmost last."""
        return tuple(screen for screen in self._app.screen_stack if isinstance(screen, OverScreen))

    def _open(self, kind: type[S]) -> list[S]:
        return [screen for screen in self.open_screens if isinstance(screen, kind)]

    def show_fleet(self, fleet: Fleet) -> None:
        """Let every open screen know the fleet."""
        for screen in self.open_screens:
            screen.show_fleet(fleet)

    def store_changed(self) -> None:
        """Let every open screen know that something may have been written."""
        for screen in self.open_screens:
            screen.store_changed()

    def take(self, wish: Wish) -> None:
        """Do what the person wants."""
        match wish:
            case AnswerOpened():
                self._open_answer(wish)
            case AnswerWanted():
                self._run(self._answer(wish), group="answer")
            case DismissWanted():
                self._run(self._dismiss(wish), group="dismiss")
            case WhyOpened() | WhyWanted() | WrongWanted():
                self._take_why(wish)
            case MessagesOpened() | LogOpened():
                self._open_records(wish)
            case MessagesWanted() | EventsWanted():
                self._run(self._read(wish), group="page")
            case AgentWanted():
                self._go_to(wish)
            case PauseAllWanted():
                self._run(self._pause_all(wish), group="pause", exclusive=True)
            case _:
                self._take_elsewhere(wish)

    def _take_elsewhere(self, wish: Wish) -> None:
        match wish:
            case RecoveryWish():
                self.recovery.take(wish)
            case CreditWish():
                self._credit.take(wish, self._main.fleet)
            case TeamWish():
                self.team.take(wish)
            case _:
                self._schedule.take(wish, self._main.fleet)

    def _go_to(self, wish: AgentWanted) -> None:
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        self._follow_changes(False)
        self._main.action_go_to(wish.agent)
        if wish.attach:
            self._main.action_attach()
        if wish.text is not None:
            self._app.call_later(self._main.write, wish.agent, wish.text)  # after the tree has the focus

    async def _pause_all(self, wish: PauseAllWanted) -> None:
        pausing = self._orchestrator.pausing
        await (pausing.pause_all() if wish.paused else pausing.resume_all())

    # -- needs ------------------------------------------------------------------------------------

    def announce(self, new: tuple[Need, ...]) -> None:
        """Name what needs the person from now on, unless it is listed before their eyes."""
        if self._app.screen is self._main and self._main.shows_needs:
            return
        more = f" · and {len(new) - 1} more" if len(new) > 1 else ""
        title = f"{clean(new[0].agent)} needs you"
        self._app.notify(what(new[0]) + more, title=title, severity="warning", markup=False)

    def _open_answer(self, wish: AnswerOpened) -> None:
        from tui.screens.answer import AnswerScreen

        self._app.push_screen(AnswerScreen(wish.need, clock=self._clock, keys_of=self._keys_of))

    async def _answer(self, wish: AnswerWanted) -> None:
        need, answer = wish.need, None
        self._main.needs.note(need.key, "answering")
        try:
            answer = await self._orchestrator.answer(
                need.agent, wish.choice, fingerprint=need.fingerprint, wait_s=ANSWER_WAIT_S
            )
        finally:
            self._show_outcome(wish, answer)

    def _show_outcome(self, wish: AnswerWanted, answer: Answer | None) -> None:
        from tui.screens.answer import AnswerScreen

        key = wish.need.key
        if answer is None or (answer.state.is_final and answer.state is not AnswerState.GIVEN):
            self._main.needs.note(key, "")
        elif answer.state is AnswerState.GIVEN:
            self._main.needs.note(key, "answered")
        screens = [screen for screen in self._open(AnswerScreen) if screen.need.key == key]
        for screen in screens:
            screen.show_answer(answer)
        if not screens and answer is not None and answer.state is not AnswerState.GIVEN:
            self._say_outcome(answer)

    def _say_outcome(self, answer: Answer) -> None:
        role = clean(answer.agent.rpartition(":")[2])
        if not answer.state.is_final:
            self._app.notify("It is still being given.", title=f"{role}: not answered yet", markup=False)
            return
        words = clean(answer.reason) or "nothing was pressed"
        title = f"{role}: answer {answer.state}"
        self._app.notify(words, title=title, severity="warning", timeout=12, markup=False)

    async def _dismiss(self, wish: DismissWanted) -> None:
        await self._orchestrator.dismiss(wish.need.key)

    # -- why --------------------------------------------------------------------------------------

    def _take_why(self, wish: WhyOpened | WhyWanted | WrongWanted) -> None:
        match wish:
            case WhyOpened():
                self._open_why(wish)
            case WhyWanted():
                self._run(self._look_why(wish), group="why", exclusive=True)
            case WrongWanted():
                self._run(self._report_wrong(wish), group="wrong")

    def _open_why(self, wish: WhyOpened) -> None:
        from tui.screens.why import WhyScreen

        self._app.push_screen(WhyScreen(wish.agent, clock=self._clock, keys_of=self._keys_of))

    def _why_screens(self, agent: AgentId) -> list[WhyScreen]:
        from tui.screens.why import WhyScreen

        return [screen for screen in self._open(WhyScreen) if screen.agent == agent]

    async def _look_why(self, wish: WhyWanted) -> None:
        try:
            why = await self._orchestrator.why(wish.agent)
        except TmorchError as error:
            for screen in self._why_screens(wish.agent):
                screen.show_failure(error)
            return
        for screen in self._why_screens(wish.agent):
            screen.show_why(why)

    async def _report_wrong(self, wish: WrongWanted) -> None:
        try:
            case = await self._orchestrator.report_wrong(wish.agent, wish.status)
        except TmorchError as error:
            for screen in self._why_screens(wish.agent):
                screen.show_failure(error)
            return
        for screen in self._why_screens(wish.agent):
            screen.show_stored(case)

    # -- messages and the log ---------------------------------------------------------------------

    def _open_records(self, wish: MessagesOpened | LogOpened) -> None:
        from tui.screens.log import LogScreen
        from tui.screens.messages import MessagesScreen

        kind = MessagesScreen if isinstance(wish, MessagesOpened) else LogScreen
        screen = kind(wish.scope, self._main.fleet, clock=self._clock, key_name=self._key_name, keys_of=self._keys_of)
        self._app.push_screen(screen, lambda _: self._follow_changes(False))
        self._follow_changes(True)

    async def _read(self, wish: MessagesWanted | EventsWanted) -> None:
        """Read a page for the screen that wants it."""
        from tui.screens.log import LogScreen
        from tui.screens.messages import MessagesScreen

        try:
            if isinstance(wish, MessagesWanted):
                messages = await self._read_messages(wish)
                for screen in self._open(MessagesScreen):
                    screen.take_page(wish.query, wish.before, messages)
            else:
                events = await self._read_events(wish)
                for log in self._open(LogScreen):
                    log.take_page(wish.query, wish.before, events)
        except TmorchError as error:
            kind: type[OverScreen] = MessagesScreen if isinstance(wish, MessagesWanted) else LogScreen
            for failed in self._open(kind):
                failed.page_failed(wish.before, error)

    async def _read_messages(self, wish: MessagesWanted) -> tuple[AgentMessage, ...]:
        scope = wish.query.scope
        agent = AgentId(scope.agent) if scope.agent else None
        return await self._orchestrator.messages(
            agent, partner=scope.partner, limit=PAGE, before=wish.before, text=wish.query.text
        )

    async def _read_events(self, wish: EventsWanted) -> tuple[Event, ...]:
        scope = wish.query.scope
        return await self._orchestrator.events(
            limit=PAGE,
            orchestration=scope.orchestration,
            agent=scope.agent,
            text=wish.query.text,
            before=wish.before,
        )
