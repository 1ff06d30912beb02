"""`tmorch supervisor`: the background process that delivers messages and keeps statuses."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import supervisor_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_view import supervisor_line
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.fleet import SupervisorHealth

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Look after the supervisor: the one background process per state folder that
types messages into prompts, keeps statuses and answers start-up gates.
Whatever needs it starts it by itself.

  status  say whether it runs and when it last gave a sign of life
  start   start it in the background, unless it runs
  stop    end it; agents go on, messages wait
  run     be the supervisor in the foreground, until Ctrl-C
"""
TOO_MANY = "one of run, start, stop, status"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument(
        "act", metavar="run|start|stop|status", choices=("run", "start", "stop", "status"), help="what to do"
    )
    add_json(parser, "how it is")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Do to the supervisor what was asked, and print how it is afterwards.

    Raises:
        RefusedError: `run`, and another process is the supervisor already.
        TimedOutError: `stop`, and it has not ended.

    """
    match args.act:
        case "run":
            return _run_here(context)
        case "start":
            health = with_orchestrator(context, lambda orchestrator: orchestrator.start_supervisor())
        case "stop":
            health = with_orchestrator(context, lambda orchestrator: _stop(orchestrator, context))
        case _:
            health = with_orchestrator(context, lambda orchestrator: orchestrator.health())
    _show(health, context)
    return ExitCode.DONE


def _run_here(context: Context) -> ExitCode:
    from orchestrator_core.supervisor import control

    context.note.say("the supervisor runs here; Ctrl-C ends it")
    control.run(context.paths, context.environ)
    return ExitCode.DONE


async def _stop(orchestrator: Orchestrator, context: Context) -> SupervisorHealth:
    if not await orchestrator.stop_supervisor():
        context.note.say("no supervisor ran")
    return await orchestrator.health()


def _show(health: SupervisorHealth, context: Context) -> None:
    now = time.time()
    if context.out.as_json:
        context.out.document({"supervisor": supervisor_document(health, now)})
    else:
        context.out.line(supervisor_line(health, now, context.out.look))
