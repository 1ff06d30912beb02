"""How the timeline looks at the bottom of the main screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.timeline import Timeline
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after, facade_of
from tests.tui import samples
from tui.app import TmorchApp

__all__ = ["utc"]  # the fixture is for this module, too
MIDDLE = (120, 36)
SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])


def app_with(timeline: Timeline, fleet: Fleet | None = None, theme: str = "tmorch-dark") -> TmorchApp:
    """Return the app with a schedule, and the next check-in of each agent in the tree."""
    app = app_of(samples.check_ins_due(fleet or samples.three_teams(), timeline), theme)
    facade_of(app).check_ins.schedule = timeline
    return app


def shown(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Press keys once the strip is there."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, TmorchApp)
        await after()(pilot)
        await aeventually(lambda: app.main.timeline.region.height > 0)
        await after(*keys)(pilot)

    return run


@SIZES
def test_a_day_s_work(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Below everything the axis with clock times and now, and under it lanes: one, four or eight, the selected agent's
    marked at its left. What fired stands left of the now-line with a glyph for each receipt, what is due right of it
    with time and note where there is room, what repeats as rings. What is overdue stands between the name and the lane;
    the title says how much is, and how many lanes are not shown. The tree says when the next check-ins are due. The
    divider ends in the rule.
    """
    assert snap_compare(app_with(samples.schedule()), terminal_size=size, run_before=shown())


@pytest.mark.parametrize("theme", ["tmorch-light", "ansi", "tmorch-colourblind"])
def test_a_day_s_work_in_other_themes(snap_compare: Compare, theme: str) -> None:
    """As in the dark one; the now-line, the dots and the glyphs can be told apart."""
    assert snap_compare(app_with(samples.schedule(), theme=theme), terminal_size=MIDDLE, run_before=shown())


def test_another_team_is_selected(snap_compare: Compare) -> None:
    """The second team's lanes stand first, under their roles; those of the others are named with their projects."""
    app = app_with(samples.schedule())
    assert snap_compare(app, terminal_size=LARGE, run_before=shown(*["j"] * 7))


def test_nothing_fires(snap_compare: Compare) -> None:
    """The supervisor is down, and the first team is paused besides: the title says both, its lanes bear the mark."""
    timeline = samples.schedule()
    lanes = tuple(replace(lane, is_paused=lane.orchestration == "shop-3f2a") for lane in timeline.lanes)
    first, *others = samples.three_teams().teams
    paused = replace(first, orchestration=replace(first.orchestration, check_ins_paused_at=samples.NOW))
    supervisor = SupervisorHealth(running=False)
    fleet = replace(samples.three_teams(), teams=(paused, *others), supervisor=supervisor)
    app = app_with(replace(timeline, lanes=lanes), fleet)
    assert snap_compare(app, terminal_size=MIDDLE, run_before=shown())


def test_nothing_is_due(snap_compare: Compare) -> None:
    """One calm line with the axis."""
    app = app_with(Timeline(start=0, end=1))
    assert snap_compare(app, terminal_size=MIDDLE, run_before=shown())


def test_a_narrow_terminal(snap_compare: Compare) -> None:
    """One lane below the parts that stand above each other."""
    assert snap_compare(app_with(samples.schedule()), terminal_size=(64, 30), run_before=shown("j", "j"))
