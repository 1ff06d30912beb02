"""`PaneView`: the live picture of one pane.

    view = PaneView(history_lines=settings.tui.preview_lines)
    view.show(frame)                    # every new PaneFrame; only what changed is repainted
    view.show(None, Absence.GONE)       # nothing to show, and why
    on PaneView.HistoryWanted(pane, lines):
        view.show_history(await previews.history(pane, lines))

It posts messages and does no I/O. `scrolled` is how many lines it stands above the live picture, 0 when live;
`behind` whether the pane has changed since. Its keys are the group `pane` of `tui.keys`.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import PaneFrame
from tui.ansi import Palette, to_strip
from tui.keys import bindings
from tui.theming import terminal_colours
from tui.widgets.pane_picture import (
    NOWHERE,
    Row,
    Sheet,
    cell_span,
    cut,
    live_rows,
    regions,
    restyled,
    scrolled_rows,
    with_cursor,
    with_note,
)

WHEEL_LINES = 3
PAN_COLUMNS = 8
STRIPS_KEPT = 512
TERMINAL_DEFAULT = Color(0, 0, 0, ansi=-1)


class Absence(Enum):
    """Why there is no picture: what to say, and what the person can do."""

    UNSELECTED = ("Nothing selected", "Choose an agent or a window to see its screen")
    LOADING = ("Waiting for its screen …", "")
    GONE = ("This pane is gone", "Its window was closed, or its tmux server ended")
    NO_TMUX = ("tmux is not running", "Screens show here again once it is back")
    OURSELVES = ("This is tmorch itself", "Shown here, it would mirror itself without end")


class PaneView(Widget, can_focus=True):
    """The live picture of one pane, in its own colours.

    | Component class | Description |
    | :- | :- |
    | `pane-view--placeholder` | What is said when there is no picture. |
    | `pane-view--hint` | What to do about it. |
    | `pane-view--note` | That rows are cut off above or below, or that the pane is in copy mode. |
    | `pane-view--scrolled` | That the view is scrolled, and how to come back. |
    | `pane-view--cut` | The mark on a row that is cut off at an end. |
    | `pane-view--outside` | Around a pane that is smaller than the view. |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane-view--placeholder",
        "pane-view--hint",
        "pane-view--note",
        "pane-view--scrolled",
        "pane-view--cut",
        "pane-view--outside",
    }
    DEFAULT_CSS = """
    PaneView {
        width: 1fr;
        height: 1fr;
        background: $background;
        color: $foreground;
        & > .pane-view--placeholder { text-style: bold; }
        & > .pane-view--hint { color: $text-muted; }
        & > .pane-view--note { background: $panel; color: $foreground; }
        & > .pane-view--scrolled { background: $primary; color: $background; text-style: bold; }
        & > .pane-view--cut { color: $accent; text-style: bold; }
        & > .pane-view--outside { background: $surface; }
        &:ansi > .pane-view--note { text-style: reverse; }
        &:ansi > .pane-view--scrolled { background: ansi_default; color: ansi_default; text-style: bold reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("pane")]
    ALLOW_SELECT = True

    scrolled: var[int] = var(0)
    behind: var[bool] = var(False)

    class HistoryWanted(Message):
        """The person scrolls up: `show_history` wants the pane with up to `lines` lines of scrollback."""

        def __init__(self, view: PaneView, pane: PaneId, lines: int) -> None:
            super().__init__()
            self.view = view
            self.pane = pane
            self.lines = lines

        @property
        def control(self) -> PaneView:
            """The view that asks."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PaneView.HistoryWanted) and message.view is self.view

    def __init__(self, *, history_lines: int = 2000, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self.history_lines = history_lines
        """How many lines of scrollback can be looked at."""
        self._sheet: Sheet | None = None
        self._latest: PaneFrame | None = None
        self._absence = Absence.UNSELECTED
        self._wanted = 0
        """How far up the person wants to stand; `scrolled` follows as scrollback arrives."""
        self._left = 0
        self._top = 0
        self._rows: list[Row] = []
        self._laid_out_for = Size(0, 0)
        self._palette: Palette | None = None
        self._strips: LRUCache[Row, Strip] = LRUCache(STRIPS_KEPT)
        self._painting = False

    # What is shown

    @property
    def frame(self) -> PaneFrame | None:
        """The newest frame, also while the view is scrolled; None when nothing is shown."""
        return self._latest

    def show(self, frame: PaneFrame | None, absence: Absence = Absence.UNSELECTED) -> None:
        """Show `frame`, or say why there is none. A view that is scrolled stays where it is."""
        if frame is None:
            self._show_nothing(absence)
            return
        shown = self._sheet.frame if self._sheet is not None else None
        self._latest = frame
        if shown is None or (shown.pane, shown.pid) != (frame.pane, frame.pid):
            self._wanted = self.scrolled = self._left = 0
        if self.scrolled and shown is not None:
            self._note_change(shown, frame)
        else:
            self._put(Sheet(frame))

    def _show_nothing(self, absence: Absence) -> None:
        if self._sheet is None and self._absence is absence:
            return
        self._sheet = self._latest = None
        self._absence = absence
        self._wanted = self.scrolled = self._left = 0
        self._lay_out()
        self.refresh()

    def _note_change(self, shown: PaneFrame, frame: PaneFrame) -> None:
        if not self.behind and frame.lines[frame.history :] != shown.lines[shown.history :]:
            self.behind = True
            self._repaint()

    def show_history(self, frame: PaneFrame) -> None:
        """Show a frame with scrollback, as asked for; ignored once the person is back, or elsewhere."""
        sheet = self._sheet
        if sheet is None or not self.scrolled or (sheet.frame.pane, sheet.frame.pid) != (frame.pane, frame.pid):
            return
        rows = self.content_size.height
        scrolled_off = max(0, frame.history_size - sheet.frame.history_size)
        missing = self._wanted - (sheet.live_top(rows) - self._top)
        self._sheet = Sheet(frame)
        top = self._sheet.length - (sheet.length - self._top) - scrolled_off - missing
        self._wanted = max(1, self._sheet.live_top(rows) - top)
        self._follow_wanted()
        self._repaint()

    def _put(self, sheet: Sheet) -> None:
        resized = self._sheet is None or self._sheet.frame.width != sheet.frame.width
        self._sheet = sheet
        if resized:
            self._strips.clear()
            self._lay_out()
            self.refresh()
        else:
            self._repaint()

    # Painting

    def _repaint(self) -> None:
        """Repaint the rows that differ from what was laid out last."""
        before, size = self._rows, self._laid_out_for
        self._lay_out()
        if size != self._laid_out_for or len(before) != len(self._rows):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._rows, strict=True)) if old != new]
        if changed:
            self.refresh(*regions(changed, size.width))

    def _lay_out(self) -> None:
        size = self._laid_out_for = self.content_size
        sheet = self._sheet
        if sheet is None:
            self._top, self._rows = 0, []
            return
        self._left = min(self._left, self._furthest_left(sheet))
        if self.scrolled:
            self._top, self._rows = scrolled_rows(sheet, size.height, self.scrolled, self._scroll_note())
        else:
            self._top, self._rows = live_rows(sheet, size.height)

    def _scroll_note(self) -> str:
        parts = [f"scrolled ↑ {self.scrolled} line{'' if self.scrolled == 1 else 's'}"]
        if self.behind:
            parts.append("new output below")
        if self.has_focus and (key := self._key_back()):
            parts.append(f"{key} returns")
        return " · ".join(parts)

    def _key_back(self) -> str:
        for active in self.screen.active_bindings.values():
            if active.binding.id == "pane.live":
                return self.app.get_key_display(active.binding)
        return ""

    def render_lines(self, crop: Region) -> list[Strip]:
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def render_line(self, y: int) -> Strip:
        if self._laid_out_for != self.content_size:
            self._strips.clear()
            self._lay_out()
        if self._sheet is None:
            return self._placeholder(y)
        strip = self._strip(self._rows[y]) if y < len(self._rows) else self._outside(self.content_size.width)
        if self.text_selection is not None:
            strip = self._selected(strip, self.text_selection, self._top + y)
        # Text selection asks for offsets through a line that is not painted; here they would cost every paint.
        return strip if self._painting else strip.apply_offsets(self._left, self._top + y)

    def _strip(self, row: Row) -> Strip:
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._paint(row)
        return strip

    def _paint(self, row: Row) -> Strip:
        assert self._sheet is not None
        pane_width, width = self._sheet.frame.width, self.content_size.width
        strip = to_strip(row.line, row.pen, pane_width, self._current_palette())
        if row.cursor != NOWHERE:
            strip = with_cursor(strip, row.cursor)
        if pane_width > width:
            strip = cut(strip, self._left, width, self.get_component_rich_style("pane-view--cut"))
        elif pane_width < width:
            strip = Strip.join([strip, self._outside(width - pane_width)])
        if row.note:
            component = "pane-view--scrolled" if self.scrolled else "pane-view--note"
            strip = with_note(strip, row.note, self.get_component_rich_style(component))
        return strip

    def _outside(self, width: int) -> Strip:
        return Strip.blank(width, self.get_component_rich_style("pane-view--outside"))

    def _placeholder(self, y: int) -> Strip:
        width, height = self.content_size
        first = max(0, height // 2 - 1)
        rows = dict(enumerate(self._absence.value, start=first))
        component = "pane-view--placeholder" if y == first else "pane-view--hint"
        text = rows.get(y, "")[:width].center(width)
        return Strip([Segment(text, self.get_component_rich_style(component))], width)

    def _current_palette(self) -> Palette:
        if self._palette is None:
            if self.app.native_ansi_color:
                self._palette = Palette(TERMINAL_DEFAULT, TERMINAL_DEFAULT)
            else:
                self._palette = Palette(*terminal_colours(self.app.theme_variables))
        return self._palette

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    # Text selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        if self._sheet is None:
            return None
        sheet, palette = self._sheet, self._current_palette()
        rows = map(sheet.row, range(sheet.length))
        text = "\n".join(to_strip(row.line, row.pen, sheet.frame.width, palette).text.rstrip() for row in rows)
        return selection.extract(text), "\n"

    def _selected(self, strip: Strip, selection: Selection, line: int) -> Strip:
        span = selection.get_span(line)
        if span is None:
            return strip
        start, end = span[0] - self._left, span[1] if span[1] == -1 else span[1] - self._left
        first, last = cell_span(strip.text, (max(0, start), end if end == -1 else max(0, end)))
        style = self.screen.get_component_rich_style("screen--selection")
        return restyled(strip, first, last, lambda under: under + style)

    # Scrolling and panning

    def action_scroll_lines(self, lines: int) -> None:
        """Go up by `lines`, or down when negative."""
        self._scroll_by(lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Go up by `pages` less one line each, or down when negative."""
        self._scroll_by(pages * max(1, self.content_size.height - 1))

    def action_oldest(self) -> None:
        """Go to the oldest line of the scrollback."""
        if self._latest is not None:
            self._scroll_by(self._latest.history_size + self._latest.height)

    def action_live(self) -> None:
        """Return to the live picture."""
        self._scroll_by(-self._wanted)

    def action_pan(self, columns: int) -> None:
        """Show what is cut off at the right, or left when negative."""
        if self._sheet is None:
            return
        left = max(0, min(self._left + columns * PAN_COLUMNS, self._furthest_left(self._sheet)))
        if left != self._left:
            self._left = left
            self._strips.clear()
            self.refresh()

    def _furthest_left(self, sheet: Sheet) -> int:
        return max(0, sheet.frame.width - self.content_size.width)

    def _scroll_by(self, lines: int) -> None:
        sheet = self._sheet
        if sheet is None:
            return
        frame, loaded = sheet.frame, sheet.live_top(self.content_size.height)
        available = min(frame.history_size, self.history_lines)
        self._wanted = max(0, min(self._wanted + lines, loaded + max(0, available - frame.history)))
        if self._wanted > loaded:
            self.post_message(self.HistoryWanted(self, frame.pane, available))
        self._follow_wanted()
        self._repaint()

    def _follow_wanted(self) -> None:
        """Scroll as far towards what is wanted as the lines at hand allow."""
        assert self._sheet is not None
        if not self._wanted:
            self.scrolled, self.behind = 0, False
            if self._latest is not None:
                self._put(Sheet(self._latest))
            return
        # One line up at least, so that the view holds still until the scrollback is there.
        self.scrolled = max(1, min(self._wanted, self._sheet.live_top(self.content_size.height)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "live":
            return self.scrolled > 0
        return True

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self._scroll_by(WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self._scroll_by(-WHEEL_LINES)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        event.prevent_default()
        self.action_pan(-1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        event.prevent_default()
        self.action_pan(1)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._repaint()

    def on_show(self) -> None:
        self.refresh()
