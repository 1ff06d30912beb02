"""Which player plays which role."""

from __future__ import annotations

from orchestrator_core.agents.demo.show.checkers import Reviewer, Runner
from orchestrator_core.agents.demo.show.developer import Developer
from orchestrator_core.agents.demo.show.orchestrator import Orchestrator
from orchestrator_core.agents.demo.show.player import Player, Stage
from orchestrator_core.agents.demo.show.tester import Tester

PLAYERS: dict[str, type[Player]] = {
    "orchestrator": Orchestrator,
    "developer": Developer,
    "tester": Tester,
    "testrunner": Runner,
    "project_manager": Reviewer,
}


def player_of(stage: Stage) -> Player:
    """Return the player for the stage's role; a role without a part of its own looks on."""
    return PLAYERS.get(stage.role, Player)(stage)
