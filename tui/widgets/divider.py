"""The line between the fleet and the preview, joined to the rules it meets."""

from __future__ import annotations

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget


class Divider(Widget):
    """A vertical line of one cell; `joint` is where the composer's rule branches off."""

    DEFAULT_CSS = """
    Divider { width: 1; height: 1fr; color: $border-blurred; }
    """
    joint: reactive[int] = reactive(-1)

    def render_line(self, y: int) -> Strip:
        glyph = "┬" if y == 0 else "├" if y == self.joint else "│"
        return Strip([Segment(glyph, self.rich_style)], 1)
