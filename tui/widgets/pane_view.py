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
    Viewpoint,
    cell_span,
    cut,
    regions,
    restyled,
    with_cursor,
    with_note,
)

WHEEL_LINES = 3
PAN_COLUMNS = 8
ANY_DISTANCE = 1_000_000_000
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

    HELP = """\
The agent's own screen, live and in its colours. You only look here: nothing you press reaches the agent.

Scrolling up holds the picture still and brings the scrollback; new output waits below.
› and ‹ mark rows that go on beyond the edge; “↑ … more” says how much of a taller pane is above.
Text is selected with the mouse.
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
        self._at = Viewpoint(history_lines)
        self._absence = Absence.UNSELECTED
        self._rows: list[Row] = []
        self._palette: Palette | None = None
        self._strips: LRUCache[Row, Strip] = LRUCache(STRIPS_KEPT)
        self._look = (Size(0, 0), 0, 0)
        """The size of the view, its first column and the width of the pane: what strips are made for."""
        self._painting = False

    # What is shown

    @property
    def frame(self) -> PaneFrame | None:
        """The newest frame, also while the view is scrolled; None when nothing is shown."""
        return self._at.latest

    def show(self, frame: PaneFrame | None, absence: Absence = Absence.UNSELECTED) -> None:
        """Show `frame`, or say why there is none. A view that is scrolled stays where it is."""
        if frame is not None:
            self._at.put(frame)
        elif self._at.sheet is not None or self._absence is not absence:
            self._absence = absence
            self._at.clear()
            self.refresh()
        self._repaint()

    def show_history(self, frame: PaneFrame) -> None:
        """Show a frame with scrollback, as asked for; ignored once the person is back, or elsewhere."""
        if self._at.put_history(frame):
            self._repaint()

    # Painting

    def _repaint(self) -> None:
        """Repaint the rows that differ from what was laid out last."""
        self.scrolled, self.behind = self._at.scrolled, self._at.behind
        before, look = self._rows, self._look
        self._lay_out()
        if look != self._look or len(before) != len(self._rows):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._rows, strict=True)) if old != new]
        if changed:
            self.refresh(*regions(changed, self._at.size.width))

    def _lay_out(self) -> None:
        self._rows = self._at.rows(self.content_size, self._way_back() if self._at.scrolled else "")
        sheet = self._at.sheet
        look = (self._at.size, self._at.left, sheet.frame.width if sheet is not None else 0)
        if look != self._look:
            self._look = look
            self._strips.clear()

    def _way_back(self) -> str:
        if self.has_focus:
            for active in self.screen.active_bindings.values():
                if active.binding.id == "pane.live":
                    return f"{self.app.get_key_display(active.binding)} returns"
        return ""

    def render_lines(self, crop: Region) -> list[Strip]:
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def render_line(self, y: int) -> Strip:
        if self._at.size != self.content_size:
            self._lay_out()
        if self._at.sheet is None:
            return self._placeholder(y)
        row = self._rows[y]
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._paint(row)
        if self.text_selection is not None:
            strip = self._selected(strip, self.text_selection, self._at.top + y)
        # Text selection asks for offsets through a line that is not painted; here they would cost every paint.
        return strip if self._painting else strip.apply_offsets(self._at.left, self._at.top + y)

    def _paint(self, row: Row) -> Strip:
        size, left, pane_width = self._look
        width = size.width
        strip = to_strip(row.line, row.pen, pane_width, self._current_palette())
        if row.cursor != NOWHERE:
            strip = with_cursor(strip, row.cursor)
        if pane_width > width:
            strip = cut(strip, left, width, self.get_component_rich_style("pane-view--cut"))
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
        sheet, palette = self._at.sheet, self._current_palette()
        if sheet is None:
            return None
        rows = map(sheet.row, range(sheet.length))
        text = "\n".join(to_strip(row.line, row.pen, sheet.frame.width, palette).text.rstrip() for row in rows)
        return selection.extract(text), "\n"

    def _selected(self, strip: Strip, selection: Selection, line: int) -> Strip:
        span = selection.get_span(line)
        if span is None:
            return strip
        left = self._at.left
        start, end = span[0] - left, span[1] if span[1] == -1 else span[1] - left
        first, last = cell_span(strip.text, (max(0, start), end if end == -1 else max(0, end)))
        style = self.screen.get_component_rich_style("screen--selection")
        return restyled(strip, first, last, lambda under: under + style)

    # Scrolling and panning

    def action_scroll_lines(self, lines: int) -> None:
        """Go up by `lines`, or down when negative."""
        needed = self._at.scroll_by(lines)
        if needed and self.frame is not None:
            self.post_message(self.HistoryWanted(self, self.frame.pane, needed))
        self._repaint()

    def action_scroll_pages(self, pages: int) -> None:
        """Go up by `pages` less one line each, or down when negative."""
        self.action_scroll_lines(pages * max(1, self.content_size.height - 1))

    def action_oldest(self) -> None:
        """Go to the oldest line of the scrollback."""
        self.action_scroll_lines(ANY_DISTANCE)

    def action_live(self) -> None:
        """Return to the live picture."""
        self.action_scroll_lines(-ANY_DISTANCE)

    def action_pan(self, columns: int) -> None:
        """Show what is cut off at the right, or left when negative."""
        if self._at.pan_by(columns * PAN_COLUMNS):
            self._repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "live":
            return self.scrolled > 0
        return True

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._on_wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._on_wheel(event, -1)

    def _on_wheel(self, event: events.MouseEvent, direction: int) -> None:
        event.stop()
        event.prevent_default()
        if event.shift or event.ctrl:
            self.action_pan(-direction)
        else:
            self.action_scroll_lines(direction * WHEEL_LINES)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._repaint()
