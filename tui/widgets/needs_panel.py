"""`NeedsPanel`: what needs the person, oldest first, and the keys that answer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Need, NeedKind
from tui.keys import bindings
from tui.messages import AnswerWanted, DismissWanted
from tui.widgets.line import TitleRule, part
from tui.widgets.need_rows import DISMISSIBLE, need_rows
from tui.widgets.panel import Panel
from tui.widgets.row_list import RowList
from tui.wording import QUIET


class NeedsList(RowList):
    """The needs as rows. Nothing is selected unless the person selected it: a key answers no other prompt."""

    HELP = """\
What needs you, oldest first.

◆ asks for permission  ◇ asks a question  ◈ asks before it starts  ▢ shows a dialog
! stopped with an error  ✖ failed  ■ exited
⊘ a message was refused  ‼ nobody knows whether a message arrived
◔ no sign of progress for long  † a check-in could not fire

An answer is given only to the very prompt that you see: if it is another one by then, nothing is pressed.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("needs")]

    needs: tuple[Need, ...] = ()

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.busy: set[str] = set()
        """The keys of needs that were answered: a second press has nothing to answer."""

    @property
    def selected(self) -> Need | None:
        """The selected need."""
        return None if self.cursor is None else self.needs[self.cursor]

    def on_blur(self) -> None:
        if self.app.app_focus:
            self.unselect()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the selected need."""
        need = self.selected
        if action in ("approve", "deny"):
            return need is not None and need.kind is NeedKind.PERMISSION and need.key not in self.busy
        if action == "dismiss":
            return need is not None and need.kind in DISMISSIBLE
        return True

    def action_approve(self) -> None:
        self._answer("approve")

    def action_deny(self) -> None:
        self._answer("deny")

    def _answer(self, choice: str) -> None:
        if self.selected is not None:
            self.busy.add(self.selected.key)
            self.post_message(AnswerWanted(self.selected, choice))

    def action_dismiss(self) -> None:
        if self.selected is not None:
            self.post_message(DismissWanted(self.selected))


class NeedsPanel(Panel):
    """The list under its title. It takes no room while nobody needs anything, or one calm line where there is room."""

    DEFAULT_CSS = """
    NeedsPanel {
        height: auto;
        &.-empty { display: none; height: 1; }
        &.-empty NeedsList { display: none; }
    }
    """

    class Selected(Message):
        """The person went to a need."""

        def __init__(self, need: Need) -> None:
            super().__init__()
            self.need = need

    class Moved(Message):
        """The panel's place on the screen may have changed."""

    class Emptied(Message):
        """The last need ended while the person was here."""

    def __init__(self, *, key_name: Callable[[str], str], id: str | None = None) -> None:
        super().__init__(id=id, classes="-empty")
        self._key_name = key_name
        self._title_rule = TitleRule(id="needs-title")
        self.needs_list = NeedsList(id="needs-list")
        self._notes: dict[str, str] = {}
        self._now = 0.0

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self.needs_list

    def on_mount(self) -> None:
        self._show_title()

    @property
    def needs(self) -> tuple[Need, ...]:
        """What is shown."""
        return self.needs_list.needs

    @property
    def selected(self) -> Need | None:
        """The need that the person is at."""
        return self.needs_list.selected

    def show(self, needs: tuple[Need, ...], now: float) -> None:
        """Show these needs, oldest first, with their ages."""
        had_selected = self.selected is not None
        self._now = now
        keys = {need.key for need in needs}
        self._notes = {key: note for key, note in self._notes.items() if key in keys}
        self.needs_list.busy &= keys
        if needs != self.needs:
            if bool(needs) != bool(self.needs):
                self.set_class(not needs, "-empty")
            self.needs_list.needs = needs
            self.needs_list.styles.height = max(1, len(needs))
            self._show_title()
        self._show_rows()
        if had_selected and self.selected is None:
            self.needs_list.refresh_bindings()
            if not needs and self.needs_list.has_focus:
                self.post_message(self.Emptied())

    def note(self, key: str, words: str) -> None:
        """Let `words` stand beside a need that was answered; without words it can be answered again."""
        if words:
            self._notes[key] = words
            self.needs_list.busy.add(key)
        else:
            self._notes.pop(key, None)
            self.needs_list.busy.discard(key)
        self._show_rows()

    def _show_rows(self) -> None:
        needs_list = self.needs_list
        above = self.parent if isinstance(self.parent, Widget) else self  # it has its width before we are shown
        needs_list.show(need_rows(self.needs, self._notes, self._now, above.size.width))

    def on_resize(self) -> None:
        self._show_rows()
        self.post_message(self.Moved())

    def on_hide(self) -> None:
        self.post_message(self.Moved())

    def need_of(self, agent: AgentId | None) -> Need | None:
        """Return the oldest need of an agent."""
        return next((need for need in self.needs if need.agent == agent), None)

    def go_on(self, agent: AgentId | None) -> Need | None:
        """Go to the next need: after the selected one, else that of `agent`, else the oldest; return it."""
        if not self.needs:
            return None
        at = self.needs_list.cursor
        own = self.need_of(agent)
        start = -1 if at is None else at
        index = self.needs.index(own) if at is None and own is not None else (start + 1) % len(self.needs)
        self.needs_list.move_to(index)
        return self.needs[index]

    def leave_unless(self, agent: AgentId | None) -> None:
        """Select nothing any more if the person went to another agent elsewhere."""
        if self.selected is not None and self.selected.agent != agent:
            self.needs_list.unselect()

    @on(RowList.Moved)
    def _on_moved(self, event: RowList.Moved) -> None:
        event.stop()
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def _show_title(self) -> None:
        count = len(self.needs)
        if not count:
            self._title_rule.set_parts([part("Nobody needs you", QUIET, cost=None)])
            return
        hint = [part(f"{self._key_name('main.next-need')} next", QUIET)]
        self._title_rule.set_parts([part(f"Needs you ({count})", "bold $status-waiting", cost=None)], hint)
