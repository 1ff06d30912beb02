"""`tmorch team`: one team, inside an agent its own; and what teams are made of: roles, types, what a project is."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

from orchestrator_core.cli.catalogue_view import (
    detection_document,
    detection_lines,
    role_document,
    role_lines,
    roles_document,
    roles_lines,
    types_document,
    types_lines,
)
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import Json, fleet_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_targets import own_team, team_in
from orchestrator_core.cli.fleet_view import team_lines
from orchestrator_core.cli.output import Look
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode, UsageError

HELP = """\
Show one team with what its agents do. Without an ID: the team of the agent in
whose pane this runs, else the only active team.

  team [ID]                      as in: tmorch team shop-3f2a
  team show ROLE [--project P]   what a role is for, and whom it may write to
  team roles [--project P]       every role there is
  team types [--project P]       the types of project, and the team of each
  team detect [PATH]             what type a project is, and what speaks for it

Roles and types are tmorch's own, changed by the files in your config folder
and, with --project, by those in the project's .tmorch folder.
"""
TOO_MANY = ""


class View(NamedTuple):
    """What `team` shows besides teams."""

    show: Callable[[argparse.Namespace, Context], None]
    form: str
    least: int
    most: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("words", metavar="WORD", nargs="*", help="a team, as in shop-3f2a; or see above")
    parser.add_argument("--project", metavar="P", default="", help="as this project has it")
    add_json(parser, "what is shown")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print the team, or what teams are made of.

    Raises:
        NotFoundError: there is no such team or folder, or it is not clear which team is meant.
        UsageError: there is no such role, the words make no sense, or a file that changes the catalogue is wrong.

    """
    view = VIEWS.get(args.words[0]) if args.words else None
    if view is not None:
        _check(args, view)
        view.show(args, context)
    else:
        _show_team(args, context)
    return ExitCode.DONE


def _check(args: argparse.Namespace, view: View) -> None:
    name, count = args.words[0], len(args.words) - 1
    if not view.least <= count <= view.most:
        few = "few" if count < view.least else "many"
        raise UsageError(f"`team {name}` has too {few} words", remedy=f"tmorch team {view.form}")
    if args.project and "--project" not in view.form:
        raise UsageError(f"--project does not go with `team {name}`", remedy=f"tmorch team {view.form}")


def _show_team(args: argparse.Namespace, context: Context) -> None:
    if len(args.words) > 1 or args.project:
        forms = ", ".join(view.form for view in VIEWS.values())
        raise UsageError("one team at a time", cause=f"besides there are: {forms}", remedy="tmorch team [ID]")
    name = "".join(args.words)
    fleet = with_orchestrator(context, lambda orchestrator: orchestrator.fleet())
    team = team_in(fleet, name) if name else own_team(context, fleet)
    now = time.time()
    _print(context, lambda: fleet_document(fleet, [team], now), lambda look: team_lines(team, now, look))


def _show_role(args: argparse.Namespace, context: Context) -> None:
    facts = with_orchestrator(context, lambda tmorch: tmorch.proposals.role(args.words[1], args.project))
    _print(context, lambda: role_document(facts), lambda look: role_lines(facts, look))


def _show_roles(args: argparse.Namespace, context: Context) -> None:
    catalogue = with_orchestrator(context, lambda orchestrator: orchestrator.proposals.catalogue(args.project))
    _print(context, lambda: roles_document(catalogue), lambda look: roles_lines(catalogue, look))


def _show_types(args: argparse.Namespace, context: Context) -> None:
    catalogue = with_orchestrator(context, lambda orchestrator: orchestrator.proposals.catalogue(args.project))
    _print(context, lambda: types_document(catalogue), lambda look: types_lines(catalogue, look))


def _detect(args: argparse.Namespace, context: Context) -> None:
    place = "".join(args.words[1:])
    found = with_orchestrator(context, lambda orchestrator: orchestrator.proposals.detect(place))
    _print(context, lambda: detection_document(found), lambda look: detection_lines(found, look))


def _print(context: Context, document: Callable[[], Json], lines: Callable[[Look], list[str]]) -> None:
    if context.out.as_json:
        context.out.document(document())
    else:
        context.out.lines(lines(context.out.look))


VIEWS = {
    "show": View(_show_role, "show ROLE [--project P]", 1, 1),
    "roles": View(_show_roles, "roles [--project P]", 0, 0),
    "types": View(_show_types, "types [--project P]", 0, 0),
    "detect": View(_detect, "detect [PATH]", 0, 1),
}
"""None of these words is a team's id: such an id ends with a dash and four digits or letters."""
