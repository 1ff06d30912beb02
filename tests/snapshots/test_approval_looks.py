"""How a team looks before it is approved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.models.analysis import Action, Analysis, AnalysisProgress, AnalysisSource, Size, Suggestion
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import Proposal, StartRequest
from orchestrator_core.models.spec import Phase, Remark
from orchestrator_core.models.team import Tuning
from tests.fakes.proposals import SHOP, SPEC, a_proposal
from tests.polling import aeventually
from tests.snapshots.test_main_screen_looks import LARGE, SMALL, Compare, app_of, utc
from tests.tui import samples
from tui.app import TmorchApp
from tui.opening import Opening
from tui.screens.approval import ApprovalScreen
from tui.screens.briefing import BriefingScreen

__all__ = ["utc"]  # the fixture is for this module, too
FULL = replace(
    SPEC,
    constraints=("Keep the database schema as it is", "No new services"),
    phases=(
        Phase(name="Storage", tasks=("a table for transfers", "a migration that goes back"), hours=4),
        Phase(name="Pages", tasks=("the form", "the receipt"), hours=6),
    ),
    remarks=(Remark(line=16, text="DELIVERABELS heads no section: did you mean DELIVERABLES?"),),
)
ADVICE = (
    Suggestion(
        action=Action.ADD, role="securityops", why="payments pass through it", source=AnalysisSource.CLAUDE,
        warning="securityops builds on the work of sysadmin, which is not in the team",
    ),
    Suggestion(
        action=Action.REMOVE, role="testrunner", why="the suite takes four seconds", source=AnalysisSource.CLAUDE
    ),
    Suggestion(
        action=Action.ADD, role="wizard", why="magic", source=AnalysisSource.CLAUDE, refused="there is no such role"
    ),
)  # fmt: skip
READ = Analysis(
    source=AnalysisSource.CLAUDE,
    summary="Bank transfers with receipts.",
    success_criteria=("A transfer that is sent twice is booked once",),
    size=Size.SMALL,
    size_basis="2 deliverables, 4 source files",
    suggestions=ADVICE,
    cost_usd=0.21,
    seconds=48,
)


def proposed(request: StartRequest | None = None, **changes: object) -> Proposal:
    """Return a proposal whose names are the same each time."""
    wish = request or StartRequest(project=SHOP.path)
    made = a_proposal(wish, spec=FULL)
    return replace(
        made,
        orchestration=OrchestrationId("shop-3f2a"),
        worktrees="/home/dana/.local/state/tmorch/worktrees/shop-3f2a",
        branches="tmorch/shop-3f2a/",
        **changes,
    )


def opened(proposal: Proposal, theme: str = "tmorch-dark") -> TmorchApp:
    """Return the app that opens this proposal."""
    return app_of(samples.three_teams(), theme, opening=Opening(proposal=proposal))


def then(*keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Wait for the approval, and press keys."""

    async def act(pilot: Pilot[int]) -> None:
        await aeventually(lambda: isinstance(pilot.app.screen, ApprovalScreen))
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return act


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
def test_in_a_small_terminal(snap_compare: Compare, theme: str) -> None:
    """The team alone: a row a role with what it may do, its interval and why; below it all about the orchestrator."""
    assert snap_compare(opened(proposed(), theme), terminal_size=SMALL, run_before=then())


def test_the_spec_in_a_small_terminal(snap_compare: Compare) -> None:
    """Tab shows the spec as understood: goal, deliverables, constraints; what was proposed is marked as such."""
    assert snap_compare(opened(proposed()), terminal_size=SMALL, run_before=then("tab"))


def test_in_a_large_terminal(snap_compare: Compare) -> None:
    """The spec at the left with its phases and a remark, the team at the right, who was left out, who can be added."""
    assert snap_compare(opened(proposed(analysis=READ)), terminal_size=LARGE, run_before=then())


def test_more_than_the_plan_carries(snap_compare: Compare) -> None:
    """‼ 6 of 5 agents in red above, in words below; one agent with another model, one that asks for nothing."""
    wish = StartRequest(
        project=SHOP.path,
        added=("researcher",),
        tuning={
            "developer": Tuning(model="opus", check_in_min=12.5),
            "tester": Tuning(permission_mode="bypassPermissions"),
        },
    )
    assert snap_compare(opened(proposed(wish)), terminal_size=(110, 34), run_before=then("down", "down"))


def test_a_refinement_as_a_difference(snap_compare: Compare) -> None:
    """Above the team a line each: + to add, - to take out, ⊘ not possible; the selected one explained below."""
    assert snap_compare(opened(proposed(analysis=READ)), terminal_size=(110, 34), run_before=then("home"))


def test_while_claude_reads(snap_compare: Compare) -> None:
    """The line below the title says what Claude reads and for how long; the team can be used meanwhile."""

    async def act(pilot: Pilot[int]) -> None:
        await then()(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, ApprovalScreen)
        screen.take_progress(AnalysisProgress(text="reads src/shop/till.py", seconds=17, limit_s=300))
        await pilot.pause()

    assert snap_compare(opened(proposed()), terminal_size=SMALL, run_before=act)


def test_when_claude_could_not_be_asked(snap_compare: Compare) -> None:
    """The line below the title says why the spec was read offline."""
    offline = Analysis(because="the 5-hour limit is reached; it resets at 15:29")
    assert snap_compare(opened(proposed(analysis=offline)), terminal_size=SMALL, run_before=then())


def test_a_question_before_leaving(snap_compare: Compare) -> None:
    """Below the team: the changes are not saved, the key again leaves them."""
    assert snap_compare(opened(proposed()), terminal_size=SMALL, run_before=then("c", "escape"))


def test_the_interval_is_written(snap_compare: Compare) -> None:
    """A field below the details with the interval of the developer in it, selected."""
    assert snap_compare(opened(proposed()), terminal_size=SMALL, run_before=then("down", "down", "i"))


def test_a_briefing_before_anything_is_made(snap_compare: Compare) -> None:
    """The first prompt of the orchestrator over the approval, its headings set off."""

    async def act(pilot: Pilot[int]) -> None:
        await then("enter")(pilot)
        await aeventually(lambda: isinstance(pilot.app.screen, BriefingScreen))
        await pilot.pause()

    assert snap_compare(opened(proposed()), terminal_size=(110, 34), run_before=act)
