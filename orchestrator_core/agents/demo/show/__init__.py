"""The show: how demo agents play a team that works on a small project."""

from __future__ import annotations

import os
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path
from random import Random

from orchestrator_core.agents.demo.show.player import Player, Stage
from orchestrator_core.agents.demo.show.roles import player_of


def brain_of(options: Namespace) -> Player:
    """Return the player for the role in the options; its surroundings are read from the environment."""
    command = os.environ.get("TMORCH_COMMAND", "")
    seed = f"{options.seed}-{options.role}" if options.seed else None
    return player_of(
        Stage(
            role=options.role,
            team=options.team,
            folder=Path.cwd(),
            orchestration=os.environ.get("TMORCH_ORCHESTRATION", ""),
            tmorch=tuple(shlex.split(command)) or (_interpreter(), "-m", "orchestrator_core.cli.main"),
            python=_interpreter(),
            random=Random(seed),
            speed=options.speed,
            clock=time.monotonic,
        )
    )


def _interpreter() -> str:
    """Return the Python that runs this; a program that goes by another name does not know its own."""
    own = Path(sys.executable)
    return str(own if own.name.startswith("python") else Path("/proc/self/exe").resolve())
