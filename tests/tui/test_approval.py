"""The approval: what is shown of a proposal, and what each key wishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events

from orchestrator_core.errors import UsageError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.launch import LIMITED, Proposal, StartRequest
from orchestrator_core.models.spec import Phase, Remark, Spec
from orchestrator_core.models.team import Tuning
from tests.fakes.proposals import SPEC, a_proposal
from tests.polling import aeventually
from tests.tui.stage import Stage, running, staged
from tui.opening import Opening
from tui.screens.approval import ApprovalScreen
from tui.screens.briefing import BriefingScreen
from tui.team_rows import HEADING

WIDE = (160, 45)
ADVICE = (
    Suggestion(action=Action.ADD, role="devops", why="the spec names Docker", source=AnalysisSource.CLAUDE),
    Suggestion(action=Action.REMOVE, role="testrunner", why="the suite is small", source=AnalysisSource.CLAUDE),
    Suggestion(
        action=Action.ADD, role="wizard", why="magic", source=AnalysisSource.CLAUDE, refused="there is no such role"
    ),
)


def advised(*suggestions: Suggestion, **wished: object) -> Proposal:
    """A proposal with advice."""
    bare = a_proposal(StartRequest(project="/home/dana/projects/shop", **wished))  # type: ignore[arg-type]  # fields
    return replace(bare, analysis=Analysis(source=AnalysisSource.CLAUDE, suggestions=suggestions))


@asynccontextmanager
async def approving(
    home: Path, proposal: Proposal | None = None, size: tuple[int, int] = WIDE
) -> AsyncIterator[tuple[Stage, ApprovalScreen]]:
    """The screen of a proposal, open."""
    shown = proposal or a_proposal()
    stage = staged(home, opening=Opening(proposal=shown))
    async with running(stage, size=size):
        await aeventually(lambda: isinstance(stage.app.screen, ApprovalScreen))
        await stage.settle()
        screen = stage.app.screen
        assert isinstance(screen, ApprovalScreen)
        yield stage, screen


def member(screen: ApprovalScreen, role: str) -> tuple[float, str, str]:
    """How often, with which model and in which mode a member of the team would work."""
    choice = next(each for each in screen.proposal.team.chosen if each.role.key == role)
    return choice.interval_min, choice.model, choice.permission_mode


async def select(stage: Stage, screen: ApprovalScreen, row: str) -> None:
    """Go to a row with the keys."""
    await stage.press("home")
    for _ in range(40):
        if screen.team.list.selected_id == row:
            return
        await stage.press("down")
    raise AssertionError(f"there is no row {row}: {[each.id for each in screen.team.list.rows]}")


# -- what is shown ----------------------------------------------------------------------------------


async def test_the_spec_and_the_team_stand_side_by_side(isolated_home: Path) -> None:
    spec = replace(
        SPEC,
        constraints=("Keep the [schema] as it is",),
        phases=(Phase(name="Storage", tasks=("a table",), hours=4), Phase(name="Pages")),
        remarks=(Remark(line=7, text="DELIVERABELS heads no section"),),
    )
    async with approving(isolated_home, a_proposal(spec=spec)) as (stage, _):
        text = stage.screen_text()
        for words in (
            "Let customers pay by bank transfer",
            "• A receipt by mail",
            "• Keep the [schema] as it is",
            "Storage (4 h)",
            "line 7: DELIVERABELS heads no section",
            "5 of 5 agents",
            "plan max5",
            "read offline: nobody was asked",
            "check-ins an hour",
            "from main at 4f2c1d9",
            "✔ orchestrator",
            "Left out",
            "Can be added",
            "writes to    project_manager, developer, tester, testrunner",
            "worktrees/shop-",
            "branch       tmorch/shop-",
        ):
            assert words in text, words


async def test_what_a_reading_proposes_is_told_apart_from_the_spec(isolated_home: Path) -> None:
    proposal = a_proposal(spec=Spec(goal="A shop"))
    analysis = Analysis(
        source=AnalysisSource.CLAUDE,
        deliverables=("A till",),
        success_criteria=("It adds up",),
        phases=(Phase(name="Begin"),),
        seconds=42.0,
        cost_usd=0.123,
    )
    async with approving(isolated_home, replace(proposal, analysis=analysis)) as (stage, _):
        text = stage.screen_text()
        assert "read by Claude in 42 s, $0.12" in text
        assert "Deliverables  proposed, not in the spec" in text
        assert "More success criteria  proposed, not in the spec" in text
        assert "Phases  proposed, not in the spec" in text


async def test_why_claude_has_not_read_it_is_said(isolated_home: Path) -> None:
    proposal = replace(a_proposal(), analysis=Analysis(because="the 5-hour limit is reached"))
    async with approving(isolated_home, proposal) as (stage, _):
        assert "read offline: the 5-hour limit is reached" in stage.screen_text()


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (110, 30), (200, 60)])
async def test_it_fits_and_both_panels_can_be_reached(isolated_home: Path, size: tuple[int, int]) -> None:
    async with approving(isolated_home, size=size) as (stage, _):
        assert "5 of 5 agents" in stage.screen_text()
        assert "✔ orchestrator" in stage.screen_text()
        assert all(len(line) <= size[0] for line in stage.screen_text().splitlines())
        await stage.press("tab")
        assert "Let customers pay by" in stage.screen_text()
        await stage.press("tab")
        assert "✔ orchestrator" in stage.screen_text()


async def test_texts_of_others_are_never_markup_and_a_long_spec_scrolls(isolated_home: Path) -> None:
    spec = replace(SPEC, deliverables=tuple(f"[bold]{n} 日本語 🛒[/] \x1b[31m" for n in range(200)), goal="x" * 300)
    async with approving(isolated_home, a_proposal(spec=spec), (80, 24)) as (stage, _):
        await stage.press("tab", "pagedown")
        assert "[bold]" in stage.screen_text()
        await stage.press("end")
        assert "Every payment has a receipt" in stage.screen_text()
        assert "\x1b" not in stage.screen_text()


async def test_all_roles_at_once_scroll(isolated_home: Path) -> None:
    proposal = a_proposal(StartRequest(project="/p", plan="console", over_cap=True))
    async with approving(isolated_home, proposal, (80, 24)) as (stage, screen):
        await stage.press("end")
        assert screen.team.role is not None
        assert screen.team.list.selected_id == screen.team.list.rows[-1].id


async def test_headings_are_passed_over(isolated_home: Path) -> None:
    async with approving(isolated_home, advised(*ADVICE)) as (stage, screen):
        await stage.press("home")
        seen = [screen.team.list.selected_id]
        for _ in range(len(screen.team.list.rows)):
            await stage.press("down")
            seen.append(screen.team.list.selected_id)
        for _ in range(len(screen.team.list.rows)):
            await stage.press("up")
            seen.append(screen.team.list.selected_id)
        assert not any(each.startswith(HEADING) for each in seen)
        assert {"orchestrator", "documentation_writer"} <= set(seen)
        assert seen[-1] == seen[0]


# -- changes ----------------------------------------------------------------------------------------


async def test_a_role_goes_out_and_comes_back_and_stays_selected(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "tester")
        await stage.press("space")
        assert "tester" not in screen.proposal.team.roles
        assert screen.team.list.selected_id == "tester"
        assert "4 of 5 agents" in stage.screen_text()
        assert "builds on the work of tester" in stage.screen_text()
        await stage.press("space")
        assert "tester" in screen.proposal.team.roles
        assert screen.proposal.request.removed == ()


async def test_a_role_of_the_catalogue_is_added_beyond_the_cap_which_is_said(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "code_reviewer")
        await stage.press("space")
        assert "code_reviewer" in screen.proposal.team.roles
        assert "‼ 6 of 5 agents" in stage.screen_text()
        assert "more than the plan max5 carries" in stage.screen_text()


async def test_the_interval_is_written_and_wrong_ones_are_not_taken(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "developer")
        await stage.press("i", *"7.5", "enter")
        assert member(screen, "developer")[0] == 7.5
        assert "every 7.5 min" in stage.screen_text()
        await stage.press("i", *"y-1", "enter")
        assert "How many minutes?" in stage.screen_text()
        await stage.press("escape")
        assert member(screen, "developer")[0] == 7.5
        assert stage.facade.launches == []


async def test_models_go_round(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "developer")
        seen = []
        for _ in range(4):
            await stage.press("o")
            seen.append(member(screen, "developer")[1])
        assert seen == ["opus", "sonnet", "haiku", ""]
        assert screen.proposal.request.tuning in ({}, {"developer": Tuning()})


async def test_nobody_works_without_permission_by_one_press(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "developer")
        await stage.press("p", "p", "p")
        assert member(screen, "developer")[2] == "auto"
        await stage.press("p")
        assert member(screen, "developer")[2] == "auto"
        assert "would do everything without asking" in stage.screen_text()
        await stage.press("up", "down", "p")
        assert member(screen, "developer")[2] == "auto", "another key takes the question back"
        await stage.press("p")
        assert member(screen, "developer")[2] == "bypassPermissions"
        assert "⚠ bypass" in stage.screen_text()
        await stage.press("P")
        assert member(screen, "developer")[2] == "auto"


async def test_the_plan_and_the_type_go_round(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await stage.press("c")
        assert (screen.proposal.team.plan, screen.proposal.team.cap) == ("max20", 8)
        await stage.press("t")
        assert screen.proposal.team.type == "system_deployment"
        assert "sysadmin" in screen.proposal.team.roles


async def test_keys_that_come_faster_than_the_changes_are_about_what_these_made(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        for key in ("c", "c", "escape"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await aeventually(lambda: "Your changes are not saved" in stage.screen_text())
        assert screen.proposal.team.plan == "console"


async def test_a_team_is_started_as_it_was_changed_just_before(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, _):
        for key in ("c", "y"):
            stage.app.post_message(events.Key(key, key))
        await aeventually(lambda: bool(stage.facade.launches))
        assert stage.facade.launches[0].team.plan == "max20"


async def test_keys_wait_until_a_change_has_come_back_whatever_became_of_it(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(proposal: Proposal, change: object) -> Proposal:
        raise UsageError(f"that is no {change}")

    async with approving(isolated_home) as (stage, screen):
        for revise in (stage.facade.proposals.revise, refuse):
            monkeypatch.setattr(stage.facade.proposals, "revise", revise)
            screen.action_plan()
            assert screen.holds_keys
            await aeventually(lambda: not screen.holds_keys)
        await stage.settle()
        assert "That is no" in stage.screen_text()


async def test_everything_can_be_taken_back(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        first = screen.proposal
        await stage.press("c", "space", "u")
        assert screen.proposal == first


async def test_what_cannot_be_is_said_and_changes_nothing(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        first = screen.proposal
        screen.take_failure(UsageError("that is no plan", cause="the plans are few", remedy="choose one"))
        await stage.settle()
        assert "That is no plan" in stage.screen_text()
        assert screen.proposal == first


# -- advice -----------------------------------------------------------------------------------------


async def test_advice_is_a_difference_that_is_accepted_line_by_line(isolated_home: Path) -> None:
    async with approving(isolated_home, advised(*ADVICE, plan="max20")) as (stage, screen):
        text = stage.screen_text()
        assert "+ devops" in text
        assert "- testrunner" in text
        assert "not possible: there is no such role" in text
        await select(stage, screen, "advice:add:devops")
        await stage.press("enter")
        assert "devops" in screen.proposal.team.roles
        assert "testrunner" in screen.proposal.team.roles
        assert screen.team.list.selected_id == "devops"
        assert "The spec names Docker" in stage.screen_text()
        await select(stage, screen, "advice:remove:testrunner")
        await stage.press("space")
        assert "testrunner" not in screen.proposal.team.roles


async def test_what_is_not_possible_cannot_be_accepted(isolated_home: Path) -> None:
    async with approving(isolated_home, advised(*ADVICE)) as (stage, screen):
        first = screen.proposal.team.roles
        await select(stage, screen, "advice:add:wizard")
        assert "There is no such role" in stage.screen_text()
        await stage.press("space", "enter")
        assert screen.proposal.team.roles == first


async def test_all_advice_is_accepted_at_once_as_far_as_it_can_be(isolated_home: Path) -> None:
    async with approving(isolated_home, advised(*ADVICE, plan="max20")) as (stage, screen):
        await stage.press("A")
        assert "devops" in screen.proposal.team.roles
        assert "testrunner" not in screen.proposal.team.roles
        assert not screen.check_action("accept_all", ())


async def test_advice_for_which_there_is_no_room_says_so(isolated_home: Path) -> None:
    async with approving(isolated_home, advised(ADVICE[0])) as (stage, screen):
        await stage.press("A")
        assert "devops" not in screen.proposal.team.roles
        assert "None was accepted" in stage.screen_text()


# -- the reading ------------------------------------------------------------------------------------


async def test_claude_is_asked_and_the_reading_ended_by_the_same_key(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        stage.facade.proposals.may_read.clear()
        await stage.press("r")
        await aeventually(lambda: "3 of 300 s: reads SPEC.md" in stage.screen_text())
        await stage.press("r")
        await aeventually(lambda: stage.facade.proposals.cut_short == 1)
        await stage.settle()
        assert not screen.is_reading
        assert "read offline: nobody was asked" in stage.screen_text()


# -- reading a briefing, keeping, approving, leaving ------------------------------------------------


async def test_a_briefing_is_read_before_anything_is_made(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "tester")
        await stage.press("enter")
        await aeventually(lambda: isinstance(stage.app.screen, BriefingScreen))
        await stage.settle()
        assert "You are the Tester in a team" in stage.screen_text()
        await stage.press("end")
        assert "You are the Tester in a team" not in stage.screen_text()
        await stage.press("escape")
        assert stage.app.screen is screen


async def test_who_is_not_in_the_team_has_no_briefing(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "researcher")
        await stage.press("enter", "i", "o", "p")
        assert stage.app.screen is screen
        assert screen.proposal.request == a_proposal().request


async def test_it_is_saved_with_its_changes(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await stage.press("c", "s")
        await aeventually(lambda: screen.proposal.saved == 1)
        assert stage.facade.proposals.kept[screen.proposal.saved].team.plan == "max20"
        await stage.press("escape")
        assert stage.is_on_main, "what is saved is not asked about"


async def test_approving_starts_what_is_on_the_screen(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "testrunner")
        await stage.press("space", "y")
        await aeventually(lambda: len(stage.facade.launches) == 1)
        assert stage.facade.launches[0].team.roles == ("orchestrator", "project_manager", "developer", "tester")


async def test_more_than_the_plan_carries_is_approved_by_a_second_press(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await select(stage, screen, "researcher")
        await stage.press("space", "y")
        assert stage.facade.launches == []
        assert "6 agents are more than the plan max5 carries" in stage.screen_text()
        await stage.press("down", "y")
        assert stage.facade.launches == []
        await stage.press("y")
        await aeventually(lambda: len(stage.facade.launches) == 1)


async def test_leaving_makes_nothing_and_asks_about_changes(isolated_home: Path) -> None:
    async with approving(isolated_home) as (stage, screen):
        await stage.press("c", "escape")
        assert stage.app.screen is screen
        assert "not saved" in stage.screen_text()
        await stage.press("escape")
        assert stage.is_on_main
        assert stage.facade.launches == []
        assert stage.facade.proposals.kept == {}


async def test_a_team_that_would_wait_for_a_limit_is_approved_by_a_second_press(isolated_home: Path) -> None:
    limited = replace(a_proposal(), warnings=(f"{LIMITED} until 14:59: agents that are started now wait until then",))
    async with approving(isolated_home, limited) as (stage, _):
        assert "! a usage limit holds the account until 14:59" in stage.screen_text()
        await stage.press("y")
        assert stage.facade.launches == []
        assert "press the key again" in stage.screen_text()
        await stage.press("y")
        await aeventually(lambda: bool(stage.facade.launches))
