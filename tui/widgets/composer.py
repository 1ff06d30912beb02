"""`Composer`: where a message to the selected agent is written.

The title always names who gets the text. Every agent has a draft of its own; when the selection moves by itself
(an agent went away) while something is written, the composer stays with the agent it was written for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import DeliveryMode
from tui.messages import ComposerKey, SendWanted
from tui.widgets.drafts import Drafts, History
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.panel import Panel
from tui.wording import QUIET, clean

if TYPE_CHECKING:
    from tui.widgets.message_input import MessageInput

MODE_WORDS = {DeliveryMode.WHEN_IDLE: "when idle", DeliveryMode.NOW: "now"}
PLACEHOLDER = "a message"

_ARROW = Part((Content.assemble(("Message →", "bold")), Content.assemble(("→", "bold"))), (7,))


class Addressee(Struct, frozen=True, kw_only=True):
    """Who gets a message."""

    agent: AgentId
    role: str
    orchestration: str


class Composer(Panel):
    """Title and text. It posts SendWanted; everything else about sending is somebody else's."""

    class Moved(Message):
        """The composer's place on the screen changed."""

    DEFAULT_CSS = """
    Composer { height: auto; min-height: 2; }
    """

    def __init__(self, *, key_name: Callable[[str], str], id: str | None = None) -> None:
        super().__init__(id=id)
        self._key_name = key_name
        self._title_rule = TitleRule()
        self._addressee: Addressee | None = None
        self._next: Addressee | None = None
        self._why_nobody = ""
        self._is_present = True
        self._mode = DeliveryMode.WHEN_IDLE
        self._drafts = Drafts()
        self._history = History()
        self.input: MessageInput | None = None
        """Where the text is written; None until `mount_input`."""

    def compose(self) -> ComposeResult:
        yield self._title_rule

    def on_mount(self) -> None:
        self._show_title()

    def mount_input(self) -> None:
        """Have the input at hand: the first picture does without it."""
        if self.input is not None:
            return
        from tui.widgets.message_input import MessageInput  # costs a tenth of what the whole start may

        self.input = MessageInput()
        self._allow_writing()
        self.mount(self.input)

    def on_resize(self) -> None:
        self.post_message(self.Moved())

    @property
    def text(self) -> str:
        """What is written."""
        return self.input.text if self.input is not None else ""

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
        written = bool(self.text.strip())
        self._is_present = by_person or not written or addressee == self._addressee
        if self._is_present:
            self._turn_to(addressee)
        self._show_title()

    def _turn_to(self, addressee: Addressee | None) -> None:
        if addressee == self._addressee:
            return
        if self._addressee is not None:
            self._drafts.keep(self._addressee.agent, self.text)
        self._addressee = addressee
        self._allow_writing()
        self._write(self._drafts.of(addressee.agent) if addressee else "")
        self._history.rest()

    def _allow_writing(self) -> None:
        """Let the input take the focus only when there is somebody to write to; its place on the screen stays."""
        if self.input is not None:
            self.input.can_focus = self._addressee is not None
            self.input.placeholder = PLACEHOLDER if self._addressee else ""

    def give_back(self, agent: AgentId, text: str) -> None:
        """Put a text back that could not be sent, unless something else was written meanwhile."""
        if self._addressee is not None and self._addressee.agent == agent:
            if not self.text.strip():
                self._write(text)
        elif not self._drafts.of(agent):
            self._drafts.keep(agent, text)

    def focus_input(self) -> bool:
        """Let the person write; return whether there is somebody to write to."""
        if self._addressee is not None:
            self.mount_input()
            self.screen.set_focus(self.input)  # at once: the next key may be here already
        return self._addressee is not None

    @property
    def why_nobody(self) -> str:
        """Why there is nobody to write to; empty when there is."""
        return "" if self._addressee else self._why_nobody

    @on(ComposerKey)
    def _on_key_of_ours(self, event: ComposerKey) -> None:
        if event.action == "leave":
            return  # the screen knows where to go
        event.stop()
        match event.action:
            case "send":
                self.send()
            case "toggle_mode":
                self.toggle_mode()
            case "older" | "newer":
                self._recall(event.action)

    def send(self) -> None:
        """Send what is written to whom the title names."""
        text = self.text.strip("\n")
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

    def _recall(self, direction: str) -> None:
        text = self._history.older(self.text) if direction == "older" else self._history.newer()
        if text is not None:
            self._write(text)

    def _write(self, text: str) -> None:
        if self.input is not None and text != self.text:
            self.input.load_text(text)
            self.input.move_cursor(self.input.document.end)

    def _show_title(self) -> None:
        addressee = self._addressee
        if addressee is None:
            self._title_rule.set_parts([part(f"Message — {self._why_nobody}", QUIET, cost=None)])
            return
        gone = [] if self._is_present else [part("not selected any more", "bold $text-warning", cost=12)]
        self._title_rule.set_parts(
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
