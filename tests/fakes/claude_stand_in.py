"""The demo agent in the shape of the `claude` command: for tests that need a scripted one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PYTHON = Path(os.path.realpath(sys.executable))
"""The interpreter itself: one in a virtual environment finds that by its own name, which the wrapper changes."""


def write_stand_in(folder: Path, *arguments: str, name: str = "claude") -> Path:
    """Write a program called `name` into `folder`, and return its path.

    tmux shows it as `claude`, as it shows the real one. `arguments` come before those it is called with; the shell
    expands `$VARIABLES` and `$(commands)` in them, so that one program can serve many agents.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    quoted = " ".join(f'"{argument}"' for argument in arguments)
    program.write_text(
        "#!/bin/bash\n"
        f'export PYTHONPATH="{REPOSITORY}"\n'
        f'exec -a claude "{PYTHON}" -P -S -m orchestrator_core.agents.demo {quoted} "$@"\n'
    )
    program.chmod(0o755)
    return program
