"""`NewTeamScreen`: for which project and which spec a team is to be proposed; and the proposals that were saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from orchestrator_core.config.settings import BUILT_IN_DRIVERS, Settings
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import PathKind, ProposalId, SavedProposal, StartRequest
from orchestrator_core.models.spans import exactly
from orchestrator_core.models.team import Plan
from tui.keys import bindings
from tui.screens.over import OverScreen
from tui.team_messages import DEMO, DiscardWanted, NewTeamLeft, PathsWanted, ProposalWanted, SavedOpened, SavedWanted
from tui.widgets.choice_line import ChoiceLine
from tui.widgets.choices import Option
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import TitleRule, part
from tui.widgets.path_input import PathInput
from tui.widgets.row_list import ListRow, RowList
from tui.wording import QUIET, age, clean, clean_line, plural, sentence

CLAUDE, OFFLINE = "claude", "offline"
HEIGHTS: list[tuple[int, str]] = [(0, "-short"), (22, "-tall")]
PROPOSING = "Reading the project and the spec …"
OPENING = "Opening the saved proposal …"
NOTHING = "Nothing is made before you approve the team."
NONE_SAVED = ("None is saved.", "`tmorch plan --save` and the approval screen save one.")
READERS = {
    CLAUDE: "The team is proposed at once; Claude reads the spec meanwhile, once, and changes nothing. It costs: "
    "at most ${budget:g} and {time}.",
    OFFLINE: "The spec is read by tmorch's own rules: at once, and nobody is asked.",
    DEMO: "The demo's agents are scripted: nobody is asked and nothing is spent.",
}


class SavedList(RowList):
    """The saved proposals, newest first."""

    HELP = """\
