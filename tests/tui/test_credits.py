"""The gauge in the header, the context in the tree, and the screen of credit."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from orchestrator_core.config.settings import ContextSettings, CreditSettings, Settings
from orchestrator_core.errors import RefusedError
from tests.polling import aeventually
from tests.tui.credits import HOUR, LIMITED, NEARLY, SECOND, WELL, WORK, history, uses, with_accounts
from tests.tui.samples import MINUTE, three_teams
from tests.tui.stage import Stage, running, staged
from tui.screens.credits import CreditsScreen


def known(home: Path, *accounts: object, settings: Settings | None = None) -> Stage:
    """Return a stage whose facade knows these accounts."""
    stage = staged(home, with_accounts(*accounts), settings=settings)  # type: ignore[arg-type]
    credits = stage.facade.credits
    credits.accounts, credits.readings, credits.uses = accounts, (*history(), *history(WORK)), uses()  # type: ignore[assignment]
    return stage


def screen_of(stage: Stage) -> CreditsScreen:
    assert isinstance(stage.app.screen, CreditsScreen)
    return stage.app.screen


async def opened(stage: Stage) -> None:
    """Open the screen, and wait until everything is read."""
    await stage.press("dollar_sign")
    await aeventually(lambda: isinstance(stage.app.screen, CreditsScreen) and stage.app.screen.known is not None)
    await stage.settle()


async def test_the_header_counts_down_and_changes_with_the_fleet(isolated_home: Path) -> None:
    async with running(known(isolated_home, WELL), size=(200, 40)) as stage:
        assert "63 % resets in 1 h 12 min" in stage.text("#header")
        stage.now += 11 * MINUTE
        stage.main._show_ages()
        assert "63 % resets in 1 h 1 min" in stage.text("#header")
        stage.facade.publish(with_accounts(LIMITED))
        await aeventually(lambda: "⏸ 5 h" in stage.text("#header"))
        stage.now += 2 * HOUR
        stage.main._show_ages()
        assert "5 h ░░░░░░░░ ? reset" in stage.text("#header")


async def test_without_an_account_the_header_has_no_gauge(isolated_home: Path) -> None:
    async with running(staged(isolated_home), size=(200, 40)) as stage:
        assert "5 h" not in stage.text("#header")
        assert "credit" not in stage.text("#header")


async def test_thresholds_are_those_of_the_settings(isolated_home: Path) -> None:
    settings = Settings(credit=CreditSettings(warn_percentage=50, alarm_percentage=60))
    async with running(known(isolated_home, WELL, settings=settings)) as stage:
        assert "‼5h 63%" in stage.text("#header") or "‼ 5 h" in stage.text("#header")


async def test_the_tree_tells_of_the_context_by_the_settings(isolated_home: Path) -> None:
    settings = Settings(context=ContextSettings(checkpoint_percentage=95))
    async with running(known(isolated_home, WELL), size=(200, 40)) as stage:
        assert "!ctx 12%" in stage.screen_text()
        assert " ctx 65%" in stage.screen_text()
    async with running(known(isolated_home, WELL, settings=settings), size=(200, 40)) as stage:
        assert "!ctx" not in stage.screen_text()


async def test_the_screen_shows_what_is_known_and_goes_back(isolated_home: Path) -> None:
    async with running(known(isolated_home, WELL), size=(160, 60)) as stage:
        await opened(stage)
        shown = stage.screen_text()
        for words in (
            "~/.claude",
            "plan max5",
            "63 %",
            "used up ~",
            "parsed: its status line",
            "$3.33",
            "2.2M",
            "12 %",
        ):
            assert words in shown
        await stage.press("escape")
        assert stage.is_on_main


async def test_it_is_read_again_when_the_fleet_tells_of_another_credit_and_not_otherwise(isolated_home: Path) -> None:
    async with running(known(isolated_home, WELL)) as stage:
        await opened(stage)
        reads = stage.facade.credits.reads
        stage.facade.publish(replace(with_accounts(WELL), tmux_detail="anew"))
        await stage.settle()
        assert stage.facade.credits.reads == reads
        stage.facade.credits.accounts = (NEARLY,)
        stage.facade.publish(with_accounts(NEARLY))
        await aeventually(lambda: "94 %" in stage.screen_text())
        assert stage.facade.credits.reads == reads + 1
        await stage.press("r")
        await aeventually(lambda: stage.facade.credits.reads == reads + 2)


async def test_tab_goes_from_account_to_account(isolated_home: Path) -> None:
    async with running(known(isolated_home, NEARLY, SECOND), size=(80, 24)) as stage:
        await opened(stage)
        assert "~/.claude-work" not in stage.screen_text()
        await stage.press("tab")
        await aeventually(lambda: "~/.claude-work" in stage.screen_text())
        await stage.press("tab")
        await aeventually(lambda: "~/.claude-work" not in stage.screen_text())


async def test_what_cannot_be_read_is_said_and_what_was_known_stays(isolated_home: Path) -> None:
    async with running(known(isolated_home, WELL)) as stage:
        await opened(stage)
        stage.facade.failures["credits"] = RefusedError("the database is locked")
        await stage.press("r")
        await aeventually(lambda: "The database is locked" in stage.screen_text())
        assert "63 %" in stage.screen_text()


async def test_nothing_is_painted_while_nothing_reads_differently(isolated_home: Path) -> None:
    async with running(known(isolated_home, WELL)) as stage:
        await opened(stage)
        screen = screen_of(stage)
        shown = screen.query_one("#credits-text").render()
        screen._show()
        assert screen.query_one("#credits-text").render() is shown


async def test_agents_of_nobody_leave_the_screen_with_words(isolated_home: Path) -> None:
    async with running(staged(isolated_home, three_teams())) as stage:
        await opened(stage)
        assert "Nothing is known of any account." in stage.screen_text()
