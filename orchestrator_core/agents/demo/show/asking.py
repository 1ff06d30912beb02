"""The one question of the show: a permission prompt, asked by one agent of the team at most once."""

from __future__ import annotations

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.player import Player
from orchestrator_core.agents.demo.steps import Ask, Run, Say, Script

COMMAND = "rm -rf build"
FOLDER = "build"


def ask_once(player: Player, *, only_without: tuple[str, ...] = ()) -> Script:
    """Ask to clean up, unless a role in `only_without` is there to ask, or this was asked before.

    The prompt stays until somebody answers it; only this agent waits for that.
    """
    if player.has_asked or any(player.has(role) for role in only_without):
        return
    player.has_asked = True
    if files.exists(player.path(FOLDER)):
        return
    yield player.write(f"{FOLDER}/report.txt", "made by the demo\n")
    outcome = yield Ask(COMMAND, "Remove what the last run has left behind")
    if outcome.ok:
        yield Run(("rm", "-rf", FOLDER), f"Bash({COMMAND})", seconds=1)
        yield Say("The old build is gone.")
    else:
        yield Say("Understood: I leave the build folder as it is.")
