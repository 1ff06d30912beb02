"""How the form for a new team looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from orchestrator_core.errors import UsageError
from orchestrator_core.models.launch import PathKind
from orchestrator_core.services.proposal import SPEC_NAMES
from orchestrator_core.team.spec import EXAMPLE
from tests.fakes.proposals import a_proposal
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after, facade_of
from tests.tui import samples
from tui.app import TmorchApp
from tui.screens.new_team import NewTeamScreen

__all__ = ["utc"]  # the fixture is for this module, too
PROJECT, SPEC = PathKind.PROJECT, PathKind.SPEC
SHOP = "~/projects/shop"
NO_SPEC = UsageError(
    "no spec is named, and the project has none",
    cause=f"/home/dana/projects/shop has none of {', '.join(SPEC_NAMES)}",
    remedy=f"name one, or write SPEC.md into the project, such as:\n\n{EXAMPLE}",
)


def app_with(theme: str = "tmorch-dark", *, saved: int = 0) -> TmorchApp:
    """Return the app with projects, a spec, and as many saved proposals."""
    app = app_of(samples.three_teams(), theme)
    proposals = facade_of(app).proposals
    proposals.paths[PROJECT, ""] = (SHOP, "~/projects/api", "~/projects/docs-site", "~/projects/notes/")
    proposals.paths[PROJECT, "~/projects/s"] = (
        SHOP, "~/projects/shop-2", "~/projects/street-lamps", "~/projects/docs-site", "~/projects/s3/",
        "~/projects/sketches/", "~/projects/songs/", "~/projects/stones/",
    )  # fmt: skip
    proposals.paths[PROJECT, SHOP] = (SHOP,)
    proposals.paths[SPEC, ""] = ("SPEC.md", "docs/till.md", "README.md", "docs/", "src/")
    for _ in range(saved):
        proposals.keep(a_proposal())
    return app


def form(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open the form and press keys."""

    async def run(pilot: Pilot[int]) -> None:
        await after("N")(pilot)
        await aeventually(lambda: isinstance(pilot.app.screen, NewTeamScreen))
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_the_empty_form(snap_compare: Compare, theme: str) -> None:
    """Five fields; below the first one what it may be, repositories before folders; what a reading by Claude costs;
    where saved proposals would be. Nothing is cut in the middle.
    """
    assert snap_compare(app_with(theme), terminal_size=SMALL, run_before=form())


def test_in_a_large_terminal_with_saved_proposals(snap_compare: Compare) -> None:
    """The spec has the focus and its candidates below it; three saved proposals with project, goal, size, and age."""
    keys = (*SHOP.replace("/", "\n").replace("~", "\t"),)
    typed = [{"\n": "slash", "\t": "tilde"}.get(key, key) for key in keys]
    assert snap_compare(app_with(saved=3), terminal_size=LARGE, run_before=form(*typed, "tab"))


def test_candidates_that_scroll_one_marked(snap_compare: Compare) -> None:
    """Six of eight candidates without the folder that is written already; the third one is marked."""
    keys = ("tilde", "slash", *"projects", "slash", "s", "down", "down", "down")
    assert snap_compare(app_with(), terminal_size=SMALL, run_before=form(*keys))


def test_an_error(snap_compare: Compare) -> None:
    """What is wrong, why, and an example of what to write, below what was written; it scrolls."""
    app = app_with()
    facade_of(app).fail("propose", NO_SPEC)
    assert snap_compare(app, terminal_size=SMALL, run_before=form("tab", "tab", "enter"))


def test_a_saved_proposal_goes_after_a_question(snap_compare: Compare) -> None:
    """The second of three is selected; above the list stands which key discards it and which keeps it."""
    app = app_with(saved=3)
    assert snap_compare(app, terminal_size=SMALL, run_before=form("shift+tab", "down", "x"))
