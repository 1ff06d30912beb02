"""`IntervalInput`: where the minutes between two check-ins are written."""

from __future__ import annotations

import math
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from tui.keys import bindings
from tui.widgets.consuming import writes


class IntervalInput(Input):
    """The field."""

    HELP = """\
How many minutes lie between two check-ins of this agent: 30, or 7.5. They are left out while it works.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("interval")]
    DEFAULT_CSS = """
    IntervalInput {
        height: 1; padding: 0 1; background: $boost; width: 1fr;
        &, &:focus { border: none; }
    }
    """

    class Left(Message):
        """The person is done with the field; `keep`: what stands there is to hold."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self, *, id: str) -> None:
        super().__init__(select_on_focus=True, id=id)
        self.cursor_blink = False

    @property
    def minutes(self) -> float | None:
        """What stands there; None when that is no number of minutes."""
        try:
            found = float(self.value.strip().replace(",", "."))
        except ValueError:
            return None
        return found if math.isfinite(found) and found > 0 else None

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return writes(key, character)

    def action_take(self) -> None:
        self.post_message(self.Left(keep=True))

    def action_leave(self) -> None:
        self.post_message(self.Left(keep=False))
