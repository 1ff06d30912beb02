"""How what needs the person looks: the panel, a need in full, why a status is what it is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.models.need import Need, NeedKind
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after, facade_of
from tests.tui import samples
from tui.app import TmorchApp

__all__ = ["utc"]  # the fixture is for this module, too
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
LONG = "for file in $(git ls-files '*.py'); do\n  " + " &&\n  ".join(
    f"sed -i 's/[bold]colour{n}/color{n}/g' \"$file\"" for n in range(24)
)


def app_with(*needs: Need) -> TmorchApp:
    """Return the app with these needs."""
    return app_of(replace(samples.three_teams(), needs=needs))


@SIZES
def test_nobody_needs_the_person(snap_compare: Compare, size: tuple[int, int]) -> None:
    """No panel in a small terminal; one calm line in a large one. The header does not speak of needs."""
    assert snap_compare(app_with(), terminal_size=size, run_before=after())


@SIZES
def test_one_need(snap_compare: Compare, size: tuple[int, int]) -> None:
    """One row below the fleet with the command and its age, selected; its agent is selected in the tree, and its screen
    is shown; the keys at the bottom say what answers it.
    """
    assert snap_compare(app_with(samples.permission()), terminal_size=size, run_before=after("n"))


@SIZES
def test_many_needs(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Twelve needs of every kind, a mark for each kind: four rows that scroll in a small terminal, all in a large one.
    The header says twelve. Ages stand in a column.
    """
    assert snap_compare(app_with(*samples.many_needs()), terminal_size=size, run_before=after("n", "j", "j"))


@pytest.mark.parametrize("theme", ["tmorch-light", "ansi"])
def test_needs_in_other_themes(snap_compare: Compare, theme: str) -> None:
    """The selected row is marked at its left edge, not by colour alone."""
    fleet = replace(samples.three_teams(), needs=samples.many_needs())
    assert snap_compare(app_of(fleet, theme), terminal_size=(100, 30), run_before=after("n"))


@SIZES
def test_a_permission_with_a_long_command(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The command as it is, brackets and all, scrolled where it is too long; the three choices with their digits and
    the keys stay in sight.
    """
    assert snap_compare(app_with(samples.permission(command=LONG)), terminal_size=size, run_before=after("a"))


@SIZES
def test_a_question(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The question and its answers, the second one marked; no key approves."""
    app = app_with(samples.question())
    assert snap_compare(app, terminal_size=size, run_before=after("a", "down", "down"))


@SIZES
def test_an_agent_that_may_be_stuck(snap_compare: Compare, size: tuple[int, int]) -> None:
    """What is known of its signs, whole, with the time of each; keys that write, go there and strike it off, and none
    that answers.
    """
    stuck = next(need for need in samples.many_needs() if need.kind is NeedKind.STUCK)
    assert snap_compare(app_with(stuck), terminal_size=size, run_before=after("a"))


def test_a_need_that_is_over(snap_compare: Compare) -> None:
    """The need ended while it was open: it says so, its choices are dimmed and no key answers."""
    app = app_with(samples.permission())

    async def run(pilot: Pilot[int]) -> None:
        await after("a")(pilot)
        facade_of(app).publish(replace(samples.three_teams(), needs=()))
        await after()(pilot)

    assert snap_compare(app, terminal_size=SMALL, run_before=run)


@SIZES
def test_why(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The status with its reason; a line for each source with weight, source, words and age in columns."""
    app = app_of(samples.three_teams())
    facade_of(app).whys["shop-3f2a:tester"] = samples.why(samples.three_teams())
    assert snap_compare(app, terminal_size=size, run_before=after("n", "w"))


def test_calling_a_status_wrong(snap_compare: Compare) -> None:
    """Below the evidence the statuses with their digits, the second one marked."""
    app = app_of(samples.three_teams())
    facade_of(app).whys["shop-3f2a:tester"] = samples.why(samples.three_teams())
    assert snap_compare(app, terminal_size=(100, 34), run_before=after("n", "w", "x", "j", "j"))
