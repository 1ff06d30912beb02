"""`PaintedRows`: what lists of one-line rows have in common, of which only lines in view are painted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

from tui.widgets.fleet_line import Piece
from tui.wording import QUIET, fit


class PaintedRows(ScrollView):
    """Paints pieces of text; their styles are made once for each theme."""

    CURSOR: ClassVar[str] = ""
    """The component class of the selected row."""
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.note: tuple[str, ...] = ()
        """Lines that stand where rows would be when there are none."""
        self._styles_of: dict[tuple[str, bool], RichStyle] = {}

    def paint(self, pieces: Iterable[Piece], width: int, *, selected: bool) -> Strip:
        """Return a row of pieces that are `width` cells together."""
        return Strip([Segment(text, self._style(look, selected=selected)) for text, look in pieces], width)

    def paint_rest(self, y: int, width: int, *, is_empty: bool) -> Strip:
        """Return the line `y` where no row is: a line of the note when there are no rows at all."""
        text = fit(f"  {self.note[y - 1]}", width) if is_empty and 0 < y <= len(self.note) else ""
        return Strip([Segment(text, self._style(QUIET, selected=False))]).extend_cell_length(
            width, self._style("", selected=False)
        )

    def style_text(self, look: str) -> str:
        """Return the style, as Textual writes it, of a piece that looks like `look`."""
        return look

    def _style(self, look: str, *, selected: bool) -> RichStyle:
        found = self._styles_of.get((look, selected))
        if found is None:
            found = self._styles_of[look, selected] = self._make_style(look, selected).rich_style
        return found

    def _make_style(self, look: str, selected: bool) -> Style:
        row = self.get_visual_style(self.CURSOR) if selected else self.visual_style
        if selected and self.has_focus and self.app.native_ansi_color:
            return row  # nobody knows which of a terminal's 16 colours go together
        return row + Style.parse(self.style_text(look), self.app.theme_variables)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_of.clear()
