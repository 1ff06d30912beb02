"""`tmorch adopt`: an agent that the person started by hand becomes one of tmorch's."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode

HELP = """\
Make an agent of one that you started by hand, such as `claude` in any tmux
window: it can be messaged and watched from then on. Nothing is typed, and its
window, folder and branch stay yours: `tmorch stop` lets go of it, and it runs
on. TARGET is a pane id (%12) or a tmux session:window.
"""
TOO_MANY = "adopt one agent at a time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", help="a pane id, or a tmux session:window")
    parser.add_argument("--role", default="", metavar="R", help="what it is called; without it, as its window")
    parser.add_argument("--team", default="", metavar="ID", help="the team it joins; without it, it stands alone")
    parser.add_argument("--agent", default="", metavar="NAME", help="its kind; without it, told by its program")
    add_json(parser, "the agent")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Adopt it.

    Raises:
        NotFoundError: there is no such pane, team or kind of agent.
        RefusedError: no agent runs there, or it is one of tmorch's already.

    """
    agent = with_orchestrator(
        context,
        lambda orchestrator: orchestrator.adopt(args.target, role=args.role, team=args.team, driver=args.agent),
    )
    if context.out.as_json:
        context.out.document(
            {
                "agent": agent.id,
                "role": agent.role,
                "orchestration": agent.orchestration,
                "driver": agent.driver,
                "pane": agent.pane,
                "folder": agent.worktree,
            }
        )
        return ExitCode.DONE
    context.out.line(f"{agent.pane} is the agent {agent.id} now")
    context.note.say(f'write to it: tmorch send {agent.id} "…"; let go of it: tmorch stop {agent.orchestration}')
    return ExitCode.DONE
