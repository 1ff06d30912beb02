"""`tmorch log`: what happened, latest first, or as it happens."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import event_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import view_in
from orchestrator_core.cli.output import paint, printable
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.event import Event

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Show what happened, newest first: launches, statuses, messages, gates, hooks,
answers. TARGET is the ID of a team or names an agent; without it, everything
is shown. With --follow, new events are printed as they come, oldest first,
after the latest ones; Ctrl-C ends it.
"""
TOO_MANY = "name one agent or one team"
PAGE = 500
"""How many events are read at once while following."""
KIND_COLUMNS = 22


class Query:
    """Which events are asked for."""

    def __init__(self, orchestration: str, agent: str, text: str) -> None:
        self._orchestration = orchestration
        self._agent = agent
        self._text = text

    async def latest(self, orchestrator: Orchestrator, limit: int, *, after: int = 0) -> tuple[Event, ...]:
        """Return the latest ones, newest first."""
        return await orchestrator.events(
            limit=limit, orchestration=self._orchestration, agent=self._agent, text=self._text, after=after
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", nargs="?", default="", help="an agent, or the ID of a team")
    parser.add_argument("--search", default="", metavar="TEXT", help="only events whose kind or text holds TEXT")
    parser.add_argument("--limit", type=count, default=50, metavar="N", help="how many at most (50)")
    parser.add_argument("--follow", action="store_true", help="go on with what happens from now on")
    add_json(parser, "the events; with --follow, one a line")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the events.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.

    """

    async def show(orchestrator: Orchestrator) -> None:
        query = await _query(args, context, orchestrator)
        events = await query.latest(orchestrator, args.limit)
        if args.follow:
            await _follow(query, orchestrator, events, context)
        elif context.out.as_json:
            context.out.document({"events": [event_document(event) for event in events]})
        else:
            context.out.lines(_line(event, context) for event in events)
            if not events:
                context.note.say("nothing of that kind has happened yet")

    try:
        with_orchestrator(context, show)
    except KeyboardInterrupt:
        return ExitCode.DONE  # the way to end --follow
    return ExitCode.DONE


async def _query(args: argparse.Namespace, context: Context, orchestrator: Orchestrator) -> Query:
    if not args.target:
        return Query("", "", args.search)
    fleet = await orchestrator.fleet()
    if any(team.orchestration.id == args.target for team in fleet.teams):
        return Query(args.target, "", args.search)
    return Query("", view_in(context, fleet, args.target).agent.id, args.search)


async def _follow(query: Query, orchestrator: Orchestrator, events: tuple[Event, ...], context: Context) -> None:
    newest = 0
    async for _ in orchestrator.changes():
        events = events or await query.latest(orchestrator, PAGE, after=newest)
        for event in reversed(events):
            newest = event.id
            if context.out.as_json:
                context.out.document(event_document(event), indent=False)
            else:
                context.out.line(_line(event, context))
        context.out.flush()
        events = ()


def _line(event: Event, context: Context) -> str:
    color = context.out.look.color
    at = time.strftime("%m-%d %H:%M:%S", time.localtime(event.at))
    subject = event.agent or event.orchestration
    about = paint(printable(subject), "info", color=color) + "  " if subject else ""
    kind = f"{printable(event.kind):<{KIND_COLUMNS}}"
    return f"{paint(at, 'dim', color=color)}  {kind}  {about}{printable(event.text)}"
