"""`Composer`: where a message to the selected agent is written.

The title always names who gets the text. Every agent has a draft of its own; when the selection moves by itself
(an agent went away) while something is written, the composer stays with the agent it was written for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct
from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import DeliveryMode
from tui.keys import bindings
from tui.messages import SendWanted
from tui.widgets.consuming import writes
from tui.widgets.drafts import Drafts, History
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.panel import Panel
from tui.wording import QUIET, clean

MODE_WORDS = {DeliveryMode.WHEN_IDLE: "when idle", DeliveryMode.NOW: "now"}
PLACEHOLDER = "a message"

_ARROW = Part((Content.assemble(("Message →", "bold")), Content.assemble(("→", "bold"))), (7,))


class Addressee(Struct, frozen=True, kw_only=True):
    """Who gets a message."""

    agent: AgentId
    role: str
    orchestration: str


class MessageInput(TextArea):
    """The text being written."""

    HELP = """\
Writes a message to the agent named in the title. tmorch types it when the agent's prompt is free, and never into a
shell, a dialog or somebody's draft; the receipt below says what became of it.

“when idle” waits until the agent has finished; “now” goes into its own queue while it works.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("composer")]

    class AtEdge(Message):
        """The cursor wants to leave the text upwards (-1) or downwards (1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Done(Message):
        """The person pressed one of the composer's keys: `send`, `leave` or `toggle_mode`."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return writes(key, character)

    async def _on_key(self, event: events.Key) -> None:
        active = self.screen.active_bindings.get(event.key) if event.key == "enter" else None
        if active is not None and active.node is self:
            event.prevent_default()  # a key of ours, no text

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.cursor_at_first_line:
            self.post_message(self.AtEdge(-1))
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if not select and self.cursor_at_last_line:
            self.post_message(self.AtEdge(1))
        else:
            super().action_cursor_down(select)

    def action_newline(self) -> None:
        self.insert("\n")

    def action_send(self) -> None:
        self.post_message(self.Done("send"))

    def action_leave(self) -> None:
        self.post_message(self.Done("leave"))

    def action_toggle_mode(self) -> None:
        self.post_message(self.Done("toggle_mode"))


class Composer(Panel):
    """Title and text. It posts SendWanted; everything else about sending is somebody else's."""

    class Moved(Message):
        """The composer's place on the screen changed."""

    DEFAULT_CSS = """
    Composer { height: auto; }
    Composer MessageInput {
        height: auto; min-height: 1; max-height: 6; border: none; padding: 0 1; background: transparent;
    }
    """

    input = getters.query_one(MessageInput)
    title_rule = getters.query_one(TitleRule)

    def __init__(self, *, key_name: Callable[[str], str], id: str | None = None) -> None:
        super().__init__(id=id)
        self._key_name = key_name
        self._addressee: Addressee | None = None
        self._next: Addressee | None = None
        self._why_nobody = ""
        self._is_present = True
        self._mode = DeliveryMode.WHEN_IDLE
        self._drafts = Drafts()
        self._history = History()

    def compose(self) -> ComposeResult:
        yield TitleRule()
        yield MessageInput(placeholder="a message", show_line_numbers=False, soft_wrap=True, compact=True)

    def on_mount(self) -> None:
        self._allow_writing()
        self._show_title()

    def on_resize(self) -> None:
        self.post_message(self.Moved())

    @property
    def addressee(self) -> Addressee | None:
        """Who gets what is written."""
        return self._addressee

    @property
    def mode(self) -> DeliveryMode:
        """When the message may be typed."""
        return self._mode

    def aim(self, addressee: Addressee | None, *, why_nobody: str = "", by_person: bool) -> None:
        """Write to this agent from now on, with its own draft.

        When the change is not the person's and something is written, it takes effect after that was sent or
        cleared. `why_nobody` says why there is nobody to write to.
        """
        self._next, self._why_nobody = addressee, why_nobody
        written = bool(self.input.text.strip())
        self._is_present = by_person or not written or addressee == self._addressee
        if self._is_present:
            self._turn_to(addressee)
        self._show_title()

    def _turn_to(self, addressee: Addressee | None) -> None:
        if addressee == self._addressee:
            return
        if self._addressee is not None:
            self._drafts.keep(self._addressee.agent, self.input.text)
        self._addressee = addressee
        self._allow_writing()
        self._write(self._drafts.of(addressee.agent) if addressee else "")
        self._history.rest()

    def _allow_writing(self) -> None:
        """Let the input take the focus only when there is somebody to write to; its place on the screen stays."""
        self.input.can_focus = self._addressee is not None
        self.input.placeholder = PLACEHOLDER if self._addressee else ""

    def give_back(self, agent: AgentId, text: str) -> None:
        """Put a text back that could not be sent, unless something else was written meanwhile."""
        if self._addressee is not None and self._addressee.agent == agent:
            if not self.input.text.strip():
                self._write(text)
        elif not self._drafts.of(agent):
            self._drafts.keep(agent, text)

    def focus_input(self) -> bool:
        """Let the person write; return whether there is somebody to write to."""
        if self._addressee is not None:
            self.screen.set_focus(self.input)  # at once: the next key may be here already
        return self._addressee is not None

    @property
    def why_nobody(self) -> str:
        """Why there is nobody to write to; empty when there is."""
        return "" if self._addressee else self._why_nobody

    @on(MessageInput.Done)
    def _on_done(self, event: MessageInput.Done) -> None:
        if event.action == "leave":
            return  # the screen knows where to go
        event.stop()
        if event.action == "send":
            self.send()
        else:
            self.toggle_mode()

    def send(self) -> None:
        """Send what is written to whom the title names."""
        text = self.input.text.strip("\n")
        if self._addressee is None or not text.strip():
            return
        self.post_message(SendWanted(self._addressee.agent, text, self._mode))
        self._history.add(text)
        self._drafts.keep(self._addressee.agent, "")
        self._write("")
        self._is_present = True
        self._turn_to(self._next)
        self._show_title()

    def toggle_mode(self) -> None:
        """Change when the message may be typed."""
        modes = list(MODE_WORDS)
        self._mode = modes[(modes.index(self._mode) + 1) % len(modes)]
        self._show_title()

    @on(MessageInput.AtEdge)
    def _on_edge(self, event: MessageInput.AtEdge) -> None:
        event.stop()
        text = self._history.older(self.input.text) if event.direction < 0 else self._history.newer()
        if text is not None:
            self._write(text)

    def _write(self, text: str) -> None:
        if text != self.input.text:
            self.input.load_text(text)
            self.input.move_cursor(self.input.document.end)

    def _show_title(self) -> None:
        addressee = self._addressee
        if addressee is None:
            self.title_rule.set_parts([part(f"Message — {self._why_nobody}", QUIET, cost=None)])
            return
        gone = [] if self._is_present else [part("not selected any more", "bold $text-warning")]
        self.title_rule.set_parts(
            [_ARROW, _name(addressee), *gone],
            [
                part(MODE_WORDS[self._mode], "$text-accent", cost=10),
                part(f"{self._key_name('composer.send')} send", QUIET, cost=5),
            ],
        )


def _name(addressee: Addressee) -> Part:
    role = (clean(addressee.role), "bold $foreground")
    full = Content.assemble(role, (f" ({clean(addressee.orchestration)})", QUIET))
    return Part((full, Content.assemble(role)), (15,))
