"""`tmorch needs`: what needs the person, oldest first."""

from __future__ import annotations

import argparse
import time

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.documents import need_document
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.fleet_view import age
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.errors import ExitCode, NotFoundError
from orchestrator_core.models.need import Need, NeedKind

HELP = """\
List what needs you, oldest first: permission prompts with the exact command,
questions with their choices, start-up dialogs, errors that ended a turn,
messages that were refused or are unconfirmed, agents that exited or failed,
agents that may be stuck, check-ins that could not fire, usage limits and
budgets that run out.
--dismiss takes one off the list, and nothing else is changed by it.
"""
TOO_MANY = "needs takes no words; --dismiss KEY takes one off the list"
_STYLES = {
    **dict.fromkeys((NeedKind.FAILED, NeedKind.ERROR, NeedKind.REFUSED, NeedKind.MISSED), "bad"),
    **dict.fromkeys((NeedKind.EXITED, NeedKind.STUCK, NeedKind.LIMITED, NeedKind.BUDGET), "warn"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("--dismiss", default="", metavar="KEY", help="take this one off the list")
    add_json(parser, "the list")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Print what needs the person, after dismissing what is to be dismissed.

    Raises:
        NotFoundError: nothing on the list has that key.

    """
    with Calls(context) as call:
        if args.dismiss and not call(lambda orchestrator: orchestrator.dismiss(args.dismiss)):
            known = tuple(need.key for need in call(lambda orchestrator: orchestrator.needs()))
            raise NotFoundError(
                f"nothing on the list has the key {args.dismiss!r}",
                cause="the keys are: " + ", ".join(known) if known else "nothing needs you",
                remedy="tmorch needs --json shows the keys",
                candidates=known,
            )
        needs = call(lambda orchestrator: orchestrator.needs())
    if context.out.as_json:
        context.out.document({"needs": [need_document(need) for need in needs]})
        return ExitCode.DONE
    context.out.lines(_lines(needs, context))
    if not needs:
        context.note.say("nothing needs you")
    return ExitCode.DONE


def _lines(needs: tuple[Need, ...], context: Context) -> list[str]:
    columns = (
        Column("AGE", right=True),
        Column("AGENT"),
        Column("KIND"),
        Column("WHAT", elastic=True),
        Column("TO DO", elastic=True),
    )
    now = time.time()
    rows = (
        (
            age(now - need.since),
            need.agent,
            Cell(need.kind, _STYLES.get(need.kind, "info")),
            _what(need),
            _to_do(need),
        )
        for need in needs
    )
    return table(columns, rows, width=context.out.look.width, color=context.out.look.color)


def _what(need: Need) -> str:
    choices = "  ".join(f"{choice.key} {choice.label}".strip() for choice in need.choices)
    return f"{need.detail}  [{choices}]" if choices and need.kind is not NeedKind.PERMISSION else need.detail


def _to_do(need: Need) -> str:
    if need.kind is NeedKind.PERMISSION and need.fingerprint:
        return f"tmorch answer {need.agent} approve|deny"
    if need.kind.is_answerable and need.choices:
        return f"tmorch answer {need.agent} CHOICE"
    if need.kind in (NeedKind.PERMISSION, NeedKind.QUESTION, NeedKind.GATE, NeedKind.DIALOG):
        return "attach and answer there"
    if need.kind is NeedKind.STUCK:
        return f"tmorch send {need.agent} TEXT, or --dismiss {need.key}"
    if need.kind is NeedKind.BUDGET:
        return f"raise it in [budget] of the settings, or --dismiss {need.key}"
    return f"tmorch needs --dismiss {need.key}"
