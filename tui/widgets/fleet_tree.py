"""`FleetTree`: orchestrations with their agents, and other people's tmux windows, as a tree of virtual rows.

Only the lines that changed are painted, so that a fleet of a hundred working agents costs next to nothing.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.reactive import var
from textual.strip import Strip

from orchestrator_core.models.fleet import Fleet
from tui.keys import bindings
from tui.widgets.fleet_line import LOOKS, arrow_width, lay_out
from tui.widgets.fleet_outline import Outline
from tui.widgets.fleet_rows import Row, RowKind
from tui.widgets.painted_rows import PaintedRows

ROLE_SHARE = 0.4
"""The part of the width that agents' names may take."""
ROLE_MIN = 8


class FleetTree(PaintedRows, can_focus=True):
    """The tree of the fleet. `show_fleet` is all it needs; it tells what the person selects and opens."""

    HELP = """\
Every team with its agents, as they are now.

● working  ○ idle  ◆ needs you  ⏸ held by a limit
◌ starting  ■ exited  ✖ failed  ? unknown
✉ messages it has not got yet  ‼ messages nobody can confirm  ⏱ its next check-in
ctx 34% what is left of its context; with ! it is nearly full

tmux windows that are not tmorch's stand at the bottom: to look at, never touched.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("fleet")]
    CURSOR = "fleet-tree--cursor"
    COMPONENT_CLASSES: ClassVar[set[str]] = {CURSOR}

    row: var[Row | None] = var(None, init=False)
    """The row that the person selected last; to be watched. `selected` is always up to date."""

    def __init__(self, *, nearly_full: float = 0.0, id: str | None = None) -> None:
        super().__init__(id=id)
        self.outline = Outline(nearly_full)
        self._role_width = ROLE_MIN

    @property
    def selected(self) -> Row | None:
        """The selected row; None when there is none."""
        return self.outline.selected

    def show_fleet(self, fleet: Fleet, now: float) -> None:
        """Show `fleet` as it stands at `now`; what is selected, open and in view stays so where it still exists."""
        before = self._picture()
        self.outline.show(fleet, now)
        self._paint_difference(before)
        self.set_reactive(FleetTree.row, self.selected)

    def narrow(self, query: str) -> None:
        """Show only the rows that have all words of `query`."""
        before = self._picture()
        self.outline.ask(query)
        self._paint_difference(before)
        self._show_cursor()
        self.row = self.selected

    def select(self, row_id: str) -> bool:
        """Select the row with that id, opening what it is in; return whether there is one."""
        before = self._picture()
        index = self.outline.reveal(row_id)
        self._paint_difference(before)
        if index is not None:
            self._move_to(index)
        return index is not None

    # -- painting ---------------------------------------------------------------------------------

    def _picture(self) -> tuple[tuple[Row, ...], int | None, int]:
        return self.outline.rows, self.outline.cursor, self.scroll_offset.y

    def _paint_difference(self, before: tuple[tuple[Row, ...], int | None, int]) -> None:
        old, old_cursor, old_top = before
        new = self.outline.rows
        if len(old) != len(new):
            self.virtual_size = Size(0, len(new))
        top = self._steady_top(old, old_cursor, old_top)
        if top != old_top:
            self.scroll_to(y=top, animate=False)
        role_width = self._choose_role_width()
        if role_width != self._role_width:
            self._role_width = role_width
            self.refresh()
            return
        for y in range(self.size.height):
            was, now = _row_at(old, old_top + y), _row_at(new, top + y)
            if was != now or (old_top + y == old_cursor) != (top + y == self.outline.cursor):
                self.refresh(Region(0, y, self.size.width, 1))

    def _steady_top(self, old: tuple[Row, ...], cursor: int | None, top: int) -> int:
        """Return the first line in view such that what the person looks at stays where it is."""
        height = self.size.height
        anchor = cursor if cursor is not None and top <= cursor < top + height else top
        if anchor >= len(old):
            return top
        index = self.outline.index(old[anchor].id)
        if index is None:
            index = self.outline.cursor if anchor == cursor else anchor
        return max(0, min(top + (index or 0) - anchor, len(self.outline.rows) - height))

    def _choose_role_width(self) -> int:
        names = (len(row.label) for row in self.outline.rows if row.kind is RowKind.AGENT)
        return max(ROLE_MIN, min(max(names, default=0), int(self.scrollable_content_region.width * ROLE_SHARE)))

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        row = _row_at(self.outline.rows, index)
        if row is None:
            return self.paint_rest(y, width, is_empty=not self.outline.rows)
        selected = index == self.outline.cursor
        return self.paint(lay_out(row, width, self._role_width, selected), width, selected=selected)

    def style_text(self, look: str) -> str:
        return LOOKS.get(look, look)

    def on_resize(self) -> None:
        self._role_width = self._choose_role_width()
        self.refresh()
        self._show_cursor()

    # -- moving -----------------------------------------------------------------------------------

    def _move_to(self, index: int) -> None:
        before = self.outline.cursor
        if before is not None and self.outline.move_to(index):
            self.refresh_line(before)
            self.refresh_line(self.outline.cursor or 0)
            self._show_cursor()
            self.row = self.selected

    def _move_by(self, lines: int) -> None:
        self._move_to((self.outline.cursor or 0) + lines)

    def _show_cursor(self) -> None:
        cursor, top, height = self.outline.cursor, self.scroll_offset.y, self.size.height
        if cursor is None or not height:
            return
        if cursor < top:
            self.scroll_to(y=cursor, animate=False)
        elif cursor >= top + height:
            self.scroll_to(y=cursor - height + 1, animate=False)

    def _toggle(self, index: int) -> None:
        before = self._picture()
        if self.outline.toggle(index):
            self._paint_difference(before)
            self.row = self.selected

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y
        row = _row_at(self.outline.rows, index)
        if row is not None:
            again = index == self.outline.cursor
            self._move_to(index)
            if again or event.x < arrow_width(row):
                self._toggle(index)

    def action_move(self, lines: int) -> None:
        self._move_by(lines)

    def action_move_page(self, pages: int) -> None:
        self._move_by(pages * max(1, self.size.height - 1))

    def action_move_to(self, index: int) -> None:
        self._move_to(index if index >= 0 else len(self.outline.rows) - 1)

    def action_fold(self) -> None:
        """Close the selected row, or go to the one it is in."""
        row, cursor = self.selected, self.outline.cursor
        if row is None or cursor is None:
            return
        if row.is_open and not self.outline.query:
            self._toggle(cursor)
        else:
            self._move_to(self.outline.parent(cursor))

    def action_unfold(self) -> None:
        """Open the selected row, or go to the first one in it."""
        row, cursor = self.selected, self.outline.cursor
        if row is None or cursor is None or row.is_open is None:
            return
        if row.is_open:
            self._move_by(1)
        else:
            self._toggle(cursor)

    async def action_toggle(self, attribute_name: str = "") -> None:
        """Open or close the selected row; with a name do what every widget does by this action."""
        if attribute_name:
            await super().action_toggle(attribute_name)
        else:
            self.action_open()

    def action_open(self) -> None:
        if self.outline.cursor is not None:
            self._toggle(self.outline.cursor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key of `open` to the screen when the row has nothing to open."""
        if action == "open":
            return self.selected is not None and self.selected.is_open is not None
        return True


def _row_at(rows: tuple[Row, ...], index: int | None) -> Row | None:
    return rows[index] if index is not None and 0 <= index < len(rows) else None
