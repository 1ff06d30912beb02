"""How messages and the log look."""

from __future__ import annotations

import pytest

from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after, facade_of
from tests.tui import samples
from tui.app import TmorchApp

__all__ = ["utc"]  # the fixture is for this module, too
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])


def app_with_records(theme: str = "tmorch-dark") -> TmorchApp:
    """Return the app with messages in every state and a log."""
    app = app_of(samples.three_teams(), theme)
    facade_of(app).outbox = {message.id: message for message in samples.messages()}
    facade_of(app).log = samples.events(300)
    return app


@SIZES
def test_messages(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Seven messages in every state, in columns; refused and unconfirmed begin with their reason and have marks of
    their own. The unconfirmed one is selected: below it stands in full, with its times and what to do.
    """
    app = app_with_records()
    assert snap_compare(app, terminal_size=size, run_before=after("M", "e", "up", "up"))


@pytest.mark.parametrize("theme", ["tmorch-light", "ansi"])
def test_messages_in_other_themes(snap_compare: Compare, theme: str) -> None:
    """As in the dark theme: no state is told by colour alone."""
    assert snap_compare(app_with_records(theme), terminal_size=(120, 30), run_before=after("M", "e", "up"))


def test_a_conversation(snap_compare: Compare) -> None:
    """The title names the two; both directions are listed."""
    assert snap_compare(app_with_records(), terminal_size=(100, 30), run_before=after("j", "j", "M", "home", "c"))


@SIZES
def test_the_log(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Events in columns, the newest at the bottom and selected; what went wrong and what needs the person stand out."""
    assert snap_compare(app_with_records(), terminal_size=size, run_before=after("L", "e"))


def test_searching_the_log(snap_compare: Compare) -> None:
    """The words being typed stand below the title, which repeats them; only what holds them is listed."""
    app = app_with_records()
    assert snap_compare(app, terminal_size=(100, 30), run_before=after("L", "e", "slash", *"refused"))
