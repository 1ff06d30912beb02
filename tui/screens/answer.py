"""`AnswerScreen`: one need, whole, and everything that can be answered to it.

A choice is made by its key and nothing is chosen by itself; nothing can be answered here once the need has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.need import Answer, AnswerState, Need, NeedKind
from tui.keys import bindings
from tui.messages import AgentWanted, AnswerWanted, DismissWanted
from tui.recovery_messages import RecoveryOpened
from tui.screens.over import OverScreen
from tui.widgets.choices import Choices, Option
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.need_rows import DISMISSIBLE, MARKS, WORDS
from tui.wording import QUIET, age, clean, clean_line

AGE_S = 5.0
LONG = 0.4
"""A text that takes more than this part of the screen is long."""
NO_CHOICES = "Its choices cannot be read from here: go there to answer."
ENDED = "This is over: it was answered elsewhere, or it went away. Nothing was pressed from here."
ANOTHER = "It asks something else by now. Nothing was pressed: close this to see what."
ANSWERING = "Answering …"
UNCONFIRMED = "Nobody can know whether it took the answer: look at its screen."


class Stand(Enum):
    """How far the answering is."""

    OPEN = "open"
    ANSWERING = "answering"
    OVER = "over"


class AnswerScreen(OverScreen, ModalScreen[None]):
    """The need that was opened, and no other: once it has ended nothing can be answered here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("answer"), *bindings("dialog")]

    def __init__(self, need: Need, *, clock: Callable[[], float], keys_of: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._clock = clock
        self._keys_of = keys_of
        self._stand = Stand.OPEN
        self._is_mine = False
        """An answer was given from here."""
        self.need = need
        self._title_rule = TitleRule(id="answer-title")
        self._text = Static(_text(need), markup=False)
        self._choices = Choices(id="answer-choices")
        self._state = Static(id="answer-state", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="answer"):
            yield self._title_rule
            with VerticalScroll(id="answer-text", can_focus=False):
                yield self._text
            yield self._choices
            yield self._state
            yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._show_need()
        self._say(NO_CHOICES if self.need.kind is NeedKind.QUESTION and not self.need.choices else "")
        self.set_interval(AGE_S, self._show_title)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Let a long text scroll in the room that its choices leave it."""
        self.set_class(self._text.size.height > self.size.height * LONG, "-long")

    # -- news -------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Follow the need while it is there; say so when it is not there any more."""
        now = next((need for need in fleet.needs if need.key == self.need.key), None)
        if now is not None and now.fingerprint == self.need.fingerprint:
            if now != self.need:
                self.need = now
                self._show_need()
        elif self._is_mine and self._stand is not Stand.OVER:
            self.dismiss()
        elif self._stand is not Stand.OVER:
            other = any(need.agent == self.need.agent and need.kind.is_answerable for need in fleet.needs)
            self._take_stand(Stand.OVER, ANOTHER if other else ENDED)

    def show_answer(self, answer: Answer | None) -> None:
        """Show what became of the answer given here; None when it could not even be put in."""
        if answer is not None and answer.state is AnswerState.GIVEN:
            self.dismiss()
        elif answer is None or answer.state.is_final:
            self._is_mine = False
            self._take_stand(Stand.OPEN if self._stand is Stand.ANSWERING else self._stand, _outcome(answer))

    def _take_stand(self, stand: Stand, words: str) -> None:
        self._stand = stand
        self._say(words)
        self._choices.set_class(stand is not Stand.OPEN, "-off")
        self.refresh_bindings()

    def _say(self, words: str) -> None:
        self._state.update(words)
        self._state.display = bool(words)

    def _show_need(self) -> None:
        self._show_title()
        self._text.update(_text(self.need))
        self._choices.options = tuple(Option(choice.key, clean(choice.label)) for choice in self.need.choices)
        self._choices.display = bool(self.need.choices)
        self.call_after_refresh(self._fit)

    def _show_title(self) -> None:
        self._title_rule.set_parts(*_title(self.need, self._clock()))

    # -- what the person does ---------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can still be done."""
        is_open, kind = self._stand is Stand.OPEN, self.need.kind
        match action:
            case "approve" | "deny":
                return is_open and kind is NeedKind.PERMISSION
            case "take":
                return is_open and self._choices.marked is not None
            case "strike":
                return is_open and kind in DISMISSIBLE
            case "write":
                return not kind.is_answerable
            case "resume":
                return kind in (NeedKind.FAILED, NeedKind.EXITED)
        return True

    def on_key(self, event: events.Key) -> None:
        at = self._choices.of_key(event.character)
        if at is not None:
            event.stop()
            self._choose(at)

    def action_approve(self) -> None:
        self._answer("approve")

    def action_deny(self) -> None:
        self._answer("deny")

    def action_take(self) -> None:
        if self._choices.marked is not None:
            self._choose(self._choices.marked)

    def action_move(self, lines: int) -> None:
        if self._choices.options:
            self._choices.move(lines)
            self.refresh_bindings()
        else:
            self.query_one("#answer-text").scroll_relative(y=lines, animate=False)

    def action_scroll_text(self, pages: int) -> None:
        text = self.query_one("#answer-text")
        text.scroll_relative(y=pages * max(1, text.size.height - 1), animate=False)

    def _choose(self, at: int) -> None:
        choice = self.need.choices[at]
        self._answer(choice.key or choice.label)

    def _answer(self, choice: str) -> None:
        if self._stand is Stand.OPEN and self.need.kind.is_answerable:
            self._is_mine = True
            self._take_stand(Stand.ANSWERING, ANSWERING)
            self.post_message(AnswerWanted(self.need, choice))

    def action_strike(self) -> None:
        self.post_message(DismissWanted(self.need))
        self.dismiss()

    def action_write(self) -> None:
        self.post_message(AgentWanted(self.need.agent, text=""))

    def action_resume(self) -> None:
        """Open what is missing of its team, in the place of this."""
        team = OrchestrationId(self.need.agent.rpartition(":")[0])
        self.post_message(RecoveryOpened(team, self.need.agent))
        self.dismiss()

    def action_go(self) -> None:
        self.post_message(AgentWanted(self.need.agent, attach=True))

    def action_close(self) -> None:
        self.dismiss()


def _title(need: Need, now: float) -> tuple[list[Part], list[Part]]:
    mark, style = MARKS[need.kind]
    team, _, role = need.agent.rpartition(":")
    name = Content.assemble((f"{clean(team)} ▸ ", QUIET), (clean(role), "bold $foreground"))
    short = Content.assemble((clean(role), "bold $foreground"))
    return (
        [Part((name, short), (5,)), part(f"{mark} {WORDS[need.kind]}", style, cost=None)],
        [part(f"{age(now - need.since)} ago", QUIET)],
    )


def _text(need: Need) -> Content:
    lines = [clean_line(line) for line in need.detail.splitlines()]
    return Content("\n".join(lines)) if any(lines) else Content.assemble(("It does not say more.", QUIET))


def _outcome(answer: Answer | None) -> str:
    if answer is None:
        return "The answer could not be given."
    reason = clean(answer.reason)
    if answer.state is AnswerState.UNCONFIRMED:
        return f"{UNCONFIRMED} {reason}".rstrip()
    return f"Not answered: {reason}" if reason else "Not answered; nothing was pressed."
