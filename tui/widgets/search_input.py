"""`SearchInput`: where words are typed that records must hold."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from tui.keys import bindings
from tui.widgets.consuming import writes


class SearchInput(Input):
    """The words; it shows while it has some or is being typed into."""

    HELP = """\
Shows only what holds these words as they are, whatever the case of their letters, while you type.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("search")]
    DEFAULT_CSS = """
    SearchInput {
        height: 1; padding: 0 1; background: $boost; display: none;
        &, &:focus { border: none; }
        &.-open { display: block; }
    }
    """

    class Left(Message):
        """The person is done with the search: to keep it, or to see everything again."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(placeholder="words to look for", select_on_focus=False, id=id)
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return writes(key, character)

    def action_keep_search(self) -> None:
        self.post_message(self.Left(keep=True))

    def action_clear_search(self) -> None:
        self.post_message(self.Left(keep=False))
