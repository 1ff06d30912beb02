"""`MessageInput`: the text of a message while it is written."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets import TextArea

from tui.keys import bindings
from tui.messages import ComposerKey
from tui.widgets.consuming import writes


class MessageInput(TextArea):
    """The text being written."""

    HELP = """\
Writes a message to the agent named in the title. tmorch types it when the agent's prompt is free, and never into a
shell, a dialog or somebody's draft; the receipt below says what became of it.

“when idle” waits until the agent has finished; “now” goes into its own queue while it works.
"""
    DEFAULT_CSS = """
    MessageInput {
        height: auto; min-height: 1; max-height: 6; border: none; padding: 0 1; background: transparent;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("composer")]

    def __init__(self) -> None:
        super().__init__(show_line_numbers=False, soft_wrap=True, compact=True)
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return writes(key, character)

    async def _on_key(self, event: events.Key) -> None:
        active = self.screen.active_bindings.get(event.key) if event.key == "enter" else None
        if active is not None and active.node is self:
            event.prevent_default()  # a key of ours, no text

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.cursor_at_first_line:
            self.post_message(ComposerKey("older"))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if not select and self.cursor_at_last_line:
            self.post_message(ComposerKey("newer"))
        else:
            super().action_cursor_down(select)

    def action_newline(self) -> None:
        self.insert("\n")

    def action_send(self) -> None:
        self.post_message(ComposerKey("send"))

    def action_leave(self) -> None:
        self.post_message(ComposerKey("leave"))

    def action_toggle_mode(self) -> None:
        self.post_message(ComposerKey("toggle_mode"))
