"""How the main screen looks in the states that a day brings: selections, trouble, writing, narrow terminals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId
from tests.fakes.facade import FakeOrchestrator, picture
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.tui import samples
from tui.app import TmorchApp

__all__ = ["utc"]  # the fixture is for this module, too
DEVELOPER = AgentId("shop-3f2a:developer")
Before = Callable[[Pilot[int]], Awaitable[None]]


def facade_of(app: TmorchApp) -> FakeOrchestrator:
    """Return the scripted facade of an app."""
    facade: object = app._orchestrator
    assert isinstance(facade, FakeOrchestrator)
    return facade


def after(*keys: str, text: str = "") -> Before:
    """Press keys, then have `text` in the composer, when there is any."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, TmorchApp)
        await aeventually(lambda: app.main.composer.input is not None)
        await pilot.press(*keys)
        if text and app.main.composer.input is not None:
            app.main.composer.input.load_text(text)
        for field in app.screen.query(Input):
            field.cursor_blink = False  # the palette's is Textual's own
        await pilot.pause()

    return run


def fleet_with(status: AgentStatus, reason: str, **changes: object) -> Fleet:
    """Return the usual fleet with its developer in another state."""
    return samples.with_agent(samples.three_teams(), DEVELOPER, status=status, reason=reason, doing="", **changes)


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_an_agent_that_waits_for_a_person(snap_compare: Compare, theme: str) -> None:
    """The tester is selected: its row, marked at the left edge, says approve?; the title says what it wants to run,
    since when, and how to go there; the preview shows the very dialog.
    """
    assert snap_compare(app_of(samples.three_teams(), theme), terminal_size=(120, 32), run_before=after("n"))


def test_an_agent_that_failed(snap_compare: Compare) -> None:
    """A cross and the exit code in the row; the title says why and which command ends the team."""
    app = app_of(fleet_with(AgentStatus.FAILED, "its program ended with exit code 7"))
    assert snap_compare(app, terminal_size=(140, 24), run_before=after("j", "j"))


def test_an_agent_without_a_window(snap_compare: Compare) -> None:
    """A card instead of the preview: what is left of the agent, its last words, its worktree and branch."""
    words = "Traceback (most recent call last):\n  File \"pay.py\", line 3\nKeyError: 'till'"
    app = app_of(fleet_with(AgentStatus.EXITED, "its pane is gone", pane=None, last_output=words))
    assert snap_compare(app, terminal_size=SMALL, run_before=after("j", "j"))


def test_a_limited_agent(snap_compare: Compare) -> None:
    """The row and the title say until when."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=SMALL, run_before=after(*"jjjjjjjj"))


def test_a_team(snap_compare: Compare) -> None:
    """The team's row is selected: its goal, where it works, its agents at a glance; nothing to write to."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=(100, 30), run_before=after("left"))


def test_guests(snap_compare: Compare) -> None:
    """Other people's sessions, open, below the teams and dimmed; the composer says why there is none."""
    app = app_of(samples.three_teams())
    pane = samples.guests()[0].pane_id
    facade_of(app).pictures.show(picture(pane, "\x1b[34m~/notes\x1b[0m $ vim todo.txt", width=80, height=20))
    assert snap_compare(app, terminal_size=(100, 30), run_before=after("end", "space", "j", "j"))


def test_a_filter(snap_compare: Compare) -> None:
    """Three testers with their teams and nobody else; the title counts them; the filter stays in sight."""
    assert snap_compare(
        app_of(samples.three_teams()), terminal_size=SMALL, run_before=after("slash", *"tester", "enter")
    )


def test_writing_a_message(snap_compare: Compare) -> None:
    """The composer has the focus: its rule is lit, it has grown to the text, the keys at the bottom are its own."""
    text = "Please stop, and look at src/till.py first:\n  - the sum is wrong for [refunds]\n  - see also #42"
    assert snap_compare(
        app_of(samples.three_teams()), terminal_size=(100, 30), run_before=after("m", "ctrl+t", text=text)
    )


def test_the_palette(snap_compare: Compare) -> None:
    """Every command in words with its key, those that matter first."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=(100, 30), run_before=after("ctrl+p"))


def test_a_narrow_terminal(snap_compare: Compare) -> None:
    """Below 76 columns the tree stands above the preview; nothing is lost."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=(64, 30), run_before=after("j", "j"))


def test_a_hundred_agents(snap_compare: Compare) -> None:
    """Twenty teams scroll in the tree; the header counts them."""
    app = app_of(samples.many(100, doing="Working hard"))
    assert snap_compare(app, terminal_size=LARGE, run_before=after(*["pagedown"] * 3))


def test_trouble(snap_compare: Compare) -> None:
    """Two banners, one line each: the supervisor is down, and a feed failed; below them the last known fleet."""
    app = app_of(replace(samples.three_teams(), supervisor=SupervisorHealth(running=False)))

    async def run(pilot: Pilot[int]) -> None:
        await after()(pilot)
        facade_of(app).fleet_feed.put(StoreError("the database is locked", cause="another program holds it"))
        await aeventually(lambda: len(app.main._failures) == 1)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 24), run_before=run)


def test_an_error(snap_compare: Compare) -> None:
    """A notification with title, cause and remedy; brackets in it are text."""
    app = app_of(samples.three_teams())
    error = StoreError("the [outbox] is full", cause="the disk has no room", remedy="make room, then send again")
    facade_of(app).fail("send", error)

    async def run(pilot: Pilot[int]) -> None:
        await after("m", text="hello")(pilot)
        await pilot.press("enter")
        await aeventually(lambda: len(app._notifications) == 1)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(100, 30), run_before=run)
