"""`tmorch-tui`: the way in. Says what is wrong on stderr and with tmorch's exit codes."""

from __future__ import annotations

import gc
import os
import sys

from orchestrator_core.errors import ExitCode, TmorchError, UsageError

USAGE = """\
usage: tmorch-tui [--help | --version]

Watch and steer every team of agents from one screen. Leaving it stops no agent.
Inside it, ? shows the help of what has the focus and ctrl+p finds every command.

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


def _run(arguments: list[str]) -> int:
    if arguments:
        raise UsageError(f"unknown argument {arguments[0]!r}", remedy="`tmorch-tui --help` says what there is")
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
    app = TmorchApp(parts.orchestrator, parts.settings, parts.paths)
    live = app.run()
    if live:
        agents = "1 agent goes on" if live == 1 else f"{live} agents go on"
        sys.stdout.write(f"{agents}; tmorch-tui shows {'it' if live == 1 else 'them'} again\n")
    return app.return_code or ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
