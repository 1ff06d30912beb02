"""A tmux process of ours and its pipes.

tmux hands the pipes of its clients to the server. When that hangs, killing the client does not close them: so they are
closed on this side, which asyncio's streams do not let one do. And a server that cannot say its last word to a control
client neither lets it go nor ends (3.3a): so on Linux a control client ends with the process that started it.
"""

from __future__ import annotations

import asyncio
import functools
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Self, cast

from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.transport import child_environment

_STDIN, _STDOUT = 0, 1
_STDERR_BYTES = 64 * 1024
_LEASH = ("setpriv", "--pdeathsig", "TERM")
_LEASH_WAIT_S = 2.0


class Child(asyncio.SubprocessProtocol):
    """A running `tmux`. It is in a session of its own, so that ctrl+c and ctrl+z do not reach it."""

    def __init__(self, on_output: Callable[[bytes], None]) -> None:
        self.stderr = b""
        """What it complained of, the first 64 KiB."""
        self._on_output = on_output
        self._quiet = asyncio.Event()
        self._ended = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def start(
        cls,
        address: ServerAddress,
        arguments: Sequence[str],
        on_output: Callable[[bytes], None],
        *,
        with_input: bool = False,
    ) -> Self:
        """Start `tmux` for `address`; it starts no server.

        Raises:
            MissingProgramError: there is no such program.

        """
        program, *server = address.argv
        if shutil.which(program) is None:
            raise faults.missing(program)
        try:
            _, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(on_output),
                *(_leash() if with_input else ()),
                program,
                "-N",
                "-u",
                *server,
                *arguments,
                stdin=asyncio.subprocess.PIPE if with_input else asyncio.subprocess.DEVNULL,
                env=child_environment(),
                start_new_session=True,
            )
        except FileNotFoundError:
            raise faults.missing(program) from None
        return child

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._transport.get_returncode() if self._transport else None

    def write(self, data: bytes) -> None:
        """Write to its input."""
        if self._transport and (pipe := self._transport.get_pipe_transport(_STDIN)):
            cast(asyncio.WriteTransport, pipe).write(data)

    def end_input(self) -> None:
        """Close its input, which a control client takes as the wish to detach."""
        if self._transport and (pipe := self._transport.get_pipe_transport(_STDIN)):
            pipe.close()

    async def wait_quiet(self) -> None:
        """Wait until nothing more will come from it."""
        await self._quiet.wait()

    async def wait_ended(self) -> None:
        """Wait until it has ended and all that it said is here."""
        await self._ended.wait()

    def kill(self) -> None:
        """End it at once if it runs, and let go of its pipes; nothing more will come from it."""
        self._quiet.set()
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, from asyncio."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take output, from asyncio."""
        if fd != _STDOUT:
            self.stderr = (self.stderr + data)[:_STDERR_BYTES]
        elif not self._quiet.is_set():
            self._on_output(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note the end of the output, from asyncio."""
        if fd == _STDOUT:
            self._quiet.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the process and of its pipes, from asyncio."""
        self._quiet.set()
        self._ended.set()


@functools.cache
def _leash() -> tuple[str, ...]:
    """Return the words before a command that end it with its parent; none where the system has no such program."""
    try:
        subprocess.run((*_LEASH, "true"), capture_output=True, timeout=_LEASH_WAIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return _LEASH
