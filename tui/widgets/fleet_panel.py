"""`FleetPanel`: the tree with its title and its filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from orchestrator_core.models.fleet import Fleet
from tui.keys import bindings
from tui.widgets.consuming import writes
from tui.widgets.fleet_tree import FleetTree
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.panel import Panel
from tui.wording import QUIET, clean


class FilterInput(Input):
    """Where the words of the filter are typed."""

    HELP = """\
Narrows the tree while you type: every word must occur in an agent's team, role, status or in what it does now.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter")]

    class Left(Message):
        """The person is done with the filter: to keep it, or to see everything again."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return writes(key, character)

    def action_keep_filter(self) -> None:
        self.post_message(self.Left(keep=True))

    def action_clear_filter(self) -> None:
        self.post_message(self.Left(keep=False))


class FleetPanel(Panel):
    """The tree of the fleet under its title; the filter shows while it narrows."""

    DEFAULT_CSS = """
    FleetPanel {
        #fleet-filter { height: 1; border: none; padding: 0 1; display: none; background: $boost; }
        &.-filtering #fleet-filter { display: block; }
    }
    """

    filter_input = getters.query_one("#fleet-filter", FilterInput)

    def __init__(self, *, key_name: Callable[[str], str], nearly_full: float = 0.0, id: str | None = None) -> None:
        super().__init__(id=id)
        self._key_name = key_name
        self.tree_view = FleetTree(nearly_full=nearly_full, id="fleet-tree")
        self._title_rule = TitleRule(id="fleet-title")

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self.tree_view

    def on_mount(self) -> None:
        self._show_title()

    def mount_filter(self) -> None:
        """Have the filter at hand: the first picture does without it."""
        if self.query(FilterInput):
            return
        filter_input = FilterInput(placeholder="words to look for", id="fleet-filter", select_on_focus=False)
        filter_input.cursor_blink = False
        self.mount(filter_input, before=self.tree_view)

    def show_fleet(self, fleet: Fleet, now: float) -> None:
        """Show `fleet` in the tree as it stands at `now`."""
        self.tree_view.show_fleet(fleet, now)
        self._show_title()

    @property
    def is_filtering(self) -> bool:
        """Whether the filter is open or narrows the tree."""
        return self.has_class("-filtering")

    @property
    def is_without_match(self) -> bool:
        """Whether the filter hides everything."""
        outline = self.tree_view.outline
        return bool(outline.query.strip()) and not outline.rows

    def select(self, row_id: str) -> None:
        """Select a row, opening what it is in; a filter that hides it is given up."""
        if self.is_filtering and self.tree_view.outline.index(row_id) is None:
            self._forget_filter()
        self.tree_view.select(row_id)

    def open_filter(self) -> None:
        """Let the person type a filter."""
        self.mount_filter()
        self.add_class("-filtering")
        self.screen.set_focus(self.filter_input)  # at once: the next key may be here already

    def clear_filter(self) -> None:
        """Show everything again."""
        self._forget_filter()
        self.tree_view.focus()

    def _forget_filter(self) -> None:
        self.filter_input.value = ""
        self.remove_class("-filtering")
        self._narrow("")

    def keep_filter(self) -> None:
        """Leave the filter as it is and go to what it shows."""
        if not self.filter_input.value.strip():
            self.clear_filter()
        elif self.tree_view.outline.rows:
            self.tree_view.focus()

    @on(Input.Changed, "#fleet-filter")
    def _on_filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow(event.value)

    @on(Input.Submitted, "#fleet-filter")
    def _on_filter_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.keep_filter()

    @on(FilterInput.Left)
    def _on_filter_left(self, event: FilterInput.Left) -> None:
        event.stop()
        if event.keep:
            self.keep_filter()
        else:
            self.clear_filter()

    def _narrow(self, query: str) -> None:
        self.tree_view.narrow(query)
        self._show_title()

    def _show_title(self) -> None:
        outline = self.tree_view.outline
        if self.is_without_match:
            clear = f"{self._key_name('filter.clear')} clears the filter"
            self.tree_view.note = (f"nothing matches “{clean(outline.query)}”", clear)
            self.tree_view.refresh()
        self._title_rule.set_parts([_title()], [self._note()])

    def _note(self) -> Part:
        outline = self.tree_view.outline
        if outline.query.strip():
            return part(f"{outline.shown} of {outline.total}", "$text-warning", cost=None)
        return part(f"{self._key_name('main.filter')} filter", QUIET)


def _title() -> Part:
    return Part((Content.assemble(("Fleet", "bold")),))
