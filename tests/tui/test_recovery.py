"""Resuming teams on the screen: the plan, the second press, what comes of it, what is left over, and the offer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import NeedKind
from orchestrator_core.models.recovery import Part, RecoveryPlan, Verb
from tests.fakes.recovery import Executed, FakeRecovery
from tests.polling import aeventually
from tests.tui.plans import ANEW, BLOG, CONTINUE, ODD, ORPHANS, PLAIN, SHOP, WHOLE, step
from tests.tui.samples import need
from tests.tui.stage import Stage, running, staged
from tui.recovery_messages import RecoveryOpened
from tui.screens.recovery import RecoveryScreen
from tui.timeline_plan import clock


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.recovery.found = (PLAIN, WHOLE)
    return made


def fake(stage: Stage) -> FakeRecovery:
    return stage.facade.recovery


def is_open(stage: Stage) -> bool:
    return isinstance(stage.app.screen, RecoveryScreen)


def selected(stage: Stage) -> str:
    screen = stage.app.screen
    assert isinstance(screen, RecoveryScreen)
    return screen._list.selected_id


async def opened(stage: Stage, *plans: RecoveryPlan) -> None:
    """Open the screen and wait until these plans, or what there is, were read."""
    recovery = fake(stage)
    recovery.found = plans or recovery.found
    readings = recovery.readings
    await stage.press("R")
    await aeventually(lambda: is_open(stage) and recovery.readings > readings)
    await stage.settle()


async def reads(stage: Stage, *texts: str) -> None:
    """Wait until all of this is on the screen."""

    def is_there() -> bool:
        shown = stage.screen_text()
        assert not [text for text in texts if text not in shown], shown
        return True

    await aeventually(is_there, timeout=5.0)


# -- the plan ---------------------------------------------------------------------------------------


async def test_the_plan_says_of_each_agent_what_is_kept_and_what_would_be_done(stage: Stage) -> None:
    async with running(stage, size=(120, 40)):
        await opened(stage, ODD, WHOLE)
        await reads(
            stage,
            "Resume",
            "2 teams · 1 not whole",
            "‼ shop-3f2a",
            "4 to do · 1 refused",
            "! the account /home/dana/.claude is limited until 14:30",
            "✔ orchestrator  kept        window, program, worktree, branch, check-in",
            "+ developer     rebuild     worktree      its folder is gone",
            "»               continue    program       its program ended with exit code 137",
            "✱ reviewer      start anew  conversation  its conversation is gone",
            "✎               re-brief    conversation  it was started anew",
            "‼ tester        refused     conversation  it runs elsewhere: process 4711",
            "✔ docs-91bb",
            "nothing is missing",
        )
        assert not fake(stage).executed, "it is a plan"


async def test_the_whole_of_a_row_is_told_below(stage: Stage) -> None:
    async with running(stage, size=(80, 24)):
        await opened(stage, ODD)
        await stage.press("end")
        await reads(stage, "tester: refused · conversation", "end it there, then look again")
        await stage.press("home")
        await reads(stage, "1 part is rebuilt", "no byte is typed to agents that run")


async def test_a_whole_team_has_nothing_missing_and_cannot_be_resumed(stage: Stage) -> None:
    async with running(stage):
        await opened(stage, WHOLE)
        await reads(stage, "nothing is missing", "Nothing is missing: all of it is there and runs.")
        assert "y resume" not in stage.screen_text()
        await stage.press("y", "y", "A", "A")
        await stage.settle()
        assert not fake(stage).executed


async def test_no_team_at_all(stage: Stage) -> None:
    fake(stage).found = ()
    async with running(stage):
        await opened(stage)
        await reads(stage, "No team is meant to run")
        await stage.press("y", "A", "B", "enter", "j", "end")
        await stage.settle()
        assert not fake(stage).executed


async def test_it_opens_at_what_is_to_be_done_for_the_selected_agent(stage: Stage) -> None:
    async with running(stage):
        stage.main.action_go_to(AgentId("shop-3f2a:developer"))
        await stage.settle()
        await opened(stage, WHOLE, BLOG, PLAIN)
        await aeventually(lambda: selected(stage) == "step/shop-3f2a/shop-3f2a:developer/worktree/rebuild")
        await stage.press("enter")
        await aeventually(lambda: stage.is_on_main)
        assert stage.selected == "agent:shop-3f2a:developer"


async def test_the_need_of_an_agent_that_ended_leads_there(stage: Stage) -> None:
    ended = need("shop-3f2a:developer", NeedKind.EXITED, "its pane is gone", minutes=1)
    stage.facade.publish(replace(stage.facade.latest, needs=(ended,)))
    async with running(stage):
        await stage.press("a")
        await reads(stage, "R resume")
        await stage.press("R")
        await aeventually(lambda: is_open(stage))
        await stage.press("escape")
        await aeventually(lambda: stage.is_on_main)


async def test_what_cannot_be_read_is_said_with_why_and_read_again(stage: Stage) -> None:
    stage.facade.fail("plans", TmorchError("tmux does not answer", cause="no [b]server[/b]", remedy="tmorch doctor"))
    async with running(stage):
        await opened(stage)
        await reads(stage, "tmux does not answer", "no [b]server[/b]", "→ tmorch doctor", "It cannot be told")
        await stage.press("y", "y")
        assert not fake(stage).executed
        await stage.press("r")
        await reads(stage, "1 not whole")
        assert "tmux does not answer" not in stage.screen_text()


async def test_an_error_of_ours_does_not_leave_it_looking_for_ever(stage: Stage) -> None:
    stage.facade.fail("plans", RuntimeError("odd"))
    async with running(stage):
        await opened(stage)
        await reads(stage, "It cannot be told", "odd")


# -- resuming ---------------------------------------------------------------------------------------


async def test_the_same_rows_show_progress_and_outcome(stage: Stage) -> None:
    fake(stage).may_end.clear()
    async with running(stage, size=(110, 30)):
        await opened(stage)
        await stage.press("y")
        await reads(
            stage,
            "being resumed · 1 of 2 done",
            "✔ developer     rebuild",
            "◌               continue",
            "You may leave this screen: it goes on.",
        )
        assert fake(stage).executed == [Executed(PLAIN, rebrief_all=False)]
        fake(stage).may_end.set()
        await reads(stage, "✔ shop-3f2a", "resumed", "✔               continue", "Done: 1 part is rebuilt, 1 agent")


async def test_a_second_press_while_one_runs_does_nothing(stage: Stage) -> None:
    fake(stage).may_end.clear()
    async with running(stage):
        await opened(stage)
        await stage.press("y", "y", "y", "B", "B", "A", "A")
        await reads(stage, "being resumed")
        assert len(fake(stage).executed) == 1
        await stage.press("escape", "R")
        await aeventually(lambda: is_open(stage) and fake(stage).readings == 2)
        await reads(stage, "being resumed · 1 of 2 done")
        await stage.press("y", "y", "B", "B")
        await stage.settle()
        assert len(fake(stage).executed) == 1
        fake(stage).may_end.set()
        await reads(stage, "✔ shop-3f2a")
        await stage.press("y", "y")
        await stage.settle()
        assert len(fake(stage).executed) == 1, "what the plan said is done: it is to be looked again first"


async def test_what_is_unusual_wants_a_second_press(stage: Stage) -> None:
    async with running(stage):
        await opened(stage, ODD)
        await stage.press("y")
        await reads(
            stage,
            "y again resumes shop-3f2a; any other key lets it be.",
            "1 agent starts anew: the conversation before is gone.",
            "1 thing is refused",
            "is limited until 14:30",
        )
        await stage.press("escape")
        await stage.settle()
        assert is_open(stage), "it took back the question, no more"
        assert "again resumes" not in stage.screen_text()
        await stage.press("y", "b", "y")
        await stage.settle()
        assert not fake(stage).executed
        await stage.press("y")
        await aeventually(lambda: fake(stage).executed == [Executed(ODD, rebrief_all=False)])


async def test_moving_to_another_team_takes_the_question_back(stage: Stage) -> None:
    odd_blog = replace(BLOG, warnings=("the account is limited",))
    async with running(stage, size=(100, 40)):
        await opened(stage, ODD, odd_blog)
        await stage.press("home", "y")
        await reads(stage, "y again resumes shop-3f2a")
        await stage.press("end", "y")
        await reads(stage, "y again resumes blog-77aa")
        assert not fake(stage).executed


async def test_a_failure_is_shown_with_why(stage: Stage) -> None:
    fake(stage).failing = ((CONTINUE, "claude ended at once: [red]exit code 1[/red]"),)
    async with running(stage, size=(110, 30)):
        await opened(stage)
        await stage.press("y")
        await reads(
            stage,
            "✖ shop-3f2a",
            "1 failed",
            "✖               continue    program       claude ended at once: [red]exit code 1[/red]",
            "✖ developer, program: claude ended at once",
            "✔ developer     rebuild",
        )


async def test_what_came_up_meanwhile_and_what_was_no_longer_needed_are_told_apart(stage: Stage) -> None:
    came = step(Verb.CONTINUE, Part.PROGRAM, "it ended just now", "tester")
    fake(stage).failing = ((came, "it has come since the plan was shown: look again"), (CONTINUE, "no"))
    async with running(stage, size=(110, 30)):
        await opened(stage)
        await stage.press("y")
        await reads(stage, "2 failed", "✖ tester        continue    program       it has come since")


async def test_nothing_is_done_when_the_facade_refuses(stage: Stage) -> None:
    stage.facade.fail("execute", TmorchError("shop-3f2a is being brought back", cause="another tmorch", remedy="wait"))
    async with running(stage):
        await opened(stage)
        await stage.press("y")
        await reads(stage, "✖ shop-3f2a", "not resumed", "another tmorch", "→ wait")
        await stage.press("r")
        await reads(stage, "2 to do")


async def test_all_teams_one_after_the_other_at_a_second_press(stage: Stage) -> None:
    fake(stage).may_end.clear()
    async with running(stage):
        await opened(stage, PLAIN, BLOG, WHOLE)
        await stage.press("A")
        await reads(stage, "A again resumes shop-3f2a, blog-77aa", "blog-77aa: 1 part is rebuilt, 2 agents continue")
        assert not fake(stage).executed
        await stage.press("A")
        await reads(stage, "being resumed · 1 of 2", "being resumed · 0 of 3")
        assert len(fake(stage).executed) == 1
        fake(stage).may_end.set()
        await aeventually(lambda: [call.plan for call in fake(stage).executed] == [PLAIN, BLOG])


async def test_re_briefing_all_asks_first_and_works_for_a_whole_team(stage: Stage) -> None:
    async with running(stage):
        await opened(stage, WHOLE)
        await stage.press("B")
        await reads(stage, "B again re-briefs every agent of docs-91bb", "gets one message, at its prompt")
        assert not fake(stage).executed
        await stage.press("B")
        await aeventually(lambda: fake(stage).executed == [Executed(WHOLE, rebrief_all=True)])
        await reads(stage, "re-briefed")


# -- races ------------------------------------------------------------------------------------------


async def test_nothing_can_be_approved_while_the_plan_is_being_read(stage: Stage) -> None:
    async with running(stage):
        await opened(stage)
        fake(stage).may_read.clear()
        fake(stage).found = (ODD,)
        await stage.press("r", "y", "A", "A", "B", "B", "y")
        await reads(stage, "looking …")
        assert not fake(stage).executed
        fake(stage).may_read.set()
        await reads(stage, "4 to do · 1 refused")
        assert not fake(stage).executed
        await stage.press("y")
        await reads(stage, "y again resumes")


async def test_keys_before_the_first_plan_do_nothing(stage: Stage) -> None:
    fake(stage).may_read.clear()
    async with running(stage):
        await stage.press("R", "y", "y", "j", "B", "B", "tab", "enter")
        await aeventually(lambda: is_open(stage))
        await reads(stage, "Looking at tmux, git and the agents")
        fake(stage).may_read.set()
        await reads(stage, "2 to do")
        assert not fake(stage).executed


async def test_a_plan_that_arrives_leaves_the_selection_where_the_person_is(stage: Stage) -> None:
    async with running(stage, size=(100, 40)):
        await opened(stage, PLAIN, WHOLE)
        fake(stage).may_read.clear()
        await stage.press("r", "end", "up")
        before = selected(stage)
        fake(stage).found = (BLOG, PLAIN, WHOLE)
        fake(stage).may_read.set()
        await reads(stage, "blog-77aa")
        assert selected(stage) == before


async def test_leaving_while_it_is_read_and_while_it_runs_is_safe(stage: Stage) -> None:
    fake(stage).may_read.clear()
    fake(stage).may_end.clear()
    async with running(stage):
        await stage.press("R", "escape")
        await aeventually(lambda: stage.is_on_main)
        fake(stage).may_read.set()
        await stage.settle()
        await opened(stage)
        await stage.press("y", "escape")
        await aeventually(lambda: stage.is_on_main and bool(fake(stage).executed))
        fake(stage).may_end.set()
        await aeventually(lambda: [n.title for n in stage.app._notifications] == ["shop-3f2a was resumed"])


async def test_a_failure_after_leaving_is_said(stage: Stage) -> None:
    fake(stage).may_end.clear()
    fake(stage).failing = ((ANEW, "no"),)
    async with running(stage):
        await opened(stage)
        await stage.press("y", "R")
        await aeventually(lambda: stage.is_on_main)
        fake(stage).may_end.set()
        await aeventually(lambda: [n.title for n in stage.app._notifications] == ["shop-3f2a is not whole"])
        await stage.press("R")
        await aeventually(lambda: is_open(stage))


async def test_quitting_while_it_runs_warns_once(stage: Stage) -> None:
    fake(stage).may_end.clear()
    async with running(stage):
        await opened(stage)
        await stage.press("y", "q")
        await aeventually(lambda: [n.title for n in stage.app._notifications] == ["shop-3f2a: being resumed"])
        assert not stage.app._exit
        await stage.press("q")
        await aeventually(lambda: stage.app._exit)


# -- what is left over ------------------------------------------------------------------------------


async def test_what_is_left_over_is_listed_with_the_command_to_type(stage: Stage) -> None:
    fake(stage).left_over = ORPHANS
    async with running(stage, size=(80, 24)):
        await opened(stage)
        await reads(stage, "Left over", "session   till-0a0a", "worktree  till-0a0a/developer", "intent    blog-77aa")
        await stage.press("tab")
        await reads(stage, "session till-0a0a", "→ tmux kill-session -t =till-0a0a")
        await stage.press("down")
        await reads(stage, "→ tmorch cleanup till-0a0a")
        await stage.press("enter", "x", "d", "delete")
        await stage.settle()
        assert is_open(stage)
        await stage.press("tab", "tab", "shift+tab")
        await reads(stage, "1 part is rebuilt, 1 agent continues its conversation.")
        assert not fake(stage).executed


async def test_what_is_left_over_may_vanish_below_the_cursor(stage: Stage) -> None:
    fake(stage).left_over = ORPHANS
    async with running(stage):
        await opened(stage)
        await stage.press("tab", "end")
        fake(stage).left_over = ()
        await stage.press("r")
        await aeventually(lambda: "Left over" not in stage.screen_text())
        await stage.press("end")
        await aeventually(lambda: selected(stage).startswith("kept/docs-91bb"))


async def test_left_overs_that_cannot_be_read_do_not_hide_the_plans(stage: Stage) -> None:
    stage.facade.fail("orphans", TmorchError("git does not answer"))
    async with running(stage):
        await opened(stage)
        await reads(stage, "2 to do")
        await aeventually(lambda: [n.title for n in stage.app._notifications] == ["git does not answer"])


# -- after a reboot ---------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.recovery_calls.OFFER_S", 0.01)


@pytest.mark.usefixtures("at_once")
async def test_what_a_reboot_interrupted_is_offered_once_with_why(stage: Stage) -> None:
    fake(stage).interrupted = fake(stage).found = (PLAIN, BLOG)
    fake(stage).booted = at = stage.now - 3600.0
    async with running(stage):
        await aeventually(lambda: is_open(stage))
        await reads(stage, f"This machine was restarted ({clock(at, stage.now)}); 2 teams were interrupted.")
        await stage.press("y")
        await reads(stage, "y again resumes shop-3f2a", "It would: 1 part is rebuilt")
        assert not fake(stage).executed, "a key that was meant for something else does nothing"
        await stage.press("y")
        await aeventually(lambda: bool(fake(stage).executed))
        await stage.press("escape")
        await aeventually(lambda: stage.is_on_main)
        assert fake(stage).offers == 1


@pytest.mark.usefixtures("at_once")
async def test_it_does_not_come_between_the_person_and_what_they_write(stage: Stage) -> None:
    recovery = fake(stage)
    recovery.interrupted = (PLAIN,)
    may_offer = asyncio.Event()
    offer = recovery.offer

    async def late() -> tuple[RecoveryPlan, ...]:
        await may_offer.wait()
        return await offer()

    recovery.offer = late  # type: ignore[method-assign]
    async with running(stage):
        await stage.write("Please look")
        may_offer.set()
        await aeventually(lambda: any("1 team was interrupted" in n.title for n in stage.app._notifications))
        assert stage.is_on_main
        assert stage.input.text == "Please look"


async def test_opening_it_twice_is_opening_it_once(stage: Stage) -> None:
    async with running(stage):
        stage.app.post_message(RecoveryOpened(SHOP))
        stage.app.post_message(RecoveryOpened(SHOP))
        await aeventually(lambda: is_open(stage))
        await stage.settle()
        assert len(stage.app.screen_stack) == 2
