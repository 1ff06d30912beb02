"""`tmorch status`: what every agent does, or one in detail; once, or whenever it changes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import fleet_document
from orchestrator_core.cli.facade import ticking, with_orchestrator
from orchestrator_core.cli.fleet_targets import view_in
from orchestrator_core.cli.fleet_view import agent_fields, status_lines, supervisor_line
from orchestrator_core.cli.output import Look, aligned
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.fleet import AgentView, Fleet, Team, TmuxState

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator

HELP = """\
Show what every agent does and for how long, what waits for it, and whether
the supervisor is well. TARGET shows one agent with everything known about it,
or the team with that ID. With --watch the picture is renewed when something
changes; Ctrl-C ends it. With --watch --json, each picture is one line.
"""
TOO_MANY = "name one agent or one team"
RENEW_S = 2.0
"""How often a painted picture is renewed by itself: its ages grow, and the terminal may be resized."""


class Picture:
    """What is shown of a fleet: all of it, one team, or one agent."""

    def __init__(self, context: Context, target: str, fleet: Fleet) -> None:
        self._fleet = fleet
        self._agent: AgentView | None = None
        self._teams: Sequence[Team] = fleet.teams
        if target:
            self._teams = [team for team in fleet.teams if team.orchestration.id == target]
        if target and not self._teams:
            self._agent = view_in(context, fleet, target)

    def document(self, now: float) -> object:
        """Return it in the shape of `--json`."""
        return fleet_document(self._fleet, self._shown_teams(), now)

    def lines(self, look: Look, now: float) -> list[str]:
        """Return it as lines for people."""
        if self._agent is None:
            return status_lines(self._fleet, self._teams, now, look)
        fields = agent_fields(self._agent, now)
        return [*aligned(fields), "", supervisor_line(self._fleet.supervisor, now, look)]

    def _shown_teams(self) -> list[Team]:
        if self._agent is None:
            return list(self._teams)
        shown = self._agent
        return [
            Team(orchestration=team.orchestration, agents=(shown,))
            for team in self._fleet.teams
            if team.orchestration.id == shown.agent.orchestration
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", nargs="?", default="", help="an agent, or the ID of a team")
    parser.add_argument("--watch", action="store_true", help="show it again whenever it changes")
    add_json(parser, "the status")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the status, once or as it changes.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.

    """
    if args.watch:
        return _watch(args.target, context)
    fleet = with_orchestrator(context, lambda orchestrator: orchestrator.fleet())
    _show(Picture(context, args.target, fleet), context)
    _warn(fleet, context)
    return ExitCode.DONE


def _watch(target: str, context: Context) -> ExitCode:
    is_painted = context.interactive and not context.out.as_json

    async def follow(orchestrator: Orchestrator) -> None:
        async for fleet in orchestrator.fleets():
            _show(Picture(context, target, fleet), context, indent=False)
            context.out.flush()

    async def paint(orchestrator: Orchestrator) -> None:
        with context.out.repainting() as repaint:
            async for fleet in ticking(orchestrator.fleets(), RENEW_S):
                repaint(Picture(context, target, fleet).lines(context.out.look, time.time()))

    try:
        with_orchestrator(context, paint if is_painted else follow)
    except KeyboardInterrupt:
        return ExitCode.DONE  # the way to end it
    return ExitCode.DONE


def _show(picture: Picture, context: Context, *, indent: bool = True) -> None:
    now = time.time()
    if context.out.as_json:
        context.out.document(picture.document(now), indent=indent)
    else:
        context.out.lines(picture.lines(context.out.look, now))


def _warn(fleet: Fleet, context: Context) -> None:
    is_needed = any(team.orchestration.state.is_active for team in fleet.teams)
    if not is_needed or context.out.as_json:
        return
    if fleet.tmux in (TmuxState.MISSING, TmuxState.NO_SERVER):
        context.note.warn(f"tmux: {fleet.tmux_detail or 'no server runs'}")
    if not fleet.supervisor.running:
        context.note.warn("no message is delivered and no status is kept; tmorch supervisor start helps")