Proposals that were saved: nothing of them is made yet. Opening one shows its team as it was when it was saved.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("saved")]

    class Pressed(Message):
        """The person pressed a key: `open` or `discard`."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def action_open(self) -> None:
        self.post_message(self.Pressed("open"))

    def action_discard(self) -> None:
        self.post_message(self.Pressed("discard"))

    def on_focus(self) -> None:
        if self.cursor is None:
            self.move_to(0)


class NewTeamScreen(OverScreen):
    """The form. It closes when there is a proposal; what was written stays while there cannot be one."""

    HELP = "What a team is proposed from. Nothing is made before you have seen the team and approved it."
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("new")]
    AUTO_FOCUS = "#project"
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float], keys_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        super().__init__()
        self.saved: tuple[SavedProposal, ...] = ()
        self._settings = settings
        self._clock = clock
        self._keys_of = keys_of
        self._waits_for = ""
        """What is being done, in words; empty when nothing is."""
        self._asks: ProposalId | None = None
        """The saved proposal that goes when the key is pressed again."""
        folder = settings.projects.folder
        self._project = PathInput(
            PathKind.PROJECT, placeholder=f"a git repository: a path, or a name in {clean(folder)}", id="project"
        )
        self._spec = PathInput(PathKind.SPEC, placeholder="a Markdown file; empty: the project's own", id="spec")
        team, reader = settings.team, settings.analysis.by
        drivers = (*BUILT_IN_DRIVERS, *settings.drivers)
        self._plan = ChoiceLine(_options(map(str, Plan), team.plan), id="plan")
        self._agent = ChoiceLine(_options(drivers, team.driver), id="agent")
        self._reader = ChoiceLine(tuple(Option(each, each) for each in (CLAUDE, OFFLINE)), reader, id="reader")
        self._note = Static(id="new-note", markup=False)
        self._state = Static(id="new-state", markup=False)
        self._saved_rule = TitleRule(id="saved-title")
        self._saved_list = SavedList(id="saved")

    def compose(self) -> ComposeResult:
        yield TitleRule(id="new-title")
        with Vertical(id="new-fields"):
            for label, field in self._fields():
                with Horizontal(classes="field"):
                    yield Static(label, classes="label", markup=False)
                    yield field
                if isinstance(field, PathInput):
                    yield field.candidates
            yield self._note
        with VerticalScroll(id="new-state-body", can_focus=False):
            yield self._state
        yield self._saved_rule
        yield self._saved_list
        yield KeyBar(keys_of=self._keys_of)

    def _fields(self) -> tuple[tuple[str, Widget], ...]:
        return (
            ("Project", self._project),
            ("Spec", self._spec),
            ("Plan", self._plan),
            ("Agents", self._agent),
            ("Read by", self._reader),
        )

    def on_mount(self) -> None:
        self.query_one("#new-title", TitleRule).set_parts([part("New team", "bold", cost=None)], [part(NOTHING, QUIET)])
        self._show_reader()
        self._show_saved()
        self.post_message(SavedWanted())

    # -- what is written --------------------------------------------------------------------------

    @on(PathInput.Wanted)
    def _on_paths_wanted(self, event: PathInput.Wanted) -> None:
        event.stop()
        self.post_message(PathsWanted(event.field.value, event.field.kind, self._project.value))

    def take_paths(self, kind: PathKind, text: str, found: tuple[str, ...]) -> None:
        """Show how a path may go on, unless something else is written by now."""
        field = self._project if kind is PathKind.PROJECT else self._spec
        field.take(text, found)

    @on(Input.Changed)
    @on(RowList.Moved)
    def _on_changed(self, event: Message) -> None:
        event.stop()
        self._asks = None
        self._show_saved()

    @on(ChoiceLine.Changed)
    def _on_chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._show_reader()

    @property
    def _is_by_claude(self) -> bool:
        return self._reader.value == CLAUDE and self._driver != DEMO

    @property
    def _driver(self) -> str:
        return self._agent.value or self._settings.team.driver

    def _show_reader(self) -> None:
        analysis = self._settings.analysis
        words = READERS[DEMO if self._driver == DEMO else self._reader.value]
        self._note.update(words.format(budget=analysis.budget_usd, time=exactly(analysis.timeout_s)))

    # -- proposing --------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_propose()

    def action_propose(self) -> None:
        request = StartRequest(
            project=self._project.value.strip(),
            spec=self._spec.value.strip(),
            plan=self._plan.value,
            driver=self._agent.value,
        )
        self._wish(PROPOSING, ProposalWanted(request, by_claude=self._is_by_claude))

    def _wish(self, words: str, wish: ProposalWanted | SavedOpened) -> None:
        if not self._waits_for:
            self._waits_for = words
            self._say(words, QUIET)
            self.post_message(wish)

    def take_failure(self, error: TmorchError) -> None:
        """Say why there is no proposal; all that was written is still there."""
        self._waits_for = ""
        lines = [clean_line(line) for text in (error.cause, error.remedy) for line in text.splitlines() if text]
        self._say("\n".join([sentence(error.title), *lines]), "$text-error")

    def _say(self, words: str, style: str = "") -> None:
        self._state.update(Content.assemble((words, style)))
        self.set_class(bool(words), "-said")
        self.query_one("#new-state-body").scroll_home(animate=False)

    def action_scroll_text(self, pages: int) -> None:
        body = self.query_one("#new-state-body")
        (body.scroll_page_down if pages > 0 else body.scroll_page_up)(animate=False)

    # -- saved proposals --------------------------------------------------------------------------

    def take_saved(self, saved: tuple[SavedProposal, ...]) -> None:
        """Show the saved proposals."""
        self.saved, self._asks = saved, None
        self._show_saved()

    def _show_saved(self) -> None:
        now = self._clock()
        self._saved_list.note = NONE_SAVED
        before = self._saved_list.cursor
        self._saved_list.show(tuple(_saved_row(each, now) for each in self.saved))
        if before is not None and self._saved_list.cursor is None and self._saved_list.has_focus:
            self._saved_list.move_to(before)
        question = f"{self._key('saved.discard')} again discards it, {self._key('new.close')} keeps it"
        asking = [part(question, "bold $text-warning")] if self._asks is not None else []
        self._saved_rule.set_parts([part("Saved proposals", "bold", cost=None)], asking)

    def _key(self, binding_id: str) -> str:
        return next((self.app.get_key_display(Binding(key, "")) for key in self._keys_of(binding_id)), "")

    @on(SavedList.Pressed)
    def _on_pressed(self, event: SavedList.Pressed) -> None:
        event.stop()
        chosen = next((each for each in self.saved if str(each.id) == self._saved_list.selected_id), None)
        if chosen is None:
            return
        if event.action == "open":
            self._wish(OPENING, SavedOpened(chosen.id))
        elif self._asks == chosen.id:
            self._asks = None
            self.post_message(DiscardWanted(chosen.id))
        else:
            self._asks = chosen.id
            self._show_saved()

    # -- leaving ----------------------------------------------------------------------------------

    def action_close(self) -> None:
        """Take back the question, else leave; what is being read is not waited for."""
        if self._asks is not None:
            self._asks = None
            self._show_saved()
        else:
            self.post_message(NewTeamLeft())


def _options(names: Iterable[str], default: str) -> tuple[Option, ...]:
    """Return a choice of names; the first one leaves it to the spec, and else to the settings."""
    return (Option("", f"as in the spec, else {clean(default)}"), *(Option(name, clean(name)) for name in names))


def _saved_row(saved: SavedProposal, now: float) -> ListRow:
    name = clean(saved.project.rpartition("/")[2])
    return ListRow(
        id=str(saved.id),
        left=((f"{saved.id:>3} ", "bold"), (f"{name}  ", "$text-accent")),
        text=clean(saved.goal),
        right=((plural(saved.agents, "agent"), QUIET), (f"{age(now - saved.saved_at):>5}", QUIET)),
    )
