"""`ScheduleCalls`: what is wished on the schedule's screen and in its form, each in one call of the facade."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.screen import Screen

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import CheckInId
from tui.messages import (
    CancelWanted,
    CheckInFormOpened,
    CheckInLooked,
    CheckInWanted,
    FireWanted,
    MoveWanted,
    PauseWanted,
    PreviewWanted,
    RewordWanted,
    ScheduleOpened,
    ScheduleWanted,
    Wish,
)
from tui.schedule_words import on_clock

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.overlays import Run
    from tui.screens.check_in_form import CheckInForm
    from tui.screens.schedule import ScheduleScreen

S = TypeVar("S", bound=Screen[None])


class ScheduleCalls:
    """Opens the schedule and its form, and does what is wished there."""

    def __init__(
        self,
        app: App[int],
        orchestrator: Orchestrator,
        *,
        run: Run,
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._app = app
        self._orchestrator = orchestrator
        self._run = run
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of

    def take(self, wish: Wish, fleet: Fleet | None) -> None:
        """Do what the person wants, if it is about the schedule."""
        match wish:
            case ScheduleOpened():
                self._open(wish, fleet)
            case CheckInFormOpened():
                self._open_form(wish)
            case ScheduleWanted():
                self._run(self._read(wish), group="schedule")
            case CheckInLooked():
                self._run(self._look(wish.check_in), group="check-in", exclusive=True)
            case PreviewWanted():
                self._run(self._preview(wish), group="preview", exclusive=True)
            case CheckInWanted() | RewordWanted():
                self._run(self._fill_in(wish), group="change")
            case MoveWanted():
                self._run(self._move(wish), group="change")
            case CancelWanted() | FireWanted() | PauseWanted():
                self._run(self._change(wish), group="change")

    def _screens(self, kind: type[S]) -> list[S]:
        return [screen for screen in self._app.screen_stack if isinstance(screen, kind)]

    @property
    def _schedules(self) -> list[ScheduleScreen]:
        from tui.screens.schedule import ScheduleScreen

        return self._screens(ScheduleScreen)

    @property
    def _forms(self) -> list[CheckInForm]:
        from tui.screens.check_in_form import CheckInForm

        return self._screens(CheckInForm)

    def _read_again(self) -> None:
        for screen in self._schedules:
            screen.read_again()

    # -- opening and reading ----------------------------------------------------------------------

    def _open(self, wish: ScheduleOpened, fleet: Fleet | None) -> None:
        from tui.screens.schedule import ScheduleScreen

        screen = ScheduleScreen(wish.agent, fleet, clock=self._clock, key_name=self._key_name, keys_of=self._keys_of)
        self._app.push_screen(screen)

    def _open_form(self, wish: CheckInFormOpened) -> None:
        from tui.screens.check_in_form import CheckInForm

        self._app.push_screen(CheckInForm(wish.agent, wish.check_in, clock=self._clock, keys_of=self._keys_of))

    async def _read(self, wish: ScheduleWanted) -> None:
        window = wish.window
        try:
            timeline = await self._orchestrator.check_ins.timeline(window.start, window.end, step_s=window.step_s)
        except TmorchError as error:
            for screen in self._schedules:
                screen.reading_failed(error)
            return
        for screen in self._schedules:
            screen.take_timeline(window, timeline)

    async def _look(self, number: CheckInId) -> None:
        try:
            check_in, last = await self._orchestrator.check_ins.get(number)
        except TmorchError:
            return  # what is known of it stays on the screen
        for screen in self._schedules:
            screen.take_last(check_in.id, last)

    # -- the form ---------------------------------------------------------------------------------

    async def _preview(self, wish: PreviewWanted) -> None:
        try:
            times = await self._orchestrator.check_ins.preview(wish.request)
        except TmorchError as error:
            for form in self._forms:
                form.take_preview(wish.request, error)
            return
        for form in self._forms:
            form.take_preview(wish.request, times)

    async def _fill_in(self, wish: CheckInWanted | RewordWanted) -> None:
        """Do what the form says; it stays open, with all that is in it, when that cannot be."""
        check_ins = self._orchestrator.check_ins
        is_known = False
        try:
            if isinstance(wish, RewordWanted):
                check_in = await check_ins.reword(wish.check_in, wish.note)
            else:
                scheduled = await check_ins.add(wish.request, wish.agent)
                check_in, is_known = scheduled.check_in, not scheduled.is_new
        except TmorchError as error:
            for form in self._forms:
                form.take_failure(error)
            return
        if is_known:
            due = on_clock(check_in.due_at, self._clock())
            words = f"Check-in {check_in.id}, due at {due}, means the same. Nothing was added."
            self._app.notify(words, title="It was set already", markup=False)
        for screen in self._schedules:
            screen.show_check_in(check_in)
        for form in self._forms:
            form.dismiss()
        self._read_again()

    # -- changes ----------------------------------------------------------------------------------

    async def _move(self, wish: MoveWanted) -> None:
        try:
            moved = await self._orchestrator.check_ins.move(wish.check_in, to=wish.to)
        except BaseException:
            for screen in self._schedules:
                screen.move_failed(wish.check_in)
            raise
        for screen in self._schedules:
            screen.take_moved(wish.to, moved)
        self._read_again()

    async def _change(self, wish: CancelWanted | FireWanted | PauseWanted) -> None:
        try:
            await self._call(wish)
        finally:
            self._read_again()

    def _call(self, wish: CancelWanted | FireWanted | PauseWanted) -> Awaitable[object]:
        check_ins = self._orchestrator.check_ins
        match wish:
            case CancelWanted():
                return check_ins.cancel(wish.check_in)
            case FireWanted():
                return check_ins.fire(wish.check_in)
            case PauseWanted():
                return check_ins.pause(wish.orchestration, paused=wish.paused)
