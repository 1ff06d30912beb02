"""`Panel`: a part of the screen under a rule with its title, which lights up while the focus is in it."""

from __future__ import annotations

from textual.containers import Horizontal, Vertical

from tui.widgets.line import TitleRule


class SideBySide(Horizontal):
    """A container that is nothing but its children: painting it costs next to nothing."""

    BLANK = True


class Column(Vertical):
    """As SideBySide, with its children below each other."""

    BLANK = True


class Panel(Column):
    """A column whose first TitleRule shows whether the focus is in it."""

    def on_descendant_focus(self) -> None:
        self.query(TitleRule).first().add_class("-focused")

    def on_descendant_blur(self) -> None:
        self.query(TitleRule).first().remove_class("-focused")
