"""`LaunchScreen`: a start as it happens, what is to be done about a step that failed, and how it ended.

It is never left while the start goes on: that would hide it. What is undone is asked about first.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import AgentId, agent_id
from orchestrator_core.models.launch import Decision, Proposal, StepFailure, StepProgress, StepState
from orchestrator_core.models.orchestration import Orchestration
from tui.keys import bindings
from tui.screens.over import OverScreen
from tui.team_messages import DecisionMade, LaunchCancelled, LaunchLeft
from tui.widgets.key_bar import KeyBar
from tui.widgets.launch_rows import Told, cut_short, rows_of, take
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.row_list import RowList
from tui.wording import QUIET, clean, clean_line, plural, sentence

SECOND_S = 1.0
FIRST = "orchestrator"
"""The role whose agent the person is brought to, where there is one."""


class Stand(Enum):
    """How far the start is."""

    RUNNING = "running"
    FAILURE = "failure"
    """A step failed, and it is for the person to say what becomes of it."""
    UNDOING = "undoing"
    STARTED = "started"
    ENDED = "ended"
    """There is no team: the start failed, or the person did not want it any more."""

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more."""
        return self in (Stand.STARTED, Stand.ENDED)


class Ask(Enum):
    """What a second press of the same key does."""

    CANCEL = "cancel"
    ROLL_BACK = "roll-back"
    QUIT = "quit"


ASKED_BY = {Ask.CANCEL: "launch.cancel", Ask.ROLL_BACK: "launch.roll-back", Ask.QUIT: "app.quit"}
"""The action whose key is to be pressed again."""


