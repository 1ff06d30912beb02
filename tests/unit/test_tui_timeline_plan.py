"""Where the moments of a schedule stand in lanes of cells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from orchestrator_core.models.ids import AgentId, CheckInId, OrchestrationId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.timeline import Lane, Tick, TickKind
from tui.timeline_axis import axis_pieces, marks
from tui.timeline_plan import (
    FIRED,
    KINDS,
    LATE_CELL,
    LATE_S,
    LATE_WIDTH,
    TROUBLE,
    WORSE,
    ZOOMS,
    LanePlan,
    Plan,
    Scale,
    clock,
    is_late,
    look_of,
    plan_on,
    sliding,
)
from tui.wording import DAY_S, HOUR_S, MINUTE_S

NOON = datetime(2023, 11, 14, 12, 0, tzinfo=UTC).timestamp()
NOW = NOON + 31 * MINUTE_S
SENT, DUE, REPEAT, DEAD = TickKind.SENT, TickKind.DUE, TickKind.REPEAT, TickKind.DEAD


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from zone(monkeypatch, "UTC")


def zone(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Have local time be that of a zone."""
    monkeypatch.setenv("TZ", name)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def tick(minutes: float, kind: TickKind = DUE, note: str = "review auth", **more: object) -> Tick:
    """Return a tick so many minutes from now."""
    receipt = more.get("receipt", MessageState.ACKNOWLEDGED if kind is SENT else None)
    assert receipt is None or isinstance(receipt, MessageState)
    return Tick(
        at=NOW + minutes * MINUTE_S,
        kind=kind,
        check_in=CheckInId(1),
        note=note,
        receipt=receipt,
        reason=str(more.get("reason", "")),
    )


def lane(*ticks: Tick, paused: bool = False) -> Lane:
    """Return a developer's lane."""
    return Lane(
        agent=AgentId("shop-1:developer"),
        role="developer",
        orchestration=OrchestrationId("shop-1"),
        is_live=True,
        is_paused=paused,
        ticks=tuple(sorted(ticks, key=lambda t: t.at)),
    )


def planned(*ticks: Tick, width: int = 60, minutes: float = 120, back: float = 10, paused: bool = False) -> Plan:
    """Return the plan of one lane that shows so many minutes, `back` of them past."""
    start = NOW - back * MINUTE_S
    return plan_on(Scale(start, minutes * MINUTE_S / width, width), (lane(*ticks, paused=paused),), NOW)


def only(made: Plan) -> LanePlan:
    """Return the one lane."""
    (found,) = made.lanes
    return found


def text(found: LanePlan, selected: int | None = None) -> str:
    """Return what a lane shows."""
    return "".join(piece for piece, _ in found.pieces(selected))


def late_text(found: LanePlan) -> str:
    """Return what stands before a lane."""
    return "".join(piece for piece, _ in found.late_pieces())


# -- glyphs ----------------------------------------------------------------------------------------


def test_every_kind_and_receipt_has_a_glyph_of_its_own_in_one_cell() -> None:
    glyphs = [look[0] for look in (*KINDS.values(), *FIRED.values())]
    assert set(KINDS) == set(TickKind)
    assert set(FIRED) == set(MessageState)
    assert len(set(glyphs)) == len(glyphs)
    assert sorted(glyphs) == sorted(WORSE)
    assert all(cell_len(glyph) == len(glyph) == 1 for glyph in glyphs)
    assert not any(glyph.isdigit() for glyph in glyphs), "a digit counts"


# -- cells -----------------------------------------------------------------------------------------


def test_a_lane_as_it_reads() -> None:
    found = only(planned(tick(10), tick(-6, SENT, "look at the tests"), tick(54, REPEAT), tick(94, TickKind.RESET)))
    assert text(found) == "··✔··│····◉12:41 review auth····○13:25··············▲14:05··"
    assert found.now_cell == 5


def test_two_minutes_to_a_cell() -> None:
    found = only(planned(tick(0), tick(2), tick(3.9), tick(109.9), tick(-10)))
    assert [spot.cell for spot in found.spots] == [5, 6, 59]
    assert [len(spot.ticks) for spot in found.spots] == [1, 2, 1]
    assert found.late is not None, "what was due ten minutes ago is overdue"


