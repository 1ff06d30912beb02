"""Talking to tmux with one `tmux` process a call: for commands that run once and end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from msgspec import Struct

from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.child import Child
from orchestrator_core.tmux.protocol import Reply
from orchestrator_core.tmux.quoting import process_arguments
from orchestrator_core.tmux.transport import BRANCHES, DEFAULT_TIMEOUT_S, printed

CLOSING_S = 0.02
"""A server that ends may hang up a moment before it stops listening."""


class Finished(Struct, frozen=True, kw_only=True):
    """A process that ended."""

    returncode: int
    stdout: str
    stderr: str


class ProcessTransport:
    """Runs commands by starting `tmux`. Never starts a server."""

    def __init__(self, address: ServerAddress, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def command(self, *argv: str) -> list[str]:
        """Run one command; see `Transport`."""
        (reply,) = await self.pipeline([argv])
        return printed(argv, reply)

    async def pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Run `commands` with as few processes as give each its own reply; see `Transport`."""
        replies: list[Reply] = []
        while len(replies) < len(commands):
            replies += await self._run(_batch(commands[len(replies) :]), len(replies))
        return replies

    async def _run(self, batch: Sequence[Sequence[str]], first: int) -> list[Reply]:
        """Run `batch` and return the replies up to the first that failed, which ends a process."""
        mark = f"tmorch-{secrets.token_hex(8)}"
        marked = [part for argv in batch for part in (argv, ("display-message", "-p", mark))]
        done = await run_tmux(self._address, process_arguments(marked), self._timeout_s)
        replies: list[Reply] = []
        lines: list[str] = []
        for line in done.stdout.split("\n")[:-1]:
            if line != mark:
                lines.append(line)
                continue
            replies.append(Reply(number=first + len(replies), ok=True, lines=tuple(lines)))
            lines = []
        if done.returncode and batch[0][0] == BRANCHES:
            replies.clear()  # the command that the branch ran failed
        if done.returncode and len(replies) < len(batch):
            said = tuple(done.stderr.splitlines())
            replies.append(Reply(number=first + len(replies), ok=False, lines=said))
        return replies


def _batch(commands: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the leading commands that can share a process: what a branch runs fails without ending it."""
    if commands[0][0] == BRANCHES:
        return commands[:1]
    count = next((i for i, argv in enumerate(commands) if argv[0] == BRANCHES), len(commands))
    return commands[:count]


async def run_tmux(address: ServerAddress, arguments: Sequence[str], timeout_s: float) -> Finished:
    """Run `tmux` with `arguments` and return what it said.

    Raises:
        MissingProgramError: there is no such program.
        TmuxGoneError: no server runs.
        TimedOutError: the server did not answer in time.
        TmuxCommandError: the server hung up; any other answer is for the caller to judge.

    """
    stdout = bytearray()
    child = await Child.start(address, arguments, stdout.extend)
    try:
        async with asyncio.timeout(timeout_s):
            await child.wait_ended()
    except TimeoutError:
        raise faults.wedged(address.socket_path, timeout_s) from None
    finally:
        child.kill()
    said = child.stderr.decode(errors="replace")
    if child.returncode and faults.says_no_server(said):
        await asyncio.sleep(CLOSING_S)
        raise faults.hung_up(arguments, said) if address.is_listening() else faults.gone(address.socket_path)
    return Finished(returncode=child.returncode or 0, stdout=stdout.decode(errors="replace"), stderr=said.rstrip("\n"))
