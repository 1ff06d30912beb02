"""`tmorch messages`: the latest messages and their receipts."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import message_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import view_in
from orchestrator_core.cli.fleet_view import age
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.cli.tables import Cell, Column, shorten, table
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.message import AgentMessage, MessageState

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
List the latest messages to one agent, or to all, newest first, and what
became of each.
"""
TOO_MANY = "name one agent, or none for all"
SHOWN = 120
"""How many columns of a message's first line are listed; `--json` has all of it."""
_STYLES = {
    MessageState.DELIVERED: "good",
    MessageState.ACKNOWLEDGED: "good",
    MessageState.REFUSED: "bad",
    MessageState.UNCONFIRMED: "warn",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", nargs="?", default="", help="the agent; all without it")
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="how many at most (20)")
    add_json(parser, "the messages")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the messages.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.

    """

    async def read(orchestrator: Orchestrator) -> tuple[AgentMessage, ...]:
        agent = view_in(context, await orchestrator.fleet(), args.target).agent.id if args.target else None
        return await orchestrator.messages(agent, limit=args.limit)

    messages = with_orchestrator(context, read)
    if context.out.as_json:
        context.out.document({"messages": [message_document(message) for message in messages]})
        return ExitCode.DONE
    context.out.lines(_lines(messages, context))
    if not messages:
        context.note.say("no messages yet")
    return ExitCode.DONE


def _lines(messages: tuple[AgentMessage, ...], context: Context) -> list[str]:
    columns = (
        Column("ID", right=True),
        Column("AGE", right=True),
        Column("FROM"),
        Column("TO"),
        Column("STATE"),
        Column("WHY", elastic=True),
        Column("TEXT", elastic=True),
    )
    now = time.time()
    rows = (_row(message, now) for message in messages)
    return table(columns, rows, width=context.out.look.width, color=context.out.look.color)


def _row(message: AgentMessage, now: float) -> tuple[str | Cell, ...]:
    first, *more = message.text.strip().splitlines() or [""]
    return (
        str(message.id),
        age(now - message.created_at),
        message.sender,
        message.target,
        Cell(message.state, _STYLES.get(message.state, "")),
        message.reason + (f" ({message.suppressed} suppressed)" if message.suppressed else ""),
        shorten(first, SHOWN) + (" …" if more else ""),
    )
