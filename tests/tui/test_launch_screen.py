"""A start on the screen: its steps, what fails, what the person decides, and how it is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import Decide, Decision, Progress, Proposal, StepFailure, StepProgress, StepState
from orchestrator_core.models.orchestration import Orchestration
from tests.fakes.facade import FakeOrchestrator
from tests.fakes.proposals import a_proposal
from tests.polling import aeventually
from tests.tui.stage import Stage, running, staged
from tui.screens.launch import LaunchScreen
from tui.team_messages import Approved

RUNNING, DONE, FAILED, UNDONE = StepState.RUNNING, StepState.DONE, StepState.FAILED, StepState.UNDONE
PROPOSAL = replace(a_proposal(), orchestration=OrchestrationId("shop-3f2a"))
BROKEN = StepFailure(
    step="worktrees",
    agent="tester",
    title="the worktree cannot be made",
    cause="fatal: [red]no space left[/red]\n\x1b[31mon device",
    remedy="make room on the disk",
)


def told(step: str, state: StepState, text: str, agent: str = "") -> StepProgress:
    return StepProgress(step=step, state=state, text=text, agent=agent)


def worktrees(*roles: str) -> list[StepProgress | StepFailure]:
    return [told("worktrees", DONE, f"{role}: tmorch/{role}", role) for role in roles]


WINDOWS = told("agents", RUNNING, "developer: starting", "developer")


class Undoing:
    """A start that goes on until it is cancelled, and whose undoing takes as long as a test wants."""

    def __init__(self, facade: FakeOrchestrator) -> None:
        self.may_end = asyncio.Event()
        self.begun = self.cut_short = False
        self.is_undone = False
        self._start = facade.start
        facade.start = self  # type: ignore[method-assign]

    async def __call__(self, proposal: Proposal, progress: Progress, decide: Decide | None = None) -> Orchestration:
        try:
            return await self._start(proposal, progress, decide)
        except asyncio.CancelledError:
            self.begun = True
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cut_short = True
                raise
            progress(told("undo", UNDONE, "everything the start had made is gone again"))
            self.is_undone = True
            raise


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.may_start.clear()
    return made


async def launched(stage: Stage, *steps: StepProgress | StepFailure) -> LaunchScreen:
    """Begin a start that tells these steps, and return its screen once it has."""
    stage.facade.steps = list(steps)
    stage.app.post_message(Approved(PROPOSAL))
    await aeventually(lambda: isinstance(stage.app.screen, LaunchScreen) and bool(stage.facade.launches))
    await stage.settle()
    screen = stage.app.screen
    assert isinstance(screen, LaunchScreen)
    return screen


def is_open(stage: Stage) -> bool:
    return isinstance(stage.app.screen, LaunchScreen)


async def reads(stage: Stage, *texts: str) -> None:
    """Wait until all of this is on the screen."""

    def is_there() -> bool:
        shown = stage.screen_text()
        assert not [text for text in texts if text not in shown], shown
        return True

    await aeventually(is_there, timeout=5.0)


# -- what happens -----------------------------------------------------------------------------------


async def test_steps_and_agents_with_marks_and_seconds(stage: Stage) -> None:
    async with running(stage):
        screen = await launched(
            stage,
            *worktrees("developer", "tester"),
            told("worktrees", DONE, "2 worktrees on branches of their own"),
            WINDOWS,
        )
        stage.now += 7
        screen.take_step(told("agents", FAILED, "tester: [b]no tmux[/b]", "tester"))
        await reads(
            stage,
            "shop-3f2a is being started",
            "✔ Worktrees  2 worktrees on branches of their own",
            "✔ tester     tmorch/tester",
            "◌ Windows",
            "◌ developer  starting",
            "7 s",
            "✖ tester     [b]no tmux[/b]",
        )


async def test_an_agent_whose_step_is_done_is_done(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, WINDOWS, told("agents", DONE, "1 window"))
        await reads(stage, "✔ Windows", "✔ developer")


async def test_many_agents_scroll_with_what_happens_until_the_person_looks_elsewhere(stage: Stage) -> None:
    roles = [f"role_{number}" for number in range(15)]
    async with running(stage, size=(80, 24)):
        screen = await launched(stage, *worktrees(*roles), *[told("ready", DONE, f"{r}: idle", r) for r in roles])
        assert "tmorch/role_0" not in stage.screen_text()
        await reads(stage, "✔ role_14")
        await stage.press("home")
        screen.take_step(told("ready", DONE, "all are ready"))
        await stage.settle()
        assert "tmorch/role_0" in stage.screen_text(), "it stays where the person looks"
        await stage.press("end")
        screen.take_step(told("briefing", RUNNING, "role_0: handed over", "role_0"))
        await reads(stage, "◌ Briefing")
        for key, seen in (("pageup", "ready"), ("home", "tmorch/role_0"), ("down", "tmorch/role_0"), ("G", "Briefing")):
            await stage.press(key)
            await stage.settle()
            assert seen in stage.screen_text(), key


async def test_two_undoings_stand_beside_each_other(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, told("undo", UNDONE, "an earlier start"), *worktrees("tester"))
        screen = stage.app.screen
        assert isinstance(screen, LaunchScreen)
        screen.take_step(told("undo", UNDONE, "kept, since it may hold work: /w/tester"))
        await reads(stage, "↺ Undone  an earlier start", "↺ Undone  kept, since it may hold work: /w/tester")


# -- a step that fails ------------------------------------------------------------------------------


async def test_a_failure_says_what_why_and_what_to_do_and_retries(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, told("worktrees", FAILED, "tester: it broke", "tester"), BROKEN)
        await reads(
            stage,
            "a step failed",
            "tester: the worktree cannot be made",
            "fatal: [red]no space left[/red]",
            "→ make room on the disk",
            "r retry",
            "x undo all",
        )
        assert "\x1b[31m" not in stage.screen_text()
        assert "g go on" not in stage.screen_text()
        await stage.press("g")
        assert stage.facade.decisions == [], "the team cannot do without it"
        await stage.press("r")
        await aeventually(lambda: stage.facade.decisions == [Decision.RETRY])
        await reads(stage, "is being started")
        assert "r retry" not in stage.screen_text()


async def test_going_on_where_the_team_can_do_without(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, replace(BROKEN, may_go_on=True))
        await reads(stage, "g go on")
        await stage.press("g")
        await aeventually(lambda: stage.facade.decisions == [Decision.GO_ON])


async def test_undoing_at_once_while_no_agent_runs(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, *worktrees("developer"), BROKEN)
        await stage.press("x")
        await aeventually(lambda: stage.facade.decisions == [Decision.ROLL_BACK])
        await reads(stage, "was not started", "The worktree cannot be made", "→ make room on the disk", "leave")


async def test_undoing_is_asked_about_once_agents_run(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, WINDOWS, BROKEN)
        await stage.press("x")
        await reads(stage, "x again undoes", "Agents run already")
        assert stage.facade.decisions == []
        await stage.press("j")
        await reads(stage, "the worktree cannot be made")
        await stage.press("x")
        assert stage.facade.decisions == [], "the question was taken back"
        await stage.press("x")
        await aeventually(lambda: stage.facade.decisions == [Decision.ROLL_BACK])


async def test_a_long_cause_scrolls_within_bounds(stage: Stage) -> None:
    long = "\n".join(f"output {number}" for number in range(60))
    async with running(stage, size=(80, 24)):
        await launched(stage, *worktrees("developer"), replace(BROKEN, cause=long))
        await reads(stage, "output 1", "✔ developer", "r retry")
        assert "output 40" not in stage.screen_text()
        for _ in range(9):
            await stage.press("J")
        await reads(stage, "output 59", "→ make room")
        await stage.press("K")
        await stage.settle()
        assert "→ make room" not in stage.screen_text()


# -- how it ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_a_team_that_has_started_is_gone_to(stage: Stage, key: str) -> None:
    async with running(stage):
        screen = await launched(stage, told("ready", DONE, "developer: idle", "developer"))
        await stage.press("enter")
        assert is_open(stage)
        stage.facade.may_start.set()
        await reads(stage, "shop-3f2a ✔ runs", "every agent is ready", "leave")
        assert screen.first_agent == "shop-3f2a:orchestrator"
        await stage.press(key)
        await aeventually(lambda: stage.is_on_main)


async def test_a_team_without_all_its_agents_says_so(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, told("ready", FAILED, "tester: not ready after 60 s", "tester"))
        stage.facade.may_start.set()
        await reads(stage, "Not as it should: tester")


async def test_a_start_that_failed_says_what_was_kept(stage: Stage) -> None:
    stage.facade.fail("start", TmorchError("no agent could be started", cause="it broke", remedy="kept: /w/tester"))
    stage.facade.may_start.set()
    async with running(stage):
        await launched(stage, WINDOWS, told("undo", UNDONE, "kept: /w/tester"))
        await reads(stage, "No agent could be started", "it broke", "→ kept: /w/tester", "– developer")
        await stage.press("enter")
        await aeventually(lambda: stage.is_on_main)


async def test_a_start_is_called_off_with_a_second_press(stage: Stage) -> None:
    undoing = Undoing(stage.facade)
    async with running(stage):
        await launched(stage, WINDOWS)
        await stage.press("escape")
        await reads(stage, "esc again undoes")
        await stage.press("b")
        await stage.settle()
        assert "again undoes" not in stage.screen_text(), "any other key lets it be"
        await stage.press("escape")
        assert not undoing.begun
        await stage.press("escape")
        await aeventually(lambda: undoing.begun)
        await reads(stage, "is being undone")
        await stage.press("escape", "enter", "x", "r")
        assert is_open(stage)
        assert not undoing.cut_short
        undoing.may_end.set()
        await reads(stage, "You have called the start off.", "↺ everything the start had made is gone again")
        await stage.press("escape")
        await aeventually(lambda: stage.is_on_main)
        assert not stage.app._notifications


# -- the app ends meanwhile -------------------------------------------------------------------------


async def test_quitting_asks_then_undoes_everything_then_ends(stage: Stage) -> None:
    undoing = Undoing(stage.facade)
    async with running(stage):
        await launched(stage, WINDOWS)
        await stage.press("q")
        await reads(stage, "q again undoes", "leaves tmorch-tui")
        assert not undoing.begun
        await stage.press("q")
        await aeventually(lambda: undoing.begun)
        await reads(stage, "Then tmorch-tui ends.")
        assert not stage.app._exit
        undoing.may_end.set()
        await aeventually(lambda: stage.app._exit)
    assert undoing.is_undone
    assert not undoing.cut_short


async def test_quitting_below_the_help_asks_where_it_can_be_seen(stage: Stage) -> None:
    async with running(stage):
        await launched(stage, WINDOWS)
        await stage.press("question_mark")
        await aeventually(lambda: stage.is_helping)
        await stage.app.action_quit()
        await aeventually(lambda: is_open(stage))
        await reads(stage, "q again undoes")
        assert not stage.app._exit


async def test_quitting_while_it_is_undone_already_waits_for_that(stage: Stage) -> None:
    undoing = Undoing(stage.facade)
    async with running(stage):
        await launched(stage, WINDOWS)
        await stage.press("escape", "escape")
        await aeventually(lambda: undoing.begun)
        await stage.press("q")
        assert not stage.app._exit
        undoing.may_end.set()
        await aeventually(lambda: stage.app._exit)
    assert undoing.is_undone


@pytest.mark.parametrize("is_undoing", [False, True])
async def test_an_app_that_is_ended_from_outside_undoes_the_start_first(stage: Stage, is_undoing: bool) -> None:
    undoing = Undoing(stage.facade)
    async with running(stage):
        await launched(stage, WINDOWS)
        if is_undoing:
            await stage.press("escape", "escape")
            await aeventually(lambda: undoing.begun)
        asyncio.get_running_loop().call_later(0.2, undoing.may_end.set)
        stage.app.exit()
    assert undoing.is_undone
    assert not undoing.cut_short


async def test_quitting_when_it_is_over_asks_nothing(stage: Stage) -> None:
    stage.facade.may_start.set()
    async with running(stage):
        await launched(stage)
        await reads(stage, "✔ runs")
        await stage.press("q")
        await aeventually(lambda: stage.app._exit)
