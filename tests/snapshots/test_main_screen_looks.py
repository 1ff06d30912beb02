"""How the main screen looks: small and large, dark, light and in the terminal's own colours; and its empty states."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings, TuiSettings
from orchestrator_core.models.fleet import Fleet, SupervisorHealth, TmuxState
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.pane import Cursor, PaneFrame
from tests.fakes.facade import FakeOrchestrator
from tests.tui import samples
from tui.app import TmorchApp
from tui.opening import NOTHING_FIRST, Opening

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (200, 60)
PERMISSION = Path(__file__).parents[1] / "data/pane/permission.ansi.txt"


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def app_of(fleet: Fleet, theme: str = "tmorch-dark", opening: Opening = NOTHING_FIRST) -> TmorchApp:
    orchestrator = FakeOrchestrator(fleet)
    orchestrator.clock = lambda: samples.NOW
    lines = tuple(PERMISSION.read_text().split("\n"))[:40]
    for team in fleet.teams:
        for view in team.agents:
            if view.agent.pane:
                cursor = Cursor(x=2, y=32, visible=True)
                orchestrator.pictures.pictures[view.agent.pane] = PaneFrame(
                    pane=view.agent.pane, lines=lines, width=120, height=40, cursor=cursor
                )
    settings = Settings(tui=TuiSettings(theme=theme))
    app = TmorchApp(orchestrator, settings, Paths.from_env(), opening=opening, clock=lambda: samples.NOW)
    add_receipts(orchestrator, fleet)
    return app


def add_receipts(orchestrator: FakeOrchestrator, fleet: Fleet) -> None:
    """Give the first agent of the first team a message in each state."""
    if not fleet.teams:
        return
    target = fleet.teams[0].agents[0].agent.id
    for number, (state, reason) in enumerate(
        (
            (MessageState.UNCONFIRMED, "pasted, but it never showed at the prompt"),
            (MessageState.DELIVERED, ""),
            (MessageState.QUEUED, "a dialog is open: permission"),
        ),
        start=1,
    ):
        orchestrator.outbox[MessageId(number)] = AgentMessage(
            id=MessageId(number), target=AgentId(target), sender="you", text="Please look at the till [again]",
            state=state, reason=reason, created_at=samples.NOW - 60 * (9 - number), pane=PaneId("%1"),
        )  # fmt: skip


def settled(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run(pilot: Pilot[None]) -> None:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return run


@pytest.mark.parametrize("theme", ["tmorch-dark", "tmorch-light", "ansi"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "200x60"])
def test_three_teams_at_work(snap_compare: Compare, theme: str, size: tuple[int, int]) -> None:
    """One line of header with counts per status; the tree with a glyph and what each agent does; the selected
    agent's coloured screen; the composer with its target; receipts, the unconfirmed one unlike the delivered one;
    the keys. Nothing is cut in the middle, every border meets.
    """
    assert snap_compare(app_of(samples.three_teams(), theme), terminal_size=size, run_before=settled())


def test_no_teams_yet(snap_compare: Compare) -> None:
    """A newcomer is told the key and the two commands that lead to a team."""
    assert snap_compare(app_of(samples.no_teams()), terminal_size=SMALL, run_before=settled())


def test_tmux_is_missing(snap_compare: Compare) -> None:
    """What is missing, and how to get it."""
    fleet = replace(
        samples.no_teams(tmux=TmuxState.MISSING), tmux_detail="tmux is not on PATH. Install it: apt-get install tmux"
    )
    assert snap_compare(app_of(fleet), terminal_size=SMALL, run_before=settled())


def test_the_tmux_server_is_gone(snap_compare: Compare) -> None:
    """The teams are still listed; the stage says what became of their agents and what to do."""
    fleet = replace(samples.three_teams(), tmux=TmuxState.NO_SERVER)
    assert snap_compare(app_of(fleet), terminal_size=SMALL, run_before=settled())


def test_the_supervisor_is_down(snap_compare: Compare) -> None:
    """A banner below the header says so and names the key that starts it."""
    fleet = replace(samples.three_teams(), supervisor=SupervisorHealth(running=False))
    assert snap_compare(app_of(fleet), terminal_size=SMALL, run_before=settled())


def test_help(snap_compare: Compare) -> None:
    """What the fleet is, and every key that works there, in columns."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=LARGE, run_before=settled("question_mark"))


def test_zoom(snap_compare: Compare) -> None:
    """The agent's screen alone, its title, and the key that leads back."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=SMALL, run_before=settled("z"))


def test_a_terminal_that_is_too_small(snap_compare: Compare) -> None:
    """One sentence that says how large it must be."""
    assert snap_compare(app_of(samples.three_teams()), terminal_size=(50, 12), run_before=settled())
