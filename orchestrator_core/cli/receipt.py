"""The receipt of a message: its state, why, and what a command exits with for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator_core.cli.output import printable
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.message import MessageState

if TYPE_CHECKING:
    from orchestrator_core.cli.context import Context
    from orchestrator_core.models.agent import Agent
    from orchestrator_core.models.message import AgentMessage

_ARRIVED = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
_EXIT_CODES = {
    MessageState.DELIVERED: ExitCode.DONE,
    MessageState.ACKNOWLEDGED: ExitCode.DONE,
    MessageState.REFUSED: ExitCode.REFUSED,
    MessageState.UNCONFIRMED: ExitCode.TIMED_OUT,
}
GONE = "the tmux server of the agent is gone"


def receipt_state(message: AgentMessage) -> MessageState:
    """Return the state that a receipt shows: what is being typed counts as queued."""
    return MessageState.QUEUED if message.state is MessageState.DELIVERING else message.state


def exit_code(message: AgentMessage, *, server_gone: bool, must_be_delivered: bool) -> ExitCode:
    """Return what `send` exits with; a message that waits is fine unless the person said how long to wait."""
    state = receipt_state(message)
    if server_gone and state not in _ARRIVED:
        return ExitCode.MISSING
    if state is MessageState.QUEUED:
        return ExitCode.TIMED_OUT if must_be_delivered else ExitCode.DONE
    return _EXIT_CODES[state]


def reason_of(message: AgentMessage, *, server_gone: bool) -> str:
    """Return why the message is not delivered, empty when it is."""
    state = receipt_state(message)
    if state in _ARRIVED:
        return ""
    if server_gone:
        return GONE
    if message.state is MessageState.DELIVERING:
        return message.reason or "it is being typed"
    reason = message.reason or ("it is delivered when the agent's prompt is free" if not message.state.is_final else "")
    if message.state is MessageState.REFUSED and message.suppressed:
        reason = f"{reason} ({message.suppressed + 1} so far)"  # the row is the first of them
    return reason


def show_receipt(context: Context, message: AgentMessage, agent: Agent, *, server_gone: bool) -> None:
    """Print the receipt on stdout, and for people the reason on stderr."""
    state = receipt_state(message)
    reason = reason_of(message, server_gone=server_gone)
    pane = message.pane or agent.pane
    if context.out.as_json:
        target = {"agent": agent.id, "pane": pane}
        context.out.document({"id": message.id, "target": target, "state": state, "reason": reason})
        return
    where = f" in {pane}" if pane else ""
    context.out.line(f"{state}: message {message.id} to {printable(agent.id)}{where}")
    context.out.flush()
    if reason:
        context.note.say(f"{state}: {printable(reason)}")
