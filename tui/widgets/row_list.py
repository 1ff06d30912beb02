"""`RowList`: a list of one-line rows of which only those in view are painted, and of these only what changed.

Rows are told apart by their ids: the cursor and what is in view stay with things, not with line numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from tui.widgets.fleet_line import MARK, Piece, cut
from tui.widgets.painted_rows import PaintedRows
from tui.wording import fit


class ListRow(Struct, frozen=True, kw_only=True):
    """A row: what stands at its edges is always there, the text between them is cut. Styles are Textual's."""

    id: str
    left: tuple[Piece, ...] = ()
    text: str = ""
    style: str = ""
    right: tuple[Piece, ...] = ()


@lru_cache(maxsize=4096)
def lay_out(row: ListRow, width: int, selected: bool) -> tuple[Piece, ...]:
    """Return the pieces of `row`, exactly `width` cells together."""
    start = [(MARK if selected else " ", ""), *row.left]
    end = [*((f" {text}", style) for text, style in row.right), (" ", "")]
    room = width - sum(cell_len(text) for text, _ in (*start, *end))
    text = fit(row.text, max(0, room))
    return cut([*start, (text, row.style), (" " * max(0, room - cell_len(text)), ""), *end], width, "")


class RowList(PaintedRows, can_focus=True, inherit_bindings=False):
    """The list. It posts `Moved` when the person selects another row."""

    CURSOR = "row-list--cursor"
    COMPONENT_CLASSES: ClassVar[set[str]] = {CURSOR}
    DEFAULT_CSS = """
    RowList {
        background: $background; overflow-x: hidden; scrollbar-size-vertical: 1;

        & > .row-list--cursor {
            background: $block-cursor-blurred-background; text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .row-list--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: none;
        }
    }
    """

    class Moved(Message):
        """The person selected another row."""

        def __init__(self, row_list: RowList) -> None:
            super().__init__()
            self.row_list = row_list

        @property
        def control(self) -> RowList:
            return self.row_list

    class TopNeared(Message):
        """The person is close to the first row: if there are older ones, they are wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: tuple[ListRow, ...] = ()
        self._cursor: int | None = None
        self._places: dict[str, int] = {}

    @property
    def cursor(self) -> int | None:
        """Where the selected row is; None when none is selected."""
        return self._cursor

    @property
    def selected_id(self) -> str:
        """The id of the selected row; empty when none is."""
        return "" if self._cursor is None else self.rows[self._cursor].id

    @property
    def is_at_end(self) -> bool:
        """Whether the last row is selected."""
        return self._cursor is not None and self._cursor == len(self.rows) - 1

    def show(self, rows: tuple[ListRow, ...], *, follow: bool = False) -> None:
        """Show these rows. The selected one stays so while it exists; with `follow` the last one is selected."""
        if rows == self.rows and not follow:
            return
        old, cursor, top = self.rows, self._cursor, self.scroll_offset.y
        self.rows = rows
        self._places = {row.id: i for i, row in enumerate(rows)}
        self._cursor = self._cursor_after(old, cursor, follow)
        if len(old) != len(rows):
            self.virtual_size = Size(0, len(rows))
        new_top = self._top_after(old, top, follow)
        if new_top != top:
            self.scroll_to(y=new_top, animate=False, immediate=True, force=True)
        for y in range(self.size.height):
            is_same = _at(old, top + y) == _at(rows, new_top + y)
            if not is_same or (top + y == cursor) != (new_top + y == self._cursor) or not rows:
                self.refresh(Region(0, y, self.size.width, 1))

    def _cursor_after(self, old: tuple[ListRow, ...], cursor: int | None, follow: bool) -> int | None:
        if follow:
            return len(self.rows) - 1 if self.rows else None
        return None if cursor is None else self._places.get(old[cursor].id)

    def _top_after(self, old: tuple[ListRow, ...], top: int, follow: bool) -> int:
        """Return the first line in view such that what the person looks at stays where it is."""
        last = max(0, len(self.rows) - max(1, self.size.height))
        if follow:
            return last
        for at in range(top, min(len(old), top + self.size.height)):
            if (place := self._places.get(old[at].id)) is not None:
                return max(0, min(place - (at - top), last))
        return min(top, last)

    def select(self, row_id: str) -> bool:
        """Select the row with that id without telling anybody; return whether there is one."""
        index = self._places.get(row_id)
        if index is not None:
            self._place_cursor(index)
        return index is not None

    def unselect(self) -> None:
        """Select nothing."""
        if self._cursor is not None:
            self.refresh_line(self._cursor)
            self._cursor = None

    # -- painting ---------------------------------------------------------------------------------

    def refresh_line(self, y: int) -> None:
        """Paint one row again."""
        self.refresh(Region(0, y - self.scroll_offset.y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        row = _at(self.rows, index)
        if row is None:
            return self.paint_rest(y, width, is_empty=not self.rows)
        selected = index == self._cursor
        return self.paint(lay_out(row, width, selected), width, selected=selected)

    def on_resize(self) -> None:
        self.refresh()
        self.call_after_refresh(self._show_cursor)

    # -- moving -----------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Select the row at `index`, or the nearest there is, for the person."""
        if self.rows:
            before = self._cursor
            self._place_cursor(max(0, min(index, len(self.rows) - 1)))
            if self._cursor != before:
                self.post_message(self.Moved(self))

    def _place_cursor(self, index: int) -> None:
        if self._cursor is not None:
            self.refresh_line(self._cursor)
        self._cursor = index
        self.refresh_line(index)
        self._show_cursor()

    def _show_cursor(self) -> None:
        cursor, top, height = self._cursor, self.scroll_offset.y, self.size.height
        if cursor is None or not height:
            return
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, immediate=True, force=True)
        elif cursor >= top + height:
            self.scroll_to(y=cursor - height + 1, animate=False, immediate=True, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.vertical_scrollbar.position = new_value  # it may not be shown yet: the rows are new
        if new_value < self.size.height and new_value < old_value:
            self.post_message(self.TopNeared())

    def on_click(self, event: events.Click) -> None:
        if _at(self.rows, self.scroll_offset.y + event.y) is not None:
            self.move_to(self.scroll_offset.y + event.y)

    def action_move(self, lines: int) -> None:
        self.move_to((-1 if self._cursor is None and lines > 0 else self._cursor or 0) + lines)

    def action_move_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_move_to(self, index: int) -> None:
        self.move_to(index if index >= 0 else len(self.rows) - 1)


def _at(rows: tuple[ListRow, ...], index: int) -> ListRow | None:
    return rows[index] if 0 <= index < len(rows) else None
