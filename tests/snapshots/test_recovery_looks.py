"""How the screen looks that resumes teams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from orchestrator_core.models.recovery import Orphan, RecoveryPlan, Step
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import facade_of
from tests.tui import samples
from tests.tui.plans import BLOG, CONTINUE, ODD, ORPHANS, PLAIN, WHOLE
from tui.app import TmorchApp
from tui.screens.recovery import RecoveryScreen

__all__ = ["utc"]  # the fixture is for this module, too


def app_with(
    *plans: RecoveryPlan,
    left_over: tuple[Orphan, ...] = (),
    failing: tuple[tuple[Step, str], ...] = (),
    ends: bool = True,
    theme: str = "tmorch-dark",
) -> TmorchApp:
    """Return the app with these plans; what is resumed stops behind its first step unless it `ends`."""
    app = app_of(samples.three_teams(), theme)
    recovery = facade_of(app).recovery
    recovery.found, recovery.left_over, recovery.failing = plans, left_over, failing
    if not ends:
        recovery.may_end.clear()
    return app


def opened(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open the screen, and press keys once everything was read."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, TmorchApp)
        await aeventually(lambda: app.main.composer.input is not None)
        await pilot.press("R")
        await aeventually(lambda: isinstance(app.screen, RecoveryScreen) and facade_of(app).recovery.readings > 0)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_a_plan(snap_compare: Compare, theme: str) -> None:
    """Two teams. Of the first: what warns, then each agent with what is kept or would be done, in columns; at the
    right that 4 things are to do and 1 is refused. Below: what is left over; then the selected team in words; at the
    bottom the keys, resume first.
    """
    app = app_with(ODD, WHOLE, left_over=ORPHANS, theme=theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=opened())


def test_a_refused_part(snap_compare: Compare) -> None:
    """The row with ‼ is selected; below stands the whole reason, with what the person can do."""
    assert snap_compare(app_with(ODD), terminal_size=SMALL, run_before=opened("end"))


def test_what_is_unusual_is_asked(snap_compare: Compare) -> None:
    """Below: which key resumes, and the three things to know first."""
    assert snap_compare(app_with(ODD, WHOLE), terminal_size=SMALL, run_before=opened("y"))


def test_under_way(snap_compare: Compare) -> None:
    """The team's row says 1 of 2 done; the worktree has ✔, the program ◌; below, that the screen may be left."""
    assert snap_compare(app_with(PLAIN, WHOLE, ends=False), terminal_size=SMALL, run_before=opened("y"))


def test_failed(snap_compare: Compare) -> None:
    """Three teams on a wide screen; in the first a part has ✖ with why, in its row and below; what was refused is
    named, too; the other two are as they were.
    """
    failing = ((CONTINUE, "claude ended at once: exit code 1"),)
    app = app_with(ODD, BLOG, WHOLE, left_over=ORPHANS, failing=failing)
    assert snap_compare(app, terminal_size=LARGE, run_before=opened("y", "y"))


def test_whole(snap_compare: Compare) -> None:
    """Nothing is missing, in the title, the team's row and below; there is no key to resume."""
    assert snap_compare(app_with(WHOLE), terminal_size=SMALL, run_before=opened())


def test_left_over(snap_compare: Compare) -> None:
    """The list below has the focus: its title is lit; below stands the command that is safe to type."""
    assert snap_compare(app_with(WHOLE, left_over=ORPHANS), terminal_size=SMALL, run_before=opened("tab", "down"))
