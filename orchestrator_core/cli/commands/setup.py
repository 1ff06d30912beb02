"""`tmorch setup`: settings, folders and database, and which programs are there."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec import to_builtins

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.parsing import add_json
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator_core.services.setup import Program, SetupReport, SetupStep

HELP = """\
Make the settings file, the state folders and the database where they are
missing, and say which programs are there. What exists is left as it is, so it
is safe to repeat. It exits with 6 when a program is missing that tmorch cannot
do without.
"""
TOO_MANY = "setup takes no words"
_STATES = {"found": "good", "missing": "warn", "too-old": "warn"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add_json(parser, "what was found and made")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Set up, and print what was found and made.

    Raises:
        SettingsError: the settings are wrong, or cannot be written.
        StoreError: the folders or the database cannot be made, or the database was damaged.

    """
    report = context.set_up()
    if args.json:
        context.out.document({"changed": report.changed, **to_builtins(report)})
    else:
        _show(report, context)
    return ExitCode.MISSING if report.lacking else ExitCode.DONE


def _show(report: SetupReport, context: Context) -> None:
    look = context.out.look
    steps = table(
        (Column("SETUP"), Column("STATE"), Column("WHERE", elastic=True)),
        map(_step_row, report.steps),
        width=look.width,
        color=look.color,
    )
    programs = table(
        (Column("PROGRAM"), Column("STATE"), Column("WHAT", elastic=True)),
        map(_program_row, report.programs),
        width=look.width,
        color=look.color,
    )
    context.out.lines([*steps, "", *programs])
    context.out.flush()
    for program in report.programs:
        if program.remedy:
            context.note.warn(f"{program.name}: {program.remedy}")


def _step_row(step: SetupStep) -> tuple[str | Cell, ...]:
    return (step.name, Cell(step.text, "good" if step.changed else ""), step.path)


def _program_row(program: Program) -> tuple[str | Cell, ...]:
    needed = "" if program.is_needed or program.state == "found" else " (can be done without)"
    return (program.name, Cell(program.state.replace("-", " ") + needed, _STATES[program.state]), program.text)
