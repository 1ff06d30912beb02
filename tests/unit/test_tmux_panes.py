"""What is made of the rows that tmux prints of panes."""

from __future__ import annotations

import pytest

from orchestrator_core.models.ids import PaneId
from orchestrator_core.tmux.panes import _FACT_FIELDS, _PANE_FIELDS, parse_panes, parse_picture, picture_commands

PANE = {
    "session_id": r"\$1",
    "session_name": "shop",
    "window_id": "@2",
    "window_index": "1",
    "window_name": "developer",
    "pane_id": r"\%3",
    "pane_index": "0",
    "pane_pid": "42",
    "pane_current_command": "claude",
    "pane_dead": "0",
    "pane_in_mode": "0",
    "pane_width": "200",
    "pane_height": "50",
    "pane_title": r"a\ title",
    "pane_current_path": "/tmp",
    "window_activity": "1700000000",
    "window_active": "1",
    "pane_active": "1",
}
FACTS = {
    "pane_id": r"\%3",
    "session_id": r"\$1",
    "destroy-unattached": "off",
    "pid": "7",
    "pane_width": "10",
    "pane_height": "2",
    "cursor_x": "4",
    "cursor_y": "1",
    "cursor_flag": "1",
    "history_size": "9",
    "pane_current_command": "cat",
}


def pane_row(**changes: str) -> str:
    row = PANE | changes
    return "|".join(row.get(field, "") for field in _PANE_FIELDS) + ";"


def fact_row(**changes: str) -> list[str]:
    row = FACTS | changes
    return ["|".join(row.get(field, "") for field in _FACT_FIELDS) + ";"]


def test_a_pane() -> None:
    (pane,) = parse_panes([pane_row()])
    assert (pane.session_id, pane.pane_id, pane.title, pane.exit_status) == ("$1", "%3", "a title", None)
    assert (pane.active, pane.dead, pane.width, pane.activity) == (True, False, 200, 1_700_000_000)


def test_a_dead_pane_with_and_without_a_status() -> None:
    exited, killed = parse_panes(
        [pane_row(pane_dead="1", pane_dead_status="3"), pane_row(pane_id=r"\%4", pane_dead="1")]
    )
    assert (exited.dead, exited.exit_status) == (True, 3)
    assert (killed.dead, killed.exit_status) == (True, None)


def test_the_active_pane_of_a_window_that_is_not_shown_is_not_active() -> None:
    (pane,) = parse_panes([pane_row(window_active="0")])
    assert not pane.active


def test_a_linked_window_counts_once_and_as_its_orchestrations() -> None:
    rows = [
        pane_row(session_id=r"\$0", session_name="mine"),
        pane_row(**{"@tmorch_orchestration": "shop-3f2a"}),
        pane_row(session_id=r"\$9", session_name="other"),
    ]
    (pane,) = parse_panes(rows)
    assert (pane.session, pane.orchestration_tag) == ("shop", "shop-3f2a")


def test_a_picture() -> None:
    picture = parse_picture(PaneId("%3"), fact_row(), ["old", "one", "two"], 1)
    assert picture is not None
    assert (picture.frame.history, picture.frame.history_size, picture.frame.height) == (1, 9, 2)
    assert (picture.frame.cursor.x, picture.frame.cursor.y, picture.frame.cursor.visible) == (4, 1, True)
    assert (picture.survives, picture.server_pid, picture.session_id) == (True, 7, "$1")


def test_no_picture_of_a_pane_that_is_not_there() -> None:
    assert parse_picture(PaneId("%3"), fact_row(pane_id=""), []) is None
    assert parse_picture(PaneId("%3"), [], []) is None


def test_scrollback_is_shown_only_when_wanted() -> None:
    _, longer = picture_commands(PaneId("%3"), 100)
    assert longer[longer.index("-S") + 1] == "-100"
    picture = parse_picture(PaneId("%3"), fact_row(), ["old", "one", "two"])
    assert picture is not None
    assert picture.frame.lines == ("one", "two")


@pytest.mark.parametrize(
    ("lines", "shown"),
    [(["one", "two", "Pane is dead (status 1)"], ("one", "two")), (["one", "Pane is dead"], ("one", ""))],
)
def test_a_dead_pane_is_shown_as_its_program_left_it(lines: list[str], shown: tuple[str, ...]) -> None:
    picture = parse_picture(PaneId("%3"), fact_row(pane_dead="1"), lines)
    assert picture is not None
    assert picture.frame.lines == shown
    assert picture.frame.history == 0
