"""`tmorch why`: what an agent's status rests on, looked at this moment; and a way to say that it is wrong."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import why_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import view_in
from orchestrator_core.cli.fleet_view import age, status_cell
from orchestrator_core.cli.output import aligned, paint, printable
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.evidence import Ground, StoredCase, Weight, Why

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Look at an agent with everything there is, and say what its status rests on:
its process, Claude Code's own session file, its hooks and its screen, the most
trusted first, each with what it counted for and since when it says so.

With --wrong STATUS, all of it is stored as a case that can be judged again:
text on its screen and names are masked first. Nothing is sent anywhere.
"""
TOO_MANY = "one agent at a time"
WEIGHTS: dict[Weight, Cell] = {
    Weight.DECIDES: Cell("● decides", "strong"),
    Weight.AGREES: Cell("✓ agrees", "good"),
    Weight.DISAGREES: Cell("✗ disagrees", "warn"),
    Weight.STALE: Cell("◌ stale", "dim"),
    Weight.SILENT: Cell("· silent", "dim"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", help="the agent")
    parser.add_argument(
        "--wrong",
        default="",
        choices=[status.value for status in AgentStatus],
        metavar="STATUS",
        help="store a case: its status should be STATUS",
    )
    add_json(parser, "what it rests on")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print it, and store it as a case when it is wrong.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.
        StoreError: the case cannot be written.

    """

    async def look(orchestrator: Orchestrator) -> tuple[Why, StoredCase | None]:
        agent = view_in(context, await orchestrator.fleet(), args.target).agent
        case = await orchestrator.report_wrong(agent.id, AgentStatus(args.wrong)) if args.wrong else None
        return await orchestrator.why(agent.id), case

    why, case = with_orchestrator(context, look)
    if context.out.as_json:
        context.out.document(why_document(why, case))
        return ExitCode.DONE
    context.out.lines(_lines(why, context))
    if case is not None:
        context.out.lines(["", f"stored, to be {args.wrong}: {printable(case.path)}"])
        context.out.lines(f"masked: {part}" for part in case.masked)
    return ExitCode.DONE


def _lines(why: Why, context: Context) -> list[str]:
    look = context.out.look
    glyph, style = status_cell(why.verdict.status)
    is_as_stored = why.verdict.status is why.agent.status
    fields = [("agent", why.agent.id), ("status", glyph), ("reason", why.verdict.reason)]
    if is_as_stored:
        fields.append(("since", f"{age(why.looked_at - why.agent.status_since)} ago"))
    head = [line.replace(glyph, paint(glyph, style, color=look.color)) for line in aligned(fields)]
    rows = [_row(ground, why.looked_at) for ground in why.grounds]
    columns = (Column("SOURCE"), Column("WEIGHT"), Column("FOR", right=True), Column("SAYS", elastic=True))
    body = table(columns, rows, width=look.width, color=look.color)
    return [*head, "", *body, *([] if is_as_stored else ["", _stored(why)])]


def _row(ground: Ground, now: float) -> tuple[str | Cell, ...]:
    return ground.source, WEIGHTS[ground.weight], "" if ground.at is None else age(now - ground.at), ground.says


def _stored(why: Why) -> str:
    agent = why.agent
    since = age(why.looked_at - agent.status_since)
    return f"the supervisor has it as {agent.status} for {since}: {printable(agent.reason)}"
