"""Asking the person, where there is one to ask."""

from __future__ import annotations

from orchestrator_core.cli.context import Context
from orchestrator_core.errors import RefusedError


def require_answerable(context: Context, *, yes: bool, act: str) -> None:
    """Make sure that a question can be answered, before anything is made.

    Raises:
        RefusedError: there is neither a person at a terminal nor `--yes`.

    """
    if yes or context.interactive:
        return
    raise RefusedError(
        f"{act} needs a yes, and nobody can be asked",
        cause="stdin and stdout are not both a terminal",
        remedy="add --yes to approve it beforehand",
        code="needs-yes",
    )


def require_yes(context: Context, question: str, *, yes: bool, act: str) -> None:
    """Ask unless `yes`; anything but a yes counts as no.

    Raises:
        RefusedError: nobody can be asked, or the answer was no.

    """
    require_answerable(context, yes=yes, act=act)
    if yes:
        return
    context.note.ask(f"{question} [y/N]")
    if context.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RefusedError(f"{act} was not approved", cause="the answer was no", code="declined")
