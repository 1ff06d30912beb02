"""`tmorch messages`: the latest messages and their receipts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import message_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import view_in
from orchestrator_core.cli.fleet_view import age
from orchestrator_core.cli.output import paint, printable
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.cli.tables import Cell, Column, shorten, table
from orchestrator_core.errors import ExitCode, UsageError
from orchestrator_core.models.message import PERSON, AgentMessage, MessageState

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

Reading = Callable[[int], Awaitable[tuple[AgentMessage, ...]]]
"""Reads at most that many of the latest messages, newest first."""
HELP = """\
List the latest messages to and from one agent, or all, newest first, and what
became of each. --with shows the conversation between two. With --follow, each
message is printed as it comes and again when its state changes, oldest first;
Ctrl-C ends it.
"""
TOO_MANY = "name one agent, or none for all; --with names the other one"
FOLLOWED = 500
"""How many of the latest messages are looked at for changes while following."""
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
    parser.add_argument("--with", dest="partner", default="", metavar="WHO", help="only those with WHO, or `you`")
    parser.add_argument("--search", default="", metavar="TEXT", help="only those whose text or reason holds TEXT")
    parser.add_argument("--limit", type=count, default=20, metavar="N", help="how many at most (20)")
    parser.add_argument("--follow", action="store_true", help="go on with those that come from now on")
    add_json(parser, "the messages; with --follow, one a line")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the messages.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.
        UsageError: a partner is named, and no target.

    """
    if args.partner and not args.target:
        raise UsageError(
            "--with needs an agent before it",
            cause="a conversation is between two",
            remedy=f"as in: tmorch messages developer --with {args.partner}",
        )

    async def show(orchestrator: Orchestrator) -> None:
        read = await _reading(args, context, orchestrator)
        messages = await read(args.limit)
        if args.follow:
            await _follow(read, orchestrator, messages, context)
        elif context.out.as_json:
            context.out.document({"messages": [message_document(message) for message in messages]})
        else:
            context.out.lines(_lines(messages, context))
            if not messages:
                context.note.say("no messages yet")

    try:
        with_orchestrator(context, show)
    except KeyboardInterrupt:
        return ExitCode.DONE  # the way to end --follow
    return ExitCode.DONE


async def _reading(args: argparse.Namespace, context: Context, orchestrator: Orchestrator) -> Reading:
    """Return how to read the messages that are asked for."""
    agent, partner = None, args.partner
    if args.target:
        fleet = await orchestrator.fleet()
        agent = view_in(context, fleet, args.target).agent.id
        partner = view_in(context, fleet, partner).agent.id if partner not in ("", PERSON) else partner
    return lambda limit: orchestrator.messages(agent, partner=partner, limit=limit, text=args.search)


async def _follow(
    read: Reading, orchestrator: Orchestrator, messages: tuple[AgentMessage, ...], context: Context
) -> None:
    shown: dict[int, tuple[MessageState, int]] = {}
    oldest = messages[-1].id if messages else 0
    async for _ in orchestrator.changes():
        for message in reversed(await read(FOLLOWED)):
            state = (message.state, message.suppressed)
            if message.id < oldest or shown.get(message.id) == state:
                continue
            shown[message.id] = state
            if context.out.as_json:
                context.out.document(message_document(message), indent=False)
            else:
                context.out.line(_followed(message, context))
        context.out.flush()


def _followed(message: AgentMessage, context: Context) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(message.acknowledged_at or message.delivered_at or time.time()))
    state = paint(f"{message.state:<12}", _STYLES.get(message.state, ""), color=context.out.look.color)
    why = f"  ({printable(message.reason)})" if message.reason else ""
    first = printable((message.text.strip().splitlines() or [""])[0])
    return f"{at}  {message.id:>5}  {state}  {message.sender} → {message.target}{why}  {shorten(first, SHOWN)}"


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
