"""Why an agent has its status: the evidence with its ages, looked at again and again, and saying that it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId
from tests.polling import aeventually
from tests.tui.samples import COMMAND, three_teams, why
from tests.tui.stage import Stage, running, staged
from tui.screens.why import WhyScreen, why_content

TESTER = AgentId("shop-3f2a:tester")


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.whys[TESTER] = why(three_teams())
    return made


async def asked(stage: Stage, *keys: str) -> WhyScreen:
    """Ask why the tester has its status, then press keys."""
    stage.main.action_go_to(TESTER)
    await stage.press("w")
    await aeventually(lambda: isinstance(stage.app.screen, WhyScreen))
    await aeventually(lambda: "Looking" not in stage.screen_text())
    await stage.press(*keys)
    screen = stage.app.screen
    assert isinstance(screen, WhyScreen)
    return screen


async def test_every_piece_of_evidence_is_shown_with_its_weight_and_age(stage: Stage) -> None:
    async with running(stage):
        await asked(stage)
        text = stage.screen_text()
        assert "shop-3f2a ▸ tester why ◆ waiting?" in text
        assert f"◆ waiting for 12m: it asks for permission: {COMMAND}" in text
        for words in ("✔ agrees    process  claude runs", "~ stale     session  says that it works [busy]"):
            assert words in text
        assert "▶ decides   hooks    asked for permission" in text
        assert "✘ disagrees screen   shows no dialog" in text
        assert "3h20" in text
        await stage.press("escape")
        assert stage.is_on_main


async def test_it_looks_again_while_it_is_open(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.why.LOOK_S", 0.02)
    async with running(stage):
        await asked(stage)
        seen = why(three_teams())
        other = Verdict(status=AgentStatus.IDLE, reason="its prompt is empty")
        stage.facade.whys[TESTER] = replace(seen, verdict=other)
        await aeventually(lambda: "○ idle: its prompt is empty" in stage.screen_text())
        assert "Right now the evidence says" in stage.screen_text()
        await stage.press("escape")
        await stage.settle()
        looks = len(stage.facade.looks)
        await stage.press("j", "k", "j")
        assert len(stage.facade.looks) <= looks + 1, "nobody looks when nobody asks"


async def test_an_agent_that_is_gone_is_said_in_place(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("why", NotFoundError("it is [gone]", cause="somebody stopped it"))
        await asked(stage)
        assert "It is [gone]. somebody stopped it" in stage.screen_text()
        await stage.press("x")
        assert "Which status" not in stage.screen_text(), "there is nothing to call wrong"
        assert not stage.app._notifications


@pytest.mark.parametrize("keys", [("2",), ("j", "j", "enter"), ("down", "down", "down", "up", "enter")])
async def test_a_wrong_status_is_stored_as_a_case(stage: Stage, keys: tuple[str, ...]) -> None:
    async with running(stage):
        await asked(stage, "x")
        assert "Which status should it be?" in stage.screen_text()
        await stage.press(*keys)
        await aeventually(lambda: "/state/cases/1.json" in stage.screen_text())
        assert "Masked in it: what is on screen, names." in stage.screen_text()
        assert stage.facade.wrongs == [(TESTER, AgentStatus.IDLE)]


async def test_escape_takes_the_question_back_first(stage: Stage) -> None:
    async with running(stage):
        screen = await asked(stage, "x", "escape")
        assert stage.app.screen is screen
        await stage.press("2", "enter", "escape")
        assert stage.facade.wrongs == []
        assert stage.is_on_main


async def test_a_case_that_cannot_be_stored_is_said(stage: Stage) -> None:
    async with running(stage):
        stage.facade.fail("report_wrong", StoreError("the case cannot be written", cause="the disk is full"))
        await asked(stage, "x", "2")
        await aeventually(lambda: "The case cannot be written. the disk is full" in stage.screen_text())


async def test_a_team_has_no_status_to_ask_about(stage: Stage) -> None:
    async with running(stage):
        await stage.press("left", "w")
        assert stage.is_on_main


@pytest.mark.parametrize("width", [40, 60, 100])
def test_what_evidence_says_is_wrapped_in_its_column(width: int) -> None:
    lines = str(why_content(why(three_teams()), 1_700_000_000.0, width)).splitlines()[2:]
    assert all(len(line) <= width for line in lines)
    assert all(line[:21].strip() == "" for line in lines if line.startswith(" "))
