"""Command lines taken apart, with errors that say what would have been right."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from typing import Any, Never

from orchestrator_core.errors import ExitCode, UsageError

EXIT_CODES = """\
exit codes:
  0 done            1 failed              2 usage
  3 refused: a rule said no, and nothing was changed
  4 not found, or ambiguous               5 timed out, or unconfirmed
  6 a needed program or the tmux server is missing
"""
_MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "usage",
    ExitCode.REFUSED: "refused",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.TIMED_OUT: "timed out or unconfirmed",
    ExitCode.MISSING: "tmux or another program is missing",
}
_NARROWEST, _WIDEST = 40, 100


class HelpAsked(Exception):  # not an error: the person asked for it
    """The command line asks for help; carries the text."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Lays help out for the terminal's width, without the imports argparse needs to find it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_help_width())


class _Help(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> Never:
        raise HelpAsked(parser.format_help())


class Parser(argparse.ArgumentParser):
    """argparse that neither prints nor exits: it raises UsageError and HelpAsked."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"tmorch {command}",
            description=description,
            epilog=exit_line(),
            formatter_class=Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self._command = command
        self.add_argument("-h", "--help", action=_Help, nargs=0, default=argparse.SUPPRESS, help="show this help")

    def error(self, message: str) -> Never:
        """Raise argparse's complaint as a UsageError that shows how the command is used.

        Raises:
            UsageError: always.

        """
        raise UsageError(
            f"{self._command}: {message}",
            cause=" ".join(self.format_usage().split()),
            remedy=f"tmorch help {self._command}",
        )

    def parse_all(self, arguments: Sequence[str], hint: str) -> argparse.Namespace:
        """Parse `arguments`; `hint` is what to do about words that are too many.

        Raises:
            UsageError: something is missing, wrong or too much.
            HelpAsked: `--help` is among them.

        """
        takes_any = any(action.nargs == "*" for action in self._get_positional_actions())
        # Otherwise argparse takes no words behind an option once it has some before it.
        parse = self.parse_known_intermixed_args if takes_any else self.parse_known_args
        parsed, extra = parse(arguments)
        if extra:
            raise self._too_much(extra, hint)
        return parsed

    def _too_much(self, extra: Sequence[str], hint: str) -> UsageError:
        options = [word.partition("=")[0] for word in extra if word.startswith("-") and len(word) > 1]
        if not options:
            words = " ".join(extra)
            return UsageError(
                f"{self._command}: too many words: {words}",
                cause=" ".join(self.format_usage().split()),
                remedy=hint or f"tmorch help {self._command}",
            )
        known = [option for option in self._option_string_actions if option.startswith("--")]
        guess = nearest(options[0], known)
        return UsageError(
            f"{self._command}: no option {options[0]}" + (f"; did you mean {guess}?" if guess else ""),
            cause="its options are " + ", ".join(known),
            remedy=f'text that starts with "-" goes after "--"; more in tmorch help {self._command}',
        )


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the one of `known` that `word` was most likely meant to be, or an empty string."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), "")


def add_json(parser: argparse.ArgumentParser, what: str = "the result") -> None:
    """Give the command its `--json`."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as JSON")


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options: known before the rest of the line is understood."""
    words = list(arguments)
    return "--json" in words[: words.index("--") if "--" in words else None]


def seconds(text: str) -> float:
    """Return a time span from the command line.

    Raises:
        ArgumentTypeError: it is not a number, or below 0.

    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def count(text: str) -> int:
    """Return a whole number from 1 up from the command line.

    Raises:
        ArgumentTypeError: it is something else.

    """
    if not (text.isdecimal() and text.isascii() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)


def comma_list(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the words of `a,b` lists in their order, each once."""
    words = (word.strip() for text in texts for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def exit_line() -> str:
    """Return the exit codes in two lines, for the foot of a command's help."""
    words = [f"{code.value} {meaning}" for code, meaning in _MEANINGS.items()]
    return "exit codes: " + " · ".join(words[:5]) + " ·\n            " + " · ".join(words[5:])


def _help_width() -> int:
    columns = os.environ.get("COLUMNS", "")
    try:
        width = int(columns) if columns else os.get_terminal_size().columns
    except (ValueError, OSError):
        width = 80
    return max(_NARROWEST, min(width, _WIDEST)) - 2
