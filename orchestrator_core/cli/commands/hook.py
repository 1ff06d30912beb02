"""`tmorch hook`: what an agent's hook tells, left for the supervisor."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator_core.cli.context import Context
from orchestrator_core.errors import ExitCode, UsageError

HELP = """\
Leave what a hook of Claude Code tells, as JSON on stdin, for the supervisor.

tmorch gives each agent a settings.json of its own (in `agents` in the state
folder) that does this at every event by a small program that starts quicker;
your own settings are not written to, and your own hooks run besides. What is
told counts only if it comes from the agent's own conversation. It shows in
`tmorch status`, and what matters to you in `tmorch log`. Nothing is printed and
the exit code is 0 even when it cannot be kept: an agent must not stop for that.
"""
TOO_MANY = "name one event; what it tells comes on stdin"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("event", metavar="EVENT", help="as Claude Code calls it: Stop, UserPromptSubmit, ...")
    parser.add_argument("--agent", default="", metavar="AGENT", help="whose hook it is; inside an agent, its own")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Keep what is on stdin.

    Raises:
        UsageError: nobody knows which agent it is about, or there is nothing on stdin.

    """
    from orchestrator_core.agents.claude import agent_settings, hook_program

    agent = args.agent or context.environ.get("TMORCH_AGENT", "")
    if not agent:
        raise UsageError(
            "which agent's hook is it?",
            cause="this is not run by an agent: TMORCH_AGENT is not set",
            remedy=f"as in: tmorch hook {args.event} --agent shop-1a2b:developer",
        )
    if context.stdin.isatty():
        raise UsageError(
            "what the hook tells comes on stdin",
            cause="stdin is a terminal",
            remedy="tmorch help hook says what this is for",
        )
    hook_program.main(agent_settings.hook_words(context.paths.spool, _folder(agent, context), agent, args.event))
    return ExitCode.DONE


def _folder(agent: str, context: Context) -> Path:
    orchestration, _, role = agent.partition(":")
    return context.paths.agents / orchestration / role
