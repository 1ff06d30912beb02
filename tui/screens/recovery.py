"""`RecoveryScreen`: what is missing of each team, what resuming it would do, and what came of that.

It is a plan until a key is pressed: a second press, where something about it is unusual. It may be left at any time:
what is under way goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.recovery import Orphan, Verb
from tui.keys import bindings
from tui.messages import AgentWanted
from tui.recovery_messages import PlansWanted, ResumeWanted
from tui.recovery_rows import Entry, TeamRecovery, entries_of, heading_id, orphan_entries, sum_up
from tui.screens.over import OverScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Line, TitleRule, part
from tui.widgets.row_list import RowList
from tui.wording import QUIET, clean, clean_line, plural

READING = ("Looking at tmux, git and the agents' programs …",)
NO_TEAM = ("No team is meant to run: there is nothing to resume.",)
NOT_READ = ("It cannot be told what is missing.",)


class Ask(Enum):
    """What a second press of the same key does."""

    RESUME = "recovery.resume"
    ALL = "recovery.resume-all"
    REBRIEF = "recovery.rebrief"


class Question(Struct, frozen=True):
    """What the person is asked, and about which teams: those that they saw when they pressed the key."""

    ask: Ask
    teams: tuple[TeamRecovery, ...]
    why: tuple[str, ...]


class RecoveryScreen(OverScreen):
    """It shows what it is told of, and posts what the person wants done."""

    HELP = """\
What is missing of each team that is meant to run, and what resuming it would do. Nothing happens before you say so.

✔ kept  + rebuild  » continue its conversation  ✱ start anew  ✎ re-brief  ‼ refused: it needs you first
◌ under way  ✔ done  ✖ failed  – no longer needed

