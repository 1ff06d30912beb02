"""Where the moments of a schedule stand in lanes of cells, and what they look like there. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from math import floor

from msgspec import Struct
from rich.cells import cell_len

from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.timeline import Lane, Tick, TickKind
from tui.timeline_axis import Mark, marks
from tui.widgets.fleet_line import Piece
from tui.wording import DAY_S, HOUR_S, MINUTE_S, QUIET, clean, fit

ZOOMS: tuple[tuple[str, float], ...] = (
    ("15 min", 15 * MINUTE_S),
    ("1 h", HOUR_S),
    ("3 h", 3 * HOUR_S),
    ("6 h", 6 * HOUR_S),
    ("12 h", 12 * HOUR_S),
    ("1 day", DAY_S),
    ("2 days", 2 * DAY_S),
    ("1 week", 7 * DAY_S),
)
"""What a screen may show at once: its name, and how many seconds it is."""
LATE_S = 5.0
"""How long a check-in may be due before it counts as overdue: to fire takes a moment."""
LATE_CELL = -1
"""Where overdue ones stand: not in the lane, but in a place of their own at its left."""
LATE_WIDTH = 5
NOTE_CELLS, NOTE_LEAST = 28, 8
"""What a note gets beside its time at most, and what it needs unless it is shorter."""
GAP = 1
"""Cells that stay free between a label and what comes next."""
MANY = 9
NOW_LINE = "│"
NOW_LOOK = "$text-accent"
EMPTY, EMPTY_LOOK = "·", "dim $border-blurred"
PAUSED = "⏸"
LATE_LOOK = "bold $text-warning"

Look = tuple[str, str, str]
"""Glyph, style, and what it says in words."""
KINDS: dict[TickKind, Look] = {
    TickKind.REPEAT: ("○", QUIET, "repeats then"),
    TickKind.SKIPPED: ("↷", QUIET, "skipped"),
    TickKind.RESET: ("▲", "$status-limited", "limit resets"),
    TickKind.DUE: ("◉", "bold $text-primary", "due"),
    TickKind.SENT: ("?", "bold $text-warning", "fired, its message is gone"),
    TickKind.DEAD: ("†", "bold $text-error", "dead"),
    TickKind.OVERDUE: ("!", LATE_LOOK, "overdue"),
}
FIRED: dict[MessageState, Look] = {
    MessageState.ACKNOWLEDGED: ("✔", "$text-success", "acknowledged"),
    MessageState.DELIVERED: ("»", "$text-success", "delivered"),
    MessageState.DELIVERING: ("→", "$text-primary", "delivering"),
    MessageState.QUEUED: ("…", "$text-primary", "queued"),
    MessageState.UNCONFIRMED: ("‼", "bold $text-warning", "unconfirmed"),
    MessageState.REFUSED: ("✖", "bold $text-error", "refused"),
}
"""What a check-in that fired looks like, by its receipt. No two glyphs are alike, so that colour is never needed."""
WORSE: tuple[str, ...] = ("○", "↷", "✔", "»", "▲", "◉", "→", "…", "?", "‼", "✖", "†", "!")
"""All glyphs, from what matters least to what must be seen."""
RANKS = {glyph: rank for rank, glyph in enumerate(WORSE)}
TROUBLE = RANKS["?"]
"""From here on a glyph stands for trouble: it is shown even where others share its cell."""


def look_of(tick: Tick) -> Look:
    """Return a tick's glyph, its style and what it says in words."""
    if tick.kind is TickKind.SENT and tick.receipt is not None:
        return FIRED[tick.receipt]
    return KINDS[tick.kind]


def is_late(tick: Tick, now: float) -> bool:
    """Whether a check-in should have fired by now, and has not."""
    return tick.kind in (TickKind.OVERDUE, TickKind.DUE) and now - tick.at > LATE_S


class Scale(Struct, frozen=True):
    """Which time each cell of a lane stands for."""

    start: float
    step_s: float
    width: int

    @property
    def end(self) -> float:
        """Where the last cell ends."""
        return self.start + self.step_s * self.width

    def cell(self, at: float) -> int:
        """Return the cell of a moment; below 0 or from `width` on when it is not in view."""
        return floor((at - self.start) / self.step_s + 1e-6)

    def holds(self, at: float) -> bool:
        """Whether a moment is in view."""
        return 0 <= self.cell(at) < self.width


