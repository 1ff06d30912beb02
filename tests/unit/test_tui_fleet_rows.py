"""From a fleet to rows, and from rows to lines."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.fleet import Fleet, Team
from orchestrator_core.models.orchestration import OrchestrationState
from tests.tui.samples import (
    MINUTE,
    NOW,
    agent,
    check_ins_due,
    many,
    orchestration,
    schedule,
    shop,
    three_teams,
    view,
)
from tui.widgets.fleet_line import LOOKS, arrow_width, lay_out
from tui.widgets.fleet_rows import Row, RowKind, build_rows, due_mark

ALL_OPEN = build_rows(check_ins_due(three_teams(), schedule()), is_open=lambda _id, _default: True, now=NOW).rows
STATUS_ROWS = tuple(
    Row(id=f"agent:{status}", kind=RowKind.AGENT, label="a [b]", depth=1, status=status, detail="x")
    for status in AgentStatus
)


def labels(fleet: Fleet, query: str = "") -> list[str]:
    return [row.label for row in build_rows(fleet, query=query).rows]


def test_teams_with_their_agents_in_order_and_guests_closed_at_the_bottom() -> None:
    rows = build_rows(three_teams()).rows
    assert [row.label for row in rows if row.kind is RowKind.TEAM] == ["shop-3f2a", "api-77c1", "docs-09be"]
    assert [row.label for row in rows[1:6]] == ["orchestrator", "project_manager", "developer", "tester", "testrunner"]
    assert rows[-1].kind is RowKind.GUESTS
    assert rows[-1].is_open is False


def test_a_row_shows_what_is_queued_and_unconfirmed() -> None:
    rows = {row.id: row for row in build_rows(three_teams()).rows}
    assert rows["agent:shop-3f2a:developer"].badges == (("queued", "✉2"),)
    assert rows["agent:api-77c1:tester"].badges == (("unconfirmed", "‼1"),)


def test_a_stopped_team_is_quiet_closed_and_below_those_that_run() -> None:
    stopped = Team(orchestration=orchestration("old-1111", state=OrchestrationState.STOPPED), agents=shop().agents)
    rows = build_rows(Fleet(teams=(stopped, shop()))).rows
    assert [row.label for row in rows if row.kind is RowKind.TEAM] == ["shop-3f2a", "old-1111"]
    assert (rows[-1].is_quiet, rows[-1].is_open, rows[-1].badges) == (True, False, ())


def test_ids_are_unique_however_much_is_open() -> None:
    assert len({row.id for row in ALL_OPEN}) == len(ALL_OPEN)


def test_the_filter_finds_role_status_doing_and_team() -> None:
    fleet = three_teams()
    assert labels(fleet, "TESTER") == ["shop-3f2a", "tester", "api-77c1", "tester", "docs-09be", "tester"]
    assert labels(fleet, "limited") == ["api-77c1", "devops"]
    assert labels(fleet, "transfer.py") == ["shop-3f2a", "developer"]
    assert labels(fleet, "approve") == ["shop-3f2a", "tester"]
    assert labels(fleet, "docs") == ["docs-09be", "orchestrator", "developer", "tester", "documentation_writer"]


def test_every_word_must_occur_and_a_team_may_lend_its_words() -> None:
    assert labels(three_teams(), "shop tester") == ["shop-3f2a", "tester"]
    assert labels(three_teams(), "shop nobody") == []


def test_the_filter_opens_what_it_finds_in_guests() -> None:
    assert labels(three_teams(), "nvim") == ["other tmux sessions", "work", "1 editor"]


def test_how_many_agents_are_shown() -> None:
    built = build_rows(three_teams(), query="tester")
    assert (built.shown, built.total) == (3, 14)
    assert build_rows(three_teams(), is_open=lambda _id, _default: False).shown == 14


@given(st.text(max_size=20))
def test_any_query_gives_rows_of_the_fleet(query: str) -> None:
    assert {row.id for row in build_rows(three_teams(), query=query).rows} <= {row.id for row in ALL_OPEN}


def test_untrusted_text_stays_text_on_one_line() -> None:
    wild = view(agent("t-1", "a", 1, AgentStatus.WORKING, "[red]x[/]\x1b[2J\nnext"))
    rows = build_rows(Fleet(teams=(Team(orchestration=orchestration("t-1"), agents=(wild,)),))).rows
    assert rows[1].detail == "[red]x[/] [2J next"


@given(st.sampled_from(ALL_OPEN + STATUS_ROWS), st.integers(0, 120), st.integers(8, 40), st.booleans())
def test_a_line_is_exactly_as_wide_as_asked(row: Row, width: int, role_width: int, selected: bool) -> None:
    pieces = lay_out(row, width, role_width, selected)
    assert sum(cell_len(text) for text, _ in pieces) == width
    assert {look for _, look in pieces} <= set(LOOKS)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Mn")), max_size=40), st.integers(0, 60))
def test_wide_characters_do_not_break_the_line(text: str, width: int) -> None:
    row = replace(ALL_OPEN[1], label=text, detail=text)
    assert sum(cell_len(piece) for piece, _ in lay_out(row, width, 12, False)) == width


def test_the_selected_row_is_marked_without_colour() -> None:
    assert "".join(text for text, _ in lay_out(ALL_OPEN[1], 30, 12, True)).startswith("▌")
    assert "".join(text for text, _ in lay_out(ALL_OPEN[1], 30, 12, False)).startswith(" ")


def test_badges_go_last_and_the_important_one_stays() -> None:
    row = replace(ALL_OPEN[3], badges=(("queued", "✉12"), ("unconfirmed", "‼1")))
    assert "".join(text for text, _ in lay_out(row, 40, 12, False)).endswith(" ✉12 ‼1 ")
    narrow = "".join(text for text, _ in lay_out(row, 22, 12, False))
    assert "‼1" in narrow
    assert "✉12" not in narrow


def test_a_row_says_when_its_next_check_in_is_due_where_there_is_room() -> None:
    fleet = check_ins_due(three_teams(), schedule())
    rows = {row.id: row for row in build_rows(fleet, now=NOW).rows}
    assert rows["agent:shop-3f2a:tester"].due == ""
    due = rows["agent:shop-3f2a:testrunner"]
    assert due.due == f"⏱{time.strftime('%H:%M', time.localtime(NOW + 3 * MINUTE))}"
    assert "".join(text for text, _ in lay_out(due, 40, 12, False)).endswith(f" {due.due} ✉1 ")
    narrow = "".join(text for text, _ in lay_out(due, 26, 12, False))
    assert "✉1" in narrow
    assert "⏱" not in narrow
    working = rows["agent:shop-3f2a:orchestrator"]
    cut = "".join(text for text, _ in lay_out(working, 34, 12, False))
    assert "…" in cut, "what it does is worth more"
    assert "⏱" not in cut


def test_a_check_in_of_another_day_has_its_date() -> None:
    assert due_mark(NOW + 3 * 24 * 60 * MINUTE, NOW).startswith("⏱11-")
    assert due_mark(None, NOW) == ""


def test_teams_whose_check_ins_are_paused_or_that_ended_have_none() -> None:
    fleet = check_ins_due(three_teams(), schedule())
    for changes in ({"check_ins_paused_at": NOW}, {"state": OrchestrationState.STOPPED}):
        team = replace(fleet.teams[0], orchestration=replace(fleet.teams[0].orchestration, **changes))
        rows = build_rows(Fleet(teams=(team,)), is_open=lambda _id, _default: True, now=NOW).rows
        assert len(rows) == 6
        assert {row.due for row in rows} == {""}


def test_only_rows_that_open_have_an_arrow_to_click() -> None:
    assert [arrow_width(row) for row in ALL_OPEN[:2]] == [3, 0]


def test_a_thousand_agents_are_rows_like_any() -> None:
    assert len(build_rows(many(1000)).rows) == 1200