def test_what_is_out_of_view_is_left_out() -> None:
    found = only(planned(tick(111), tick(-11, SENT), tick(9999, REPEAT)))
    assert found.spots == ()
    assert text(found) == "·····│" + "·" * 54


def test_several_in_one_cell_are_counted() -> None:
    assert text(only(planned(tick(20), tick(20.5), tick(21)))).startswith("·····│·········3×12:51 review auth·")
    assert "+×12:51" in text(only(planned(*[tick(20 + i / 20) for i in range(12)])))


@pytest.mark.parametrize(
    ("worse", "glyph"),
    [
        (tick(-59.5, SENT, receipt=MessageState.REFUSED, reason="its pane is gone"), "✖"),
        (tick(-59.5, SENT, receipt=MessageState.UNCONFIRMED, reason="it never showed"), "‼"),
        (tick(-59.5, DEAD, reason="the agent has ended"), "†"),
    ],
)
def test_trouble_is_never_painted_over(worse: Tick, glyph: str) -> None:
    found = only(planned(tick(-59.9, SENT), worse, tick(-59.1, TickKind.SKIPPED), back=60))
    (spot,) = found.spots
    assert spot.glyph == glyph
    assert len(spot.ticks) == 3
    assert f"11:31 {worse.reason} and 2 more".startswith(spot.label.removesuffix("…"))
    assert worse.reason in spot.label


def test_what_is_overdue_stands_in_a_place_of_its_own() -> None:
    found = only(planned(tick(-2, TickKind.OVERDUE), tick(-500, TickKind.OVERDUE), tick(-1, DUE), tick(5)))
    assert late_text(found) == "!3   "
    assert [spot.cell for spot in found.spots] == [7]
    assert found.stops[0].cell == LATE_CELL
    assert [stop.cell for stop in found.stops] == [LATE_CELL, 7]


def test_what_is_due_this_moment_is_not_overdue_yet() -> None:
    for kind in (DUE, TickKind.OVERDUE):
        made = planned(tick(-LATE_S / 2 / MINUTE_S, kind))
        assert only(made).late is None
        assert made.overdue == 0
    assert planned(tick(-1)).overdue == 1


def test_a_dead_one_stands_at_its_time_or_else_at_the_left() -> None:
    found = only(planned(tick(-54, DEAD, reason="its pane is gone"), back=60))
    assert (found.late, found.spots[0].glyph) == (None, "†")
    assert "its pane" in found.spots[0].label
    made = planned(tick(-200, DEAD))
    assert late_text(only(made)) == "†1   "
    assert made.overdue == 0


def test_a_paused_team_is_marked_and_everything_fits_in_its_place() -> None:
    late = [tick(-20 - i, TickKind.OVERDUE) for i in range(12)] + [tick(-300, DEAD)]
    found = only(planned(*late, paused=True))
    assert late_text(found) == "⏸!+†1"
    assert cell_len(late_text(found)) == LATE_WIDTH


def test_the_selected_stop_is_reversed() -> None:
    found = only(planned(tick(20), tick(50)))
    assert [piece for piece, look in found.pieces(found.spots[1].cell) if "reverse" in look] == ["◉"]
    assert [piece for piece, look in found.pieces() if "reverse" in look] == []
    late = only(planned(tick(-20, TickKind.OVERDUE)))
    assert [piece for piece, look in late.late_pieces(selected=True) if "reverse" in look] == ["!1"]


# -- labels ----------------------------------------------------------------------------------------


def test_a_label_takes_the_room_it_has() -> None:
    def label_before(minutes: float) -> str:
        return only(planned(tick(20), tick(20 + minutes))).spots[0].label

    assert label_before(60) == "12:51 review auth"
    assert label_before(34) == "12:51 review a…"
    assert label_before(28) == "12:51"
    assert label_before(18) == "12:51"
    assert label_before(12) == ""


def test_a_label_does_not_cross_the_now_line() -> None:
    found = only(planned(tick(-34, SENT, "a long note about everything"), back=60))
    assert found.spots[0].label == "11:57 a long n…"
    assert text(found)[found.now_cell] == "│"


def test_words_of_others_are_one_plain_line() -> None:
    found = only(planned(tick(5, note="[red]x[/]\n\x1b[2Jy")))
    assert "[red]x[/] [2Jy" in text(found)


