"""Every error tmorch raises on purpose.

TmorchError
 ├── UsageError            2  the command line or a setting is wrong
 │    └── SettingsError       a settings file cannot be used
 ├── RefusedError          3  a rule said no; nothing was changed
 ├── NotFoundError         4  no such thing, or more than one
 ├── TimedOutError         5  it did not happen in time, or nobody can know
 ├── MissingProgramError   6  a needed program is missing or too old
 │    └── TmuxGoneError       the tmux server is not there
 ├── TmuxCommandError      1  tmux answered with an error
 ├── GitCommandError       1  git answered with an error
 └── StoreError            1  the database cannot be used
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a `tmorch` command exits with, the same everywhere."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    TIMED_OUT = 5
    MISSING = 6


class TmorchError(Exception):
    """Something went wrong in a way tmorch can explain.

    `title` says what happened in one line, `cause` why, `remedy` what the person can do. `code` is a stable
    word for scripts.
    """

    exit_code: ExitCode = ExitCode.FAILED
    code: str = "failed"

    def __init__(self, title: str, *, cause: str = "", remedy: str = "", code: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.cause = cause
        self.remedy = remedy
        if code:
            self.code = code

    def as_dict(self) -> dict[str, str]:
        """Return the `error` object of `--json` output."""
        return {"title": self.title, "cause": self.cause, "remedy": self.remedy, "code": self.code}


class UsageError(TmorchError):
    """The command line or a value in it is wrong."""

    exit_code = ExitCode.USAGE
    code = "usage"


class SettingsError(UsageError):
    """A settings file has an unknown key, a wrong value, or is not TOML."""

    code = "settings"


class RefusedError(TmorchError):
    """A rule said no, and nothing was changed."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class NotFoundError(TmorchError):
    """No such target, or more than one; `candidates` are the names that would have been unambiguous."""

    exit_code = ExitCode.NOT_FOUND
    code = "not-found"

    def __init__(
        self,
        title: str,
        *,
        cause: str = "",
        remedy: str = "",
        code: str = "",
        candidates: tuple[str, ...] = (),
    ) -> None:
        super().__init__(title, cause=cause, remedy=remedy, code=code)
        self.candidates = candidates


class TimedOutError(TmorchError):
    """It did not happen in the time given, or nobody can know whether it did."""

    exit_code = ExitCode.TIMED_OUT
    code = "timed-out"


class MissingProgramError(TmorchError):
    """A program tmorch needs is not on PATH, or too old."""

    exit_code = ExitCode.MISSING
    code = "missing-program"


class TmuxGoneError(MissingProgramError):
    """The tmux server is not running, or went away."""

    code = "tmux-gone"


class CommandError(TmorchError):
    """A program answered with an error; everything it said is kept."""

    code = "command-failed"

    def __init__(self, argv: tuple[str, ...], returncode: int, stderr: str, *, stdout: str = "") -> None:
        last_words = stderr.strip() or stdout.strip() or "it said nothing"
        super().__init__(f"{' '.join(argv[:3])} failed", cause=f"exit code {returncode}: {last_words}")
        self.argv = argv
        self.returncode = returncode
        self.stderr = stderr
        self.stdout = stdout


class TmuxCommandError(CommandError):
    """tmux answered with an error."""

    code = "tmux-command"


class GitCommandError(CommandError):
    """Git answered with an error."""

    code = "git-command"


class StoreError(TmorchError):
    """The database cannot be used."""

    code = "store"
