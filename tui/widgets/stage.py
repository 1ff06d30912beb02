"""`Stage`: the preview with its title and hint, or a card that says why there is nothing to preview."""

from __future__ import annotations

from functools import partial

from textual import getters
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import PaneFrame
from tui.messages import Sight
from tui.widgets.fleet_rows import Row
from tui.widgets.line import Line, TitleRule, part
from tui.widgets.pane_view import Absence, PaneView
from tui.widgets.panel import Panel
from tui.widgets.picture import picture_of

LOADING_S = 0.2
"""How long the last picture may stay when another pane is selected: most come sooner, and nothing flickers."""


class Stage(Panel):
    """Shows what the selected row stands for. `sight` is the pane that it wants pictures of."""

    DEFAULT_CSS = """
    Stage {
        PaneView { height: 1fr; display: none; }
        #stage-card { height: 1fr; padding: 1; }
        #stage-hint { display: none; background: $boost; }
        &.-pane PaneView { display: block; }
        &.-pane #stage-card { display: none; }
        &.-hint #stage-hint { display: block; }
    }
    """

    pane_view = getters.query_one(PaneView)
    title_rule = getters.query_one("#stage-title", TitleRule)

    def __init__(self, *, history_lines: int, own_pane: PaneId | None, id: str | None = None) -> None:
        super().__init__(id=id)
        self._history_lines = history_lines
        self._own_pane = own_pane
        self._card = Content()
        self._is_waiting = False
        self.note = ""
        """What the title says besides."""
        self.sight: Sight | None = None

    def compose(self) -> ComposeResult:
        yield TitleRule(id="stage-title")
        yield Line(id="stage-hint")
        yield PaneView(history_lines=self._history_lines, id="pane")
        with VerticalScroll(id="stage-card", can_focus=False):
            yield Static(id="stage-card-text", markup=False)

    def show_selection(self, fleet: Fleet | None, row: Row | None, now: float) -> None:
        """Show what `row` stands for in `fleet`; only what reads differently is painted."""
        picture = picture_of(fleet, row, now, self._own_pane)
        note = [part(self.note, "bold $text-accent", cost=None)] if self.note else []
        self.title_rule.set_parts(picture.left, [*picture.right, *note])
        self.set_class(bool(picture.hint), "-hint")
        self.query_one("#stage-hint", Line).set_parts(picture.hint)
        if picture.sight != self.sight:
            self.sight = picture.sight
            self._is_waiting = picture.sight is not None
            if picture.sight is not None:
                self.set_timer(LOADING_S, partial(self._say_loading, picture.sight))
        self.set_class(picture.sight is not None, "-pane")
        if picture.card != self._card:
            self._card = picture.card
            self.query_one("#stage-card-text", Static).update(picture.card)

    def show_frame(self, sight: Sight, frame: PaneFrame) -> None:
        """Show a picture, if it is of what is looked at."""
        if sight == self.sight:
            self._is_waiting = False
            self.pane_view.show(frame)

    def show_lost(self, sight: Sight) -> None:
        """Say that the pane is not there any more."""
        if sight == self.sight:
            self._is_waiting = False
            self.pane_view.show(None, Absence.GONE)

    def _say_loading(self, sight: Sight) -> None:
        if sight == self.sight and self._is_waiting:
            self.pane_view.show(None, Absence.LOADING)
