"""`tmorch list`: the orchestrations, a line each."""

from __future__ import annotations

import argparse
import time

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import fleet_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_view import list_lines
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode

HELP = """\
List the orchestrations: running ones, and stopped ones whose worktrees are
still there.
"""
TOO_MANY = "tmorch status TARGET shows one agent, tmorch team ID one team"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_json(parser, "the list")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print a line an orchestration."""
    fleet = with_orchestrator(context, lambda orchestrator: orchestrator.fleet())
    now = time.time()
    if context.out.as_json:
        context.out.document(fleet_document(fleet, fleet.teams, now))
        return ExitCode.DONE
    context.out.lines(list_lines(fleet.teams, now, context.out.look))
    if not fleet.teams:
        context.note.say("no orchestrations; tmorch start begins one, tmorch demo shows what it is like")
    return ExitCode.DONE