def test_trouble_says_why_instead_of_what() -> None:
    found = only(planned(tick(-50, SENT, receipt=MessageState.REFUSED, reason="its pane is gone"), back=100))
    assert found.spots[0].label == "11:41 its pane is gone"


def test_a_time_of_another_day_has_its_day() -> None:
    assert clock(NOW, NOW) == "12:31"
    assert clock(NOW + DAY_S, NOW) == "Wed 12:31"
    assert clock(NOW - DAY_S, NOW) == "Mon 12:31"
    assert clock(NOW + 20 * DAY_S, NOW) == "12-04 12:31"


# -- any lane --------------------------------------------------------------------------------------

ANY_TICK = st.builds(
    tick,
    st.floats(-600, 20_000),
    st.sampled_from(TickKind),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Mn")), max_size=30),
)
ANY_PLAN = st.builds(
    lambda ticks, width, minutes, back: planned(*ticks, width=width, minutes=minutes, back=back),
    st.lists(ANY_TICK, max_size=30),
    st.integers(1, 220),
    st.floats(15, 10_080),
    st.floats(-100, 600),
)


@given(ANY_PLAN)
def test_a_lane_is_exactly_as_wide_as_asked(made: Plan) -> None:
    found = only(made)
    assert cell_len(text(found)) == made.scale.width
    assert cell_len(late_text(found)) == LATE_WIDTH


@given(st.lists(ANY_TICK, max_size=30), st.integers(1, 220), st.floats(15, 10_080), st.floats(-100, 600))
def test_every_tick_in_view_stands_in_its_cell_once(ticks: list[Tick], width: int, minutes: float, back: float) -> None:
    made = planned(*ticks, width=width, minutes=minutes, back=back)
    found, scale = only(made), made.scale
    shown = [(stop.cell, t) for stop in found.stops for t in stop.ticks]
    for t in ticks:
        places = [cell for cell, other in shown if other is t]
        if is_late(t, NOW):
            assert places == [LATE_CELL]
        elif scale.holds(t.at):
            assert places == [scale.cell(t.at)]
            begin = scale.start + places[0] * scale.step_s
            assert begin - 0.01 <= t.at <= begin + scale.step_s + 0.01
        else:
            assert places == ([LATE_CELL] if t.kind is DEAD else [])


@given(ANY_PLAN)
def test_spots_go_to_the_right_and_no_label_reaches_the_next_one(made: Plan) -> None:
    found = only(made)
    for spot, after in pairwise(found.spots):
        assert spot.cell < after.cell
        assert spot.cell + cell_len(spot.label) < after.cell
    for spot in found.spots:
        end = spot.cell + cell_len(spot.label)
        assert 0 <= spot.cell <= end < made.scale.width
        assert not spot.cell < found.now_cell <= end


@given(ANY_PLAN)
def test_the_now_line_is_in_its_cell_unless_a_tick_is(made: Plan) -> None:
    found = only(made)
    cells = [spot.cell for spot in found.spots]
    is_seen = 0 <= found.now_cell < made.scale.width and found.now_cell not in cells
    written_over = [s for s in found.spots if s.cell < found.now_cell <= s.cell + cell_len(s.label)]
    assert written_over == []
    before = "".join(piece for piece, look in found.pieces() if look != "$text-accent")
    assert (cell_len(before) == made.scale.width - 1) == is_seen


@given(ANY_PLAN)
def test_what_matters_most_in_a_cell_is_what_is_seen(made: Plan) -> None:
    for spot in only(made).spots:
        ranks = [WORSE.index(look_of(t)[0]) for t in spot.ticks]
        if max(ranks) >= TROUBLE or len(ranks) == 1:
            assert WORSE.index(spot.glyph) == max(ranks)
        else:
            assert spot.glyph == (str(len(ranks)) if len(ranks) <= 9 else "+")


