"""`tmorch resume`: shows what is missing of teams and what would bring it back, and does that."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from orchestrator_core.cli.consent import require_answerable, require_yes
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.fleet_targets import own_team, team_in
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.recovery_view import (
    agent_lines,
    orphan_lines,
    outcome_lines,
    plan_lines,
    recovery_document,
    step_line,
)
from orchestrator_core.errors import ExitCode, NotFoundError, TmorchError, UsageError
from orchestrator_core.models.recovery import Orphan, RecoveryOutcome, RecoveryPlan, Step, Verb

HELP = """\
Compare what teams are meant to be with what tmux, git and their programs say,
show what is missing, and bring that back: windows, worktrees from their
branches, programs in their own conversations. What is there is left alone, and
nothing is typed to agents that are well. It asks first; doing it again does
nothing. Without ID and --project it is every team that is meant to run.
"""
TOO_MANY = ""
ACT = "bringing teams back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="a team, as in shop-3f2a")
    parser.add_argument("--project", metavar="P", default="", help="the teams of this project, or of a folder in it")
    parser.add_argument(
        "--agent",
        metavar="ROLE",
        action="append",
        default=[],
        help="start it again although it ended again and again; more than once: more of them",
    )
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--status-only", action="store_true", help="only look: nothing at all is written")
    parser.add_argument("--rebrief-all", action="store_true", help="tell each agent that runs once where it stands")
    parser.add_argument("--orphans", action="store_true", help="list what is left over of teams, and do nothing")
    add_json(parser, "the plans and what came of them")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Look and, once that is approved, bring back what is missing.

    Raises:
        NotFoundError: there is no such team or role, or it is not clear whose role is meant.
        RefusedError: the team is not meant to run, nobody can be asked, or the answer was no.
        UsageError: options that do not go together.

    """
    _check(args)
    if args.status_only or args.orphans:
        return _look(args, context)
    with Calls(context) as call:
        plans = _plans(args, context, call)
        if not context.out.as_json:
            _show_plans(plans, context)
        wanted = [plan for plan in plans if args.rebrief_all or _has_work(plan)]
        outcomes: list[RecoveryOutcome] = []
        if wanted:
            if context.out.as_json:
                require_answerable(context, yes=args.yes, act=ACT)
            require_yes(context, _question(wanted), yes=args.yes, act=ACT)
            outcomes = [_execute(plan, args, context, call) for plan in wanted]
        if context.out.as_json:
            context.out.document(recovery_document(plans, outcomes, ()))
    refused = any(step.verb is Verb.REFUSE for plan in plans for step in plan.steps)
    return ExitCode.FAILED if refused or any(outcome.failed for outcome in outcomes) else ExitCode.DONE


def _check(args: argparse.Namespace) -> None:
    doing = [name for name in ("yes", "rebrief_all") if getattr(args, name)]
    looking = [name for name in ("status_only", "orphans") if getattr(args, name)]
    if doing and looking:
        one, other = (f"--{name.replace('_', '-')}" for name in (looking[0], doing[0]))
        raise UsageError(f"{one} only looks, {other} is about doing it", remedy="leave out one of the two")
    if args.project and (args.id or args.agent):
        raise UsageError("--project is about all teams of a project", remedy=f"leave out {args.id or '--agent'}")
    if args.orphans and (args.id or args.agent or args.project):
        name = args.id or ("--agent" if args.agent else "--project")
        raise UsageError("--orphans is about everything, not one team", remedy=f"leave out {name}")


def _look(args: argparse.Namespace, context: Context) -> ExitCode:
    """Show how things stand, from a copy of what is stored."""
    with Calls(context, only_looks=True) as call:
        plans = () if args.orphans else _plans(args, context, call)
        orphans = call(lambda orchestrator: orchestrator.recovery.orphans()) if args.orphans else ()
    if context.out.as_json:
        context.out.document(recovery_document(plans, (), orphans))
    elif args.orphans:
        _show_orphans(orphans, context)
    else:
        _show_plans(plans, context, with_agents=True)
    return ExitCode.DONE


