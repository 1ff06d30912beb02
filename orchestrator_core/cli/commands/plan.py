"""`tmorch plan`: the proposal alone."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.proposal_view import proposal_document, proposal_lines
from orchestrator_core.cli.start_request import add_request_arguments, request_from
from orchestrator_core.errors import ExitCode

HELP = """\
Show the team that tmorch start would propose for a project and a spec, with
the reason for every role that is in it or left out. Nothing is made.
"""
TOO_MANY = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_request_arguments(parser)
    add_json(parser, "the proposal")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the proposal.

    Raises:
        UsageError: the project, the spec or a role is not one.
        RefusedError: no team can work on this project as it is.

    """
    request = request_from(args)
    proposal = with_orchestrator(context, lambda orchestrator: orchestrator.proposals.propose(request))
    if context.out.as_json:
        context.out.document(proposal_document(proposal, context))
    else:
        context.out.lines(proposal_lines(proposal, context, context.out.look))
    return ExitCode.DONE