What is there is kept: nothing is typed to agents that run. You may leave this screen while a team is being resumed.
Below: what is left over of teams. Nothing of it is ever deleted here; the command that is safe to type is shown.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("recovery")]
    AUTO_FOCUS = "#recovery-teams"

    def __init__(
        self,
        teams: tuple[TeamRecovery, ...] = (),
        *,
        keys_of: Callable[[str], tuple[str, ...]],
        orchestration: OrchestrationId | None = None,
        agent: AgentId | None = None,
        why: str = "",
    ) -> None:
        """`why` says why the screen has opened by itself: then nothing is done at the first press of a key."""
        super().__init__()
        self._keys_of = keys_of
        self._teams = teams
        self._orphans: tuple[Orphan, ...] = ()
        self._entries: dict[str, Entry] = {}
        self._first = (agent, orchestration)
        """What is selected first, until the person has moved."""
        self._why = why
        self._is_reading = False
        self._error: TmorchError | None = None
        self._question: Question | None = None
        self._title_rule = TitleRule(id="recovery-title")
        self._why_line = Line(id="recovery-why")
        self._list = RowList(id="recovery-teams")
        self._orphans_rule = TitleRule(id="recovery-orphans-title")
        self._orphan_list = RowList(id="recovery-orphans")
        self._details_rule = TitleRule(id="recovery-details-title")
        self._details = Static(id="recovery-details", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self._why_line
        yield self._list
        yield self._orphans_rule
        yield self._orphan_list
        yield self._details_rule
        with VerticalScroll(id="recovery-details-body", can_focus=False):
            yield self._details
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._why_line.set_parts([part(self._why, "bold $text-warning", cost=None)])
        self._why_line.display = bool(self._why)
        self._read()

    # -- news -------------------------------------------------------------------------------------

    def take_teams(self, teams: tuple[TeamRecovery, ...]) -> None:
        """Show what is missing of these teams, as it was found just now."""
        self._is_reading = False
        self._error = None
        self._teams = teams
        self._question = None
        self._show()

    def take_progress(self, team: TeamRecovery) -> None:
        """Show how far the resuming of a team is."""
        self._teams = tuple(team if one.id == team.id else one for one in self._teams)
        if self._question is not None and any(one.id == team.id for one in self._question.teams):
            self._question = None
        self._show()

    def take_orphans(self, orphans: tuple[Orphan, ...]) -> None:
        """Show what is left over."""
        self._orphans = orphans
        if not orphans and self.focused is self._orphan_list:
            self._list.focus()
        self._show()

    def reading_failed(self, error: TmorchError) -> None:
        """Say that it cannot be told what is missing; what was known of it goes, for it may be wrong by now."""
        self._is_reading = False
        self._error = error
        self._teams = tuple(team for team in self._teams if team.is_begun)
        self._question = None
        self._show()

    # -- what is shown ----------------------------------------------------------------------------

    def _show(self) -> None:
        if not self._list.is_attached:
            return
        entries, left_over = entries_of(self._teams), orphan_entries(self._orphans)
        self._entries = {entry.row.id: entry for entry in (*entries, *left_over)}
        self._list.note = NOT_READ if self._error else READING if self._is_reading else NO_TEAM
        self._list.show(tuple(entry.row for entry in entries))
        self._orphan_list.show(tuple(entry.row for entry in left_over))
        for widget in (self._orphans_rule, self._orphan_list):
            widget.display = bool(left_over)
        self._select_first(entries)
        self._show_titles()
        self._show_details()
        self.refresh_bindings()

    def _select_first(self, entries: tuple[Entry, ...]) -> None:
        """Have something selected: what the screen was opened for, else the first that is not whole."""
        self._mark_orphan()
        if self._list.cursor is not None or not entries:
            return
        agent, orchestration = self._first
        odd = {team.id for team in self._teams if not team.is_whole}
        wanted = [entry for entry in entries if agent and entry.agent == agent and entry.row.id.startswith("step/")]
        wanted += [entry for entry in entries if entry.orchestration == orchestration]
        wanted += [entry for entry in entries if entry.orchestration in odd]
        self._list.select((*wanted, *entries)[0].row.id)

    def _mark_orphan(self) -> None:
        """Have something selected of what is left over while the person is there, and nothing else."""
        if self.focused is not self._orphan_list:
            self._orphan_list.unselect()
        elif self._orphan_list.cursor is None and self._orphan_list.rows:
            self._orphan_list.select(self._orphan_list.rows[0].id)

    def _show_titles(self) -> None:
        odd = [team for team in self._teams if not team.is_whole]
        note = plural(len(self._teams), "team") if self._teams else ""
        if self._teams and not self._is_reading:
            note += f" · {len(odd)} not whole" if odd else " · nothing is missing"
        self._title_rule.set_parts(
            [part("Resume", "bold", cost=None)], [part("looking …" if self._is_reading else note, QUIET)]
        )
        self._orphans_rule.set_parts([part("Left over", "bold", cost=None)], [part(str(len(self._orphans)), QUIET)])
        for rule, rows in ((self._title_rule, self._list), (self._orphans_rule, self._orphan_list)):
            rule.set_class(rows.has_focus, "-focused")

    @property
    def _entry(self) -> Entry | None:
        """What the person looks at."""
        rows = self._orphan_list if self.focused is self._orphan_list else self._list
        return self._entries.get(rows.selected_id)

    def _show_details(self) -> None:
        if self._question is not None:
            self._details_rule.set_parts([part("Resume?", "bold $text-warning", cost=None)])
            self._details.update(self._question_words(self._question))
            return
        if self._error is not None:
            self._details_rule.set_parts([part(clean(self._error.title), "bold $text-error", cost=None)])
            cause = tuple(clean_line(line) for line in self._error.cause.splitlines())
            self._details.update(_text(cause, clean(self._error.remedy)))
            return
        entry = self._entry
        self._details_rule.set_parts([part(entry.title if entry else "", "bold", cost=None)])
        self._details.update(_text(entry.words, entry.remedy) if entry else Content(""))

    def _question_words(self, question: Question) -> Content:
        name = next(
            (self.app.get_key_display(Binding(key, "")) for key in self._keys_of(question.ask.value)), "The key"
        )
        names = ", ".join(clean(team.id) for team in question.teams)
        does = f"re-briefs every agent of {names}" if question.ask is Ask.REBRIEF else f"resumes {names}"
        first = (f"{name} again {does}; any other key lets it be.", "bold")
        return Content("\n").join([Content.assemble(first), *map(Content, question.why)])

    # -- what the person does ---------------------------------------------------------------------

    @property
    def _team(self) -> TeamRecovery | None:
        """The team of the selected row."""
        entry = self._entries.get(self._list.selected_id)
        return next((team for team in self._teams if entry is not None and team.id == entry.orchestration), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now: nothing, while it is being looked."""
        match action:
            case "resume":
                return not self._is_reading and self._team is not None and _can_resume(self._team)
            case "resume_all":
                return not self._is_reading and sum(map(_can_resume, self._teams)) > 1
            case "rebrief":
                return not self._is_reading and self._team is not None and not self._team.is_begun
            case "look":
                return not self._is_reading
            case "panel":
                return bool(self._orphans)
            case "go":
                return self.focused is self._list and self._entry is not None and bool(self._entry.agent)
        return True

    def action_resume(self) -> None:
        """Resume the team of the selected row; where something about it is unusual, at the second press."""
        if (team := self._team) is not None:
            why = self._unusual(team)
            if not why or self._is_asked(Ask.RESUME, (team,), why):
                self._resume((team,))

    def action_resume_all(self) -> None:
        """Resume every team of which something is missing, at the second press."""
        teams = tuple(team for team in self._teams if _can_resume(team))
        why = tuple(f"{clean(team.id)}: {sum_up((*team.to_do, *team.refused))}." for team in teams)
        if self._is_asked(Ask.ALL, teams, why):
            self._resume(teams)

    def action_rebrief(self) -> None:
        """Tell each agent of the team where it stands, at the second press."""
        if (team := self._team) is None:
            return
        also = (f"What is missing is seen to first: {sum_up(team.to_do)}.",) if team.to_do else ()
        why = ("Each agent that runs gets one message, at its prompt, with where it stands.", *also)
        if self._is_asked(Ask.REBRIEF, (team,), why):
            self._resume((team,), rebrief_all=True)

    def _unusual(self, team: TeamRecovery) -> tuple[str, ...]:
        """Return what the person is to have read before the team is resumed."""
        anew = [step for step in team.to_do if step.verb is Verb.START_ANEW]
        return (
            *((f"It would: {sum_up(team.to_do)}.",) if self._why else ()),
            *((f"{sum_up(anew)}: the conversation before is gone.",) if anew else ()),
            *((f"{sum_up(team.refused)}, and stays as it is: it needs you first.",) if team.refused else ()),
            *map(clean, team.plan.warnings),
        )

    def _resume(self, teams: tuple[TeamRecovery, ...], *, rebrief_all: bool = False) -> None:
        self._question = None
        for team in teams:
            self.take_progress(replace(team, is_begun=True, rebrief_all=rebrief_all))
            self.post_message(ResumeWanted(team.plan, rebrief_all=rebrief_all))
        self._list.select(heading_id(teams[0].id))
        self._show_details()

    def _is_asked(self, ask: Ask, teams: tuple[TeamRecovery, ...], why: tuple[str, ...]) -> bool:
        """Return whether the person was asked this already; if not, ask now: any other key takes it back."""
        if self._question == Question(ask, teams, why):
            return True
        self._take_question(Question(ask, teams, why))
        return False

    def _take_question(self, question: Question | None) -> None:
        if question != self._question:
            self._question = question
            self._show_details()
            self.query_one("#recovery-details-body").scroll_home(animate=False)

    def _read(self) -> None:
        self._is_reading = True
        self._question = None
        self._show()
        self.post_message(PlansWanted())

    def action_look(self) -> None:
        """Have it looked again."""
        self._read()

    def action_go(self) -> None:
        """Go to the agent of the selected row, on the main screen."""
        if (entry := self._entry) is not None and entry.agent:
            self.post_message(AgentWanted(entry.agent))

    def action_panel(self) -> None:
        """Go to what is left over, and back to the teams."""
        (self._list if self.focused is self._orphan_list else self._orphan_list).focus()

    def action_leave(self) -> None:
        """Leave; what is under way goes on."""
        self.dismiss()

    @property
    def _focused_list(self) -> RowList:
        return self._orphan_list if self.focused is self._orphan_list else self._list

    def action_move(self, lines: int) -> None:
        self._focused_list.action_move(lines)

    def action_move_page(self, pages: int) -> None:
        self._focused_list.action_move_page(pages)

    def action_move_to(self, index: int) -> None:
        self._focused_list.action_move_to(index)

    def action_scroll_text(self, pages: int) -> None:
        body = self.query_one("#recovery-details-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)

    def on_key(self, event: events.Key) -> None:
        """Take back the question at any other key; the one that leaves does no more than that then."""
        if self._question is not None and event.key not in self._keys_of(self._question.ask.value):
            self._take_question(None)
            if event.key in self._keys_of("recovery.leave"):
                event.stop()
                event.prevent_default()

    def on_screen_suspend(self) -> None:
        self._take_question(None)

    def on_descendant_focus(self) -> None:
        self._mark_orphan()
        self._on_moved()

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        """Show what is selected now; a question about another team goes."""
        question = self._question
        if question is not None and question.ask is not Ask.ALL and self._team not in question.teams:
            self._question = None
        self._show_titles()
        self._show_details()
        self.refresh_bindings()


def _can_resume(team: TeamRecovery) -> bool:
    return bool(team.to_do) and not team.is_begun


def _text(lines: tuple[str, ...], remedy: str) -> Content:
    """Return lines as they are, and what can be done about it."""
    last = [Content.assemble(("→ ", "bold $text-accent"), remedy)] if remedy else []
    return Content("\n").join([*map(Content, lines), *last])
