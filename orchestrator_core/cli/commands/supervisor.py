"""`tmorch supervisor`: the background process that delivers messages, keeps statuses and wakes agents."""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import supervisor_document
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.fleet_view import supervisor_line
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.errors import ExitCode, UsageError
from orchestrator_core.models.fleet import SupervisorHealth

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from orchestrator_core.services.service_unit import Outcome, Service

HELP = """\
Look after the supervisor: the one background process per state folder that
types messages into prompts, keeps statuses, answers start-up gates and fires
check-ins. Whatever needs it starts it by itself.

  status     say whether it runs, when it last gave a sign of life, what went
             wrong last, and how many check-ins are overdue
  start      start it in the background, unless it runs
  stop       end it; agents go on, messages wait
  run        be the supervisor in the foreground, until Ctrl-C
  install    have systemd start it at login and keep it running; where there is
             no systemd, say how else. Changes nothing the second time
  uninstall  take that back
"""
TOO_MANY = "one of run, start, stop, status, install, uninstall"
START_S, STEP_S = 10.0, 0.05
ACTS = ("run", "start", "stop", "status", "install", "uninstall")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("act", metavar="|".join(ACTS), choices=ACTS, help="what to do")
    parser.add_argument("--dry-run", action="store_true", help="with install: only show what would be written where")
    add_json(parser, "how it is")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Do to the supervisor what was asked, and print how it is afterwards.

    Raises:
        RefusedError: `run`, and another process is the supervisor already; `install` or `uninstall`, and there is a
            unit that tmorch did not write.
        TimedOutError: `stop`, and it has not ended.

    """
    if args.dry_run and args.act != "install":
        raise UsageError(f"supervisor {args.act} has no --dry-run", remedy="it goes with `install`")
    match args.act:
        case "run":
            return _run_here(context)
        case "install":
            return _install(context, dry_run=args.dry_run)
        case "uninstall":
            return _uninstall(context)
        case "start":
            health = with_orchestrator(context, lambda orchestrator: orchestrator.start_supervisor())
        case "stop":
            health = with_orchestrator(context, lambda orchestrator: _stop(orchestrator, context))
        case _:
            health = _health(context)
    _show(health, context)
    return ExitCode.DONE


def _run_here(context: Context) -> ExitCode:
    from orchestrator_core.supervisor import control

    context.note.say("the supervisor runs here; Ctrl-C ends it")
    control.run(context.paths, context.environ)
    return ExitCode.DONE


async def _stop(orchestrator: Orchestrator, context: Context) -> SupervisorHealth:
    if not await orchestrator.stop_supervisor():
        context.note.say("no supervisor ran")
    return await orchestrator.health()


def _health(context: Context) -> SupervisorHealth:
    return with_orchestrator(context, lambda orchestrator: orchestrator.health())


def _show(health: SupervisorHealth, context: Context) -> None:
    now = time.time()
    if context.out.as_json:
        context.out.document({"supervisor": supervisor_document(health, now)})
    else:
        context.out.line(supervisor_line(health, now, context.out.look))


# --- as a service


def _install(context: Context, *, dry_run: bool) -> ExitCode:
    from orchestrator_core.services.service_unit import Keeper, Outcome, install, service_for

    service = service_for(context.paths, context.environ)
    if dry_run or service.keeper is not Keeper.SYSTEMD:
        problem = (
            "" if dry_run else f"nothing was installed: no systemd runs here, and {service.keeper} is yours to set up"
        )
        outcome = Outcome(service=service, is_changed=False, is_started=False, problem=problem)
        if not context.out.as_json:
            _show_text(service, context, is_plan=True)
        _tell(outcome, context, is_plan=True)
        return ExitCode.REFUSED if problem else ExitCode.DONE
    before = _health(context)
    outcome = install(
        service,
        context.environ,
        make_way=lambda: with_orchestrator(context, lambda orchestrator: orchestrator.stop_supervisor()),
    )
    if not context.out.as_json:
        context.out.line(f"{'written' if outcome.is_changed else 'unchanged'}: {service.path}")
        _show_text(service, context, is_plan=bool(outcome.problem))
    if outcome.is_started:
        with_orchestrator(context, _wait_for_it)
    elif before.running:
        with_orchestrator(context, lambda orchestrator: orchestrator.start_supervisor())
    _tell(outcome, context)
    return ExitCode.FAILED if outcome.problem else ExitCode.DONE


async def _wait_for_it(orchestrator: Orchestrator) -> None:
    """Wait for systemd's, without starting one that would be in its way."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while not (await orchestrator.health()).running:  # noqa: ASYNC110  # a lock of another process
                await asyncio.sleep(STEP_S)


def _uninstall(context: Context) -> ExitCode:
    from orchestrator_core.services.service_unit import service_for, uninstall, unit_path

    before = _health(context)
    outcome = uninstall(service_for(context.paths, context.environ), context.environ)
    if before.running:  # whoever waits for it must not wait in vain
        with_orchestrator(context, lambda orchestrator: orchestrator.start_supervisor())
    if not context.out.as_json:
        context.out.line(
            f"removed: {unit_path(context.environ)}" if outcome.is_changed else "there is no service of tmorch's"
        )
    _tell(outcome, context)
    return ExitCode.FAILED if outcome.problem else ExitCode.DONE


def _show_text(service: Service, context: Context, *, is_plan: bool) -> None:
    where = service.path or "a line of your crontab"
    context.out.lines([f"# {where}", *service.text.splitlines()])
    if is_plan:
        context.out.lines(["", "then:", *(f"  {command}" for command in service.commands)])


def _tell(outcome: Outcome, context: Context, *, is_plan: bool = False) -> None:
    """Say what could not be done, and how it is now."""
    from orchestrator_core.services.service_unit import LINGER

    service = outcome.service
    if not context.out.as_json:
        if outcome.problem:
            context.note.warn(outcome.problem)
        if outcome.is_started and not outcome.problem:
            context.note.say(f"systemd keeps it running while you are logged in; for longer: {LINGER}")
        if not is_plan:
            _show(_health(context), context)
        return
    document = {
        "keeper": service.keeper,
        "path": service.path,
        "text": service.text,
        "commands": list(service.commands),
        "changed": outcome.is_changed,
        "started": outcome.is_started,
        "problem": outcome.problem,
    }
    context.out.document({"supervisor": supervisor_document(_health(context), time.time()), "service": document})
