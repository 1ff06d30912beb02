"""What stands in the preview for each state of the world: a pane, or a card that says what is so and what to do."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import Fleet, Team, TmuxState
from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.models.orchestration import OrchestrationState
from tests.tui.samples import NOW, SERVER, no_teams, orchestration, shop, three_teams, with_agent
from tui.messages import Sight
from tui.widgets.fleet_rows import Row, build_rows
from tui.widgets.picture import Picture, picture_of

DEVELOPER = AgentId("shop-3f2a:developer")


def row_of(fleet: Fleet, row_id: str) -> Row:
    return next(row for row in build_rows(fleet, is_open=lambda _id, _default: True).rows if row.id == row_id)


def picture(fleet: Fleet, row_id: str) -> Picture:
    return picture_of(fleet, row_of(fleet, row_id), NOW)


def test_an_agent_is_looked_at_on_its_own_server() -> None:
    shown = picture(three_teams(), f"agent:{DEVELOPER}")
    assert shown.sight == Sight(PaneId("%12"), SERVER)
    assert str(shown.card) == ""


def test_a_guest_is_looked_at_on_our_server() -> None:
    fleet = three_teams()
    window = next(row for row in build_rows(fleet, is_open=lambda _i, _d: True).rows if row.label == "1 editor")
    assert picture_of(fleet, window, NOW).sight == Sight(PaneId("%951"))


def test_our_own_pane_is_never_looked_at() -> None:
    fleet = three_teams()
    shown = picture_of(fleet, row_of(fleet, f"agent:{DEVELOPER}"), NOW, lambda sight: sight.pane == "%12")
    assert shown.sight is None
    assert "never mirrored" in str(shown.card)


def test_before_the_first_fleet() -> None:
    assert "Reading" in str(picture_of(None, None, NOW).card)


def test_no_team_teaches_how_to_begin() -> None:
    card = str(picture_of(no_teams(), None, NOW).card)
    assert "tmorch demo" in card
    assert "tmorch start --project app --spec spec.md" in card
    assert "other" not in card
    assert "own tmux sessions" in str(picture(no_teams(with_guests=True), "guests").card)


def test_tmux_missing_comes_first_and_says_what_the_core_knows() -> None:
    fleet = replace(three_teams(), tmux=TmuxState.MISSING, tmux_detail="tmux 2.9 is too old")
    card = str(picture(fleet, f"agent:{DEVELOPER}").card)
    assert "tmux 2.9 is too old" in card
    assert "3.2a" in card


def test_a_server_that_is_gone_says_what_is_left() -> None:
    fleet = replace(three_teams(), tmux=TmuxState.NO_SERVER)
    card = str(picture(fleet, f"agent:{DEVELOPER}").card)
    assert "worktrees and branches are untouched" in card
    assert "tmorch stop shop-3f2a" in card


def test_no_server_without_teams_is_no_trouble() -> None:
    assert "tmorch demo" in str(picture_of(no_teams(tmux=TmuxState.NO_SERVER), None, NOW).card)


def test_a_team_shows_its_goal_and_its_agents() -> None:
    card = str(picture(three_teams(), "team:shop-3f2a").card)
    assert "bank transfer" in card
    assert "started 3h05 ago" in card
    assert "approve?" in card


def test_a_stopped_team_says_how_to_clean_up_and_shows_no_panes() -> None:
    stopped = Team(orchestration=orchestration("old-1111", state=OrchestrationState.STOPPED), agents=shop().agents)
    fleet = Fleet(teams=(stopped,), tmux=TmuxState.CONNECTED)
    assert "tmorch cleanup old-1111" in str(picture(fleet, "team:old-1111").card)
    assert picture(fleet, f"agent:{DEVELOPER}").sight is None


def test_an_agent_without_a_pane_shows_its_last_words() -> None:
    fleet = with_agent(
        three_teams(),
        DEVELOPER,
        pane=None,
        status=AgentStatus.FAILED,
        reason="its program ended with exit code 1",
        last_output="Traceback [most recent]\nBoom",
    )
    card = str(picture(fleet, f"agent:{DEVELOPER}").card)
    assert "its program ended with exit code 1" in card
    assert "Traceback [most recent]" in card


def test_guests_are_explained() -> None:
    assert "3 windows in 2 sessions" in str(picture(three_teams(), "guests").card)


@pytest.mark.parametrize("row", build_rows(three_teams(), is_open=lambda _i, _d: True).rows, ids=lambda row: row.id)
def test_every_row_has_a_title_and_either_a_pane_or_a_card(row: Row) -> None:
    shown = picture_of(three_teams(), row, NOW)
    assert shown.left
    assert (shown.sight is None) == bool(shown.card)