def sliding(now: float, *, width: int, span_s: float, back_s: float) -> Scale:
    """Return a scale that begins about `back_s` ago and moves on by whole cells: what stands still stays still."""
    step_s = span_s / max(1, width)
    return Scale(floor((now - back_s) / step_s) * step_s, step_s, width)


class Stop(Struct, frozen=True, kw_only=True):
    """A cell with something in it. Several ticks in one cell are counted; trouble among them is shown as it is."""

    cell: int
    """`LATE_CELL` for those that are overdue."""
    ticks: tuple[Tick, ...]
    """By time."""
    glyph: str
    look: str
    label: str = ""
    """Stands right after the glyph where there is room for it."""


class LanePlan(Struct, frozen=True, kw_only=True):
    """An agent's lane, `scale.width` cells without its name and the place of what is late."""

    agent: AgentId
    role: str
    orchestration: OrchestrationId
    is_live: bool
    is_paused: bool
    scale: Scale
    now_cell: int
    """Where the now-line stands; it may be out of view."""
    late: Stop | None = None
    """What is overdue, and what died at a time that is not in view."""
    spots: tuple[Stop, ...] = ()
    """The cells with something in them, from left to right."""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """All that can be selected, from left to right."""
        return (self.late, *self.spots) if self.late else self.spots

    def late_pieces(self, *, selected: bool = False) -> tuple[Piece, ...]:
        """Return what stands at the lane's left, `LATE_WIDTH` cells: paused, how many are overdue, how many dead."""
        ticks = self.late.ticks if self.late else ()
        dead = sum(tick.kind is TickKind.DEAD for tick in ticks)
        reverse = " reverse" if selected else ""
        pieces = [(PAUSED, "bold $text-warning")] if self.is_paused else []
        for kind, count in ((TickKind.OVERDUE, len(ticks) - dead), (TickKind.DEAD, dead)):
            if count:
                pieces.append((f"{KINDS[kind][0]}{_count(count)}", KINDS[kind][1] + reverse))
        return (*pieces, (" " * (LATE_WIDTH - sum(cell_len(text) for text, _ in pieces)), ""))

    def pieces(self, selected: int | None = None) -> tuple[Piece, ...]:
        """Return the lane, exactly as wide as its scale; the spot in the cell `selected` is reversed."""
        made: list[Piece] = []
        at = 0
        for spot in self.spots:
            made += self._nothing(at, spot.cell)
            reverse = " reverse" if spot.cell == selected else ""
            made.append((spot.glyph, spot.look + reverse))
            if spot.label:
                made.append((spot.label, spot.look.removeprefix("bold ")))
            at = spot.cell + 1 + cell_len(spot.label)
        made += self._nothing(at, self.scale.width)
        return tuple(made)

    def _nothing(self, start: int, end: int) -> list[Piece]:
        """Return what stands in cells without a tick."""
        if not start <= self.now_cell < end:
            return [(EMPTY * (end - start), EMPTY_LOOK)] if end > start else []
        before, after = self.now_cell - start, end - self.now_cell - 1
        found = [(EMPTY * before, EMPTY_LOOK), (NOW_LINE, NOW_LOOK), (EMPTY * after, EMPTY_LOOK)]
        return [piece for piece in found if piece[0]]


class Plan(Struct, frozen=True, kw_only=True):
    """A whole timeline, laid out."""

    scale: Scale
    now: float
    now_cell: int
    lanes: tuple[LanePlan, ...] = ()
    axis: tuple[Mark, ...] = ()

    @property
    def overdue(self) -> int:
        """How many check-ins should have fired by now, and have not."""
        late = (tick for lane in self.lanes if lane.late for tick in lane.late.ticks)
        return sum(tick.kind is not TickKind.DEAD for tick in late)


