"""What is wrong with tmorch itself, in one line each above everything else, until it is right again."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

Notice = tuple[str, str]
"""What is wrong, and what the person can do."""


class Banner(Widget):
    """Lines that say what is wrong; takes no room when nothing is."""

    DEFAULT_CSS = """
    Banner {
        height: auto; max-height: 3; width: 1fr; display: none; padding: 0 1;
        background: $error-muted; color: $text-error; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Banner.-shown { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._notices: tuple[Notice, ...] = ()

    def show(self, notices: tuple[Notice, ...]) -> None:
        """Show these notices and no others."""
        if notices != self._notices:
            self._notices = notices
            self.set_class(bool(notices), "-shown")
            self.refresh(layout=True)

    def render(self) -> Content:
        lines = [Content.assemble((f"✘ {what}", "bold"), f"  {remedy}") for what, remedy in self._notices]
        return Content("\n").join(lines)
