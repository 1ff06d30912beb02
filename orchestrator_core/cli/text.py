"""Text for agents from the command line or from stdin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator_core.errors import UsageError

if TYPE_CHECKING:
    from orchestrator_core.cli.context import Context


def readable(text: str, context: Context) -> str:
    """Return `text`, or for "-" what stdin has.

    Raises:
        UsageError: it is not UTF-8.

    """
    if text == "-":
        text = _from_stdin(context)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _not_text(str(error)) from error
    return text


def _from_stdin(context: Context) -> str:
    if context.stdin.isatty():
        context.note.say("type the message; Ctrl-D ends it")
    try:
        return context.stdin.read().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _not_text(str(error)) from error


def _not_text(cause: str) -> UsageError:
    return UsageError("the message is not UTF-8 text", cause=cause, remedy="convert it to UTF-8 first")