@given(st.floats(0, DAY_S), st.integers(1, 220), st.sampled_from([span for _, span in ZOOMS]))
def test_a_sliding_scale_moves_by_whole_cells(later: float, width: int, span_s: float) -> None:
    def scale(now: float) -> Scale:
        return sliding(now, width=width, span_s=span_s, back_s=span_s / 8)

    before, after = scale(NOW), scale(NOW + later)
    moved = (after.start - before.start) / before.step_s
    assert moved == pytest.approx(round(moved), abs=1e-3)
    assert after.cell(NOW + later) in (width // 8, width // 8 + 1)


# -- the axis --------------------------------------------------------------------------------------


def labels(span_s: float, width: int = 120, start: float = NOON) -> list[str]:
    """Return the labels of an axis from noon on."""
    return [mark.label for mark in marks(start, span_s / width, width, start)]


def test_the_axis_has_round_times_at_every_zoom() -> None:
    found = {name: labels(span_s) for name, span_s in ZOOMS}
    assert found["15 min"] == ["12:00", "12:02", "12:04", "12:06", "12:08", "12:10", "12:12", "12:14"]
    assert found["1 h"] == ["12:00", "12:10", "12:20", "12:30", "12:40", "12:50"]
    assert found["3 h"] == ["12:00", "12:30", "13:00", "13:30", "14:00", "14:30"]
    assert found["6 h"] == ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00"]
    assert found["12 h"] == ["12:00", "14:00", "16:00", "18:00", "20:00", "22:00"]
    assert found["1 day"] == ["12:00", "15:00", "18:00", "21:00", "Wed 15", "03:00", "06:00", "09:00"]
    assert found["2 days"] == ["12:00", "18:00", "Wed 15", "06:00", "12:00", "18:00", "Thu 16", "06:00"]
    assert found["1 week"] == ["Wed 15", "Thu 16", "Fri 17", "Sat 18", "Sun 19", "Mon 20", "Tue 21"]


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("Europe/Berlin", (2024, 3, 31), ["Sun 31", "04:00", "06:00", "08:00", "10:00"]),
        ("Europe/Berlin", (2024, 10, 27), ["Sun 27", "02:00", "04:00", "06:00", "08:00", "10:00"]),
        ("America/Santiago", (2024, 9, 8), ["02:00", "04:00", "06:00", "08:00", "10:00"]),
        ("Australia/Lord_Howe", (2024, 10, 6), ["Sun 06", "04:00", "06:00", "08:00", "10:00"]),
        ("Asia/Kathmandu", (2024, 10, 6), ["Sun 06", "02:00", "04:00", "06:00", "08:00", "10:00"]),
    ],
)
def test_the_axis_shows_local_times_on_days_when_clocks_change(
    monkeypatch: pytest.MonkeyPatch, name: str, start: tuple[int, int, int], expected: list[str]
) -> None:
    for _ in zone(monkeypatch, name):
        midnight = time.mktime((*start, 0, 0, 0, 0, 0, -1))
        found = labels(12 * HOUR_S, start=midnight)
        assert [label for label in found if label in expected] == expected
        for mark in marks(midnight, 12 * HOUR_S / 120, 120, midnight):
            if ":" in mark.label:
                shown = time.strftime("%H:%M", time.localtime(midnight + mark.cell * 360 + 359))
                assert shown[:2] == mark.label[:2]


@given(
    st.floats(NOW - 400 * DAY_S, NOW + 400 * DAY_S),
    st.floats(60, 30 * DAY_S),
    st.integers(0, 220),
)
def test_marks_stand_apart_and_in_view(start: float, span_s: float, width: int) -> None:
    found = marks(start, span_s / max(1, width), width, start)
    for mark, after in pairwise(found):
        assert mark.cell + 1 + cell_len(mark.label) < after.cell
    assert all(mark.cell >= 0 and mark.cell + 1 + cell_len(mark.label) <= width for mark in found)
    pieces = axis_pieces(found, width=width, now_cell=width // 3, now_label="now 12:31")
    assert cell_len("".join(text for text, _ in pieces)) == width


def test_now_is_on_the_axis_and_marks_make_room_for_it() -> None:
    found = marks(NOON, 60, 60, NOON)
    line = "".join(text for text, _ in axis_pieces(found, width=60, now_cell=31, now_label="now 12:31"))
    assert line == "┬12:00─────────┬12:15──────────▼now 12:31────┬12:45─────────"


def test_fifty_lanes_and_five_hundred_ticks() -> None:
    ticks = [tick(i * 11.7 % 110, note=f"note {i}") for i in range(10)]
    lanes = tuple(lane(*ticks) for _ in range(50))
    made = plan_on(Scale(NOW, 2 * HOUR_S / 180, 180), lanes, NOW)
    assert sum(len(spot.ticks) for found in made.lanes for spot in found.spots) == 500
    assert all(spot.label for spot in made.lanes[0].spots[:5])
