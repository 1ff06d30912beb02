"""Claude Code is asked one question, without the right to change anything; its whole process group ends with that."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from msgspec import Struct

TOOLS = ("Read", "Grep", "Glob")
"""What it may use: these change nothing and run nothing. Outside the project even they are denied."""
GRACE_S = 3.0
"""How long it may take to end when it is told to."""
DRAIN_S = 2.0
MOST_BYTES = 32_000_000
"""So much on its standard output is no answer any more; what it reads is in there too."""
MOST_STDERR = 64_000
_CHUNK = 65536
_OWN = ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT")
"""What a Claude Code that runs us has told us of itself."""


class Question(Struct, frozen=True, kw_only=True):
    """What is asked, where, and what it may cost."""

    command: tuple[str, ...]
    """The program and its first arguments."""
    prompt: str
    schema: Mapping[str, object]
    """The JSON schema of the answer."""
    project: Path
    """The folder it is asked in."""
    environ: Mapping[str, str]
    """The person's."""
    budget_usd: float
    timeout_s: float
    model: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """What came of a question. `returncode` is None when nothing was started."""

    argv: tuple[str, ...]
    stdout: str = ""
    stderr: str = ""
    returncode: int | None = None
    trouble: str = ""
    """Why there can be no answer, in words: it was not started, or was ended."""


async def ask(question: Question, hear: Callable[[str], None]) -> Asked:
    """Ask, and return what came of it; `hear` gets each line of its standard output as it comes.

    Raises nothing for what the program does. Its process group has ended when this returns, or is cancelled.
    """
    program = _program(question)
    if program is None:
        missing = f"Claude Code is not installed: there is no program {question.command[0]!r}"
        return Asked(argv=question.command, trouble=missing)
    argv = (program, *question.command[1:], *flags(question))
    output, errors = _Output(hear), _Output(None)
    returncode: int | None = None
    trouble = ""
    try:
        async with asyncio.timeout(question.timeout_s), _running(question, argv, output, errors) as process:
            returncode = await _ended(process, output)
            trouble = f"it printed more than {MOST_BYTES // 1_000_000} MB" if output.is_full else ""
    except TimeoutError:
        trouble = f"it took longer than {question.timeout_s:g} s"
    except OSError as error:
        trouble = f"Claude Code cannot be run: {error.strerror or error}"
    return Asked(argv=argv, stdout=output.text, stderr=errors.text, returncode=returncode, trouble=trouble)


def flags(question: Question) -> tuple[str, ...]:
    """Return how a question is asked.

    Of the settings only the person's own count: the project's may run programs (hooks, keys, MCP servers), and nobody
    has approved the project yet.
    """
    return (
        *("-p", "--output-format", "stream-json", "--verbose"),
        *("--json-schema", json.dumps(question.schema, separators=(",", ":"))),
        *("--tools", ",".join(TOOLS)),
        *("--permission-mode", "dontAsk"),
        *("--setting-sources", "user", "--strict-mcp-config", "--no-session-persistence"),
        *("--max-budget-usd", f"{question.budget_usd:.15g}"),
        *(("--model", question.model) if question.model else ()),
    )


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the person's environment without what is tmorch's or of a Claude Code around us."""
    return {name: value for name, value in environ.items() if not name.startswith("TMORCH_") and name not in _OWN}


def _program(question: Question) -> str | None:
    found = shutil.which(question.command[0], path=question.environ.get("PATH", os.defpath))
    return os.path.abspath(found) if found else None  # noqa: PTH100  # it runs in another folder


class _Output:
    """What comes out of one stream: lines are told on at once, and no more is kept than there may be."""

    def __init__(self, hear: Callable[[str], None] | None) -> None:
        self._hear = hear
        self._limit = MOST_BYTES if hear else MOST_STDERR
        self._kept = bytearray()
        self._told = 0
        self.overflow = asyncio.Event()

    @property
    def text(self) -> str:
        return self._kept.decode(errors="replace")

    @property
    def is_full(self) -> bool:
        return self.overflow.is_set()

    async def drain(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(_CHUNK):
            searched = len(self._kept)
            self._kept += chunk[: self._limit - searched]
            if searched + len(chunk) > self._limit:
                self.overflow.set()
            if self._hear:
                self._tell(self._hear, searched)

    def _tell(self, hear: Callable[[str], None], searched: int) -> None:
        while (end := self._kept.find(b"\n", max(searched, self._told))) >= 0:
            hear(self._kept[self._told : end].decode(errors="replace"))
            self._told = end + 1


@contextlib.asynccontextmanager
async def _running(
    question: Question, argv: tuple[str, ...], output: _Output, errors: _Output
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it; on leaving, whatever for, its process group is ended and what it has printed is read."""
    with tempfile.TemporaryFile() as given:  # a pipe would block while it does not read
        given.write(question.prompt.encode("utf-8", "replace"))
        given.seek(0)
        async with _drained(output) as out, _drained(errors) as err:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=given,
                    stdout=out,
                    stderr=err,
                    env=environment(question.environ),
                    cwd=question.project,
                    start_new_session=True,
                )
            finally:
                os.close(out)
                os.close(err)
            try:
                yield process
            finally:
                await _end(process)


@contextlib.asynccontextmanager
async def _drained(output: _Output) -> AsyncIterator[int]:
    """Yield the end of a pipe to be written to. Asyncio's own would have us wait for whoever inherited it."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", 0)
    )
    draining = asyncio.create_task(output.drain(reader))
    try:
        yield writing
        await asyncio.wait([draining], timeout=DRAIN_S)
    finally:
        draining.cancel()
        transport.close()
        await asyncio.gather(draining, return_exceptions=True)


async def _ended(process: asyncio.subprocess.Process, output: _Output) -> int | None:
    """Wait until it has ended by itself, or has printed too much: None."""
    ending, overflow = asyncio.create_task(process.wait()), asyncio.create_task(output.overflow.wait())
    try:
        await asyncio.wait([ending, overflow], return_when=asyncio.FIRST_COMPLETED)
        return process.returncode
    finally:
        ending.cancel()
        overflow.cancel()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the group: what the program has started may outlive it."""
    _signal(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
