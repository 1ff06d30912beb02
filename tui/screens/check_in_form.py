"""`CheckInForm`: where a check-in is written, or the note of one. It says when it would fire while it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInRequest
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.when import request_of
from tui.keys import bindings
from tui.messages import CheckInWanted, PreviewWanted, RewordWanted
from tui.schedule_words import preview_words
from tui.screens.over import OverScreen
from tui.widgets.consuming import writes
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import TitleRule, part
from tui.wording import QUIET, clean, sentence

RHYTHMS = (CheckInKind.ONCE, CheckInKind.EVERY, CheckInKind.CRON)
LABELS = {CheckInKind.ONCE: "When", CheckInKind.EVERY: "Every", CheckInKind.CRON: "Cron"}
HINTS = {
    CheckInKind.ONCE: "30   90s   1h30m   14:30",
    CheckInKind.EVERY: "30   90s   1h30m",
    CheckInKind.CRON: "minute hour day month weekday, as in: 30 9 * * mon-fri",
}
SETTING = "Setting it …"
NO_CRON = "a cron expression: minute, hour, day of the month, month, day of the week"


class FormInput(Input):
    """A field of the form."""

    HELP = """\
A check-in is a message that the agent gets at its time, typed when its prompt is free. The line below the fields says
when that is going to be.

once: in so many minutes (30, 0.5), after a time span (90s, 45m, 2h, 1h30m, 1d), or at a clock time (14:30)
every: again and again, so far apart; the first one after as long
cron: minute, hour, day of the month, month and day of the week, by the clock here
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]
    DEFAULT_CSS = """
    FormInput {
        height: 1; padding: 0 1; background: $boost; width: 1fr;
        &, &:focus { border: none; }
    }
    """

    class Pressed(Message):
        """The person pressed a key of the form: `take` or `rhythm`."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False, id=id)
        self.cursor_blink = False

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return writes(key, character)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no rhythm for the note of a check-in that is there already."""
        return action != "rhythm" or not isinstance(self.screen, CheckInForm) or self.screen.check_in is None

    def action_take(self) -> None:
        self.post_message(self.Pressed("take"))

    def action_rhythm(self) -> None:
        self.post_message(self.Pressed("rhythm"))


class CheckInForm(OverScreen, ModalScreen[None]):
    """A check-in for one agent. It closes when it was set; what was written stays while it cannot be."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dialog")]
    AUTO_FOCUS = "#form-note"

    def __init__(
        self,
        agent: AgentId,
        check_in: CheckIn | None = None,
        *,
        clock: Callable[[], float],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        super().__init__()
        self.agent = agent
        self.check_in = check_in
        """The one whose note is changed; None: a new one is set."""
        self.rhythm = CheckInKind.ONCE
        self._clock = clock
        self._keys_of = keys_of
        self._others = {CheckInKind.CRON: ""}
        """What the second field held under another rhythm."""
        self._is_setting = False
        self._request: CheckInRequest | None = None
        self._title_rule = TitleRule(id="form-title")
        self._note = FormInput(clean(check_in.note) if check_in else "", placeholder="what it is told", id="form-note")
        self._when = FormInput(placeholder=HINTS[self.rhythm], id="form-when")
        self._when_label = Static(classes="label", markup=False)
        self._rhythm = Static(id="form-rhythm", markup=False)
        self._state = Static(id="form-state", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="form"):
            yield self._title_rule
            with Horizontal(classes="field"):
                yield Static("Note", classes="label", markup=False)
                yield self._note
            if self.check_in is None:
                with Horizontal(classes="field"):
                    yield self._when_label
                    yield self._when
                with Horizontal(classes="field"):
                    yield Static("How often", classes="label", markup=False)
                    yield self._rhythm
            yield self._state
            yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        number = f"Note of check-in {self.check_in.id}" if self.check_in else "New check-in"
        self._title_rule.set_parts([part(number, "bold", cost=None), part(f"for {clean(self.agent)}", "$text-accent")])
        self._show_rhythm()
        self._look()

    # -- what is written --------------------------------------------------------------------------

    @on(Input.Changed)
    def _on_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._look()

    @on(FormInput.Pressed)
    def _on_pressed(self, event: FormInput.Pressed) -> None:
        event.stop()
        if event.action == "rhythm":
            self._turn_rhythm()
        else:
            self._take()

    def _turn_rhythm(self) -> None:
        """Go on to the next rhythm; a cron expression and a time span are kept apart."""
        before, self.rhythm = self.rhythm, RHYTHMS[(RHYTHMS.index(self.rhythm) + 1) % len(RHYTHMS)]
        if CheckInKind.CRON in (before, self.rhythm):
            kept, self._others = self._others, {before: self._when.value}
            self._when.value = next(iter(kept.values()))
        self._show_rhythm()
        self._look()

    def _show_rhythm(self) -> None:
        self._when.placeholder = HINTS[self.rhythm]
        self._when_label.update(LABELS[self.rhythm])
        words = [f"[{kind}] " if kind is self.rhythm else f" {kind}  " for kind in RHYTHMS]
        looks = ["bold $accent" if kind is self.rhythm else QUIET for kind in RHYTHMS]
        self._rhythm.update(Content.assemble(*zip(words, looks, strict=True)))

    def _asked(self) -> CheckInRequest:
        note, when = self._note.value.strip(), self._when.value
        if self.rhythm is CheckInKind.CRON:
            if not when.strip():
                raise ValueError(NO_CRON)
            return CheckInRequest(note=note, cron=when.strip())
        return request_of(note, when, self._clock(), repeats=self.rhythm is CheckInKind.EVERY)

    def _look(self) -> None:
        """Say when what is written would fire, or why it cannot."""
        if self.check_in is not None:
            self._say("")
            return
        try:
            self._request = self._asked()
        except ValueError as error:
            self._request = None
            self._say(sentence(str(error)), "$text-warning" if self._when.value.strip() else QUIET)
            return
        self.post_message(PreviewWanted(self._request))

    def take_preview(self, request: CheckInRequest, found: tuple[float, ...] | TmorchError) -> None:
        """Show when a request would be due, unless something else is written by now."""
        if request != self._request or self._is_setting:
            return
        if isinstance(found, TmorchError):
            self._show_error(found)
        else:
            self._say(sentence(preview_words(found, self._clock())), "$text-success")

    def _say(self, words: str, style: str = "") -> None:
        self._state.update(Content.assemble((words, style)))

    def _show_error(self, error: TmorchError) -> None:
        words = [sentence(error.title), clean(error.cause), clean(error.remedy)]
        self._say("\n".join(filter(None, words)), "$text-error")

    # -- doing it ---------------------------------------------------------------------------------

    def _take(self) -> None:
        if self._is_setting:
            return
        note = self._note.value.strip()
        if not note:
            self._say("Write what it is to be told first.", "$text-warning")
            self._note.focus()
        elif self.check_in is not None:
            self._send(RewordWanted(self.check_in.id, note))
        else:
            self._take_new()

    def _take_new(self) -> None:
        self._look()  # a clock time is that of now
        if self._request is None:
            self._when.focus()
        else:
            self._send(CheckInWanted(self.agent, self._request))

    def _send(self, wish: CheckInWanted | RewordWanted) -> None:
        self._is_setting = True
        self._say(SETTING, QUIET)
        self.post_message(wish)

    def take_failure(self, error: TmorchError) -> None:
        """Say why it could not be set; all that was written is still there."""
        self._is_setting = False
        self._show_error(error)

    def action_close(self) -> None:
        self.dismiss()
