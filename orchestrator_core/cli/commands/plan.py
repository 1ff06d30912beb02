"""`tmorch plan`: the proposal alone, and the saved ones."""

from __future__ import annotations

import argparse
import time

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.cli.proposal_document import proposal_document, saved_document
from orchestrator_core.cli.proposal_view import proposal_lines, saved_lines
from orchestrator_core.cli.proposing import asks_claude, propose, read_by_claude, refined, save
from orchestrator_core.cli.start_request import add_request_arguments, is_wish
from orchestrator_core.errors import ExitCode, NotFoundError, UsageError
from orchestrator_core.models.launch import ProposalId

HELP = """\
Show the team that tmorch start would propose for a project and a spec, with
the reason for every role that is in it or left out. Nothing is made.

Claude reads the spec first, in the project and without the right to change
anything, unless --offline or [analysis] by = "offline" is said. What it advises
is shown as suggestions; --refine takes them.

  tmorch plan --project ~/shop --spec spec.md
  tmorch plan shop --offline --refine --save     keeps it, and says its number
  tmorch plan --saved
  tmorch plan --discard 3
"""
TOO_MANY = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_request_arguments(parser)
    parser.add_argument("--save", action="store_true", help="keep it, for tmorch start --proposal N or the screen")
    parser.add_argument("--saved", action="store_true", help="list the proposals that were saved")
    parser.add_argument("--discard", type=count, metavar="N", default=0, help="let go of the saved proposal N")
    add_json(parser, "the proposal")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the proposal, or the saved ones.

    Raises:
        UsageError: the project, the spec or a role is not one.
        RefusedError: no team can work on this project as it is.
        NotFoundError: the project or the saved proposal is not there.

    """
    if args.saved or args.discard:
        _check_alone(args)
        return _discard(ProposalId(args.discard), context) if args.discard else _list(context)
    return _plan(args, context)


def _check_alone(args: argparse.Namespace) -> None:
    if (args.saved and args.discard) or args.save or is_wish(args):
        said = "--discard N" if args.discard else "--saved"
        raise UsageError(f"plan {said} goes with nothing but --json", remedy=f"tmorch plan {said}")


def _plan(args: argparse.Namespace, context: Context) -> ExitCode:
    with Calls(context) as call:
        proposal = propose(call, args)
        if asks_claude(call, args, proposal):
            proposal = read_by_claude(call, context, proposal)
        if args.refine:
            proposal = refined(call, proposal)
        if args.save:
            proposal = save(call, proposal)
    if context.out.as_json:
        context.out.document(proposal_document(proposal, context))
        return ExitCode.DONE
    context.out.lines(proposal_lines(proposal, context, context.out.look))
    if proposal.saved:
        context.out.lines(["", f"saved as proposal {proposal.saved}"])
        context.out.flush()
        context.note.say(
            f"start it: tmorch start --proposal {proposal.saved}   let it go: tmorch plan --discard {proposal.saved}"
        )
    return ExitCode.DONE


def _list(context: Context) -> ExitCode:
    with Calls(context) as call:
        saved = call(lambda orchestrator: orchestrator.proposals.saved())
    if context.out.as_json:
        context.out.document(saved_document(saved))
    elif saved:
        context.out.lines(saved_lines(saved, time.time(), context.out.look))
    else:
        context.note.say("no proposal is saved; tmorch plan --save saves one")
    return ExitCode.DONE


def _discard(number: ProposalId, context: Context) -> ExitCode:
    with Calls(context) as call:
        was_saved = call(lambda orchestrator: orchestrator.proposals.discard(number))
        left = call(lambda orchestrator: orchestrator.proposals.saved())
    if not was_saved:
        known = tuple(str(each.id) for each in left)
        raise NotFoundError(
            f"there is no saved proposal {number}",
            cause=f"saved are {', '.join(known)}" if known else "none is saved",
            remedy="tmorch plan --saved lists them",
            code="no-proposal",
            candidates=known,
        )
    if context.out.as_json:
        context.out.document(saved_document(left, discarded=number))
    else:
        context.out.line(f"discarded: proposal {number}")
    return ExitCode.DONE
