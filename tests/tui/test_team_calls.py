"""From the form to the proposal and the launch: what is wished there, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.worker import WorkerState

from orchestrator_core.errors import TmorchError, UsageError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.launch import Proposal, ProposalId, RoleToggled
from tests.fakes.proposals import a_proposal
from tests.polling import aeventually
from tests.tui.stage import Stage, running, staged
from tui.opening import NOT_APPROVED, Opening
from tui.screens.approval import ApprovalScreen
from tui.screens.launch import LaunchScreen
from tui.team_messages import (
    AnalysisCancelled,
    AnalysisWanted,
    ApprovalLeft,
    Approved,
    ChangeWanted,
    LaunchLeft,
    SaveWanted,
)

ADVICE = Suggestion(action=Action.ADD, role="devops", why="the spec names Docker", source=AnalysisSource.CLAUDE)
READ = Analysis(source=AnalysisSource.CLAUDE, summary="A shop that takes transfers.", suggestions=(ADVICE,))


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.proposals.analysis = READ
    return made


def a_proposal_saved() -> Proposal:
    return replace(a_proposal(), saved=ProposalId(3))


def screen_of(stage: Stage) -> ApprovalScreen:
    return next(screen for screen in stage.app.screen_stack if isinstance(screen, ApprovalScreen))


def is_approving(stage: Stage) -> bool:
    return any(isinstance(screen, ApprovalScreen) for screen in stage.app.screen_stack)


async def proposed(stage: Stage, *keys: str) -> ApprovalScreen:
    """Open the form, press keys, and propose."""
    await stage.press("N")
    await stage.settle()
    await stage.press(*keys, "enter")
    await aeventually(lambda: is_approving(stage))
    await stage.settle()
    return screen_of(stage)


def stray(stage: Stage) -> list[str]:
    """Return the workers of a proposal that still run."""
    groups = ("analyse", "propose", "launch")
    return [w.group for w in stage.app.workers if w.group in groups and w.state is WorkerState.RUNNING]


# -- Claude reads meanwhile -------------------------------------------------------------------------


async def test_what_claude_says_comes_to_what_the_person_changed_meanwhile(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    async with running(stage, size=(160, 40)):
        screen = await proposed(stage)
        assert proposals.readings == 1
        before = screen.proposal.team.roles
        assert "devops" not in before
        screen.post_message(ChangeWanted(RoleToggled(role="researcher", is_in=True)))
        await aeventually(lambda: "researcher" in screen.proposal.team.roles)
        proposals.may_read.set()
        await aeventually(lambda: screen.proposal.analysis.summary == READ.summary)
        assert "researcher" in screen.proposal.team.roles
        assert "devops" not in screen.proposal.team.roles, "advice changes no team"
        assert [each.role for each in screen.proposal.analysis.suggestions] == ["devops"]


async def test_a_second_wish_while_it_reads_is_the_same_reading(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    async with running(stage):
        screen = await proposed(stage)
        screen.post_message(AnalysisWanted())
        screen.post_message(AnalysisWanted())
        await stage.settle()
        assert (proposals.readings, proposals.cut_short) == (1, 0)


async def test_a_reading_is_cancelled_and_begun_anew_at_once(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    async with running(stage):
        screen = await proposed(stage)
        screen.post_message(AnalysisCancelled())
        screen.post_message(AnalysisWanted())
        await aeventually(lambda: (proposals.readings, proposals.cut_short) == (2, 1))
        assert stray(stage) == ["analyse"]
        proposals.may_read.set()
        await aeventually(lambda: screen.proposal.analysis.summary == READ.summary)
        assert not stage.app._notifications


@pytest.mark.parametrize("wish", [ApprovalLeft, AnalysisCancelled])
async def test_leaving_while_it_reads_leaves_nothing_behind(
    stage: Stage, wish: type[ApprovalLeft | AnalysisCancelled]
) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    async with running(stage):
        screen = await proposed(stage)
        screen.post_message(wish())
        await aeventually(lambda: proposals.cut_short == 1)
        await aeventually(lambda: stray(stage) == [])
        assert is_approving(stage) is (wish is AnalysisCancelled)
        assert not stage.app._notifications


async def test_quitting_while_it_reads_ends_the_reading(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    async with running(stage):
        await proposed(stage)
        await stage.app.action_quit()
        await aeventually(lambda: stage.app._exit)
    await aeventually(lambda: proposals.cut_short == 1)


async def test_approving_while_it_reads_ends_the_reading(stage: Stage) -> None:
    proposals = stage.facade.proposals
    proposals.may_read.clear()
    stage.facade.may_start.clear()
    async with running(stage):
        screen = await proposed(stage)
        screen.post_message(Approved(screen.proposal))
        await aeventually(lambda: isinstance(stage.app.screen, LaunchScreen))
        await aeventually(lambda: proposals.cut_short == 1)
        assert not is_approving(stage)
        assert len(stage.facade.launches) == 1
        assert not stage.app._notifications


async def test_the_demo_and_who_reads_offline_ask_nobody(stage: Stage) -> None:
    async with running(stage):
        await proposed(stage, "tab", "tab", "tab", "tab", "right")
        screen_of(stage).post_message(ApprovalLeft())
        await aeventually(lambda: stage.is_on_main)
        await proposed(stage, "tab", "tab", "tab", "right", "right")
        assert stage.facade.proposals.requests[-1].driver == "demo"
        assert stage.facade.proposals.readings == 0


async def test_a_reading_that_fails_is_said_on_the_screen(stage: Stage) -> None:
    stage.facade.fail("analyse", UsageError("roles.toml is wrong", cause="line 3"))
    async with running(stage):
        await proposed(stage)
        await aeventually(lambda: "oles.toml is wrong" in stage.screen_text())
        assert stray(stage) == []


# -- saved ------------------------------------------------------------------------------------------


async def test_a_saved_one_opens_as_it_was_and_nobody_reads(stage: Stage) -> None:
    kept = stage.facade.proposals.keep(a_proposal())
    async with running(stage):
        screen = await proposed(stage, "shift+tab")
        assert screen.proposal == kept
        assert stage.facade.proposals.readings == 0


# -- what the app is opened for ---------------------------------------------------------------------


async def test_opened_with_the_form(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(new_team=True))
    async with running(stage):
        await aeventually(lambda: "New team" in stage.screen_text())
        await stage.press("escape")
        assert stage.is_on_main
    assert stage.app.last_words == ()


async def test_opened_with_a_saved_one_that_stays_saved(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved()))
    async with running(stage):
        await aeventually(lambda: is_approving(stage))
        screen_of(stage).post_message(ApprovalLeft())
        await aeventually(lambda: stage.is_on_main)
    assert stage.app.last_words == ()
    assert stage.facade.proposals.discarded == []


async def test_claude_reads_at_once_when_that_was_said(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved(), by_claude=True))
    async with running(stage):
        await aeventually(lambda: stage.facade.proposals.readings == 1)


@pytest.mark.parametrize("way", ["leave", "quit"])
async def test_an_errand_that_is_not_approved_ends_the_app_and_lets_the_proposal_go(
    isolated_home: Path, way: str
) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved(), is_errand=True))
    async with running(stage):
        await aeventually(lambda: is_approving(stage))
        if way == "leave":
            screen_of(stage).post_message(ApprovalLeft())
        else:
            await stage.app.action_quit()
        await aeventually(lambda: stage.app._exit)
    assert stage.app.last_words == (NOT_APPROVED,)
    assert stage.facade.proposals.discarded == [3]


async def test_an_errand_that_the_person_has_saved_is_not_let_go(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved(), is_errand=True))
    async with running(stage):
        await aeventually(lambda: is_approving(stage))
        screen_of(stage).post_message(SaveWanted())
        await aeventually(lambda: "tmorch start --proposal 3" in stage.screen_text())
        screen_of(stage).post_message(ApprovalLeft())
        await aeventually(lambda: stage.app._exit)
    assert stage.app.last_words == (NOT_APPROVED, "it is saved: tmorch start --proposal 3")
    assert stage.facade.proposals.discarded == []


async def test_an_errand_whose_start_failed_says_why(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved(), is_errand=True))
    stage.facade.fail("start", TmorchError("no agent could be started", cause="it broke", remedy="worktrees are kept"))
    async with running(stage):
        await aeventually(lambda: is_approving(stage))
        screen_of(stage).post_message(Approved(screen_of(stage).proposal))
        await aeventually(lambda: "no agent could be started" in stage.screen_text().lower())
        stage.app.screen.post_message(LaunchLeft())
        await aeventually(lambda: stage.app._exit)
    assert stage.app.last_words == ("not started: no agent could be started", "it broke", "worktrees are kept")
    assert stage.facade.proposals.discarded == [3]


async def test_an_errand_that_was_done_leaves_the_app_open(isolated_home: Path) -> None:
    stage = staged(isolated_home, opening=Opening(proposal=a_proposal_saved(), is_errand=True))
    async with running(stage):
        await aeventually(lambda: is_approving(stage))
        screen_of(stage).post_message(Approved(screen_of(stage).proposal))
        await aeventually(lambda: bool(stage.facade.launches) and stray(stage) == [])
        stage.app.screen.post_message(LaunchLeft())
        await aeventually(lambda: stage.is_on_main)
    assert stage.app.last_words == ()
    assert stage.facade.proposals.discarded == []