class LaunchScreen(OverScreen):
    """One start. It is told of each step, posts what the person decides, and is left when the start is over."""

    HELP = """\
A team that is being started: every step, and beneath it every agent.

◌ under way  ✔ done  ✖ failed  ↺ undone  – cut short

When a step fails, nothing is undone before you say so: do it again, go on without it where the team can do without,
or undo everything. What holds work by then is kept and named.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("launch")]
    AUTO_FOCUS = "#launch-steps"

    def __init__(
        self, proposal: Proposal, *, clock: Callable[[], float], keys_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        super().__init__()
        self.proposal = proposal
        self.first_agent: AgentId | None = None
        """The agent to go to, once the team has started."""
        self._clock = clock
        self._keys_of = keys_of
        self._stand = Stand.RUNNING
        self._asks: Ask | None = None
        self._is_quitting = False
        """The app is to end once everything is undone."""
        self._told: tuple[Told, ...] = ()
        self._follows = True
        """The selection stays with what happens, until the person moves it."""
        self._failure: StepFailure | None = None
        self._error: TmorchError | None = None
        self._team = clean(proposal.orchestration) or clean(proposal.project.name)
        self._title_rule = TitleRule(id="launch-title")
        self._list = RowList(id="launch-steps")
        self._details_rule = TitleRule(id="launch-details-title")
        self._details = Static(id="launch-details", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self._list
        yield self._details_rule
        with VerticalScroll(id="launch-details-body", can_focus=False):
            yield self._details
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self.set_interval(SECOND_S, self._show_rows)
        self._show()

    # -- news -------------------------------------------------------------------------------------

    def take_step(self, progress: StepProgress) -> None:
        """Show how far a step is."""
        self._told = take(self._told, progress, self._clock())
        self._show_rows()
        if self._follows and self._is_there:
            number = max(one.number for one in self._told if (one.step, one.agent) == (progress.step, progress.agent))
            self._list.select(f"{progress.step}/{progress.agent}/{number}")
        self._show_details()

    def take_failure(self, failure: StepFailure) -> None:
        """Show what failed, and ask what is to be done about it."""
        self._failure = failure
        self._take_stand(Stand.FAILURE)

    def take_started(self, orchestration: Orchestration) -> None:
        """Take in that the team runs."""
        roles = self.proposal.team.roles
        if roles:
            self.first_agent = agent_id(orchestration.id, FIRST if FIRST in roles else roles[0])
        self._team = clean(orchestration.id)
        self._end(Stand.STARTED)

    def take_failed(self, error: TmorchError | None) -> None:
        """Take in that there is no team; None: the person did not want it any more."""
        self._error = error
        self._end(Stand.ENDED)

    def _end(self, stand: Stand) -> None:
        self._told = cut_short(self._told, self._clock())
        self._take_stand(stand)
        if self._is_quitting and self._is_there:
            self.app.call_later(self.app.action_quit)

    def _take_stand(self, stand: Stand) -> None:
        self._stand = stand
        self._asks = None
        if stand is not Stand.FAILURE:
            self._failure = None
        self._show()

    # -- what is shown ----------------------------------------------------------------------------

    @property
    def _is_there(self) -> bool:
        """Whether there is anything to show it on: an app that ends waits for the undoing, without its screens."""
        return self.is_running and self._list.is_attached

    def _show(self) -> None:
        if not self._is_there:
            return
        self._title_rule.set_parts(*self._title())
        self._show_rows()
        self._show_details()
        self.query_one("#launch-details-body").scroll_home(animate=False)
        self.refresh_bindings()

    def _show_rows(self) -> None:
        if self._is_there:
            self._list.show(rows_of(self._told, len(self.proposal.team.roles), self._clock()))

    def _title(self) -> tuple[list[Part], list[Part]]:
        words, style = {
            Stand.RUNNING: ("is being started", "$text-accent"),
            Stand.FAILURE: ("a step failed: what is to be done?", "$text-error"),
            Stand.UNDOING: ("is being undone", "$text-warning"),
            Stand.STARTED: ("✔ runs", "$text-success"),
            Stand.ENDED: ("was not started", "$text-warning"),
        }[self._stand]
        project = self.proposal.project
        return (
            [part(self._team, "bold", cost=None), part(words, f"bold {style}", cost=5)],
            [part(clean(project.path), QUIET), part(plural(len(self.proposal.team.roles), "agent"), QUIET, cost=1)],
        )

    def _show_details(self) -> None:
        if not self._is_there:
            return
        title, words = self._words()
        self._details_rule.set_parts([title])
        self._details.update(words)

    def _words(self) -> tuple[Part, Content]:
        if self._asks is not None:
            return part("Undo it?", "bold $text-warning", cost=None), self._question(self._asks)
        match self._stand:
            case Stand.FAILURE if self._failure is not None:
                return self._failure_words(self._failure)
            case Stand.UNDOING:
                return part("Undoing", "bold $text-warning", cost=None), Content(self._undoing())
            case Stand.STARTED:
                return part("Started", "bold $text-success", cost=None), Content(self._started())
            case Stand.ENDED:
                return part("Not started", "bold $text-warning", cost=None), self._ended()
        return part("Under way", "bold", cost=None), Content(self._selected_text())

    def _selected_text(self) -> str:
        """Return the whole text of the selected row: the list may have cut it."""
        found = next((one for one in self._told if one.id == self._list.selected_id), None)
        if found is None:
            return "" if self._told else "It has begun."
        return ": ".join(filter(None, (clean(found.agent), clean(found.text))))

    def _question(self, asks: Ask) -> Content:
        binding = ASKED_BY[asks]
        name = next((self.app.get_key_display(Binding(key, "")) for key in self._keys_of(binding)), "The key")
        then = " and leaves tmorch-tui" if asks is Ask.QUIT else ""
        runs = "Agents run already: they would be ended. " if self._agents_run else ""
        return Content.assemble(
            (f"{name} again undoes what this start has made{then}; any other key lets it be.", "bold"),
            f"\n{runs}What holds work is kept and named.",
        )

    def _failure_words(self, failure: StepFailure) -> tuple[Part, Content]:
        who = f"{clean(failure.agent)}: " if failure.agent else ""
        lines = [Content.assemble((who + clean(failure.title), "bold $text-error"))]
        lines += _output(failure.cause)
        lines += _remedy(failure.remedy)
        return part("Nothing is undone before you say so", "bold $text-error", cost=None), Content("\n").join(lines)

    def _undoing(self) -> str:
        then = " Then tmorch-tui ends." if self._is_quitting else ""
        return f"What this start has made is being undone; what holds work is kept.{then}"

    def _started(self) -> str:
        failed = [one for one in self._told if one.agent and one.state is StepState.FAILED]
        roles = ", ".join(dict.fromkeys(clean(one.agent) for one in failed))
        return f"The team runs. Not as it should: {roles}." if roles else "The team runs; every agent is ready."

    def _ended(self) -> Content:
        error = self._error
        lines = [Content.assemble((sentence(error.title) if error else "You have called the start off.", "bold"))]
        if error is not None:
            lines += _output(error.cause)
            lines += _remedy(error.remedy)
        undone = [one for one in self._told if one.step == "undo" and one.state is StepState.UNDONE]
        lines += [Content(f"↺ {clean(one.text)}") for one in undone if error is None or one.text != error.remedy]
        return Content("\n").join(lines)

    # -- what the person does ---------------------------------------------------------------------

    @property
    def _agents_run(self) -> bool:
        return any(one.step in ("agents", "ready") for one in self._told)

    def may_quit(self) -> bool:
        """Whether the app may end now. If not, the person is asked, and the second time everything is undone first."""
        if self._stand.is_over:
            return True
        if self._stand is Stand.UNDOING:
            self._is_quitting = True
            self._show_details()
        elif self._is_asked(Ask.QUIT):
            self._is_quitting = True
            self._cancel()
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "retry" | "roll_back":
                return self._stand is Stand.FAILURE
            case "go_on":
                return self._failure is not None and self._failure.may_go_on
            case "cancel":
                return self._stand in (Stand.RUNNING, Stand.FAILURE)
            case "leave":
                return self._stand.is_over
        return True

    def action_retry(self) -> None:
        self._decide(Decision.RETRY, Stand.RUNNING)

    def action_go_on(self) -> None:
        self._decide(Decision.GO_ON, Stand.RUNNING)

    def action_roll_back(self) -> None:
        """Undo everything; where agents run, when the key is pressed again."""
        if not self._agents_run or self._is_asked(Ask.ROLL_BACK):
            self._decide(Decision.ROLL_BACK, Stand.UNDOING)

    def _decide(self, decision: Decision, stand: Stand) -> None:
        self._take_stand(stand)
        self.post_message(DecisionMade(decision))

    def action_cancel(self) -> None:
        """Undo the start when the key is pressed again."""
        if self._is_asked(Ask.CANCEL):
            self._cancel()

    def _cancel(self) -> None:
        self._take_stand(Stand.UNDOING)
        self.post_message(LaunchCancelled())

    def _is_asked(self, ask: Ask) -> bool:
        """Return whether the person was asked this already; if not, ask now: any other key takes it back."""
        if self._asks is ask:
            return True
        self._ask(ask)
        return False

    def _ask(self, ask: Ask | None) -> None:
        if ask is not self._asks:
            self._asks = ask
            self._show_details()
            self.query_one("#launch-details-body").scroll_home(animate=False)

    def action_leave(self) -> None:
        self.post_message(LaunchLeft())

    def action_move(self, lines: int) -> None:
        self._list.action_move(lines)

    def action_move_page(self, pages: int) -> None:
        self._list.action_move_page(pages)

    def action_move_to(self, index: int) -> None:
        self._list.action_move_to(index)

    def action_scroll_text(self, pages: int) -> None:
        body = self.query_one("#launch-details-body")
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)

    def on_key(self, event: events.Key) -> None:
        """Take back the question at any other key; when it is over, what would call it off leaves, too."""
        if self._stand.is_over and event.key in self._keys_of(ASKED_BY[Ask.CANCEL]):
            event.stop()
            self.action_leave()
        if self._asks is not None and event.key not in self._keys_of(ASKED_BY[self._asks]):
            self._ask(None)

    def on_screen_suspend(self) -> None:
        self._ask(None)

    @on(RowList.Moved)
    def _on_moved(self) -> None:
        self._follows = self._list.is_at_end
        self._show_details()


def _output(text: str) -> list[Content]:
    """Return a cause, which may be an agent's output, line by line as it stands."""
    return [Content(clean_line(line)) for line in text.splitlines()]


def _remedy(text: str) -> list[Content]:
    return [Content.assemble(("→ ", "bold $text-accent"), clean(text))] if text else []
