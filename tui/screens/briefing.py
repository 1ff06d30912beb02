"""`BriefingScreen`: what an agent would be told first, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import bindings
from tui.screens.over import OverScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import TitleRule, part
from tui.wording import QUIET, clean, clean_line, plural


class BriefingScreen(OverScreen, ModalScreen[None]):
    """The text, to be read and closed."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("briefing"), *bindings("dialog")]

    def __init__(self, role: str, text: str, *, keys_of: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self.role = role
        self._keys_of = keys_of
        self._title_rule = TitleRule(id="briefing-title")
        lines = [clean_line(line) for line in text.splitlines()]
        self._length = plural(len(lines), "line")
        self._text = Static(Content("\n").join(map(_line, lines)), id="briefing-text", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="briefing"):
            yield self._title_rule
            with VerticalScroll(id="briefing-body", can_focus=False):
                yield self._text
            yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        name = part(f"What {clean(self.role)} would be told first", "bold", cost=None)
        self._title_rule.set_parts([name], [part(self._length, QUIET)])

    def action_scroll_text(self, lines: int) -> None:
        self.query_one("#briefing-body").scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        body = self.query_one("#briefing-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 2), animate=False)

    def action_jump(self, at: int) -> None:
        body = self.query_one("#briefing-body")
        body.scroll_to(y=body.max_scroll_y if at else 0, animate=False)

    def action_close(self) -> None:
        self.dismiss()


def _line(text: str) -> Content:
    """Return a line as it stands; headings are set off."""
    return Content.assemble((text, "bold $text-accent" if text.startswith("#") else ""))
