"""Which part of a pane's frame a view shows, row by row, and what is laid over a row. Pure: `PaneView` paints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
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


def scrolled_rows(sheet: Sheet, count: int, scrolled: int, note: str) -> tuple[int, list[Row]]:
    """Return the same for a view that stands `scrolled` lines above the live one; `note` says so."""
    top = max(0, sheet.live_top(count) - scrolled)
    rows = [sheet.row(top + y) for y in range(count)]
    if rows:
        rows[0] = rows[0]._replace(note=note)
    return top, rows


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
