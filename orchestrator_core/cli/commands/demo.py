"""`tmorch demo`: a scripted team on a scratch repository, so that everything can be seen moving."""

from __future__ import annotations

import argparse
import math
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import fleet_document
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.launching import launch, show_started
from orchestrator_core.cli.parsing import add_json, count
from orchestrator_core.cli.screen import open_screen
from orchestrator_core.errors import ExitCode, RefusedError, UsageError
from orchestrator_core.models.launch import StartRequest

if TYPE_CHECKING:
    from orchestrator_core.models.fleet import Fleet, Team

HELP = """\
Start a team of scripted agents on a scratch repository, and open the screen.
It needs neither Claude Code nor an account, and touches no project of yours.
The same seed tells the same story.
"""
TOO_MANY = ""
DRIVER = "demo"
FASTEST = 1000.0
LONGEST_S = 86400.0
STILL_RUNNING = "still-running"
"""The code of the refusal to clean up while agents are still ending."""
ENDING_S = 15.0
LOOK_S = 0.2
SEEDS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("--speed", type=_speed, metavar="X", help="how fast it plays: 2 is twice as fast")
    parser.add_argument("--seed", type=count, metavar="N", help="which story; another one each time without it")
    parser.add_argument("--limit", type=_seconds, metavar="S", help="show a usage limit that holds all for S seconds")
    parser.add_argument("--agents", type=count, default=4, metavar="N", help="how many agents (4)")
    parser.add_argument("--no-tui", action="store_true", help="do not open the screen")
    parser.add_argument("--stop", action="store_true", help="end every demo team and remove its worktrees")
    add_json(parser, "the team")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Start a demo team and become the screen; or end all demo teams.

    Raises:
        UsageError: so many agents there are not.
        MissingProgramError: there is no tmux or no git.

    """
    return _stop(context) if args.stop else _start(args, context)


def _start(args: argparse.Namespace, context: Context) -> ExitCode:
    roles = _roles(args.agents)
    seed = args.seed or context.settings.demo.seed or 1 + secrets.randbelow(SEEDS)
    speed = args.speed or context.settings.demo.speed
    # What is set in the environment overrides the settings, for the agents too.
    context.environ |= {"TMORCH_DEMO__SEED": str(seed), "TMORCH_DEMO__SPEED": str(speed)}
    if args.limit:
        context.environ |= {"TMORCH_DEMO__LIMIT_S": str(args.limit)}
    project = context.make_scratch_project(_folder(context), seed)
    context.note.say(f"a scratch repository: {project}   (this story again: tmorch demo --seed {seed})")
    request = StartRequest(
        project=str(project), roles=roles, driver=DRIVER, over_cap=True, demo_speed=speed, demo_seed=seed
    )
    fleet, team = launch(
        context, lambda call: call(lambda orchestrator: orchestrator.proposals.propose(request)), lambda proposal: None
    )
    context.note.say("end it with: tmorch demo --stop")
    if context.interactive and not args.no_tui and not args.json:
        open_screen(context)
    show_started(context, fleet, team)
    return ExitCode.DONE


def _roles(number: int) -> tuple[str, ...]:
    """Return the roles that have a part of their own, then others, `number` in all."""
    from orchestrator_core.agents.demo.show.roles import PLAYERS
    from orchestrator_core.team.catalogue import builtin

    known = tuple(dict.fromkeys((*PLAYERS, *builtin().roles)))
    if number > len(known):
        raise UsageError(
            f"a demo has at most {len(known)} agents, not {number}",
            cause="there is one for each role",
            remedy=f"as in: tmorch demo --agents {len(known)}",
        )
    return known[:number]


def _folder(context: Context) -> Path:
    return context.paths.state / "demo"


def _stop(context: Context) -> ExitCode:
    with Calls(context) as call:
        fleet = call(lambda orchestrator: orchestrator.fleet())
        ended = [_end(team, call) for team in fleet.teams if _is_ours(team, context)]
    _show_ended(fleet, ended, context)
    return ExitCode.DONE


def _is_ours(team: Team, context: Context) -> bool:
    """Whether `demo` started it: a team of demo agents on the person's own project is left to the person."""
    project = Path(team.orchestration.project)
    return team.orchestration.is_demo and project.is_relative_to(_folder(context).resolve())


def _end(team: Team, call: Calls) -> Team:
    """End a demo team; its work goes to the trash of the scratch repository."""
    name = team.orchestration.id
    roles = tuple(view.agent.role for view in team.agents)
    call(lambda orchestrator: orchestrator.stop(name))
    deadline = time.monotonic() + ENDING_S
    while True:
        try:
            result = call(lambda orchestrator: orchestrator.cleanup(name, force=roles))
            break
        except RefusedError as refusal:
            if refusal.code != STILL_RUNNING or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_S)
    return replace(team, orchestration=replace(team.orchestration, state=result.state))


def _show_ended(fleet: Fleet, ended: list[Team], context: Context) -> None:
    if context.out.as_json:
        context.out.document(fleet_document(fleet, ended, time.time()))
        return
    if not ended:
        context.note.say("no demo team runs")
    for team in ended:
        context.out.line(f"{team.orchestration.state}: {team.orchestration.id}")
        context.note.say(f"its scratch repository stays: {team.orchestration.project}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1 <= value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 1 and {LONGEST_S:g}")
    return value


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed between 0 and {FASTEST:g}")
    return value
