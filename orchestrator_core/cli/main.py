"""The `tmorch` command: finds the command that was named, runs it, and turns what happened into an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from orchestrator_core.cli.commands import GROUPS, SUMMARIES, load
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.diagnostics import INTERRUPTED, READER_GONE, explained, fault
from orchestrator_core.cli.lean import import_msgspec
from orchestrator_core.cli.parsing import EXIT_CODES, HelpAsked, Parser, nearest
from orchestrator_core.errors import ExitCode, TmorchError, UsageError

ABOUT = "tmorch runs a team of AI coding agents in tmux, and keeps hold of them from one screen."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return what the process exits with."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    import_msgspec()
    return run(arguments, Context.of_process(arguments))


def run(arguments: Sequence[str], context: Context) -> int:
    """Run one command in `context`; no error leaves this function."""
    try:
        code = _guarded(arguments, context)
        context.out.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        context.out.give_up()
        return READER_GONE
    return code


def _guarded(arguments: Sequence[str], context: Context) -> int:
    try:
        return _dispatch(arguments, context)
    except HelpAsked as asked:
        context.out.line(str(asked).rstrip())
        return ExitCode.DONE
    except BrokenPipeError:
        raise
    except Exception as error:  # the edge of the command line: whatever it is, it is explained
        return _report(explained(error) or fault(error, context.paths), context)


def _dispatch(arguments: Sequence[str], context: Context) -> int:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if name in ("-h", "--help", "help"):
        return _help(rest, context)
    if name in ("-V", "--version"):
        return _version(context)
    if not name:
        context.note.say(_overview())
        return ExitCode.USAGE
    _check_known(name)
    command = load(name)
    parser = Parser(name, command.HELP)
    command.add_arguments(parser)
    return command.run(parser.parse_all(rest, command.TOO_MANY), context)


def _report(error: TmorchError, context: Context) -> int:
    if context.out.as_json:
        context.out.document({"error": error.as_dict()})
    else:
        context.note.error(error)
    return error.exit_code


def _check_known(name: str) -> None:
    if name in SUMMARIES:
        return
    if name.startswith("-"):
        raise UsageError(
            f"{name} is no option of tmorch itself",
            cause="the command comes first, then its options",
            remedy="as in: tmorch status --json; more in tmorch --help",
        )
    guess = nearest(name, list(SUMMARIES))
    raise UsageError(
        f"there is no command {name!r}" + (f"; did you mean {guess!r}?" if guess else ""),
        cause="the commands are " + ", ".join(SUMMARIES),
        remedy=f"tmorch help {guess}".rstrip() if guess else "tmorch --help says what each does",
    )


def _help(names: Sequence[str], context: Context) -> int:
    words = [name for name in names if not name.startswith("-")]
    if not words:
        context.out.line(_overview())
        return ExitCode.DONE
    _check_known(words[0])
    if "--json" in names:
        return _schema(words[0], " ".join(name for name in names if name != "--json"), context)
    command = load(words[0])
    parser = Parser(words[0], command.HELP)
    command.add_arguments(parser)
    context.out.line(parser.format_help().rstrip())
    return ExitCode.DONE


def _schema(name: str, form: str, context: Context) -> int:
    """Print the schema of a command, or of one of its forms such as `team roles`."""
    from orchestrator_core.cli.schemas import DOCUMENTS, schema_of

    context.out.document(schema_of(form if form in DOCUMENTS else name))
    return ExitCode.DONE


def _version(context: Context) -> int:
    from orchestrator_core import __version__

    context.out.line(f"tmorch {__version__}")
    return ExitCode.DONE


def _overview() -> str:
    lines = ["usage: tmorch COMMAND [ARGUMENTS]", "", ABOUT]
    for title, entries in GROUPS:
        lines += ["", f"{title}:", *(f"  {entry.name:<12}{entry.summary}" for entry in entries)]
    lines += [
        "",
        "  help COMMAND        what it does and takes; with --json, the schema of its JSON",
        "  --version           which tmorch this is",
        "",
        EXIT_CODES,
        "Listings and actions take --json. stdout is data, stderr is narration. NO_COLOR is respected.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
