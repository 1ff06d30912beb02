"""`tmorch start`: from a project and a spec, or a saved proposal, to a running team."""

from __future__ import annotations

import argparse
from typing import Never

from orchestrator_core.cli.consent import require_answerable, require_yes
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.launching import launch, show_started
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.cli.proposal_view import proposal_lines
from orchestrator_core.cli.proposing import asks_claude, propose, read_by_claude, refined, save
from orchestrator_core.cli.screen import has_screen, open_screen
from orchestrator_core.cli.start_request import add_request_arguments, is_wish
from orchestrator_core.errors import ExitCode, UsageError
from orchestrator_core.models.launch import Proposal, ProposalId

HELP = """\
Propose a team for a project and a spec, and start it once you agree: a tmux
window, a git worktree on a branch of its own, and a briefing for every agent.
A start that fails or is interrupted leaves nothing behind.

In a terminal the proposal opens in tmorch-tui, to be looked at and changed;
with --no-tui it is printed, followed by a question. --yes asks nothing: it
takes the team that the rules propose; with --refine Claude reads the spec
first, unless --offline, and its suggestions are taken.

  tmorch start --project ~/shop --spec spec.md
  tmorch start shop --spec spec.md --roles orchestrator,developer --yes
  tmorch start --proposal 3                      one from tmorch plan --save
"""
TOO_MANY = ""
ACT = "starting a team"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_request_arguments(parser)
    parser.add_argument("--proposal", type=count, metavar="N", default=0, help="start the saved proposal N instead")
    parser.add_argument("-y", "--yes", action="store_true", help="start what is proposed without asking")
    parser.add_argument("--no-tui", action="store_true", help="print the proposal and ask, without the screen")
    add_json(parser, "the team")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Start a team and print it, or become the screen on which it is approved.

    Raises:
        RefusedError: nobody approved it, a team runs on the project already, or the project is not fit for one.
        UsageError: the project, the spec or a role is not one.
        NotFoundError: the project or the saved proposal is not there.

    """
    if args.proposal and is_wish(args):
        raise UsageError(
            "a saved proposal is started as it is",
            cause="--proposal goes with --yes, --no-tui and --json alone",
            remedy=f"change it on the screen: tmorch-tui --proposal {args.proposal}",
        )
    require_answerable(context, yes=args.yes, act=ACT)
    if context.interactive and not (args.yes or args.no_tui or args.json) and has_screen():
        _open(args, context)

    def approve(proposal: Proposal) -> None:
        context.note.say_all([*proposal_lines(proposal, context, context.note.look), ""])
        require_yes(context, "Start this team?", yes=args.yes, act=ACT)

    fleet, team = launch(context, lambda call: _prepared(call, args, context), approve)
    show_started(context, fleet, team)
    return ExitCode.DONE


def _open(args: argparse.Namespace, context: Context) -> Never:
    """Become the screen, with the proposal saved: one that was made for this is discarded there unless it starts."""
    if args.proposal:  # checked there against the project as it is now
        open_screen(context, "--proposal", str(args.proposal))
    with Calls(context) as call:
        proposal = save(call, _prepared(call, args, context))
        is_to_read = not args.refine and asks_claude(call, args, proposal)
    open_screen(context, "--proposal", str(proposal.saved), "--start", *(["--read"] if is_to_read else []))


def _prepared(call: Calls, args: argparse.Namespace, context: Context) -> Proposal:
    if args.proposal:
        return _saved(call, ProposalId(args.proposal))
    proposal = propose(call, args)
    if not args.refine:
        return proposal
    if asks_claude(call, args, proposal):
        proposal = read_by_claude(call, context, proposal, unasked=args.yes)
    return refined(call, proposal)


def _saved(call: Calls, number: ProposalId) -> Proposal:
    proposal = call(lambda orchestrator: orchestrator.proposals.load(number))
    return call(lambda orchestrator: orchestrator.proposals.renewed(proposal))
