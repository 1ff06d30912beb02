"""Which part of a pane's frame a view shows, row by row, and what is laid over a row. Pure: `PaneView` paints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from orchestrator_core.models.pane import PaneFrame
from tui.ansi import PLAIN, Pen, is_blank, pen_after

NOWHERE = -1


class Row(NamedTuple):
    """Everything one row of the view looks like; equal rows look equal."""

    line: str = ""
    pen: Pen = PLAIN
    cursor: int = NOWHERE
    """The column of the cursor in the pane."""
    note: str = ""
    """Ours, shown over the right end of the row."""


class Sheet:
    """A frame with the pen that each of its lines begins with."""

    def __init__(self, frame: PaneFrame) -> None:
        self.frame = frame
        self._pens = [PLAIN]

    def is_of(self, frame: PaneFrame) -> bool:
        """Return whether `frame` is of the same pane: panes of two servers can have one id."""
        return (self.frame.pane, self.frame.pid) == (frame.pane, frame.pid)

    @property
    def length(self) -> int:
        """How many lines there are, scrollback included."""
        return max(len(self.frame.lines), self.frame.history + self.frame.height)

    def row(self, index: int) -> Row:
        """Return line `index` as a row; blank beyond the end."""
        frame = self.frame
        if not 0 <= index < len(frame.lines):
            return Row(cursor=self._cursor_in(index))
        pens = self._pens
        while len(pens) <= index:
            pens.append(pen_after(frame.lines[len(pens) - 1], pens[-1]))
        return Row(frame.lines[index], pens[index], self._cursor_in(index))

    def _cursor_in(self, index: int) -> int:
        frame = self.frame
        if not frame.cursor.visible or frame.dead or index != frame.history + frame.cursor.y:
            return NOWHERE
        return min(frame.cursor.x, frame.width - 1)

    def last_written(self) -> int:
        """Return the index of the last line that shows something, or of the cursor's when that is lower."""
        frame = self.frame
        last = frame.history + frame.cursor.y if frame.cursor.visible else frame.history
        for index in range(len(frame.lines) - 1, last, -1):
            if not is_blank(frame.lines[index]):
                return index
        return last

    def live_top(self, rows: int) -> int:
        """Return the first line to show in `rows` rows so that the prompt and the cursor are among them."""
        frame = self.frame
        top = max(frame.history, self.last_written() + 1 - rows)
        if frame.cursor.visible:
            top = min(top, frame.history + frame.cursor.y)
        return top


def live_rows(sheet: Sheet, count: int) -> tuple[int, list[Row]]:
    """Return the index of the first line shown, and `count` rows of the pane as it is now."""
    top = sheet.live_top(count)
    rows = [sheet.row(top + y) for y in range(count)]
    if rows:
        above = top - sheet.frame.history
        below = sheet.last_written() + 1 - (top + count)
        if below > 0:
            rows[-1] = rows[-1]._replace(note=f"↓ {below} more")
        if above > 0:
            rows[0] = rows[0]._replace(note=f"↑ {above} more")
        if sheet.frame.in_mode:
            rows[0] = rows[0]._replace(note="copy mode")
    return top, rows


