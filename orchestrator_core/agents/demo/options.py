"""The demo agent's command line. It takes the options of the real one that tmorch uses, and its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

GATES = ("trust", "bypass", "mcp", "apikey", "auto_nudge", "settings", "login")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options; wrong ones end the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="demo-agent",
        description="A scripted stand-in for a coding agent. It is not a real AI.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version="tmorch demo agent (not a real AI)")
    _add_real_options(parser)
    _add_faults(parser)
    _add_show(parser)
    return parser.parse_args(argv)


def _add_real_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", default=None, help="submitted as soon as the agent is ready")
    parser.add_argument("--session-id", default="", help="the id of the conversation")
    parser.add_argument("--resume", default="", metavar="ID", help="go on with a conversation that was kept")
    parser.add_argument("--settings", default="", metavar="FILE|JSON", help="hooks and the status line")
    parser.add_argument("--permission-mode", default="manual", help="shown in the footer")
    parser.add_argument("-n", "--name", default="", help="shown on the prompt box")


def _add_faults(parser: argparse.ArgumentParser) -> None:
    faults = parser.add_argument_group("for tests")
    faults.add_argument("--record", default="", metavar="FILE", help="append each submission as a JSON line")
    faults.add_argument("--trace", default="", metavar="FILE", help="append answers, interrupts and joined turns")
    faults.add_argument("--control", default="", metavar="FILE", help="obey JSON lines appended to a file or FIFO")
    faults.add_argument(
        "--gates", type=_gates, default=(), metavar="LIST", help=f"start-up dialogs: {', '.join(GATES)}"
    )
    faults.add_argument("--ready-after", type=float, default=0.5, metavar="S", help="until then an Enter is lost")
    faults.add_argument("--think", type=float, default=0.3, metavar="S", help="how long an answer takes")
    faults.add_argument("--swallow-enter", type=int, default=0, metavar="N", help="lose the first N Enters")
    faults.add_argument("--no-session-file", action="store_true", help="say nothing in Claude Code's sessions folder")
    faults.add_argument("--notify-scale", type=float, default=1.0, metavar="X", help="notify X times as late")
    faults.add_argument("--no-alternate-screen", action="store_true", help="scroll like a plain program")


def _add_show(parser: argparse.ArgumentParser) -> None:
    show = parser.add_argument_group("for the show")
    show.add_argument("--role", default="", help="play this role of a team")
    show.add_argument("--team", type=_words, default=(), metavar="LIST", help="the roles of the team")
    show.add_argument("--seed", type=int, default=0, help="the same number gives the same behaviour")
    show.add_argument("--limit-after", type=float, default=0.0, metavar="S", help="when it hits a usage limit")
    show.add_argument("--limit-for", type=float, default=0.0, metavar="S", help="how long that lasts; 0 is never")
    show.add_argument("--speed", type=float, default=1.0, help="how fast it acts: 2 is twice as fast")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _gates(text: str) -> tuple[str, ...]:
    words = _words(text)
    unknown = [word for word in words if word not in GATES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(GATES)}")
    return words
