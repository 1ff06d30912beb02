"""The form for a new team: what is written, how it is completed, what comes of it; and the saved proposals."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from orchestrator_core.config.settings import AnalysisSettings, Settings, TeamSettings
from orchestrator_core.errors import NotFoundError, UsageError
from orchestrator_core.models.launch import PathKind, ProposalId, StartRequest
from orchestrator_core.models.team import Plan
from tests.fakes.proposals import a_proposal
from tests.polling import aeventually
from tests.tui.samples import no_teams
from tests.tui.stage import Stage, running, staged
from tests.tui.test_app import choose
from tui.screens.new_team import NewTeamScreen
from tui.widgets.path_input import PathInput

PROJECT, SPEC = PathKind.PROJECT, PathKind.SPEC
SHOP, API = "~/projects/shop", "~/projects/api"


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    paths = made.facade.proposals.paths
    paths[PROJECT, ""] = (SHOP, API, "~/projects/notes/")
    paths[PROJECT, "sh"] = (SHOP,)
    paths[PROJECT, SHOP] = (SHOP, f"{SHOP}-2")
    paths[SPEC, ""] = ("SPEC.md", "docs/")
    paths[SPEC, "docs/"] = ("docs/till.md", "docs/[b]bold[/b].md")
    return made


async def opened(stage: Stage) -> NewTeamScreen:
    """Open the form, and wait for its first candidates."""
    await stage.press("N")
    await aeventually(lambda: isinstance(stage.app.screen, NewTeamScreen))
    await stage.settle()
    screen = stage.app.screen
    assert isinstance(screen, NewTeamScreen)
    return screen


def field(stage: Stage, name: str) -> PathInput:
    return stage.app.screen.query_one(f"#{name}", PathInput)


def is_open(stage: Stage) -> bool:
    return any(isinstance(screen, NewTeamScreen) for screen in stage.app.screen_stack)


# -- the way there ----------------------------------------------------------------------------------


async def test_the_key_is_named_while_there_is_no_team_and_found_always(isolated_home: Path) -> None:
    async with running(staged(isolated_home, no_teams())) as stage:
        assert "N new team" in stage.text("#keys")
        assert "N here, or in a terminal" in stage.screen_text()
    async with running(staged(isolated_home), size=(200, 60)) as stage:
        assert "new team" not in stage.text("#keys")
        await stage.press("question_mark")
        assert "Propose a new team" in stage.screen_text()
        await stage.press("escape")
        await choose(stage, "propose a new team")
        await aeventually(lambda: is_open(stage))


async def test_escape_leads_back_and_nothing_was_asked_for(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        await stage.press("escape")
        await aeventually(lambda: stage.is_on_main)
        assert stage.facade.proposals.requests == []


# -- completing -------------------------------------------------------------------------------------


async def test_candidates_stand_below_the_field_and_tab_takes_the_first(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        text = stage.screen_text()
        assert [word in text for word in (f"{SHOP} ", API, "repository", "folder")] == [True] * 4
        await stage.press(*"sh")
        await stage.settle()
        assert API not in stage.screen_text()
        await stage.press("tab")
        assert field(stage, "project").value == SHOP
        await stage.settle()
        assert f" {'shop-2'} " in stage.screen_text(), "without what is written already"
        await stage.press("tab")
        assert field(stage, "spec").has_focus


async def test_up_and_down_mark_one_enter_takes_it_and_then_proposes(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        await stage.press("down", "down", "up", "down", "enter")
        assert field(stage, "project").value == API
        assert stage.facade.proposals.requests == []
        stage.facade.proposals.may_propose.clear()
        await stage.press("enter")
        await aeventually(lambda: [request.project for request in stage.facade.proposals.requests] == [API])


async def test_up_from_the_first_marks_none_and_then_leaves(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        await stage.press("tab", "tab", "down", "up")
        assert field(stage, "spec").has_focus
        assert field(stage, "spec").candidates.marked == ""
        await stage.press("up")
        assert field(stage, "project").has_focus


async def test_right_completes_at_the_end_alone(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        await stage.press("s", "h", "left", "right")
        assert field(stage, "project").value == "sh"
        await stage.press("right")
        assert field(stage, "project").value == SHOP


async def test_what_is_accepted_before_it_is_known_is_taken_once_it_is(stage: Stage) -> None:
    """Keys come faster than a disk."""
    proposals = stage.facade.proposals
    async with running(stage):
        await opened(stage)
        proposals.may_complete.clear()
        await stage.press("s", "h", "tab")
        assert field(stage, "project").value == "sh"
        proposals.may_complete.set()
        await aeventually(lambda: field(stage, "project").value == SHOP)


async def test_an_answer_of_before_is_not_shown(stage: Stage) -> None:
    async with running(stage):
        screen = await opened(stage)
        screen.take_paths(PROJECT, "old", ("old-answer",))
        await stage.settle()
        assert "old-answer" not in stage.screen_text()


async def test_a_spec_is_seen_from_the_project_and_may_stay_empty(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        await stage.press(*"sh", "tab", "tab")
        await stage.settle()
        assert stage.facade.proposals.completed[-1] == ("", SPEC, SHOP)
        assert "SPEC.md" in stage.screen_text()
        await stage.press("tab")
        assert field(stage, "spec").value == ""
        await stage.press("shift+tab", "down", "down", "tab")
        await stage.settle()
        assert field(stage, "spec").value == "docs/"
        assert "[b]bold[/b].md" in stage.screen_text()
        await stage.press("tab")
        assert field(stage, "spec").value == "docs/till.md"


# -- proposing --------------------------------------------------------------------------------------


async def test_all_that_is_chosen_is_asked_for(stage: Stage) -> None:
    stage.facade.proposals.may_propose.clear()
    async with running(stage):
        await opened(stage)
        await stage.press(*"sh", "tab", "tab", *"a.md", "tab", "right", "right", "tab", "left", "enter")
        await aeventually(lambda: bool(stage.facade.proposals.requests))
        assert stage.facade.proposals.requests == [
            StartRequest(project=SHOP, spec="a.md", plan=Plan.MAX5.value, driver="demo")
        ]


async def test_who_reads_the_spec_says_what_it_costs(isolated_home: Path) -> None:
    settings = Settings(analysis=AnalysisSettings(budget_usd=2.5, timeout_s=90))
    async with running(staged(isolated_home, settings=settings)) as stage:
        await opened(stage)
        assert "at most $2.5 and 1.5 min" in " ".join(stage.screen_text().split())
        await stage.press("tab", "tab", "tab", "tab", "right")
        assert "nobody is asked" in stage.screen_text()
    offline = Settings(analysis=AnalysisSettings(by="offline"), team=TeamSettings(driver="demo"))
    async with running(staged(isolated_home, settings=offline)) as stage:
        await opened(stage)
        assert "[offline]" in stage.screen_text()
        assert "The demo's agents are scripted" in stage.screen_text()


async def test_while_it_proposes_it_says_so_once_and_escape_ends_it(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_propose.clear()
    async with running(stage):
        await opened(stage)
        await stage.press("enter", "enter")
        await aeventually(lambda: len(proposals.requests) == 1)
        assert "Reading the project and the spec" in stage.screen_text()
        await stage.press("escape")
        await aeventually(lambda: stage.is_on_main)
        proposals.may_propose.set()
        await stage.settle()
        assert stage.is_on_main
        assert not stage.app._notifications


async def test_an_error_stands_in_the_form_and_what_was_written_stays(stage: Stage) -> None:
    proposals = stage.facade.proposals
    error = UsageError(
        "no spec is named, and the [project] has none", cause="it has none", remedy="write one:\n\n# Goal"
    )
    stage.facade.fail("propose", error)
    async with running(stage):
        await opened(stage)
        await stage.press(*"sh", "tab", "enter")
        await aeventually(lambda: "No spec is named, and the [project] has none" in stage.screen_text())
        assert "# Goal" in stage.screen_text()
        assert field(stage, "project").value == SHOP
        assert not stage.app._notifications
        proposals.may_propose.clear()
        await stage.press("enter")
        await aeventually(lambda: len(proposals.requests) == 2)


async def test_what_nobody_expected_stands_there_too(stage: Stage) -> None:
    stage.facade.fail("propose", PermissionError(13, "not yours"))
    async with running(stage):
        await opened(stage)
        await stage.press("enter")
        await aeventually(lambda: "Unexpected PermissionError" in stage.screen_text())
        assert is_open(stage)


# -- saved proposals --------------------------------------------------------------------------------


async def test_saved_ones_are_listed_and_one_goes_after_a_second_press(stage: Stage) -> None:
    proposals = stage.facade.proposals
    for _ in range(3):
        proposals.keep(a_proposal())
    async with running(stage):
        screen = await opened(stage)
        assert [saved.id for saved in screen.saved] == [3, 2, 1]
        await stage.press("shift+tab", "down", "x")
        assert "x again discards it" in stage.screen_text()
        await stage.press("escape")
        assert is_open(stage)
        await stage.press("x", "up", "x", "down", "x")
        assert proposals.discarded == [], "the question is about one"
        await stage.press("x")
        await aeventually(lambda: [saved.id for saved in screen.saved] == [3, 1])
        assert proposals.discarded == [ProposalId(2)]
        await stage.press("x", "x")
        await aeventually(lambda: [saved.id for saved in screen.saved] == [3])


async def test_one_that_is_gone_is_said(stage: Stage) -> None:
    stage.facade.proposals.keep(a_proposal())
    async with running(stage):
        await opened(stage)
        stage.facade.fail("load", NotFoundError("there is no saved proposal 1", cause="none is saved"))
        await stage.press("shift+tab", "enter")
        await aeventually(lambda: "There is no saved proposal 1" in stage.screen_text())
        assert is_open(stage)


async def test_a_click_marks_a_candidate_and_the_field_keeps_the_focus(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        assert stage.pilot is not None
        await stage.pilot.click("#project-candidates", offset=(5, 1))
        assert field(stage, "project").has_focus
        await stage.press("enter")
        assert field(stage, "project").value == API


async def test_keys_behind_a_completion_wait_for_it(stage: Stage) -> None:
    """As a script sends them: the spec is not written into the project's field."""
    proposals = stage.facade.proposals
    async with running(stage):
        await opened(stage)
        proposals.may_complete.clear()
        assert stage.pilot is not None
        for key in ("s", "h", "tab", "tab", "a", "b"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await aeventually(lambda: field(stage, "project").holds_keys)
        proposals.may_complete.set()
        await aeventually(lambda: field(stage, "spec").value == "ab")
        assert field(stage, "project").value == SHOP


async def test_of_a_long_path_the_end_is_shown(stage: Stage) -> None:
    stage.facade.proposals.paths[PROJECT, ""] = (f"/srv/{'x' * 90}/shop", f"/srv/{'x' * 90}/api")
    async with running(stage, size=(80, 24)):
        await opened(stage)
        assert "xx/shop" in stage.screen_text()
        assert "xx/api" in stage.screen_text()
