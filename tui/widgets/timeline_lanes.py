"""`TimelineLanes`: lanes of a schedule below each other, of which only those that changed are painted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.timeline_plan import LATE_WIDTH, LanePlan
from tui.widgets.fleet_line import MARK, Piece, cut
from tui.widgets.painted_rows import PaintedRows
from tui.wording import QUIET, fit

NAME_LEAST, NAME_SHARE = 8, 0.2
"""What agents' names get at least, and the part of the width that they may take."""


class LaneLine(Struct, frozen=True, kw_only=True):
    """A lane with the name before it."""

    name: str
    plan: LanePlan
    is_marked: bool = False
    """It is the selected one."""
    stop: int | None = None
    """The cell that is selected in it."""


def name_width(names: Iterable[str], width: int) -> int:
    """Return how many cells names get of `width`."""
    return max(NAME_LEAST, min(max(map(cell_len, names), default=0), int(width * NAME_SHARE)))


def head_width(name_cells: int) -> int:
    """Return in which cell lanes begin: after a mark, the name, a blank and what is late."""
    return 1 + name_cells + 1 + LATE_WIDTH


def lay_out(line: LaneLine, name_cells: int, width: int) -> tuple[Piece, ...]:
    """Return the pieces of a line, exactly `width` cells together."""
    name = fit(line.name, name_cells)
    pad = " " * (name_cells - cell_len(name) + 1)
    look = "bold" if line.is_marked else "" if line.plan.is_live else QUIET
    head = [(MARK if line.is_marked else " ", ""), (name + pad, look)]
    late = line.plan.late_pieces(selected=line.plan.late is not None and line.stop == line.plan.late.cell)
    return filled([*head, *late, *line.plan.pieces(line.stop)], width)


def filled(pieces: Sequence[Piece], width: int) -> tuple[Piece, ...]:
    """Return the pieces cut or filled up to exactly `width` cells: a line may be painted before it is laid out anew."""
    missing = width - sum(cell_len(text) for text, _ in pieces)
    return cut([*pieces, *([(" " * missing, "")] if missing > 0 else [])], width)


class TimelineLanes(PaintedRows, can_focus=False):
    """The lanes. Those that do not fit are scrolled to."""

    DEFAULT_CSS = """
    TimelineLanes { background: $background; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: tuple[LaneLine, ...] = ()
        self._name_cells = NAME_LEAST

    def show(self, lines: tuple[LaneLine, ...], name_cells: int) -> None:
        """Show these lanes, whose names get `name_cells`; nothing is painted that looks as before."""
        old, self.lines = self.lines, lines
        if len(old) != len(lines):
            self.virtual_size = Size(0, len(lines))
        if name_cells != self._name_cells:
            self._name_cells = name_cells
            self.refresh()
            return
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if _at(old, top + y) != _at(lines, top + y):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        line = _at(self.lines, self.scroll_offset.y + y)
        if line is None:
            return self.paint_rest(y, width, is_empty=not self.lines)
        return self.paint(lay_out(line, self._name_cells, width), width, selected=False)

    def on_resize(self) -> None:
        self.refresh()


def _at(lines: tuple[LaneLine, ...], index: int) -> LaneLine | None:
    return lines[index] if 0 <= index < len(lines) else None
