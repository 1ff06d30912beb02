"""`Panel`: a part of the screen under a rule with its title, which lights up while the focus is in it."""

from __future__ import annotations

from textual.containers import Vertical

from tui.widgets.line import TitleRule


class Panel(Vertical):
    """A container whose first TitleRule shows whether the focus is in it."""

    def on_descendant_focus(self) -> None:
        self.query(TitleRule).first().add_class("-focused")

    def on_descendant_blur(self) -> None:
        self.query(TitleRule).first().remove_class("-focused")
