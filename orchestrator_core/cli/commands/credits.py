"""`tmorch credits`: how much of the subscription is used, when it resets, and what agents used of it."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.credit_view import credit_document, credit_lines
from orchestrator_core.cli.facade import ticking, with_orchestrator
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.credit import AccountStatus, AgentUse
from orchestrator_core.models.credit_words import Thresholds
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Show how much of each account is used, of the five hours and of the week: with
when it resets, who told so, and when it would be used up at the pace of late.
Below, what each agent used; costs are what the same would cost by the API.
~ marks an estimate, ? what is not known. With --watch it is shown again as it
changes; Ctrl-C ends it. With --watch --json, each picture is one line.
"""
TOO_MANY = "credits takes no words"
RENEW_S = 5.0
"""How often a watched picture is renewed by itself: its countdowns go on."""
USE_S = 86400.0
"""How far back it is looked what agents used."""
NO_ACCOUNT = (
    "no account has told how much is used; agents of Claude Code do so once they have answered for the first time: "
    "tmorch status shows whether any runs"
)


class Knowledge(Struct, frozen=True, kw_only=True):
    """What was read at one moment."""

    accounts: tuple[AccountStatus, ...]
    use: dict[AgentId, AgentUse]
    fleet: Fleet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("--watch", action="store_true", help="show it again as it changes")
    add_json(parser, "what is known")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print what is known of credit, once or as it changes."""
    if args.watch:
        return _watch(context)

    async def once(orchestrator: Orchestrator) -> Knowledge:
        return await _read(orchestrator, await orchestrator.fleet())

    known = with_orchestrator(context, once)
    _show(known, context)
    if not known.accounts and not context.out.as_json:
        context.note.say(NO_ACCOUNT)
    return ExitCode.DONE


async def _read(orchestrator: Orchestrator, fleet: Fleet) -> Knowledge:
    accounts = await orchestrator.credits.status()
    use = {use.agent: use for use in await orchestrator.credits.use(time.time() - USE_S)}
    return Knowledge(accounts=accounts, use=use, fleet=fleet)


def _watch(context: Context) -> ExitCode:
    is_painted = context.interactive and not context.out.as_json

    async def follow(orchestrator: Orchestrator) -> None:
        last: Knowledge | None = None
        async for fleet in orchestrator.fleets():
            known = await _read(orchestrator, fleet)
            if last is None or (known.accounts, known.use) != (last.accounts, last.use):
                last = known
                _show(known, context, indent=False)
                context.out.flush()

    async def paint(orchestrator: Orchestrator) -> None:
        with context.out.repainting() as repaint:
            async for fleet in ticking(orchestrator.fleets(), RENEW_S):
                repaint(_lines(await _read(orchestrator, fleet), context) or [NO_ACCOUNT])

    try:
        with_orchestrator(context, paint if is_painted else follow)
    except KeyboardInterrupt:
        return ExitCode.DONE  # the way to end it
    return ExitCode.DONE


def _show(known: Knowledge, context: Context, *, indent: bool = True) -> None:
    if context.out.as_json:
        document = credit_document(known.accounts, known.use, known.fleet, time.time(), _thresholds(context))
        context.out.document(document, indent=indent)
    else:
        context.out.lines(_lines(known, context))


def _lines(known: Knowledge, context: Context) -> list[str]:
    return credit_lines(known.accounts, known.use, known.fleet, time.time(), _thresholds(context), context.out.look)


def _thresholds(context: Context) -> Thresholds:
    credit = context.settings.credit
    return Thresholds(credit.warn_percentage, credit.alarm_percentage)