def plan_on(scale: Scale, lanes: Iterable[Lane], now: float) -> Plan:
    """Return these lanes laid out on a scale."""
    now_cell = scale.cell(now)
    return Plan(
        scale=scale,
        now=now,
        now_cell=now_cell,
        lanes=tuple(plan_lane(lane, scale, now) for lane in lanes),
        axis=marks(scale.start, scale.step_s, scale.width, now),
    )


def plan_lane(lane: Lane, scale: Scale, now: float) -> LanePlan:
    """Return a lane laid out on a scale."""
    late = [tick for tick in lane.ticks if _stands_apart(tick, scale, now)]
    cells: dict[int, list[Tick]] = {}
    for tick in lane.ticks:
        if not is_late(tick, now) and scale.holds(tick.at):
            cells.setdefault(scale.cell(tick.at), []).append(tick)
    now_cell = scale.cell(now)
    return LanePlan(
        agent=lane.agent,
        role=clean(lane.role),
        orchestration=lane.orchestration,
        is_live=lane.is_live,
        is_paused=lane.is_paused,
        scale=scale,
        now_cell=now_cell,
        late=_stop(LATE_CELL, late) if late else None,
        spots=tuple(_labelled([_stop(cell, cells[cell]) for cell in sorted(cells)], scale.width, now, now_cell)),
    )


def _stands_apart(tick: Tick, scale: Scale, now: float) -> bool:
    return is_late(tick, now) or (tick.kind is TickKind.DEAD and not scale.holds(tick.at))


def worst(ticks: Iterable[Tick]) -> Tick:
    """Return the tick that must be seen first; of equal ones the earliest."""
    return max(ticks, key=lambda tick: (RANKS[look_of(tick)[0]], -tick.at))


def _stop(cell: int, ticks: Sequence[Tick]) -> Stop:
    glyph, look, _ = look_of(worst(ticks))
    if len(ticks) > 1 and RANKS[glyph] < TROUBLE:
        glyph = _count(len(ticks))
    return Stop(cell=cell, ticks=tuple(sorted(ticks, key=lambda tick: tick.at)), glyph=glyph, look=look)


def _count(count: int) -> str:
    return str(count) if count <= MANY else "+"


# Labels -------------------------------------------------------------------------------------------------------


def _labelled(stops: list[Stop], width: int, now: float, now_cell: int) -> Iterable[Stop]:
    """Give each stop as much of its label as fits before the next one, the now-line or the end."""
    for i, stop in enumerate(stops):
        next_cell = stops[i + 1].cell if i + 1 < len(stops) else width + GAP
        end = min(next_cell, now_cell) if stop.cell < now_cell else next_cell
        label = _label(stop, now, end - stop.cell - 1 - GAP)
        yield Stop(cell=stop.cell, ticks=stop.ticks, glyph=stop.glyph, look=stop.look, label=label)


def _label(stop: Stop, now: float, room: int) -> str:
    """Return the time of a stop, and what fits beside it of what it is about; empty when the time has no room."""
    tick = worst(stop.ticks)
    when = clock(tick.at, now)
    is_counted = stop.glyph not in RANKS
    label = f"×{when}" if is_counted else when
    if cell_len(label) > room:
        return ""
    about = "" if tick.kind is TickKind.REPEAT else _about(tick)
    if len(stop.ticks) > 1 and not is_counted:
        about = f"{about} and {len(stop.ticks) - 1} more".strip()
    note = fit(about, min(NOTE_CELLS, room - cell_len(label) - 1))
    return f"{label} {note}" if note and (note == about or cell_len(note) >= NOTE_LEAST) else label


def _about(tick: Tick) -> str:
    if tick.kind is TickKind.RESET:
        return KINDS[tick.kind][2]
    is_trouble = RANKS[look_of(tick)[0]] >= TROUBLE
    return clean((is_trouble and tick.reason) or tick.note)


def clock(at: float, now: float) -> str:
    """Return when something is, in local time: `12:40`, with the day when it is neither today nor soon."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3] or abs(at - now) < HOUR_S * 12:
        return time.strftime("%H:%M", then)
    return time.strftime("%a %H:%M" if abs(at - now) < 6 * DAY_S else "%m-%d %H:%M", then)
