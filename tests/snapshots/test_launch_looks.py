"""How the screen of a start looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import StepFailure, StepProgress, StepState
from tests.fakes.proposals import a_proposal
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.snapshots.test_main_screen_states import facade_of
from tests.tui import samples
from tui.app import TmorchApp
from tui.screens.launch import LaunchScreen
from tui.team_messages import Approved

__all__ = ["utc"]  # the fixture is for this module, too
RUNNING, DONE, FAILED, UNDONE = StepState.RUNNING, StepState.DONE, StepState.FAILED, StepState.UNDONE
PROPOSAL = replace(a_proposal(), orchestration=OrchestrationId("shop-3f2a"))
ROLES = PROPOSAL.team.roles
CAUSE = """\
fatal: could not create work tree dir '/home/dana/projects/shop-3f2a/tester'
error: [Errno 28] No space left on device"""


def told(step: str, state: StepState, text: str, agent: str = "") -> StepProgress:
    return StepProgress(step=step, state=state, text=text, agent=agent)


def worktrees(*roles: str) -> list[StepProgress | StepFailure]:
    return [told("worktrees", DONE, f"tmorch/shop-3f2a/{role}", role) for role in roles]


MADE = [*worktrees(*ROLES), told("worktrees", DONE, f"{len(ROLES)} worktrees on branches of their own")]
OPENED = [
    *[told("agents", DONE, "window is open", role) for role in ROLES],
    told("agents", DONE, f"{len(ROLES)} windows in the tmux session shop-3f2a"),
]
BROKEN = [
    *worktrees(*ROLES[:2]),
    told("worktrees", FAILED, "the worktree cannot be made", ROLES[2]),
    StepFailure(
        step="worktrees",
        agent=ROLES[2],
        title="the worktree cannot be made",
        cause=CAUSE,
        remedy="make room on the disk, then press r",
        may_go_on=False,
    ),
]


def app_with(*steps: StepProgress | StepFailure, theme: str = "tmorch-dark", ends: bool = False) -> TmorchApp:
    """Return the app with a start that tells these steps, and ends there if it is to."""
    app = app_of(samples.three_teams(), theme)
    facade_of(app).steps = list(steps)
    if not ends:
        facade_of(app).may_start.clear()
    return app


def started(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Begin the start, and press keys once it has told everything."""

    async def run(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, TmorchApp)
        await aeventually(lambda: app.main.composer.input is not None)
        app.post_message(Approved(PROPOSAL))
        await aeventually(lambda: isinstance(app.screen, LaunchScreen) and bool(facade_of(app).launches))
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_under_way(snap_compare: Compare, theme: str) -> None:
    """The worktrees are done; of the windows one is done and one is being opened: the row of that one is selected, and
    told in full below. The keys at the bottom: call off, help, quit.
    """
    windows = [told("agents", DONE, "window is open", ROLES[0]), told("agents", RUNNING, "starting", ROLES[1])]
    assert snap_compare(app_with(*MADE, *windows, theme=theme), terminal_size=SMALL, run_before=started())


def test_a_step_that_failed(snap_compare: Compare) -> None:
    """The title asks what is to be done; the agent with ✖ is selected; below stand title, cause and remedy, and the
    keys retry, undo all and call off.
    """
    assert snap_compare(app_with(*BROKEN), terminal_size=SMALL, run_before=started())


def test_calling_off_asks(snap_compare: Compare) -> None:
    """Below the steps: which key undoes everything, that agents run already, and that work is kept."""
    assert snap_compare(app_with(*MADE, *OPENED), terminal_size=SMALL, run_before=started("escape"))


def test_started(snap_compare: Compare) -> None:
    """Every step with ✔ and its agents; one agent waits, with ✖, and is named below; enter goes to the team."""
    ready = [told("ready", DONE, "idle", role) for role in ROLES[1:]]
    odd = told("ready", FAILED, "waiting (permission)", ROLES[0])
    assert snap_compare(app_with(*MADE, *OPENED, odd, *ready, ends=True), terminal_size=LARGE, run_before=started())


def test_rolled_back(snap_compare: Compare) -> None:
    """It was not started: why, what to do, and with ↺ that everything is undone; nothing is under way; enter leaves."""

    async def undo(pilot: Pilot[int]) -> None:
        await started("x")(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        screen.take_step(told("undo", UNDONE, "everything the start had made is gone again"))
        await pilot.pause()

    assert snap_compare(app_with(*BROKEN), terminal_size=SMALL, run_before=undo)
