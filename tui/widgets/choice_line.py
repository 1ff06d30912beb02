"""`ChoiceLine`: one of a few words is chosen, and all are in sight where they fit."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.keys import bindings
from tui.widgets.choices import Option
from tui.wording import QUIET


class ChoiceLine(Widget, can_focus=True):
    """The options in a row, the chosen one in brackets. An option's key is its value."""

    HELP = """\
One of these holds: → and ← choose another.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("choice")]
    DEFAULT_CSS = """
    ChoiceLine {
        height: 1; width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis;
        &:focus { background: $boost; }
    }
    """
    at: reactive[int] = reactive(0)
    """Which one is chosen."""

    class Changed(Message):
        """The person has chosen another one."""

    def __init__(self, options: tuple[Option, ...], value: str = "", *, id: str) -> None:
        super().__init__(id=id)
        self._options = options
        self.set_reactive(ChoiceLine.at, next((i for i, option in enumerate(options) if option.key == value), 0))

    @property
    def value(self) -> str:
        """The chosen one."""
        return self._options[self.at].key

    def render(self) -> Content:
        chosen = "bold $accent" if self.has_focus else "bold"
        words = [
            (f"[{option.label}]", chosen) if i == self.at else (f" {option.label} ", QUIET)
            for i, option in enumerate(self._options)
        ]
        line = Content.assemble(*words)
        if line.cell_length <= self.content_size.width:
            return line
        return Content.assemble(words[self.at], (f"  {self.at + 1} of {len(self._options)}", QUIET))

    def action_step(self, steps: int) -> None:
        """Choose the next one, or the one before; after the last comes the first."""
        self.at = (self.at + steps) % len(self._options)
        self.post_message(self.Changed())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_step(1)
