"""Starting the supervisor so that it outlives whoever started it. Standard library only: `tmorch send` uses it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from orchestrator_core.config.paths import Paths
from orchestrator_core.supervisor.bell import ring
from orchestrator_core.supervisor.lock import is_held

LOG_NAME = "supervisor.log"
STAY = "--stay"
"""Has the supervisor not end by itself when there is nothing to do: a service does not start it again."""
NOT_INHERITED = frozenset({"TMUX", "TMUX_PANE", "TMORCH_AGENT", "TMORCH_ORCHESTRATION"})
"""Of the caller's pane; the supervisor belongs to none."""


def ensure_running(paths: Paths, environ: Mapping[str, str] = os.environ) -> bool:
    """Start the supervisor of this state folder, or wake the one that runs; return whether it was started.

    Returns before it is ready. Two starts at once are harmless: the lock lets one of them live.
    """
    if is_held(paths.lock):
        ring(paths.state)
        return False
    paths.ensure()
    _spawn_detached(
        (sys.executable, "-m", "orchestrator_core.supervisor"),
        {name: value for name, value in environ.items() if name not in NOT_INHERITED},
        log=str(paths.logs / LOG_NAME),
    )
    return True


def _spawn_detached(argv: tuple[str, ...], environ: dict[str, str], *, log: str) -> None:
    """Run `argv` in a session of its own, child of init: neither a hangup nor our end reaches it."""
    shell = "/bin/sh"
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    child = os.posix_spawn(
        shell,
        [shell, "-c", 'cd / && "$@" &', "tmorch", *argv],
        environ,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, append, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, log, append, 0o600),
        ],
    )
    os.waitpid(child, 0)
