"""`WhyScreen`: what an agent's status rests on, looked at again and again, and the way to say that it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.evidence import Ground, StoredCase, Weight, Why
from orchestrator_core.models.ids import AgentId
from tui.keys import bindings
from tui.messages import WhyWanted, WrongWanted
from tui.screens.over import OverScreen
from tui.widgets.choices import Choices, Option
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Part, TitleRule, part
from tui.wording import GLYPHS, QUIET, age, clean, sentence

LOOK_S = 2.0
"""How often the evidence is looked at while this is open."""
WEIGHTS: dict[Weight, tuple[str, str]] = {
    Weight.DECIDES: ("▶", "bold $text-success"),
    Weight.AGREES: ("✔", "$text-success"),
    Weight.DISAGREES: ("✘", "bold $text-warning"),
    Weight.STALE: ("~", QUIET),
    Weight.SILENT: ("·", QUIET),
}
"""A mark per weight, no two alike, with its style."""
WEIGHT_CELLS, SOURCE_CELLS, AGE_CELLS = 12, 9, 5
ASK = "Which status should it be?"


class WhyScreen(OverScreen, ModalScreen[None]):
    """The evidence of one agent."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("why"), *bindings("dialog")]

    def __init__(
        self, agent: AgentId, *, clock: Callable[[], float], keys_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        super().__init__()
        self._clock = clock
        self._keys_of = keys_of
        self._is_asking = False
        self.agent = agent
        self.why: Why | None = None
        self._title_rule = TitleRule(id="why-title")
        self._text = Static(markup=False)
        self._choices = Choices(id="why-choices")
        self._state = Static(id="why-state", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="why"):
            yield self._title_rule
            with VerticalScroll(id="why-body", can_focus=False):
                yield self._text
                yield self._state
                yield self._choices
            yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self._choices.options = tuple(
            Option(str(i), f"{GLYPHS[status]} {status}", f"$status-{status}") for i, status in enumerate(GLYPHS, 1)
        )
        self._choices.display = False
        self._say("Looking …")
        self._title_rule.set_parts(*_title(self.agent, None))
        self._look()
        self.set_interval(LOOK_S, self._look)

    def _look(self) -> None:
        self.post_message(WhyWanted(self.agent))

    # -- news -------------------------------------------------------------------------------------

    def show_why(self, why: Why) -> None:
        """Show the evidence as it is now."""
        if self.why is None and not self._is_asking:
            self._say("")
        self.why = why
        self._title_rule.set_parts(*_title(self.agent, why))
        self._paint()
        self.refresh_bindings()

    def show_failure(self, error: TmorchError) -> None:
        """Say that the evidence cannot be looked at."""
        self._say(f"{sentence(error.title)}. {clean(error.cause)}".strip())

    def show_stored(self, case: StoredCase) -> None:
        """Say where the case is, and what was taken out of it."""
        masked = f"\nMasked in it: {', '.join(map(clean, case.masked))}." if case.masked else ""
        self._say(f"Stored for a test, on this machine only:\n{clean(case.path)}{masked}")

    def on_resize(self) -> None:
        self._paint()

    def _paint(self) -> None:
        if self.why is not None:
            width = max(20, self._text.size.width or self.size.width - 12)
            self._text.update(why_content(self.why, self._clock(), width))

    def _say(self, words: str) -> None:
        self._state.update(words)
        self._state.display = bool(words)

    # -- what the person does ---------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a status only to who said that this one is wrong."""
        match action:
            case "wrong":
                return self.why is not None and not self._is_asking
            case "take":
                return self._is_asking and self._choices.marked is not None
        return True

    def action_wrong(self) -> None:
        self._ask(True)
        self._say(ASK)

    def _ask(self, asking: bool) -> None:
        self._is_asking = asking
        self._choices.marked = None
        self._choices.display = asking
        self.refresh_bindings()
        self.call_after_refresh(self.query_one("#why-body").scroll_end, animate=False)

    def action_move(self, lines: int) -> None:
        if self._is_asking:
            self._choices.move(lines)
            self.refresh_bindings()
        else:
            self.query_one("#why-body").scroll_relative(y=lines, animate=False)

    def action_take(self) -> None:
        if self._choices.marked is not None:
            self._report(self._choices.marked)

    def on_key(self, event: events.Key) -> None:
        at = self._choices.of_key(event.character) if self._is_asking else None
        if at is not None:
            event.stop()
            self._report(at)

    def _report(self, at: int) -> None:
        self._ask(False)
        self._say("Storing …")
        self.post_message(WrongWanted(self.agent, list(GLYPHS)[at]))

    def action_close(self) -> None:
        if self._is_asking:
            self._ask(False)
            self._say("")
        else:
            self.dismiss()


def _title(agent: AgentId, why: Why | None) -> tuple[list[Part], list[Part]]:
    team, _, role = agent.rpartition(":")
    name = Content.assemble((f"{clean(team)} ▸ ", QUIET), (clean(role), "bold $foreground"))
    short = Content.assemble((clean(role), "bold $foreground"))
    left = [Part((name, short), (5,))]
    if why is not None:
        status = why.agent.status
        left.append(part(f"why {GLYPHS[status]} {status}?", f"bold $status-{status}", cost=None))
    return left, []


def why_content(why: Why, now: float, width: int) -> Content:
    """Return the reason, what the evidence says if that is something else, and the evidence line by line."""
    agent = why.agent
    since = f" for {age(now - agent.status_since)}" if agent.status_since else ""
    lines = [_verdict(agent.status, since, agent.reason)]
    if why.verdict.status is not agent.status:
        lines += [Content.assemble(("Right now the evidence says:", QUIET))]
        lines += [_verdict(why.verdict.status, "", why.verdict.reason)]
    lines.append(Content())
    for ground in why.grounds:
        lines += _ground(ground, now, width)
    return Content("\n").join(lines)


def _verdict(status: AgentStatus, since: str, reason: str) -> Content:
    said = f": {clean(reason)}" if clean(reason) else ""
    return Content.assemble((f"{GLYPHS[status]} {status}", f"bold $status-{status}"), f"{since}{said}")


def _ground(ground: Ground, now: float, width: int) -> list[Content]:
    """Return the lines of one piece of evidence: what it says is wrapped beside its weight and its source."""
    mark, style = WEIGHTS[ground.weight]
    since = "" if ground.at is None else age(now - ground.at)
    room = max(10, width - WEIGHT_CELLS - SOURCE_CELLS - AGE_CELLS - 1)
    texts = Content(clean(ground.says)).wrap(room) or [Content()]
    first = Content.assemble(
        (f"{mark} {ground.weight:<{WEIGHT_CELLS - 2}}", style),
        (f"{ground.source:<{SOURCE_CELLS}}", "bold"),
        texts[0].pad_right(max(0, room - texts[0].cell_length)),
        (f" {since:>{AGE_CELLS}}", QUIET),
    )
    indent = " " * (WEIGHT_CELLS + SOURCE_CELLS)
    return [first, *(Content.assemble(indent, text) for text in texts[1:])]
