"""`Stage`: the preview under its title, or a card that says why there is nothing to preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.pane import PaneFrame
from tui.messages import Sight
from tui.widgets.fleet_rows import Row
from tui.widgets.line import TitleRule, part
from tui.widgets.pane_view import Absence, PaneView
from tui.widgets.panel import Panel
from tui.widgets.picture import picture_of

LOADING_S = 0.2
"""How long the last picture may stay when another pane is selected: most come sooner, and nothing flickers."""
MARGIN = Size(2, 1)
"""Around a card: cells at the left and at the right, lines at the top."""


class StagePane(PaneView):
    """A PaneView that can show a card instead, in the same place: changing over costs no layout."""

    HELP = """\
The screen of the selected agent or window, live and in its own colours. It is only looked at: nothing that is
pressed here reaches the agent.
"""

    def __init__(self, *, history_lines: int, id: str | None = None) -> None:
        super().__init__(history_lines=history_lines, id=id)
        self._card: Content | None = None
        self._card_strips: tuple[Size, list[Strip]] | None = None

    @property
    def card(self) -> Content | None:
        """The card that is shown; None while a pane is."""
        return self._card

    def show_card(self, card: Content | None) -> None:
        """Show `card`, or the pane again."""
        if card != self._card:
            self._card, self._card_strips = card, None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._card is None:
            return super().render_line(y)
        strips = self._strips_of_card(self._card)
        return strips[y] if y < len(strips) else Strip.blank(self.content_size.width, self.rich_style)

    def _strips_of_card(self, card: Content) -> list[Strip]:
        size = self.content_size
        if self._card_strips is None or self._card_strips[0] != size:
            width, style = max(1, size.width - 2 * MARGIN.width), self.visual_style
            lines = Visual.to_strips(self, card, width, None, style)
            left = Strip.blank(MARGIN.width, style.rich_style)
            top = [Strip.blank(size.width, style.rich_style)] * MARGIN.height
            rest = [Strip.join([left, line]).extend_cell_length(size.width, style.rich_style) for line in lines]
            self._card_strips = (size, top + rest)
        return self._card_strips[1]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._card_strips = None


class Stage(Panel):
    """Shows what the selected row stands for. `sight` is the pane that it wants pictures of."""

    def __init__(
        self, *, history_lines: int, is_ours: Callable[[Sight], bool], new_team_key: str, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._new_team_key = new_team_key
        self.title_rule = TitleRule(id="stage-title")
        self.pane_view = StagePane(history_lines=history_lines, id="pane")
        self._is_ours = is_ours
        self._is_waiting = False
        self.note = ""
        """What the title says besides."""
        self.sight: Sight | None = None

    def compose(self) -> ComposeResult:
        yield self.title_rule
        yield self.pane_view

    def show_selection(self, fleet: Fleet | None, row: Row | None, now: float) -> None:
        """Show what `row` stands for in `fleet`; only what reads differently is painted."""
        picture = picture_of(fleet, row, now, self._is_ours, self._new_team_key)
        note = [part(self.note, "bold $text-accent", cost=None)] if self.note else []
        self.title_rule.set_parts(picture.left, [*picture.right, *note])
        self.pane_view.show_card(None if picture.sight else picture.card)
        if picture.sight != self.sight:
            self.sight = picture.sight
            self._is_waiting = picture.sight is not None
            if picture.sight is not None and self.pane_view.frame is None:
                self._say_loading(picture.sight)
            elif picture.sight is not None:
                self.set_timer(LOADING_S, partial(self._say_loading, picture.sight))

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
