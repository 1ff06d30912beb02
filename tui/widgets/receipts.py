"""What became of the latest messages to the selected agent."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.content import Content
from textual.widget import Widget

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import PERSON, AgentMessage, MessageState
from tui.wording import QUIET, RECEIPTS, clean, fit, receipt_note

STYLES: dict[MessageState, str] = {
    MessageState.QUEUED: QUIET,
    MessageState.DELIVERING: "$text-primary",
    MessageState.DELIVERED: "$text-success",
    MessageState.ACKNOWLEDGED: "bold $text-success",
    MessageState.REFUSED: "bold $text-error",
    MessageState.UNCONFIRMED: "bold reverse $text-warning",
}
TEXT_CELLS = 200
UNCONFIRMED_ADVICE = "look at its screen before you send it again"


class Receipts(Widget):
    """The receipts of one agent, the newest first, in a place that keeps its height."""

    DEFAULT_CSS = """
    Receipts { height: 1; width: 1fr; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, local: Callable[[float], time.struct_time] = time.localtime, id: str | None = None) -> None:
        super().__init__(id=id)
        self._local = local
        self._messages: tuple[AgentMessage, ...] = ()
        self._agent: AgentId | None = None

    def aim(self, agent: AgentId | None) -> None:
        """Show the receipts of this agent; those of another one disappear at once."""
        if agent != self._agent:
            self._agent = agent
            self._set(())

    def show(self, agent: AgentId, messages: tuple[AgentMessage, ...]) -> None:
        """Show these messages, newest first, if they are those of the agent that is shown."""
        if agent == self._agent:
            self._set(messages)

    def _set(self, messages: tuple[AgentMessage, ...]) -> None:
        if messages != self._messages:
            self._messages = messages
            self.refresh()

    def render(self) -> Content:
        shown = self._messages[: self.size.height]
        return Content("\n").join([receipt_line(message, self._local) for message in shown])


def receipt_line(message: AgentMessage, local: Callable[[float], time.struct_time]) -> Content:
    """Return the line of one receipt: when, how far it has come, why, and the text."""
    mark, word = RECEIPTS[message.state]
    at = time.strftime("%H:%M", local(message.delivered_at or message.created_at))
    note = receipt_note(message)
    if message.state is MessageState.UNCONFIRMED:
        note = f"{note}; {UNCONFIRMED_ADVICE}" if note else UNCONFIRMED_ADVICE
    return Content.assemble(
        (f"{at} ", QUIET),
        (f"{mark} {word}", STYLES[message.state]),
        (f": {note}" if note else "", STYLES[message.state].removeprefix("bold reverse ")),
        (f"  {_from(message)}{fit(clean(message.text), TEXT_CELLS)}", QUIET),
    )


def _from(message: AgentMessage) -> str:
    """Return who it is from, for a message that is not the person's own."""
    return "" if message.sender == PERSON else f"{clean(message.sender.rpartition(':')[2])}: "
