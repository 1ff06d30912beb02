"""How the schedule's screen and its form look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from orchestrator_core.models.timeline import Timeline
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after, facade_of
from tests.tui import samples, schedules
from tui.app import TmorchApp
from tui.screens.schedule import ScheduleScreen

__all__ = ["utc"]  # the fixture is for this module, too
MIDDLE = (120, 36)


def app_with(timeline: Timeline, theme: str = "tmorch-dark", *, crowded: bool = False) -> TmorchApp:
    """Return the app with a schedule."""
    app = app_of(samples.many(50) if crowded else samples.three_teams(), theme)
    facade_of(app).check_ins.schedule = timeline
    return app


def shown(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open the schedule, wait until it was read, and press keys; each is dealt with before the next."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        await after("s")(pilot)

        def is_read() -> bool:
            found = [screen for screen in app.screen_stack if isinstance(screen, ScheduleScreen)]
            return bool(found) and not found[0].is_reading

        await aeventually(is_read)
        for key in keys:
            await pilot.press(key)
            await aeventually(is_read)
        await pilot.pause()

    return run


def test_a_day_in_a_small_terminal(snap_compare: Compare) -> None:
    """Title, axis, a dozen lanes with the roles before them, one overdue beside its name; the selected moment of the
    first lane is reversed and said in full below: its note, when, how often, by whom.
    """
    assert snap_compare(app_with(schedules.day()), terminal_size=SMALL, run_before=shown())


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_six_lanes(snap_compare: Compare, theme: str) -> None:
    """Six lanes with clock times and notes; the developer's merge is selected, in the lane and below."""
    keys = ("j", "j", "right", "right")
    assert snap_compare(app_with(schedules.six(), theme), terminal_size=MIDDLE, run_before=shown(*keys))


def test_a_crowd(snap_compare: Compare) -> None:
    """Fifty lanes of which as many as fit are shown, with a scroll bar; nothing is cut in the middle."""
    app = app_with(schedules.crowd(), crowded=True)
    assert snap_compare(app, terminal_size=LARGE, run_before=shown("pagedown", "k"))


def test_a_whole_day_at_once(snap_compare: Compare) -> None:
    """What repeats is counted where several share a cell; trouble keeps its glyph."""
    assert snap_compare(app_with(schedules.day()), terminal_size=MIDDLE, run_before=shown("minus", "minus", "minus"))


def test_what_repeats_is_cancelled_after_a_question(snap_compare: Compare) -> None:
    """Above the details stands what cancelling a standing check-in means, and which key does it."""
    assert snap_compare(app_with(schedules.six()), terminal_size=MIDDLE, run_before=shown("x"))


def test_moving(snap_compare: Compare) -> None:
    """The merge stands six minutes later than it was; the details say to when it is being moved."""
    app = app_with(schedules.six())
    facade_of(app).check_ins.may_change.clear()
    keys = ("j", "j", "right", "right", "greater_than_sign", "full_stop")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=shown(*keys))


def test_the_form(snap_compare: Compare) -> None:
    """Over the dimmed lanes: for whom, the note, in how many minutes, how often, and when that is going to be."""
    keys = ("a", *"look.at.tests", "down", *"1h30m")
    assert snap_compare(app_with(schedules.six()), terminal_size=MIDDLE, run_before=shown(*keys))


def test_the_form_with_what_cannot_be(snap_compare: Compare) -> None:
    """It says what a time looks like; nothing that was written is lost."""
    keys = ("a", *"look", "down", *"soon", "ctrl+t")
    assert snap_compare(app_with(schedules.six()), terminal_size=SMALL, run_before=shown(*keys))


def test_nothing_is_scheduled(snap_compare: Compare) -> None:
    """The title with its axis, and three lines that say why nothing is here and what puts something here."""
    assert snap_compare(app_with(Timeline(start=0, end=1)), terminal_size=SMALL, run_before=shown())
