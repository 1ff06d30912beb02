"""The line between the fleet and the preview, joined to the rules it meets."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Divider(Widget):
    """A vertical line of one cell; `joint` is where the composer's rule branches off, `left_joint` the needs'."""

    DEFAULT_CSS = """
    Divider { width: 1; height: 1fr; color: $border-blurred; }
    """
    joint: reactive[int] = reactive(-1)
    left_joint: reactive[int] = reactive(-1)

    def render(self) -> Content:
        both = "┼" if self.joint == self.left_joint else "┤"
        glyphs = {self.joint: "├", self.left_joint: both, 0: "┬"}
        return Content("\n".join(glyphs.get(y, "│") for y in range(self.size.height)))
