"""`tmorch cleanup`: removes a stopped team's worktrees and branches, and says where everything is kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import to_builtins

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import Calls
from orchestrator_core.cli.parsing import add_json, comma_list
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.errors import ExitCode, RefusedError
from orchestrator_core.models.ids import OrchestrationId

if TYPE_CHECKING:
    from orchestrator_core.cli.output import Look
    from orchestrator_core.models.branch import CleanupResult, Removal
    from orchestrator_core.models.project import WorkAtRisk

HELP = """\
Remove the worktrees and branches of a stopped team. It refuses while that
would lose work: uncommitted, unmerged or unpushed. Name a role with --force,
and its work goes too. Whatever goes is kept in the project's repository, below
refs/tmorch/trash/.
"""
TOO_MANY = "cleanup takes the ID of one team; tmorch list shows them"
AT_RISK = "work-at-risk"
"""The code of the refusal that is explained by a table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("id", metavar="ID", help="the orchestration, as in shop-3f2a")
    parser.add_argument(
        "--force", metavar="ROLE", nargs="+", action="extend", default=[], help="roles whose work may go"
    )
    add_json(parser, "what became of each role")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Clean up, and print what became of each role.

    Raises:
        RefusedError: work would be lost that is not named, or the team runs; nothing was changed.
        NotFoundError: there is no such team or role.

    """
    name = OrchestrationId(args.id)
    force = comma_list(args.force)
    with Calls(context) as call:
        try:
            result = call(lambda orchestrator: orchestrator.cleanup(name, force=force))
        except RefusedError as refusal:
            if context.out.as_json or refusal.code != AT_RISK:
                raise
            risks = call(lambda orchestrator: orchestrator.work_at_risk(name))
            context.note.say_all([*_risk_lines(risks, context.note.look), ""])
            raise RefusedError(refusal.title, remedy=refusal.remedy, code=refusal.code) from refusal
    _show(result, context)
    return ExitCode.FAILED if result.left else ExitCode.DONE


def _risk_lines(risks: Sequence[WorkAtRisk], look: Look) -> list[str]:
    columns = (
        Column("ROLE"),
        Column("UNCOMMITTED", right=True),
        Column("UNMERGED", right=True),
        Column("UNPUSHED", right=True),
        Column("TO KNOW", elastic=True),
        Column("FILES", elastic=True),
    )
    return table(columns, map(_risk_row, risks), width=look.width, color=look.color)


def _risk_row(risk: WorkAtRisk) -> tuple[str | Cell, ...]:
    against = [*risk.hindrances, *(f"{program} runs in it" for program in risk.live)]
    if risk.operation:
        against.append(f"in the middle of a {risk.operation}")
    against += risk.notes
    return (
        Cell(risk.name, "dim" if risk.is_clean else "strong"),
        str(risk.dirty_count or ""),
        str(risk.unmerged or ""),
        str(risk.unpushed or ""),
        Cell("; ".join(against), "warn"),
        ", ".join(risk.dirty),
    )


def _show(result: CleanupResult, context: Context) -> None:
    if context.out.as_json:
        removals = [to_builtins(removal) for removal in result.removals]
        context.out.document({"id": result.orchestration, "state": result.state, "removals": removals})
        return
    look = context.out.look
    columns = (Column("ROLE"), Column("STATE"), Column("KEPT AS"), Column("WHY", elastic=True))
    context.out.lines(table(columns, map(_row, result.removals), width=look.width, color=look.color))
    context.out.flush()
    for removal in result.removals:
        _narrate(removal, context)
    if any(removal.ref for removal in result.removals):
        context.note.say("bring something back, in the project: git checkout REF -- .   or: git branch NAME REF^")


def _row(removal: Removal) -> tuple[str | Cell, ...]:
    state = Cell("removed", "good") if removal.removed else Cell("stays", "warn")
    return (removal.role, state, removal.ref, removal.reason)


def _narrate(removal: Removal, context: Context) -> None:
    if removal.not_kept_count:
        names = ", ".join(removal.not_kept)
        more = removal.not_kept_count - len(removal.not_kept)
        context.note.warn(
            f"{removal.role}: ignored files went with the folder: {names}" + (f" and {more} more" if more else "")
        )
    if removal.remedy:
        context.note.warn(f"{removal.role}: {removal.remedy}")
