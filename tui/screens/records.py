"""`RecordsScreen`: a long table that grows at its end, of which pages are loaded as they are wanted.

It stays at the newest record until the person goes elsewhere, and is there again when they go to the end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tui.commands import ScopePalette
from tui.keys import bindings
from tui.messages import AgentWanted, Query, Scope
from tui.pages import PAGE, Numbered, Pages
from tui.screens.over import OverScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.row_list import ListRow, RowList
from tui.widgets.search_input import SearchInput
from tui.wording import QUIET, clean, sentence

AGE_S = 5.0
ROOMY = 100
"""From this width on, times are shown to the second."""
R = TypeVar("R", bound=Numbered)


class RecordList(RowList):
    """The records as rows."""


class RecordsScreen(OverScreen, Generic[R]):
    """The list, and below it the selected record in full."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("records")]
    AUTO_FOCUS = "RecordList"
    BLANK = True
    NAME = ""
    """What the title calls the records."""
    CHANGES = False
    """Whether a record may be another one later."""
    TEAMS = False
    """Whether those of one team can be chosen."""

    def __init__(
        self,
        scope: Scope,
        fleet: Fleet | None,
        *,
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        super().__init__()
        self.fleet = fleet
        self.query_now = Query(scope=scope)
        self.is_following = True
        self._first_scope = scope
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of
        self._pages: Pages[R] = Pages()
        self._by_id: dict[str, R] = {}
        self._rows: dict[int, tuple[object, ListRow]] = {}
        self.is_reading = self._is_wanted = self._is_reading_older = self._has_read = False
        self._newest_seen = 0
        self._failure = ""
        self._title_rule = TitleRule(id="records-title")
        self._details_rule = TitleRule(id="details-title")
        self.record_list = RecordList(id="records")
        self._details = Static(id="details", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield SearchInput(id="search")
        yield self.record_list
        yield self._details_rule
        with VerticalScroll(id="details-body", can_focus=False):
            yield self._details
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._show_title()
        self._read_newest()
        self.set_interval(AGE_S, self._show_rows)

    # -- what a kind of record knows --------------------------------------------------------------

    @abstractmethod
    def page_wanted(self, before: int) -> Message:
        """Return the wish for the page before a number, or the newest."""

    @abstractmethod
    def row_key(self, record: R, width: int, now: float) -> object:
        """Return what a record's row depends on besides the record."""

    @abstractmethod
    def row_of(self, record: R, width: int, now: float) -> ListRow:
        """Return the row of a record."""

    @abstractmethod
    def details_of(self, record: R) -> tuple[list[Part], Content]:
        """Return a title and everything there is to say of a record."""

    @abstractmethod
    def agent_of(self, record: R) -> AgentId | None:
        """Return the agent that a record leads to."""

    # -- news -------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def store_changed(self) -> None:
        self._read_newest()
        if self.CHANGES and self._is_far_back() and not self._is_reading_older:
            self._is_reading_older = True
            self.post_message(self.page_wanted(int(self._last_in_view().id) + 1))

    def _last_in_view(self) -> ListRow:
        shown = self.record_list
        return shown.rows[min(len(shown.rows), shown.scroll_offset.y + max(1, shown.size.height)) - 1]

    def _is_far_back(self) -> bool:
        """Whether what is in view may not be in the newest page."""
        shown = self.record_list
        return shown.scroll_offset.y < len(shown.rows) - PAGE

    def _read_newest(self) -> None:
        self._is_wanted = self.is_reading
        if not self.is_reading:
            self.is_reading = True
            self.post_message(self.page_wanted(0))

    def take_page(self, query: Query, before: int, page: tuple[R, ...]) -> None:
        """Take in what was read, newest first, unless something else is wanted by now."""
        self._done_reading(before)
        if query == self.query_now:
            self._failure, self._has_read = "", True
            if before:
                self._pages.take_older(page, before)
            else:
                self._pages.take_newest(page)
            if self.is_following:
                self._pages.trim()
            self._show_rows()
        if not before and (self._is_wanted or query != self.query_now):
            self._read_newest()

    def page_failed(self, before: int, error: TmorchError) -> None:
        """Say that a page cannot be read; it is tried again when something changes."""
        self._done_reading(before)
        self._failure = sentence(error.title)
        self._show_title()

    def _done_reading(self, before: int) -> None:
        if before:
            self._is_reading_older = False
        else:
            self.is_reading = False

    def _show_rows(self) -> None:
        """Show what is loaded; rows are made anew only for what reads differently."""
        width, now = self.record_list.size.width, self._clock()
        records = self._pages.records
        rows: dict[int, tuple[object, ListRow]] = {}
        for record in records:
            key = (record, width, self.row_key(record, width, now))
            known = self._rows.get(record.id)
            rows[record.id] = known if known and known[0] == key else (key, self.row_of(record, width, now))
        self._rows = rows
        self._by_id = {str(record.id): record for record in records}
        self.record_list.note = self._empty_note()
        self.record_list.show(tuple(row for _, row in rows.values()), follow=self.is_following)
        if self.is_following:
            self._newest_seen = records[-1].id if records else 0
        self._show_title()
        self._show_details()

    def _empty_note(self) -> tuple[str, ...]:
        if not self._has_read:
            return ("Reading …",)
        if self.query_now == Query():
            return ("Nothing yet.",)
        return ("Nothing that fits.", f"{self._key_name('records.everything')} shows everything")

    @property
    def selected(self) -> R | None:
        """The selected record."""
        return self._by_id.get(self.record_list.selected_id)

    def _show_details(self) -> None:
        record = self.selected
        parts, text = self.details_of(record) if record is not None else ([], Content())
        self._details_rule.set_parts(parts)
        if self._details.content != text:
            self._details.update(text)
        self.refresh_bindings()

    def _show_title(self) -> None:
        scope, text = self.query_now.scope, self.query_now.text
        whose = scope.agent or scope.orchestration
        between = f"{clean(whose)} and {clean(scope.partner)}" if scope.partner else clean(whose)
        left = [part(self.NAME, "bold", cost=None), part(between or "of everybody", "$text-accent", cost=None)]
        if text:
            left.append(part(f"with “{clean(text)}”", "$text-warning", cost=20))
        if self._failure:
            left.append(part(self._failure, "bold $text-error", cost=None))
        self._title_rule.set_parts(left, [self._follow_part()])

    def _follow_part(self) -> Part:
        if self.is_following:
            return part("follows the newest", QUIET, cost=10)
        new = sum(record.id > self._newest_seen for record in self._by_id.values())
        words = f"{new} new below" if new else "stays here"
        return part(words, "bold $text-accent" if new else QUIET, cost=10)

    # -- moving -----------------------------------------------------------------------------------

    @on(RowList.Moved)
    def _on_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.is_following = self.record_list.is_at_end
        self._show_title()
        self._show_details()
        self.query_one("#details-body").scroll_home(animate=False)

    @on(RowList.TopNeared)
    def _on_top_neared(self, event: RowList.TopNeared) -> None:
        event.stop()
        if self._pages.has_older and not self._is_reading_older:
            self._is_reading_older = True
            self.post_message(self.page_wanted(self._pages.oldest))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_rows)

    def action_move(self, lines: int) -> None:
        self.record_list.action_move(lines)

    def action_move_page(self, pages: int) -> None:
        self.record_list.action_move_page(pages)

    def action_move_to(self, index: int) -> None:
        self.record_list.action_move_to(index)
        if index < 0:
            self._follow(True)

    def action_scroll_text(self, lines: int) -> None:
        self.query_one("#details-body").scroll_relative(y=lines, animate=False)

    def action_follow(self) -> None:
        self._follow(not self.is_following)

    def _follow(self, following: bool) -> None:
        self.is_following = following
        self._show_rows()

    # -- what is shown ----------------------------------------------------------------------------

    def ask(self, query: Query) -> None:
        """Show what fits `query` instead of what is shown."""
        if query != self.query_now:
            self.query_now = query
            self._pages, self._rows, self._has_read = Pages(), {}, False
            self.is_following = True
            self._show_rows()
            self._read_newest()

    def show_scope(self, scope: Scope) -> None:
        """Show those of somebody else."""
        self.ask(Query(scope=scope, text=self.query_now.text))

    def action_search(self) -> None:
        search = self.query_one(SearchInput)
        search.add_class("-open")
        self.set_focus(search)

    @on(Input.Changed)
    def _on_search_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.ask(Query(scope=self.query_now.scope, text=event.value))

    @on(SearchInput.Left)
    def _on_search_left(self, event: SearchInput.Left) -> None:
        event.stop()
        if event.keep and self.query_now.text:
            self.record_list.focus()
        else:
            self._clear_search()

    def _clear_search(self) -> None:
        search = self.query_one(SearchInput)
        search.value = ""
        search.remove_class("-open")
        self.record_list.focus()

    def action_whose(self) -> None:
        palette = CommandPalette(providers=[ScopePalette], placeholder="a team or an agent")
        self.app.push_screen(palette)

    def action_everything(self) -> None:
        self._clear_search()
        self.ask(Query())

    def action_go(self) -> None:
        record = self.selected
        agent = self.agent_of(record) if record is not None else None
        if agent is not None:
            self.post_message(AgentWanted(agent))

    def action_go_to(self, agent: AgentId) -> None:
        """Go to an agent on the main screen."""
        self.post_message(AgentWanted(agent))

    def action_back(self) -> None:
        """Take back the search, then the choice of whose, then leave."""
        if self.query_now.text:
            self._clear_search()
        elif self.query_now.scope != self._first_scope:
            self.show_scope(self._first_scope)
        else:
            self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the selected record."""
        if action == "everything":
            return self.query_now != Query()
        if action == "go":
            return self.selected is not None and self.agent_of(self.selected) is not None
        return action not in ("conversation", "resend")
