"""How credit looks: in the header, beside the agents, and on its own screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from orchestrator_core.models.credit import AccountStatus
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, settled, utc
from tests.snapshots.test_main_screen_states import facade_of
from tests.tui.credits import GUESSED, LIMITED, NEARLY, SECOND, UNTOLD, WELL, WORK, history, uses, with_accounts
from tui.app import TmorchApp
from tui.screens.credits import CreditsScreen

__all__ = ["utc"]  # the fixture is for this module, too

MIDDLE = (120, 36)


def app_with(*accounts: AccountStatus, theme: str = "tmorch-dark") -> TmorchApp:
    app = app_of(with_accounts(*accounts), theme)
    credits = facade_of(app).credits
    credits.accounts, credits.readings, credits.uses = accounts, (*history(), *history(WORK)), uses()
    return app


def opened(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Open the screen, and press keys once everything was read."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, TmorchApp)
        await aeventually(lambda: app.main.composer.input is not None)
        await pilot.press("dollar_sign")
        await aeventually(lambda: isinstance(app.screen, CreditsScreen) and app.screen.known is not None)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return run


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x36", "200x60"])
def test_header_of_an_account_that_is_well(snap_compare: Compare, size: tuple[int, int]) -> None:
    """In the header, at the right: 5 h with 63 %, and the week with 41 %; the wider, the more: when each resets, a bar.
    In the tree each agent has `ctx` with what is left, where there is room; those nearly full have ! before it.
    """
    assert snap_compare(app_with(WELL), terminal_size=size, run_before=settled())


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
def test_header_nearly_used_up(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    """In the header ‼ and 94 % of the 5 h, ! and 78 % of the week: marks and colours differ."""
    assert snap_compare(app_with(NEARLY, theme=theme), terminal_size=size, run_before=settled())


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
def test_header_limited(snap_compare: Compare, size: tuple[int, int]) -> None:
    """In the header ⏸ at the 5 h, with how long it is until the reset, however narrow."""
    assert snap_compare(app_with(LIMITED), terminal_size=size, run_before=settled())


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
def test_header_unknown(snap_compare: Compare, size: tuple[int, int]) -> None:
    """In the header `credit ?` at most: nothing was told."""
    assert snap_compare(app_with(UNTOLD), terminal_size=size, run_before=settled())


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_the_screen(snap_compare: Compare, theme: str) -> None:
    """The account with its plan and ok; both windows with bar, percentage, reset, projection, who told it; the use over
    the last 5 h below, rising.
    """
    assert snap_compare(app_with(WELL, theme=theme), terminal_size=SMALL, run_before=opened())


@pytest.mark.parametrize("size", [MIDDLE, LARGE], ids=["120x36", "200x60"])
def test_the_screen_with_two_accounts(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Both accounts one after the other, each with its plots and agents; nothing is cut at the right; in the agents'
    table a model, tokens, costs as by the API, what is left of the context; ! where little is.
    """
    assert snap_compare(app_with(NEARLY, SECOND), terminal_size=size, run_before=opened())


def test_the_second_account(snap_compare: Compare) -> None:
    """Tab was pressed: ~/.claude-work stands at the top."""
    assert snap_compare(app_with(NEARLY, SECOND), terminal_size=SMALL, run_before=opened("tab"))


def test_agents_on_a_small_screen(snap_compare: Compare) -> None:
    """The end of the screen: the agents' table, all columns but the model, nothing cut at the right."""
    assert snap_compare(app_with(WELL), terminal_size=SMALL, run_before=opened("end"))


@pytest.mark.parametrize("account", [LIMITED, GUESSED, UNTOLD], ids=["limited", "guessed", "untold"])
def test_states(snap_compare: Compare, account: AccountStatus) -> None:
    """limited: ⏸ exhausted, when it resets, who said so. guessed: the same with ~ and “estimated”. untold: ? unknown,
    and when something will be told.
    """
    assert snap_compare(app_with(account), terminal_size=SMALL, run_before=opened())


def test_no_account(snap_compare: Compare) -> None:
    """The screen says that nothing is known, and why; the header of the main screen had no gauge."""
    assert snap_compare(app_with(), terminal_size=SMALL, run_before=opened())
