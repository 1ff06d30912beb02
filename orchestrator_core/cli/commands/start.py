"""`tmorch start`: from a project and a spec to a running team."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.consent import require_answerable, require_yes
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.launching import launch, show_started
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.proposal_view import proposal_lines
from orchestrator_core.cli.start_request import add_request_arguments, request_from
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.launch import Proposal

HELP = """\
Propose a team for a project and a spec, ask, and start it: a tmux window, a
git worktree on a branch of its own, and a briefing for every agent. A start
that fails or is interrupted leaves nothing behind.

  tmorch start --project ~/shop --spec spec.md
  tmorch start shop --spec spec.md --roles orchestrator,developer --yes
"""
TOO_MANY = ""
ACT = "starting a team"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_request_arguments(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="start what is proposed without asking")
    add_json(parser, "the team")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Start a team and print it.

    Raises:
        RefusedError: nobody approved it, a team runs on the project already, or the project is not fit for one.
        UsageError: the project, the spec or a role is not one.

    """
    request = request_from(args)
    require_answerable(context, yes=args.yes, act=ACT)

    def approve(proposal: Proposal) -> None:
        context.note.say_all([*proposal_lines(proposal, context, context.note.look), ""])
        require_yes(context, "Start this team?", yes=args.yes, act=ACT)

    fleet, team = launch(context, request, approve)
    show_started(context, fleet, team)
    return ExitCode.DONE
