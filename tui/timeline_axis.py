"""The marks of a time axis: at round local times, however the clocks are changed in between. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator

from msgspec import Struct
from rich.cells import cell_len

from tui.widgets.fleet_line import Piece
from tui.wording import DAY_S, HOUR_S, MINUTE_S, QUIET, fit

INTERVALS = (
    *(minutes * MINUTE_S for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_S for hours in (1, 2, 3, 6, 12)),
    *(days * DAY_S for days in (1, 2, 7)),
)
"""How far apart marks may be."""
ROOM = 4
"""Cells that stay free between two marks at least."""
MARK, NOW_MARK = "┬", "▼"
NOW_LOOK = "bold $text-accent"
RULE_LOOK = "$border-blurred"


class Mark(Struct, frozen=True):
    """A round time on the axis."""

    cell: int
    label: str


def marks(start: float, step_s: float, width: int, now: float) -> tuple[Mark, ...]:
    """Return the marks for `width` cells of `step_s` seconds from `start` on, in local time.

    A mark is a clock time, or the day where a new one begins.
    """
    if width <= 0:
        return ()
    interval = _interval(step_s)
    found: list[Mark] = []
    day = time.localtime(start - 1)[:3]
    for at in _round_times(start, start + step_s * width, interval):
        then = time.localtime(at)
        is_new_day, day = then[:3] != day, then[:3]
        label = time.strftime("%a %d" if is_new_day or interval >= DAY_S else "%H:%M", then)
        cell = int((at - start) / step_s + 1e-6)
        is_free = not found or cell > found[-1].cell + cell_len(found[-1].label) + 1
        if is_free and cell + 1 + cell_len(label) <= width:
            found.append(Mark(cell, label))
    return tuple(found)


def _interval(step_s: float) -> int:
    """Return the shortest time between two marks whose labels have room."""
    return next((i for i in INTERVALS if i / step_s >= len("Mon 23") + 1 + ROOM), INTERVALS[-1])


def _round_times(start: float, end: float, interval: int) -> Iterator[float]:
    at = _round_after(start - 1, interval)
    while at < end:
        if at >= start:
            yield at
        at = _round_after(at, interval)


def _round_after(after: float, interval: int) -> float:
    """Return the first moment after `after` at which the local clock shows a multiple of `interval` since midnight."""
    offset = _offset(after)
    found = ((after + offset) // interval + 1) * interval - offset
    changed = _offset(found)
    if changed == offset or (found + changed) % interval == 0:
        return found
    same_clock = found + offset - changed
    is_round = same_clock > after and (same_clock + _offset(same_clock)) % interval == 0
    return same_clock if is_round else found


def _offset(at: float) -> int:
    return time.localtime(at).tm_gmtoff


def axis_pieces(axis: tuple[Mark, ...], *, width: int, now_cell: int, now_label: str, fill: str = "─") -> list[Piece]:
    """Return the axis as a line of exactly `width` cells: its marks, and now where that is in view."""
    found = [(mark.cell, MARK + mark.label, QUIET) for mark in axis]
    if 0 <= now_cell < width:
        shown = fit(NOW_MARK + now_label, width - now_cell)
        end = now_cell + cell_len(shown)
        found = [m for m in found if m[0] + cell_len(m[1]) < now_cell or m[0] > end]
        found.append((now_cell, shown, NOW_LOOK))
    pieces: list[Piece] = []
    at = 0
    for cell, text, look in sorted(found):
        pieces += [(fill * (cell - at), RULE_LOOK), (text, look)]
        at = cell + cell_len(text)
    return [piece for piece in (*pieces, (fill * (width - at), RULE_LOOK)) if piece[0]]
