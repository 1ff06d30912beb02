"""From the arguments of `plan` and `start` to a proposal, with who is asked and what is said meanwhile."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.start_request import request_from
from orchestrator_core.models.analysis import AnalysisProgress, AnalysisSource
from orchestrator_core.models.launch import Proposal

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

CANCELLED = "you ended the reading"


def propose(call: Calls, args: argparse.Namespace) -> Proposal:
    """Return the proposal that the rules make; nobody is asked.

    Raises:
        TmorchError: the project, the spec or a role is not one, or no team can work there.

    """
    request = request_from(args)
    return call(lambda orchestrator: orchestrator.proposals.propose(request))


def asks_claude(call: Calls, args: argparse.Namespace, proposal: Proposal) -> bool:
    """Whether Claude is to read the spec."""

    async def asks(orchestrator: Orchestrator) -> bool:
        return orchestrator.proposals.asks_claude(proposal)

    return not args.offline and call(asks)


def read_by_claude(call: Calls, context: Context, proposal: Proposal, *, unasked: bool = False) -> Proposal:
    """Have Claude read the spec, and tell on stderr how it goes.

    Ctrl-C ends the reading, and the offline one stays; `unasked`: it ends the command, as nobody is asked later on.
    """
    limit = context.settings.analysis.timeout_s
    context.note.say(f"Claude reads the spec, for {limit:g} s at most; Ctrl-C goes on without, --offline asks nobody")
    try:
        with context.note.progress() as tell:

            def hear(progress: AnalysisProgress) -> None:
                tell(f"  {progress.seconds:.0f} s  {progress.text}", progress.seconds)

            read = call(lambda orchestrator: orchestrator.proposals.analyse(proposal, hear))
    except KeyboardInterrupt:
        if unasked:
            raise
        context.note.warn(f"{CANCELLED}: this is the offline one")
        return replace(proposal, analysis=replace(proposal.analysis, because=CANCELLED))
    if read.analysis.source is AnalysisSource.OFFLINE and read.analysis.because:
        context.note.warn(f"Claude has not read the spec: {read.analysis.because}")
    return read


def refined(call: Calls, proposal: Proposal) -> Proposal:
    """Return the proposal with every suggestion taken that can be."""

    async def refine(orchestrator: Orchestrator) -> Proposal:
        return orchestrator.proposals.refined(proposal)

    return call(refine)


def save(call: Calls, proposal: Proposal) -> Proposal:
    """Keep the proposal, and return it with its number."""
    return call(lambda orchestrator: orchestrator.proposals.save(proposal))
