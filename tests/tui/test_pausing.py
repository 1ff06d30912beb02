"""The key that has all teams wait, and what says that they do."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from orchestrator_core.errors import RefusedError
from orchestrator_core.models.fleet import Fleet
from tests.polling import aeventually
from tests.tui.samples import NOW, no_teams, three_teams
from tests.tui.stage import Stage, running, staged
from tui.widgets.fleet_header import active_teams


def paused(fleet: Fleet, *names: str) -> Fleet:
    """Return a fleet in which these teams wait; without names all of them."""
    teams = (
        replace(team, orchestration=replace(team.orchestration, paused_at=NOW))
        if not names or team.orchestration.id in names
        else team
        for team in fleet.teams
    )
    return replace(fleet, teams=tuple(teams))


def asked(stage: Stage) -> list[bool]:
    """Return what was asked for: to pause, or to go on."""
    return [paused for _, paused in stage.facade.pausing.calls]


async def test_one_key_pauses_all_and_the_same_lets_all_go_on(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert "paused" not in stage.text("#header")
        await stage.press("P")
        await aeventually(lambda: asked(stage) == [True])
        stage.facade.publish(paused(three_teams()))
        await aeventually(lambda: "⏸ all paused" in stage.text("#header"))
        await stage.press("P")
        await aeventually(lambda: asked(stage) == [True, False])
        stage.facade.publish(three_teams())
        await aeventually(lambda: "paused" not in stage.text("#header"))
    assert [teams for teams, _ in stage.facade.pausing.calls] == [(), ()]


async def test_one_paused_team_is_named_and_the_key_pauses_the_rest(isolated_home: Path) -> None:
    name = active_teams(three_teams())[0].orchestration.id
    async with running(staged(isolated_home, paused(three_teams(), name)), size=(160, 40)) as stage:
        assert f"⏸ {name} paused" in stage.text("#header")
        assert "all paused" not in stage.text("#header")
        await stage.press("P")
        await aeventually(lambda: asked(stage) == [True])


async def test_the_narrowest_header_still_says_it(isolated_home: Path) -> None:
    async with running(staged(isolated_home, paused(three_teams())), size=(80, 24)) as stage:
        assert "⏸ all paused" in stage.text("#header")


async def test_the_palette_finds_it(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("ctrl+p", *"all teams wait")
        await aeventually(lambda: "Have all teams wait" in stage.screen_text())
        await stage.press("down", "enter")
        await aeventually(lambda: asked(stage) == [True])


async def test_there_is_nothing_to_pause_without_a_team(isolated_home: Path) -> None:
    async with running(staged(isolated_home, no_teams())) as stage:
        await stage.press("P")
        await stage.settle()
        assert asked(stage) == []


async def test_what_stands_against_it_is_said(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("pausing", RefusedError("this is not for you", cause="you are an agent"))
        await stage.press("P")
        await aeventually(lambda: "this is not for you" in stage.screen_text())
