"""The tree on the screen: keys, mouse, scrolling, and what is painted when the fleet changes (scenario 79)."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Region

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import Fleet, TmuxState
from orchestrator_core.models.ids import AgentId, PaneId
from tests.polling import aeventually
from tests.tui.samples import NOW, api, docs, guests, healthy, many, shop, three_teams, with_agent, without_agent
from tests.tui.stage import Stage, running, staged
from tui.widgets.fleet_tree import FleetTree

DEVELOPER = AgentId("shop-3f2a:developer")


def closed(stage: Stage) -> list[str]:
    """Return what is closed."""
    return [row.label for row in stage.main.fleet_tree.outline.rows if row.is_open is False]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["j", "down", "k", "up", "j"], "agent:shop-3f2a:project_manager"),
        (["home"], "team:shop-3f2a"),
        (["end"], "guests"),
        (["pagedown"], "guests"),
        (["end", "pageup"], "team:shop-3f2a"),
        (["left"], "team:shop-3f2a"),
        (["left", "left", "j"], "team:api-77c1"),
        (["left", "space", "j", "right", "right"], "agent:api-77c1:orchestrator"),
        (["left", "h", "l", "l"], "agent:shop-3f2a:orchestrator"),
        (["n"], "agent:shop-3f2a:tester"),
        (["n", "n", "n", "n"], "agent:shop-3f2a:tester"),
        (["up", "up", "up"], "team:shop-3f2a"),
    ],
)
async def test_keys_move_open_and_close(isolated_home: Path, keys: list[str], expected: str) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press(*keys)
        assert stage.selected == expected


async def test_enter_opens_a_team_and_does_not_attach(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("left", "enter")
        assert stage.main.fleet_tree.outline.rows[0].is_open is False
        assert stage.facade.attached == []


async def test_the_preview_follows_the_selection(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert stage.looked_at == "%10"
        await stage.press("j", "j")
        await aeventually(lambda: "this is %12" in stage.screen_text())
        assert stage.looked_at == "%12"


async def test_a_row_without_a_pane_costs_nothing(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("left")
        await aeventually(lambda: stage.looked_at is None)
        assert "Let customers pay by bank transfer" in stage.screen_text()


async def test_a_click_selects_and_a_click_on_the_arrow_closes(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert stage.pilot is not None
        await stage.pilot.click(FleetTree, offset=(8, 3))
        assert stage.selected == f"agent:{DEVELOPER}"
        assert stage.facade.attached == []
        await stage.pilot.click(FleetTree, offset=(1, 0))
        assert stage.selected == "team:shop-3f2a"
        assert closed(stage) == ["shop-3f2a", "other tmux sessions"]
        await stage.pilot.click(FleetTree, offset=(8, 0))
        assert closed(stage) == ["other tmux sessions"]
        await stage.pilot.click(FleetTree, offset=(8, 22))
        assert stage.selected == "team:shop-3f2a", "below the last row there is nothing"


async def test_agents_that_come_and_go_leave_selection_openness_and_view_alone(isolated_home: Path) -> None:
    fleet = Fleet(teams=(api(), docs()), supervisor=healthy(), tmux=TmuxState.CONNECTED)
    stage = staged(isolated_home, fleet)
    stage.paint_fleet(three_teams())
    async with running(stage) as stage:
        await stage.press("left", "left")
        await stage.press("end", "up")
        assert stage.selected == "agent:docs-09be:tester"
        stage.facade.publish(three_teams())
        await aeventually(lambda: "shop-3f2a" in stage.screen_text())
        assert stage.selected == "agent:docs-09be:tester"
        assert stage.looked_at == "%32"
        assert closed(stage) == ["api-77c1", "other tmux sessions"]


async def test_what_the_person_looks_at_stays_on_its_line(isolated_home: Path) -> None:
    async with running(staged(isolated_home, many(100)), size=(80, 24)) as stage:
        tree = stage.main.fleet_tree
        await stage.press("pagedown", "pagedown", "pagedown")
        row, line = stage.selected, tree.outline.cursor
        assert line is not None
        on_screen = line - tree.scroll_offset.y
        fleet = without_agent(many(100), AgentId("team-0000:developer"))
        stage.facade.publish(fleet)
        await aeventually(lambda: tree.outline.total == 99)
        assert stage.selected == row
        assert tree.outline.cursor == line - 1
        assert line - 1 - tree.scroll_offset.y == on_screen


async def test_a_vanished_selection_moves_to_the_next_agent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("j", "j")
        stage.facade.publish(without_agent(three_teams(), DEVELOPER))
        await aeventually(lambda: stage.selected == "agent:shop-3f2a:tester")
        await aeventually(lambda: stage.looked_at == "%13")
        assert "tester" in stage.text("#stage-title")


async def test_an_agent_that_is_started_again_is_followed_to_its_new_pane(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.paint("%77")
        stage.facade.publish(with_agent(three_teams(), AgentId("shop-3f2a:orchestrator"), pane=PaneId("%77")))
        await aeventually(lambda: stage.looked_at == "%77")


async def test_only_the_lines_that_changed_are_painted(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(staged(isolated_home)) as stage:
        tree = stage.main.fleet_tree
        painted: list[tuple[object, ...]] = []
        monkeypatch.setattr(tree, "refresh", lambda *regions, **_: painted.append(regions))
        tree.show_fleet(with_agent(three_teams(), DEVELOPER, doing="Something else"), NOW)
        tree.show_fleet(with_agent(three_teams(), DEVELOPER, doing="Something else"), NOW)
        assert painted == [(Region(0, 3, tree.size.width, 1),)]


async def test_a_hundred_agents_scroll(isolated_home: Path) -> None:
    async with running(staged(isolated_home, many(100)), size=(80, 24)) as stage:
        assert stage.pilot is not None
        await stage.press("end")
        assert stage.selected == "agent:team-005f:devops"
        assert "devops" in stage.screen_text()
        await stage.press("home")
        assert stage.main.fleet_tree.scroll_offset.y == 0


async def test_guests_can_be_looked_at_and_not_written_to(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("end", "space", "down", "down")
        assert stage.selected.startswith("window:")
        await aeventually(lambda: stage.looked_at == guests()[0].pane_id)
        assert "not an agent of tmorch" in stage.text("#composer TitleRule")
        await stage.press("m")
        assert stage.app.focused is stage.main.fleet_tree
        await stage.press("enter")
        await aeventually(lambda: stage.facade.attached == [(guests()[0].pane_id, "")])


async def test_status_changes_show_at_once(isolated_home: Path) -> None:
    async with running(staged(isolated_home, Fleet(teams=(shop(),), supervisor=healthy()))) as stage:
        changed = with_agent(stage.facade.latest, DEVELOPER, status=AgentStatus.WAITING, waiting_for="question")
        stage.facade.publish(changed)
        await aeventually(lambda: "answer?" in stage.screen_text())


async def test_looking_for_somebody_in_need_where_nobody_is(isolated_home: Path) -> None:
    async with running(staged(isolated_home, many(5)), size=(80, 24)) as stage:
        await stage.press("n")
        await aeventually(lambda: "Nobody needs you" in stage.screen_text())


async def test_the_wheel_scrolls_and_selects_nothing(isolated_home: Path) -> None:
    from textual.events import MouseScrollDown

    async with running(staged(isolated_home, many(100)), size=(80, 24)) as stage:
        tree = stage.main.fleet_tree
        before = stage.selected
        tree.post_message(MouseScrollDown(tree, 2, 2, 0, 1, 0, False, False, False, 2, 2))
        await aeventually(lambda: tree.scroll_offset.y > 0)
        assert stage.selected == before
