"""`tmorch unpause`: has paused teams go on."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.commands.pause import add_arguments as add_arguments
from orchestrator_core.cli.commands.pause import set_paused
from orchestrator_core.cli.context import Context
from orchestrator_core.errors import ExitCode

HELP = """\
Have a team that was paused go on, or with --all every team: messages are
delivered in their order, and each check-in that came due fires once, one
after the other. Without ID it is the only team that runs.
"""
TOO_MANY = ""


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Let the teams go on. Raises as `pause`."""
    set_paused(args, context, paused=False)
    return ExitCode.DONE
