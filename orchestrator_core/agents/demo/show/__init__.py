"""The show: how demo agents play a team that works on a small project."""

from __future__ import annotations

import os
import shlex
import time
from argparse import Namespace
from random import Random

from orchestrator_core.agents.demo import files
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
            folder=files.here(),
            orchestration=os.environ.get("TMORCH_ORCHESTRATION", ""),
            tmorch=tuple(shlex.split(command)) or (files.interpreter(), "-m", "orchestrator_core.cli.main"),
            python=files.interpreter(),
            random=Random(seed),
            speed=options.speed,
            clock=time.monotonic,
            is_resumed=bool(options.resume),
        )
    )
