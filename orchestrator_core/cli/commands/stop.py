"""`tmorch stop`: ends the agents of a team."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.ids import OrchestrationId

HELP = """\
End the agents of a team and close its tmux session. Their worktrees and
branches stay, with all work in them; tmorch cleanup removes those.
"""
TOO_MANY = "stop takes the ID of one team; tmorch list shows them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("id", metavar="ID", help="the orchestration, as in shop-3f2a")
    parser.add_argument("--keep-session", action="store_true", help="leave the tmux session and its windows open")
    add_json(parser)


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Stop the team.

    Raises:
        NotFoundError: there is no such team.

    """
    orchestration = OrchestrationId(args.id)
    with_orchestrator(context, lambda orchestrator: orchestrator.stop(orchestration, keep_session=args.keep_session))
    if context.out.as_json:
        context.out.document({"id": orchestration, "state": "stopped"})
        return ExitCode.DONE
    context.out.line(f"stopped: {orchestration}")
    context.note.say(f"its worktrees and branches are still there; tmorch cleanup {orchestration} removes them")
    return ExitCode.DONE
