"""`tmorch answer`: the person's answer to a dialog that an agent shows."""

from __future__ import annotations

import argparse

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.facade import with_orchestrator
from orchestrator_core.cli.output import printable
from orchestrator_core.cli.parsing import add_json, seconds
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.need import Answer, AnswerState

HELP = """\
Answer the permission prompt, question or start-up dialog that an agent shows
now. CHOICE is `approve` (the plain yes, never "don't ask again"), `deny`, the
number of a choice, or its words or how they alone begin. It is given only if
that very dialog is still there, and nothing is pressed otherwise. What takes
typing or several marks is answered at the agent's own window.
"""
TOO_MANY = "put a choice of several words in quotes"
WAIT_S = 10.0
EXIT_CODES = {
    AnswerState.GIVEN: ExitCode.DONE,
    AnswerState.REFUSED: ExitCode.REFUSED,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", help="the agent")
    parser.add_argument("choice", metavar="CHOICE", help="approve, deny, a number, or a choice's words")
    parser.add_argument("--fingerprint", default="", metavar="F", help="of the need that is meant (see needs --json)")
    parser.add_argument("--wait", type=seconds, default=WAIT_S, metavar="SECONDS", help="how long to wait for it (10)")
    add_json(parser, "what became of it")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Give the answer, and say what became of it.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.
        RefusedError: no dialog is known to be open, or this is an agent's own pane.

    """
    answer = with_orchestrator(
        context,
        lambda orchestrator: orchestrator.answer(
            args.target, args.choice, fingerprint=args.fingerprint, wait_s=args.wait
        ),
    )
    reason = _reason(answer)
    if context.out.as_json:
        context.out.document({"id": answer.id, "agent": answer.agent, "state": answer.state, "reason": reason})
    else:
        context.out.line(f"{answer.state}: “{printable(answer.choice)}” to {printable(answer.agent)}")
        context.out.flush()
        if reason:
            context.note.say(f"{answer.state}: {printable(reason)}")
    return EXIT_CODES.get(answer.state, ExitCode.TIMED_OUT)


def _reason(answer: Answer) -> str:
    if answer.state.is_final:
        return answer.reason
    return "it has not been given yet; within a minute it is, to that very dialog, or it is refused"
