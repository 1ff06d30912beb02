"""The app around the screens: filter, zoom, help, palette, themes, attach, errors, banners, quitting."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.app import SuspendNotSupported
from textual.command import CommandPalette
from textual.widgets import OptionList

from orchestrator_core.config.settings import TuiSettings, load_settings
from orchestrator_core.errors import SettingsError, StoreError, TmuxCommandError, TmuxGoneError
from orchestrator_core.models.fleet import Fleet, SupervisorHealth, Team, TmuxState
from orchestrator_core.models.ids import AgentId, PaneId
from tests.fakes.facade import FakeAttachment
from tests.polling import aeventually
from tests.tui.samples import MINUTE, SERVER, agent, no_teams, orchestration, shop, three_teams, view, with_agent
from tests.tui.stage import Stage, running, staged
from tui.messages import FleetChanged
from tui.widgets.fleet_panel import FilterInput
from tui.widgets.key_bar import KeyBar

DEVELOPER = AgentId("shop-3f2a:developer")


# -- filter ---------------------------------------------------------------------------------------


async def test_the_filter_narrows_while_typing_and_enter_keeps_it(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("slash", *"tester")
        assert stage.selected == "agent:shop-3f2a:tester"
        assert "3 of 14" in stage.text("#fleet-title")
        assert "tester" in stage.text("#stage-title")
        await stage.press("enter", "j", "j")
        assert stage.selected == "agent:api-77c1:tester"
        await stage.press("escape")
        assert stage.selected == "agent:api-77c1:tester"
        assert "/ filter" in stage.text("#fleet-title")


async def test_escape_clears_the_filter_and_gives_the_selection_back(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("slash", *"docs", "escape")
        assert stage.selected == "agent:shop-3f2a:orchestrator"
        assert stage.app.focused is stage.main.fleet_tree


async def test_no_match_says_so_and_how_to_clear(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("slash", "left_square_bracket", "b", "right_square_bracket", "q")
        assert "nothing matches “[b]q”" in stage.screen_text()
        assert "esc clears the filter" in stage.screen_text()
        await stage.press("enter")
        assert isinstance(stage.app.focused, FilterInput), "there is nothing to go to"
        await stage.press("escape")
        assert "nothing matches" not in stage.screen_text()


async def test_a_filter_goes_on_while_the_fleet_changes(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("slash", *"migrating")
        assert "nothing matches" in stage.screen_text()
        stage.facade.publish(with_agent(three_teams(), DEVELOPER, doing="Migrating the database"))
        await aeventually(lambda: stage.selected == f"agent:{DEVELOPER}")
        assert "nothing matches" not in stage.screen_text()


# -- zoom -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("back", ["z", "escape"])
async def test_zoom_gives_the_pane_the_screen_and_returns(isolated_home: Path, back: str) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("z")
        assert stage.main.stage.pane_view.size.height == 29
        assert "z back" in stage.text("#stage-title")
        assert "shop-3f2a ▸ orchestrator" in stage.text("#stage-title")
        await stage.press(back)
        assert "api-77c1" in stage.screen_text()
        assert stage.app.focused is stage.main.fleet_tree


async def test_scrolling_up_asks_for_history(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        frame = stage.facade.pictures.pictures[PaneId("%10")]
        stage.facade.pictures.show(replace(frame, history_size=500))
        await aeventually(lambda: stage.main.stage.pane_view.frame == stage.facade.pictures.pictures[PaneId("%10")])
        await stage.press("z", "pageup", "pageup", "pageup")
        await aeventually(lambda: stage.facade.pictures.histories)
        await aeventually(lambda: "older" in stage.screen_text())


# -- help and palette -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "title", "words"),
    [
        (["question_mark"], "Help: the fleet", "Go to the next thing that needs you"),
        (["m", "f1"], "Help: messages", "Deliver when the agent is idle, or now"),
        (["slash", "f1"], "Help: the filter", "Show everything again"),
        (["tab", "question_mark"], "Help: what needs you", "Select the need below"),
        (["tab", "tab", "question_mark"], "Help: the screen of a pane", "Scroll back a page"),
    ],
)
async def test_help_is_about_what_has_the_focus(isolated_home: Path, keys: list[str], title: str, words: str) -> None:
    async with running(staged(isolated_home), size=(120, 60)) as stage:
        await stage.press(*keys)
        assert stage.is_helping
        assert title in stage.screen_text()
        assert words in stage.screen_text()
        await stage.press("escape")
        assert not stage.is_helping


async def test_help_shows_the_keys_of_the_settings(isolated_home: Path) -> None:
    settings = TuiSettings(keys={"main.zoom": "f7", "fleet.down": "x,down"})
    async with running(staged(isolated_home, tui=settings), size=(120, 60)) as stage:
        assert "f7 zoom" in stage.text("#keys")
        await stage.press("x")
        assert stage.selected == "agent:shop-3f2a:project_manager"
        await stage.press("question_mark")
        assert "x ↓" in stage.screen_text()


async def choose(stage: Stage, words: str) -> None:
    """Open the palette, look for `words` and take the first hit."""
    await stage.press("ctrl+p")
    await search(stage, words)


async def search(stage: Stage, words: str) -> None:
    """Look for `words` in the open palette and take the first hit."""
    await aeventually(lambda: isinstance(stage.app.screen, CommandPalette))
    await stage.press(*("space" if letter == " " else letter for letter in words))
    await aeventually(lambda: stage.app.screen.query_one(OptionList).option_count > 0)
    await aeventually(lambda: stage.app.screen.query_one(OptionList).highlighted == 0)
    await stage.press("enter")


async def test_the_palette_goes_to_an_agent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("left", "left")
        await choose(stage, "developer of shop")
        await aeventually(lambda: stage.selected == f"agent:{DEVELOPER}")
        assert stage.looked_at == "%12"


async def test_the_palette_does_what_a_key_does(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await choose(stage, "whole screen")
        await aeventually(lambda: "z back" in stage.text("#stage-title"))


async def test_names_with_brackets_are_no_markup_in_the_palette(isolated_home: Path) -> None:
    wild = Team(
        orchestration=orchestration("t-1"), agents=(view(agent("t-1", "[red]x[/]", 10, shop().agents[0].agent.status)),)
    )
    async with running(staged(isolated_home, Fleet(teams=(wild,)))) as stage:
        assert "[red]x[/]" in stage.text("#stage-title")
        await stage.press("ctrl+p", *"redx")
        await aeventually(lambda: "Go to [red]x[/] of t-1" in stage.screen_text())


async def test_a_theme_is_chosen_live_and_remembered(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await choose(stage, "choose a theme")
        await search(stage, "tmorch-light")
        await aeventually(lambda: stage.app.theme == "tmorch-light")
        await aeventually(stage.paths.config_file.exists)
        assert load_settings(stage.paths, {}).tui.theme == "tmorch-light"


async def test_a_theme_that_cannot_be_remembered_is_used_and_said(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    stage.paths.config_file.parent.mkdir(parents=True)
    stage.paths.config_file.write_text("not = [toml\n")
    async with running(stage) as stage:
        stage.app.theme = "tmorch-light"
        await aeventually(lambda: "is not TOML" in stage.screen_text())
        assert stage.app.theme == "tmorch-light"


async def test_a_theme_of_the_settings_that_does_not_exist_is_said(isolated_home: Path) -> None:
    async with running(staged(isolated_home, tui=TuiSettings(theme="tmorch-drak"))) as stage:
        await aeventually(lambda: "tmorch-drak" in stage.screen_text())
        assert stage.app.theme == "tmorch-dark"


async def test_a_key_that_cannot_be_is_refused_at_the_start(isolated_home: Path) -> None:
    with pytest.raises(SettingsError):
        staged(isolated_home, tui=TuiSettings(keys={"main.nonsense": "x"}))


# -- attach ---------------------------------------------------------------------------------------


async def test_attach_inside_tmux_says_how_to_come_back(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("j", "j", "enter")
        await aeventually(lambda: stage.facade.attached == [(PaneId("%12"), SERVER)])
        await aeventually(lambda: "ctrl+b L brings you back" in stage.screen_text())
        assert stage.facade.attachment.runs == []


async def test_attach_outside_tmux_lends_the_terminal_and_returns(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = staged(isolated_home)
    stage.facade.attachment = FakeAttachment(argv=("tmux", "attach", "-t", "%10"), way_back="ctrl+b d")
    order: list[str] = []

    @contextmanager
    def suspend() -> Iterator[None]:
        order.append(f"suspended, looking at {stage.looked_at}")
        yield
        order.append(f"back, ran {stage.facade.attachment.runs}")

    async with running(stage) as stage:
        monkeypatch.setattr(stage.app, "suspend", suspend)
        await stage.press("enter")
        await aeventually(lambda: order == ["suspended, looking at None", "back, ran ['ctrl+b d']"])
        await aeventually(lambda: stage.looked_at == "%10")
        assert stage.selected == "agent:shop-3f2a:orchestrator"


async def test_a_terminal_that_cannot_be_lent_gives_the_command(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = staged(isolated_home)
    stage.facade.attachment = FakeAttachment(argv=("tmux", "attach", "-t", "%10"), way_back="ctrl+b d")

    def suspend() -> AbstractContextManager[None]:
        raise SuspendNotSupported("not here")

    async with running(stage) as stage:
        monkeypatch.setattr(stage.app, "suspend", suspend)
        await stage.press("enter")
        await aeventually(lambda: "tmux attach -t %10" in stage.screen_text())
        await aeventually(lambda: stage.looked_at == "%10")


async def test_a_failed_attach_is_said(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("attach", TmuxCommandError(("tmux", "switch-client"), 1, "can't find [client]"))
        await stage.press("enter")
        await aeventually(lambda: "can't find [client]" in stage.screen_text())


async def test_our_own_pane_is_not_shown(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    stage.facade.own_panes.add((PaneId("%10"), SERVER))
    async with running(stage) as stage:
        assert "never mirrored" in stage.screen_text()
        assert stage.looked_at is None


# -- trouble --------------------------------------------------------------------------------------


async def test_an_unexpected_error_of_a_wish_is_said(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("attach", ZeroDivisionError("by [zero]"))
        await stage.press("enter")
        await aeventually(lambda: "unexpected ZeroDivisionError" in stage.screen_text())
        assert "by [zero]" in stage.screen_text()


async def test_a_feed_that_fails_is_shown_until_it_recovers(isolated_home: Path) -> None:
    async with running(staged(isolated_home), size=(120, 30)) as stage:
        stage.facade.fleet_feed.put(StoreError("the [database] is locked", cause="by another program"))
        await aeventually(lambda: "The fleet feed failed: the [database] is locked" in stage.screen_text())
        stage.facade.publish(with_agent(three_teams(), DEVELOPER, doing="Going on"))
        await aeventually(lambda: "feed failed" not in stage.screen_text())
        assert "Going on" in stage.screen_text()


async def test_a_server_that_is_gone_has_no_second_banner(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.pictures.feed.put(TmuxGoneError("no server"))
        stage.facade.publish(replace(three_teams(), tmux=TmuxState.NO_SERVER))
        await aeventually(lambda: "The tmux server is gone" in stage.screen_text())
        assert "feed failed" not in stage.screen_text()
        await aeventually(lambda: stage.looked_at is None)


async def test_the_supervisor_is_started_by_a_key(isolated_home: Path) -> None:
    down = replace(three_teams(), supervisor=SupervisorHealth(running=False))
    async with running(staged(isolated_home, down)) as stage:
        assert "The supervisor is down" in stage.screen_text()
        assert "S starts it" in stage.screen_text()
        await stage.press("S")
        await aeventually(lambda: stage.facade.supervisor_starts == 1)
        await aeventually(lambda: "The supervisor is down" not in stage.screen_text())
        await stage.press("S")
        assert stage.facade.supervisor_starts == 1


async def test_a_supervisor_that_cannot_be_started_is_said(isolated_home: Path) -> None:
    down = replace(three_teams(), supervisor=SupervisorHealth(running=False))
    async with running(staged(isolated_home, down)) as stage:
        stage.facade.fail("start_supervisor", StoreError("no room", remedy="make room"))
        await stage.press("S")
        await aeventually(lambda: "make room" in stage.screen_text())


async def test_without_teams_a_supervisor_that_is_off_is_no_trouble(isolated_home: Path) -> None:
    async with running(staged(isolated_home, no_teams())) as stage:
        assert "The supervisor is down" not in stage.screen_text()
        assert "tmorch demo" in stage.screen_text()


async def test_a_pane_that_is_gone_is_said(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    del stage.facade.pictures.pictures[PaneId("%11")]
    async with running(stage) as stage:
        await stage.press("j")
        await aeventually(lambda: "This pane is gone" in stage.screen_text())
        await stage.press("j")
        await aeventually(lambda: "this is %12" in stage.screen_text())


# -- size, time and the end -----------------------------------------------------------------------


async def test_a_narrow_terminal_stacks_tree_and_preview(isolated_home: Path) -> None:
    async with running(staged(isolated_home), size=(66, 24)) as stage:
        assert stage.main.fleet_tree.size.width >= 64
        assert stage.main.stage.region.y > stage.main.fleet_tree.region.y


@pytest.mark.parametrize("size", [(59, 30), (100, 14)])
async def test_a_terminal_that_is_too_small_says_so(isolated_home: Path, size: tuple[int, int]) -> None:
    async with running(staged(isolated_home), size=size) as stage:
        assert "tmorch needs 60 × 15 cells" in stage.screen_text()
        assert stage.pilot is not None
        await stage.pilot.resize_terminal(100, 30)
        await stage.settle()
        assert "shop-3f2a" in stage.screen_text()


async def test_ages_follow_the_clock_and_paint_only_what_reads_differently(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(staged(isolated_home)) as stage:
        rule = stage.main.stage.title_rule
        paints: list[int] = []
        monkeypatch.setattr(rule, "refresh", lambda *_, **__: paints.append(1))
        stage.now += 20
        stage.main._show_ages()
        assert paints == []
        stage.now += 2 * MINUTE
        stage.main._show_ages()
        assert paints == [1]
        monkeypatch.undo()
        assert "working 3m" in stage.text("#stage-title")


async def test_a_click_in_the_footer_does_what_the_key_does(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert stage.pilot is not None
        column = stage.text("#keys").index("z zoom")
        await stage.pilot.click(KeyBar, offset=(column, 0))
        await aeventually(lambda: "z back" in stage.text("#stage-title"))


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_stops_nothing_and_counts_who_goes_on(isolated_home: Path, key: str) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press(key)
    assert stage.app.return_value == 14
    assert stage.facade.pictures.is_closed
    assert stage.facade.is_closed
    assert stage.facade.attached == []
    assert stage.facade.sent == []


async def test_a_person_s_own_theme_file_is_taken_in_while_running(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.THEMES_S", 0.02)
    async with running(staged(isolated_home)) as stage:
        stage.paths.themes.mkdir(parents=True)
        (stage.paths.themes / "mine.toml").write_text('extends = "tmorch-dark"\nprimary = "#ff0000"\n')
        await aeventually(lambda: "mine" in stage.app.available_themes)
        (stage.paths.themes / "mine.toml").write_text("primry = 1\n")
        await aeventually(lambda: "A theme cannot be used" in stage.screen_text())


async def test_news_while_the_app_is_leaving_shows_nowhere(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        before = stage.main.fleet
        app = stage.app
    await app._dispatch_message(FleetChanged(no_teams()))
    assert stage.main.fleet == before != no_teams()


async def test_work_that_the_end_of_the_app_overtakes_leaves_nothing_behind(isolated_home: Path) -> None:
    async def work() -> None:
        raise AssertionError("it is not to begin")

    begun = work()
    async with running(staged(isolated_home)) as stage:
        stage.app._run(begun, group="late")
        stage.app.workers.cancel_all()
    assert inspect.getcoroutinestate(begun) == inspect.CORO_CLOSED
