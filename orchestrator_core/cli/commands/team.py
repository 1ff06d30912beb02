"""`tmorch team`: one team, inside an agent its own."""

from __future__ import annotations

import argparse
import time

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import fleet_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import own_team, team_in
from orchestrator_core.cli.fleet_view import team_lines
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode

HELP = """\
Show one team with what its agents do. Without an ID: the team of the agent in
whose pane this runs, else the only active team.
"""
TOO_MANY = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="the orchestration, as in shop-3f2a")
    add_json(parser, "the team")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the team.

    Raises:
        NotFoundError: there is no such team, or it is not clear which one is meant.

    """
    fleet = with_orchestrator(context, lambda orchestrator: orchestrator.fleet())
    team = team_in(fleet, args.id) if args.id else own_team(context, fleet)
    now = time.time()
    if context.out.as_json:
        context.out.document(fleet_document(fleet, [team], now))
    else:
        context.out.lines(team_lines(team, now, context.out.look))
    return ExitCode.DONE
