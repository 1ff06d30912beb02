"""`tmorch whoami`: which agent this pane belongs to."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.caller import calling_agent
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode, NotFoundError

HELP = """\
Say which agent the tmux pane belongs to in which this runs, whichever window
is in front.
"""
TOO_MANY = "whoami takes no words"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_json(parser)


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the agent of this pane.

    Raises:
        NotFoundError: this is not an agent's pane.

    """
    agent = calling_agent(context)
    if agent is None:
        raise NotFoundError(
            "this is not an agent's pane",
            cause=_why(context),
            remedy="tmorch status lists the agents and their panes",
            code="not-an-agent",
        )
    fields = {
        "agent": agent.id,
        "role": agent.role,
        "orchestration": agent.orchestration,
        "pane": agent.pane,
        "worktree": agent.worktree,
        "branch": agent.branch,
    }
    if context.out.as_json:
        context.out.document(fields)
    else:
        context.out.fields((name, value or "") for name, value in fields.items())
    return ExitCode.DONE


def _why(context: Context) -> str:
    if not context.pane or not context.server:
        return "the command does not run inside tmux"
    return f"no active team has an agent in pane {context.pane} of {context.server}"
