"""From the command line to the screen: this process becomes tmorch-tui."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Never

from orchestrator_core.cli.context import Context
from orchestrator_core.errors import MissingProgramError, RefusedError

PROGRAM = "tmorch-tui"


def open_screen(context: Context, *arguments: str) -> Never:
    """Replace this process by tmorch-tui with these arguments.

    Raises:
        RefusedError: stdin or stdout is not a terminal.
        MissingProgramError: tmorch was installed without its screen.

    """
    if not context.interactive:
        raise RefusedError(
            "the screen needs a terminal",
            cause="stdin and stdout are not both a terminal",
            remedy="run it in one; tmorch status tells the same without",
            code="not-a-terminal",
        )
    context.become((*screen_argv(), *arguments))


def has_screen() -> bool:
    """Whether tmorch was installed with its screen."""
    try:
        return bool(screen_argv())
    except MissingProgramError:
        return False


def screen_argv() -> tuple[str, ...]:
    """Return how tmorch-tui is started: the installed program beside this Python, else its package.

    Raises:
        MissingProgramError: there is neither.

    """
    installed = Path(sys.executable).with_name(PROGRAM)
    if installed.exists():
        return (str(installed),)
    if find_spec("tui") is None:
        raise MissingProgramError(
            f"{PROGRAM} is not installed",
            cause=f"there is no {installed}, and this Python has no package `tui`",
            remedy="install tmorch again, as its README says",
        )
    # -P: a folder called `tui` where the person happens to be must not be taken for ours
    return (sys.executable, "-P", "-m", "tui")
