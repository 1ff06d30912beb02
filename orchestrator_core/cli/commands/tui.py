"""`tmorch tui`: becomes tmorch-tui."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.screen import open_screen
from orchestrator_core.errors import ExitCode

HELP = """\
Open tmorch-tui: the fleet, live panes, what needs you, and a prompt for
messages, on one screen.
"""
TOO_MANY = "tui takes no words"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments: there are none."""


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Become tmorch-tui.

    Raises:
        RefusedError: this is not a terminal.
        MissingProgramError: tmorch was installed without its screen.

    """
    open_screen(context)
