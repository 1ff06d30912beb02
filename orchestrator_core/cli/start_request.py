"""The arguments that `start` and `plan` share, and what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from orchestrator_core.cli.parsing import comma_list
from orchestrator_core.errors import UsageError
from orchestrator_core.models.launch import StartRequest
from orchestrator_core.models.team import Plan


def add_request_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is said about the wished-for team."""
    parser.add_argument("projects", metavar="PROJECT", nargs="*", help="the git repository; where you are without it")
    parser.add_argument("--project", metavar="P", default="", help="the same: a folder, or a name in your projects")
    parser.add_argument("--spec", metavar="S", default="", help="the Markdown file that says what is to be done")
    parser.add_argument(
        "--plan", metavar="PLAN", choices=_words(Plan), default="", help=f"your subscription: {_or(Plan)}"
    )
    parser.add_argument(
        "--roles", metavar="A,B", action="append", default=[], help="exactly these roles; may be repeated"
    )
    parser.add_argument(
        "--team-type",
        metavar="TYPE",
        default="",
        help="its type, such as code_project; tmorch team types lists them",
    )
    parser.add_argument("--agent", metavar="NAME", default="", help="the agent driver: claude, demo, or one of yours")
    parser.add_argument("--over-cap", action="store_true", help="accept more agents than the plan allows for")
    parser.add_argument("--offline", action="store_true", help="ask nobody: tmorch alone reads the spec")
    parser.add_argument("--refine", action="store_true", help="take every suggestion that can be taken")


def request_from(args: argparse.Namespace) -> StartRequest:
    """Return the wish that the arguments make.

    Raises:
        UsageError: more than one project is named.

    """
    return StartRequest(
        project=_one_project(args),
        spec=args.spec,
        plan=args.plan,
        roles=comma_list(args.roles),
        team_type=args.team_type,
        driver=args.agent,
        over_cap=args.over_cap,
    )


def is_wish(args: argparse.Namespace) -> bool:
    """Whether anything is said about a wished-for team."""
    return request_from(args) != StartRequest(project="") or bool(args.offline or args.refine)


def _words(choices: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(str, choices))


def _or(choices: Iterable[str]) -> str:
    *most, last = _words(choices)
    return f"{', '.join(most)} or {last}"


def _one_project(args: argparse.Namespace) -> str:
    projects = [*args.projects, *([args.project] if args.project else [])]
    if len(projects) > 1:
        raise UsageError(
            f"one project at a time, not {len(projects)}",
            cause=f"named are {', '.join(projects)}",
            remedy="start them one after the other; teams run side by side",
            code="several-projects",
        )
    return str(projects[0]) if projects else ""
