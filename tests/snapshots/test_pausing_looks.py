"""How the main screen looks while the person has teams wait."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import after
from tests.tui import samples
from tests.tui.test_pausing import paused

__all__ = ["utc"]  # the fixture is for this module, too


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
def test_all_teams_wait(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The header says `⏸ all paused` right behind the name, in both sizes; each team says paused, and no agent has a
    due time.
    """
    fleet = paused(replace(samples.three_teams(), needs=()))
    assert snap_compare(app_of(fleet), terminal_size=size, run_before=after())
