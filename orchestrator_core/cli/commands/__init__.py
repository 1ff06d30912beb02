"""The commands of tmorch: one module each, imported when it is the one that was named."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from orchestrator_core.cli.context import Context
from orchestrator_core.errors import ExitCode


class Command(Protocol):
    """What the module of a command provides."""

    HELP: str
    """What it does, for `tmorch COMMAND --help`."""
    TOO_MANY: str
    """What to do about words that are too many; may be empty."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""

    def run(self, args: argparse.Namespace, context: Context) -> ExitCode:
        """Do it.

        Raises:
            TmorchError: it could not be done; says why and what to do.

        """


class Entry(NamedTuple):
    """A line of `tmorch --help`."""

    name: str
    summary: str


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "teams",
        (
            Entry("start", "propose a team for a project and a spec, and start it"),
            Entry("plan", "show the team that start would propose; list saved proposals"),
            Entry("list", "list the orchestrations"),
            Entry("status", "show what every agent does, or one of them in detail"),
            Entry("why", "show what an agent's status rests on, or store that it is wrong"),
            Entry("credits", "show how much of the subscription is used, until when, and by whom"),
            Entry("team", "show one team; the roles and types there are; what a project is"),
            Entry("adopt", "make an agent of one that you started by hand"),
            Entry("pause", "have a team wait, or all: nothing is sent to its agents meanwhile"),
            Entry("unpause", "have teams that were paused go on"),
            Entry("resume", "show what is missing of teams, and bring it back; list what is left over"),
            Entry("stop", "end a team's agents; worktrees and branches stay"),
            Entry("cleanup", "remove a stopped team's worktrees and branches, if nothing is lost"),
        ),
    ),
    (
        "messages",
        (
            Entry("send", "send a message to an agent and show the receipt"),
            Entry("needs", "list what needs you: prompts, questions, failures"),
            Entry("answer", "answer an agent's permission prompt or question"),
            Entry("messages", "list the latest messages and their receipts"),
            Entry("log", "show what happened, newest first, or as it happens"),
            Entry("schedule", "set check-ins, messages that come at their time; list and change them"),
            Entry("whoami", "say which agent this pane belongs to"),
        ),
    ),
    (
        "tmorch itself",
        (
            Entry("tui", "open the screen from which everything is watched and steered"),
            Entry("demo", "start a scripted team on a scratch repository, without Claude"),
            Entry("setup", "make folders, settings and database; safe to repeat"),
            Entry("doctor", "check that everything tmorch needs is there"),
            Entry("hook", "leave what a hook of Claude Code tells; the agents' settings do this"),
            Entry("supervisor", "run, start, stop, install or look at the background process"),
        ),
    ),
)

SUMMARIES = {entry.name: entry.summary for _, entries in GROUPS for entry in entries}


def load(name: str) -> Command:
    """Import the module of the command `name`, which is one of `SUMMARIES`."""
    return cast(Command, import_module(f"{__name__}.{name}"))
