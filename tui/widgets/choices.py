"""`Choices`: what can be chosen, each with its key. Nothing is marked until the person marks it."""

from __future__ import annotations

from msgspec import Struct
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.widgets.fleet_line import MARK


class Option(Struct, frozen=True):
    """One thing to choose. Texts are no markup."""

    key: str
    """The key that chooses it at once; empty when there is none."""
    label: str
    style: str = ""


class Choices(Widget):
    """The options, one below the other; a long one is wrapped."""

    DEFAULT_CSS = """
    Choices { height: auto; width: 1fr; padding: 0 1; }
    """
    options: reactive[tuple[Option, ...]] = reactive((), layout=True)
    marked: reactive[int | None] = reactive(None)
    """Which one the person has marked."""

    def move(self, lines: int) -> None:
        """Mark another one."""
        if self.options:
            at = -1 if self.marked is None and lines > 0 else self.marked or 0
            self.marked = max(0, min(at + lines, len(self.options) - 1))

    def of_key(self, key: str | None) -> int | None:
        """Return which option that key chooses."""
        return next((i for i, option in enumerate(self.options) if option.key and option.key == key), None)

    def render(self) -> Content:
        return Content("\n").join([self._line(i, option) for i, option in enumerate(self.options)])

    def _line(self, at: int, option: Option) -> Content:
        is_marked = at == self.marked
        line = Content.assemble(
            (f"{MARK if is_marked else ' '} ", "bold $accent"),
            (f"{option.key:<2} ", "bold $accent"),
            (option.label, option.style),
        )
        return line.stylize("bold") if is_marked else line