def _plans(args: argparse.Namespace, context: Context, call: Calls) -> tuple[RecoveryPlan, ...]:
    if not args.id and not args.agent:
        plans = call(lambda orchestrator: orchestrator.recovery.plans())
        return _in_project(plans, Path(args.project)) if args.project else plans
    fleet = call(lambda orchestrator: orchestrator.fleet())
    team = team_in(fleet, args.id) if args.id else own_team(context, fleet)
    roles = tuple(view.agent.role for view in team.agents)
    for role in args.agent:
        if role not in roles:
            name = team.orchestration.id
            raise NotFoundError(f"there is no {role!r} in {name}", cause=f"there are {', '.join(roles)}")
    named = frozenset(args.agent)
    return (call(lambda orchestrator: orchestrator.recovery.plan(team.orchestration.id, named=named)),)


def _in_project(plans: tuple[RecoveryPlan, ...], folder: Path) -> tuple[RecoveryPlan, ...]:
    place = folder.expanduser().resolve()
    found = tuple(plan for plan in plans if place.is_relative_to(plan.project))
    if not found:
        others = ", ".join(sorted({str(plan.project) for plan in plans}))
        raise NotFoundError(
            f"no team is meant to run in {place}",
            cause=f"there are teams in {others}" if others else "no team is meant to run at all",
            remedy="tmorch list shows all teams, and those that were stopped",
        )
    return found


def _has_work(plan: RecoveryPlan) -> bool:
    return any(step.verb not in (Verb.KEEP, Verb.REFUSE) for step in plan.steps)


def _question(plans: Sequence[RecoveryPlan]) -> str:
    names = ", ".join(plan.orchestration for plan in plans)
    return f"bring {names} back as shown?"


def _execute(plan: RecoveryPlan, args: argparse.Namespace, context: Context, call: Calls) -> RecoveryOutcome:
    """Bring one team back, and tell of each step; what goes wrong with it does not keep the others from it."""

    def hear(step: Step) -> None:
        if not context.out.as_json:
            context.out.line(step_line(step, plan, context.out.look))
            context.out.flush()

    if not context.out.as_json:
        context.out.line()
    try:
        outcome = call(lambda tmorch: tmorch.recovery.execute(plan, rebrief_all=args.rebrief_all, hear=hear))
    except TmorchError as error:
        outcome = _undone(plan, error)
    if not context.out.as_json:
        context.out.lines(outcome_lines(outcome, context.out.look))
    return outcome


def _undone(plan: RecoveryPlan, error: TmorchError) -> RecoveryOutcome:
    wanted = [step for step in plan.steps if step.verb is not Verb.KEEP] or plan.steps[:1]
    why = ": ".join(filter(None, (error.title, error.cause, error.remedy)))
    return RecoveryOutcome(plan=plan, done=(), failed=tuple((step, why) for step in wanted))


def _show_plans(plans: Sequence[RecoveryPlan], context: Context, *, with_agents: bool = False) -> None:
    look = context.out.look
    for place, plan in enumerate(plans):
        lines = ["", *plan_lines(plan, look)] if place else plan_lines(plan, look)
        context.out.lines(lines)
        if with_agents and plan.agents:
            context.out.lines(["", *agent_lines(plan, time.time(), look)])
    context.out.flush()
    for plan in plans:
        for warning in plan.warnings:
            context.note.warn(f"{plan.orchestration}: {warning}")
    if not plans:
        context.note.say("no team is meant to run; tmorch list shows those that were stopped")


def _show_orphans(orphans: Sequence[Orphan], context: Context) -> None:
    context.out.lines(orphan_lines(orphans, context.out.look))
    context.out.flush()
    context.note.say("nothing was removed; look before you type any of it" if orphans else "nothing is left over")
