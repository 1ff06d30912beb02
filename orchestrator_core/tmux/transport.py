"""What carries commands to a tmux server and replies back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from orchestrator_core.tmux import faults
from orchestrator_core.tmux.protocol import Reply

DEFAULT_TIMEOUT_S = 10.0
BRANCHES = "if-shell"
"""The one command used here that runs another one: its reply and the other's count as one."""


class Transport(Protocol):
    """Runs tmux commands in order. Two kinds: a control client that stays, and a process per call."""

    async def command(self, *argv: str) -> list[str]:
        """Run one command and return the lines it printed.

        Raises:
            TmuxCommandError: tmux answered with an error.
            TmuxGoneError: no server runs.
            TimedOutError: the server does not answer, or the connection broke before it did.

        """
        ...

    async def pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Run `commands` in one go and return a reply for each; one that fails does not keep back the rest.

        Raises:
            TmuxGoneError: no server runs.
            TimedOutError: the server does not answer, or the connection broke before it did.

        """
        ...


def printed(argv: Sequence[str], reply: Reply) -> list[str]:
    """Return what the command `argv` printed.

    Raises:
        TmuxCommandError: tmux answered with an error.

    """
    if not reply.ok:
        raise faults.command_failed(argv, "\n".join(reply.lines))
    return list(reply.lines)


def child_environment() -> dict[str, str]:
    """Return the environment for a tmux client: ours, without the pane and the agent we may be in ourselves.

    A server that starts from it hands it to every window.
    """
    ours = ("TMUX", "TMUX_PANE", "TMORCH_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
