"""`tmorch-tui`: the way in. Says what is wrong on stderr and with tmorch's exit codes."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from orchestrator_core.errors import ExitCode, TmorchError, UsageError

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator
    from tui.opening import Opening

USAGE = """\
usage: tmorch-tui [--new | --proposal N] [--help | --version]

Watch and steer every team of agents from one screen. Leaving it stops no agent.
Inside it, ? shows the help of what has the focus and ctrl+p finds every command.

  --new          begin with the form for a new team
  --proposal N   begin with the saved proposal N, to approve it; `tmorch plan --save` saves one
                 with --read, Claude reads its spec at once

Settings are in config.toml below $XDG_CONFIG_HOME/tmorch; TMORCH_STATE and TMORCH_CONFIG name other places.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the app and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--help"], ["-h"]):
        sys.stdout.write(USAGE)
        return ExitCode.DONE
    if arguments == ["--version"]:
        from orchestrator_core import __version__

        sys.stdout.write(f"tmorch-tui {__version__}\n")
        return ExitCode.DONE
    try:
        return _run(arguments)
    except TmorchError as error:
        for line in (f"tmorch-tui: {error.title}", error.cause, error.remedy):
            if line:
                sys.stderr.write(line + "\n")
        return error.exit_code
    finally:
        gc.enable()


class Arguments(NamedTuple):
    """What the app is to begin with."""

    new_team: bool = False
    proposal: int = 0
    is_errand: bool = False
    by_claude: bool = False


def read_arguments(words: list[str]) -> Arguments:
    """Return what the command line says.

    Raises:
        UsageError: it says nothing that is known, or what does not go together.

    """
    found = Arguments()
    rest = iter(words)
    for word in rest:
        match word:
            case "--new":
                found = found._replace(new_team=True)
            case "--proposal":
                found = found._replace(proposal=_number(next(rest, "")))
            case "--start":  # said by `tmorch start` alone
                found = found._replace(is_errand=True)
            case "--read":
                found = found._replace(by_claude=True)
            case _:
                raise UsageError(f"unknown argument {word!r}", remedy="`tmorch-tui --help` says what there is")
    if found.new_team and found.proposal:
        raise UsageError("--new and --proposal do not go together", remedy="name one of them")
    if (found.is_errand or found.by_claude) and not found.proposal:
        raise UsageError("--read and --start are about a proposal", remedy="name it: --proposal N")
    return found


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**63:
        return int(text)
    raise UsageError(
        f"{text!r} is not the number of a proposal" if text else "--proposal needs a number",
        remedy="`tmorch plan --save` prints the number of what it has saved",
    )


def _opening(wanted: Arguments, orchestrator: Orchestrator) -> Opening:
    """Return what stands over the main screen at first; what cannot be opened is said before there is a screen."""
    import asyncio

    from orchestrator_core.models.launch import Proposal, ProposalId
    from tui.opening import Opening

    if not wanted.proposal:
        return Opening(new_team=wanted.new_team)

    async def read() -> Proposal:
        return await proposals.renewed(await proposals.load(ProposalId(wanted.proposal)))

    proposals = orchestrator.proposals
    return Opening(proposal=asyncio.run(read()), is_errand=wanted.is_errand, by_claude=wanted.by_claude)


def _run(arguments: list[str]) -> int:
    wanted = read_arguments(arguments)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "tmorch-tui needs a terminal",
            cause="its input or output is not one",
            remedy="`tmorch status` shows the same without a screen",
        )
    gc.disable()  # start-up makes much and drops little; the app turns it on again after its first picture
    from orchestrator_core.bootstrap import front_end
    from tui.app import TmorchApp

    parts = front_end(os.environ)
    app = TmorchApp(parts.orchestrator, parts.settings, parts.paths, opening=_opening(wanted, parts.orchestrator))
    live = app.run()
    if app.last_words:
        sys.stderr.write("".join(f"{words}\n" for words in app.last_words))
        return ExitCode.REFUSED
    if live:
        agents = "1 agent goes on" if live == 1 else f"{live} agents go on"
        sys.stdout.write(f"{agents}; tmorch-tui shows {'it' if live == 1 else 'them'} again\n")
    return app.return_code or ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
