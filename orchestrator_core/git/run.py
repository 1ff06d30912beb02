"""Running git: argv lists, a clean environment, a time-out, and errors that keep everything git said."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from msgspec import Struct

from orchestrator_core.errors import GitCommandError, MissingProgramError, TimedOutError

TIMEOUT_S = 30.0
GRACE_S = 2.0
OLDEST_GIT = (2, 31)

KEPT_VARIABLES = re.compile(
    r"GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|(AUTHOR|COMMITTER)_\w+|EXEC_PATH|ASKPASS"
    r"|SSH\w*|SSL\w*|PROXY\w*|HTTP\w*|ALLOW_PROTOCOL|DISCOVERY_ACROSS_FILESYSTEM|CEILING_DIRECTORIES)"
)
"""How a person sets git up. All other `GIT_` variables, as a hook or an alias leaves them, speak of the caller's
own repository, index or pathspecs and must not reach ours."""

ALWAYS = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}

_versions: dict[str, tuple[int, ...]] = {}


class Completed(Struct, frozen=True, kw_only=True):
    """A git command that ended by itself, with whatever exit code."""

    repository: str
    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def line(self) -> str:
        """What it printed, without the last line's end."""
        return self.stdout.removesuffix("\n")

    def error(self) -> GitCommandError:
        """Return the error that tells of it."""
        error = GitCommandError(("git", *self.args), self.returncode, self.stderr, stdout=self.stdout)
        error.cause += f" (in {self.repository})"
        return error


async def git(
    repository: str | Path,
    *args: str,
    timeout: float = TIMEOUT_S,  # noqa: ASYNC109 - the whole process group is ended, not just waited for
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    hooks: bool = False,
) -> str:
    """Run git in `repository` and return what it printed, without the last line's end.

    Nothing of the caller's own `GIT_DIR` and the like reaches git, hooks of the project run only when `hooks`
    is true, and undecodable bytes come and go as surrogate escapes. `timeout` is in seconds.

    Raises:
        GitCommandError: git said no.
        TimedOutError: git, with everything it started, was ended after `timeout`.
        MissingProgramError: there is no git, or it is too old.

    """
    done = await ask_git(repository, *args, timeout=timeout, env=env, stdin=stdin, hooks=hooks)
    if done.returncode:
        raise done.error()
    return done.line


async def ask_git(
    repository: str | Path,
    *args: str,
    timeout: float = TIMEOUT_S,  # noqa: ASYNC109 - as above
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    hooks: bool = False,
) -> Completed:
    """Do as `git` does where the exit code is an answer: return it instead of raising GitCommandError."""
    program = _program()
    await _require(program)
    where = os.path.abspath(repository)  # noqa: PTH100 - Path would resolve or keep "..", as the case may be
    argv = [program, "-c", "core.fsmonitor="]
    argv += [] if hooks else ["-c", f"core.hooksPath={os.devnull}"]
    argv += ["-C", where, *args]
    try:
        returncode, out, err = await _run(argv, {**_environment(), **(env or {})}, _encode(stdin), timeout)
    except TimeoutError:
        raise _took_too_long(args, where, timeout) from None
    return Completed(repository=where, args=args, returncode=returncode, stdout=_decode(out), stderr=_decode(err))


async def git_version() -> tuple[int, ...]:
    """Return the version of git as numbers.

    Raises:
        MissingProgramError: there is no git, or it is older than 2.31.

    """
    program = _program()
    await _require(program)
    return _versions[program]


def displayable(text: str) -> str:
    """Return `text` with undecodable bytes shown as escapes, so that it can be printed and stored."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _program() -> str:
    found = shutil.which("git")
    if not found:
        raise MissingProgramError(
            "git is missing",
            cause="no program named git is on PATH",
            remedy="install git 2.31 or newer",
        )
    return found


async def _require(program: str) -> None:
    if program not in _versions:
        _, out, _ = await _run([program, "version"], _environment(), b"", TIMEOUT_S)
        _versions[program] = check_version(_decode(out))


def check_version(answer: str) -> tuple[int, ...]:
    """Return the numbers in what `git version` answered.

    Raises:
        MissingProgramError: they are older than 2.31, or there are none.

    """
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer)
    version = tuple(int(part) for part in found.groups(default="0")) if found else ()
    if version < OLDEST_GIT:
        raise MissingProgramError(
            "git is too old",
            cause=f"`git version` answers {answer.strip() or 'nothing'!r}",
            remedy="install git 2.31 or newer",
        )
    return version


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or KEPT_VARIABLES.fullmatch(name)
    }
    return {**kept, **ALWAYS}


def _took_too_long(args: tuple[str, ...], where: str, timeout: float) -> TimedOutError:
    return TimedOutError(
        f"git {args[0] if args else ''} took longer than {timeout:g} s",
        cause=f"`{displayable(' '.join(('git', *args)))}` in {displayable(where)} was ended",
        remedy="see whether the disk, a filter or a hook of the project hangs, and try again",
    )


async def _run(
    argv: list[str],
    environ: Mapping[str, str],
    stdin: bytes,
    timeout: float,  # noqa: ASYNC109 - as above
) -> tuple[int, bytes, bytes]:
    with _streams(stdin) as (given, out, err):
        try:
            process = await asyncio.create_subprocess_exec(
                *(_encode(argument) for argument in argv),
                stdin=given,
                stdout=out,
                stderr=err,
                env=environ,
                cwd="/",  # the caller's own folder may be gone
                start_new_session=True,
            )
        except OSError as error:
            raise GitCommandError(tuple(argv), -1, f"it could not be run: {error}") from error
        try:
            returncode = await asyncio.wait_for(process.wait(), timeout)
        except BaseException:
            await _end(process)
            raise
        return returncode, _read(out), _read(err)


@contextlib.contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[IO[bytes], IO[bytes], IO[bytes]]]:
    """Files, not pipes: a background process that a hook leaves behind would hold a pipe open for ever."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        yield given, out, err


def _read(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole group; politely first, so that git removes its lock files."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_S)
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
