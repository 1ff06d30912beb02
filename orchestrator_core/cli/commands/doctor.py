"""`tmorch doctor`: looks at everything tmorch needs, and says what to do about the rest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import to_builtins

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator_core.services.doctor import Check

HELP = """\
Check that everything tmorch needs is there and in order, and say what to do
about the rest. It only looks. It exits with 6 when a program is missing, with 1
when something else has failed; warnings are no failure.
"""
TOO_MANY = "doctor takes no words"
FAIL = "fail"
_LOOKS = {"ok": ("✔", "good"), "warn": ("!", "warn"), FAIL: ("✘", "bad")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_json(parser, "the checks")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Examine, and print how each check went."""
    checks = context.examine()
    failed = [check for check in checks if check.result == FAIL]
    if args.json:
        context.out.document({"ok": not failed, "checks": to_builtins(checks)})
    else:
        _show(checks, context)
    if any(check.is_program for check in failed):
        return ExitCode.MISSING
    return ExitCode.FAILED if failed else ExitCode.DONE


def _show(checks: Sequence[Check], context: Context) -> None:
    look = context.out.look
    columns = (Column(""), Column("CHECK"), Column("FOUND", elastic=True))
    rows = [(Cell(*_LOOKS[check.result]), check.name, check.text) for check in checks]
    context.out.lines(table(columns, rows, width=look.width, color=look.color))
    context.out.flush()
    for check in checks:
        if check.remedy:
            context.note.step(*_LOOKS[check.result], f"{check.name}: {check.remedy}")