class Viewpoint:
    """Where a view stands over a pane: live at its end, or held still further up; and at which column."""

    def __init__(self, history_lines: int) -> None:
        self.history_lines = history_lines
        """How many lines of scrollback can be looked at."""
        self.sheet: Sheet | None = None
        """What is shown."""
        self.latest: PaneFrame | None = None
        """The newest frame, also while an older one is held still."""
        self.scrolled = 0
        """How many lines the view stands above the live picture."""
        self.behind = False
        """Whether the screen changed since the view was scrolled."""
        self.left = 0
        self.top = 0
        """The index of the first line in view."""
        self.size = Size(0, 0)
        self._wanted = 0

    def put(self, frame: PaneFrame) -> None:
        """Show `frame`; a scrolled view of the same pane stays as it is."""
        self.latest = frame
        if self.sheet is None or not self.sheet.is_of(frame):
            self._wanted = self.scrolled = self.left = 0
        if self.sheet is None or not self.scrolled:
            self.sheet, self.behind = Sheet(frame), False
        elif not self.behind:
            held = self.sheet.frame
            self.behind = frame.lines[frame.history :] != held.lines[held.history :]

    def clear(self) -> None:
        """Show nothing."""
        self.sheet = self.latest = None
        self._wanted = self.scrolled = self.left = 0
        self.behind = False

    def put_history(self, frame: PaneFrame) -> bool:
        """Show a frame with scrollback where the view stands; return False when it is not wanted any more."""
        held = self.sheet
        if held is None or not self.scrolled or not held.is_of(frame):
            return False
        scrolled_off = max(0, frame.history_size - held.frame.history_size)
        missing = self._wanted - (held.live_top(self.size.height) - self.top)
        self.sheet = Sheet(frame)
        top = self.sheet.length - (held.length - self.top) - scrolled_off - missing
        self._wanted = max(1, self.sheet.live_top(self.size.height) - top)
        self._follow_wanted(self.sheet)
        return True

    def scroll_by(self, lines: int) -> int:
        """Go up by `lines`, down when negative. Return how many lines of scrollback it takes; 0: none."""
        if self.sheet is None:
            return 0
        frame, loaded = self.sheet.frame, self.sheet.live_top(self.size.height)
        available = min(frame.history_size, self.history_lines)
        self._wanted = max(0, min(self._wanted + lines, loaded + max(0, available - frame.history)))
        needed = available if self._wanted > loaded else 0
        self._follow_wanted(self.sheet)
        return needed

    def _follow_wanted(self, sheet: Sheet) -> None:
        """Scroll as far towards what is wanted as the lines at hand allow."""
        if self._wanted:
            # One line at least, so that the picture is held still until the scrollback is there.
            self.scrolled = max(1, min(self._wanted, sheet.live_top(self.size.height)))
        else:
            self.scrolled = 0
            if self.latest is not None:
                self.put(self.latest)

    def pan_by(self, columns: int) -> bool:
        """Go right by `columns`, left when negative; return whether that changed anything."""
        before, self.left = self.left, self.left + columns
        self._stay_within()
        return self.left != before

    def _stay_within(self) -> None:
        widest = self.sheet.frame.width if self.sheet is not None else 0
        self.left = max(0, min(self.left, widest - self.size.width))

    def rows(self, size: Size, way_back: str) -> list[Row]:
        """Return the rows for a view of `size`. A scrolled view says so, and `way_back`."""
        self.size = size
        self._stay_within()
        if self.sheet is None:
            return []
        if not self.scrolled:
            self.top, rows = live_rows(self.sheet, size.height)
            return rows
        self.top = max(0, self.sheet.live_top(size.height) - self.scrolled)
        rows = [self.sheet.row(self.top + y) for y in range(size.height)]
        if rows:
            rows[0] = rows[0]._replace(note=self._note(way_back))
        return rows

    def _note(self, way_back: str) -> str:
        plural = "" if self.scrolled == 1 else "s"
        news = "new output below" if self.behind else ""
        return " · ".join(filter(None, (f"scrolled ↑ {self.scrolled} line{plural}", news, way_back)))


def regions(rows: Iterable[int], width: int) -> Iterator[Region]:
    """Return the regions that cover `rows`, given in ascending order, each as tall as it can be."""
    first = last = None
    for row in rows:
        if first is None or last is None:
            first = last = row
        elif row == last + 1:
            last = row
        else:
            yield Region(0, first, width, last + 1 - first)
            first = last = row
    if first is not None and last is not None:
        yield Region(0, first, width, last + 1 - first)


def restyled(strip: Strip, start: int, end: int, change: Callable[[Style], Style]) -> Strip:
    """Return `strip` with `change` applied to the style of the cells from `start` to `end`."""
    middle = [Segment(text, change(style or Style.null())) for text, style, _ in strip.crop(start, end) if text]
    return Strip.join([strip.crop(0, start), Strip(middle, end - start), strip.crop(end)])


def with_cursor(strip: Strip, column: int) -> Strip:
    """Return `strip` with the character at `column` reversed, whole even when it is wide."""
    start, end = _cells_of_character(strip.text, column)
    end = min(end, strip.cell_length)
    return restyled(strip, start, end, lambda style: style + Style(reverse=not style.reverse))


def _cells_of_character(text: str, column: int) -> tuple[int, int]:
    start = 0
    for character in text:
        end = start + get_character_cell_size(character)
        if start <= column < end:
            return start, end
        start = end
    return column, column + 1


def with_note(strip: Strip, note: str, style: Style) -> Strip:
    """Return `strip` with `note` over its right end."""
    width = strip.cell_length
    text = f" {note} "
    if cell_len(text) > width:
        text = set_cell_size(text, width)
    start = width - cell_len(text)
    return Strip.join([strip.crop(0, start), Strip([Segment(text, style)], width - start)])


def cut(strip: Strip, left: int, width: int, mark: Style) -> Strip:
    """Return `width` columns from `left` on, with a mark at each end beyond which something is written."""
    right = left + width
    shown = strip.crop(left, right)
    if width < 3:
        return shown
    if strip.crop(right - 1).text[1:].strip():
        shown = Strip.join([shown.crop(0, width - 1), Strip([Segment("›", mark)], 1)])
    if left and strip.crop(0, left + 1).text[:-1].strip():
        shown = Strip.join([Strip([Segment("‹", mark)], 1), shown.crop(1)])
    return shown


def cell_span(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Return a span of characters, whose end may be -1 for open, as cells."""
    start, end = span
    return cell_len(text[:start]), cell_len(text if end == -1 else text[:end])
