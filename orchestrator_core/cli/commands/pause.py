"""`tmorch pause`: has teams wait; nothing is sent to their agents meanwhile."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.fleet_targets import own_team, team_in
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from orchestrator_core.models.ids import OrchestrationId

HELP = """\
Have a team wait, or with --all every team: its check-ins do not fire, and
messages to its agents stay in the outbox, yours too. Whoever works goes on
with what it has, and nothing is ended. It stays so, over restarts, until
tmorch unpause. Without ID it is the only team that runs.
"""
TOO_MANY = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("ids", metavar="ID", nargs="*", help="a team, as in shop-3f2a; `tmorch list` shows them")
    parser.add_argument("--all", action="store_true", help="every team that runs")
    add_json(parser)


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Pause the teams.

    Raises:
        NotFoundError: there is no such team, or it is not clear which is meant.
        RefusedError: one has ended, or an agent asks.
        UsageError: teams are named, and all are meant as well.

    """
    set_paused(args, context, paused=True)
    return ExitCode.DONE


def set_paused(args: argparse.Namespace, context: Context, *, paused: bool) -> None:
    """Pause the teams that `args` names, or let them go on, and say of whom that is news."""
    if args.all and args.ids:
        raise UsageError("--all goes without the names of teams", remedy="leave out one of the two")
    with Calls(context) as call:
        teams = _teams(args, context, call)
        changed = call(lambda orchestrator: orchestrator.pausing.pause(*teams, paused=paused))
        fleet = call(lambda orchestrator: orchestrator.fleet())
    if context.out.as_json:
        runs = [team.orchestration for team in fleet.teams if team.orchestration.state.is_active]
        now_paused = [run.id for run in runs if run.paused_at is not None]
        context.out.document({"changed": list(changed), "paused": now_paused})
        return
    now, before = ("is paused", "paused already") if paused else ("goes on", "not paused")
    context.out.lines(f"{team} {now}" for team in changed)
    context.out.lines(f"{team} was {before}" for team in teams if team not in changed)
    if not changed and not teams:
        context.note.say(f"every team was {before}, or none runs")


def _teams(args: argparse.Namespace, context: Context, call: Calls) -> tuple[OrchestrationId, ...]:
    """Return the teams that are named, or the only one; none stands for all."""
    if args.all:
        return ()
    fleet = call(lambda orchestrator: orchestrator.fleet())
    if not args.ids:
        return (own_team(context, fleet).orchestration.id,)
    return tuple(dict.fromkeys(team_in(fleet, name).orchestration.id for name in args.ids))
