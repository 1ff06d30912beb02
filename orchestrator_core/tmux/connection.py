"""One life of a control client: one `tmux -C` process, its commands in flight, and its notifications."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

from orchestrator_core.models.ids import SessionId
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.protocol import ControlParser, Event, Notification, Reply
from orchestrator_core.tmux.quoting import command_line
from orchestrator_core.tmux.transport import BRANCHES, child_environment

READ_BYTES = 256 * 1024
LINE_LIMIT = 4 * 1024 * 1024
GRACE_S = 1.0
_OUT_OF_STEP = frozenset({"end", "error"})
"""Guards outside of a reply: we and tmux no longer agree on what answers what."""


class Exchange:
    """Commands that were written together, and their replies as they come."""

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self._replies: list[Reply] = []
        self._count = count

    def add(self, reply: Reply) -> None:
        """Take the next command's reply."""
        self._replies.append(reply)
        if len(self._replies) == self._count and not self.done.done():
            self.done.set_result(self._replies)

    def break_off(self) -> None:
        """Nothing more will come."""
        if not self.done.done():
            self.done.set_exception(ConnectionResetError())
            self.done.exception()  # a command that nobody waits for any more is no news


class Slot:
    """One command in flight. A command that runs another one answers twice: then a fence ends its replies."""

    def __init__(self, exchange: Exchange, fence: str = "") -> None:
        self.exchange = exchange
        self._fence = fence
        self._parts: list[Reply] = []

    def take(self, reply: Reply) -> bool:
        """Take a reply, and say whether it was the last one for this command."""
        if not self._fence:
            self.exchange.add(reply)
            return True
        if reply.lines != (self._fence,):
            self._parts.append(reply)
            return False
        lines = tuple(line for part in self._parts for line in part.lines)
        self.exchange.add(Reply(number=reply.number, ok=all(part.ok for part in self._parts), lines=lines))
        return True


class Connection:
    """An attached control client. Made by `open`; useless once `serve` has returned."""

    def __init__(self, process: asyncio.subprocess.Process, listener: Callable[[Notification], None]) -> None:
        self._process = process
        self._listener = listener
        self._parser = ControlParser()
        self._slots: deque[Slot] = deque()
        self._is_open = False

    @classmethod
    async def open(
        cls,
        address: ServerAddress,
        session: SessionId,
        flags: Sequence[str],
        listener: Callable[[Notification], None],
        timeout_s: float,
    ) -> Self:
        """Attach to `session` with the client `flags`.

        Raises:
            MissingProgramError: there is no tmux.
            TmuxCommandError: tmux would not attach.
            TimedOutError: the server did not answer in time.

        """
        argv = ("attach-session", "-E", "-f", ",".join(flags), "-t", session)
        connection = cls(await _start(address, argv), listener)
        try:
            async with asyncio.timeout(timeout_s):
                refusal = await connection._greeting()
        except TimeoutError:
            await connection.close()
            raise faults.wedged(address.socket_path, timeout_s) from None
        except BaseException:
            await connection.close()
            raise
        if refusal is not None:
            await connection.close()
            raise faults.command_failed(argv, refusal)
        connection._is_open = True
        return connection

    async def _greeting(self) -> str | None:
        """Swallow the reply to the attaching itself, which nobody asked for; return why it was refused."""
        while data := await self._read():
            events = self._parser.feed(data)
            for index, event in enumerate(events):
                if isinstance(event, Reply):
                    self._take(events[index + 1 :])
                    return None if event.ok else "\n".join(event.lines)
        assert self._process.stderr
        return (await self._process.stderr.read()).decode(errors="replace").strip() or "it ended at once"

    async def serve(self) -> None:
        """Read until the client ends; call `close` afterwards."""
        while data := await self._read():
            self._take(self._parser.feed(data))

    async def pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Write `commands` at once and return a reply for each.

        Raises:
            ConnectionResetError: the client ended before all of them were answered.
            ValueError: a command cannot be written.

        """
        return await self.submit(commands).done

    def submit(self, commands: Sequence[Sequence[str]]) -> Exchange:
        """Write `commands` at once, without waiting; see `pipeline`."""
        lines, fences = [], []
        for argv in commands:
            lines.append(command_line(argv))
            fences.append(f"tmorch-{secrets.token_hex(8)}" if argv[0] == BRANCHES else "")
            if fences[-1]:
                lines.append(command_line(("display-message", "-p", fences[-1])))
        data = "".join(f"{line}\n" for line in lines).encode()
        exchange = Exchange(len(fences))
        if not self._is_open or self._process.stdin is None:
            exchange.break_off()
            return exchange
        self._slots.extend(Slot(exchange, fence) for fence in fences)
        self._process.stdin.write(data)
        return exchange

    def abandon(self) -> None:
        """End the client at once, whatever it waits for; `serve` returns."""
        self._is_open = False
        if self._process.returncode is None:
            self._process.kill()

    async def close(self) -> None:
        """Detach, and end the process if it does not end by itself. Commands in flight are broken off."""
        self._is_open = False
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_S):
                await self._drained()
        except TimeoutError:
            pass
        finally:
            self.abandon()
            while self._slots:
                self._slots.popleft().exchange.break_off()
        await self._process.wait()

    async def _drained(self) -> None:
        while await self._read():
            pass
        await self._process.wait()

    async def _read(self) -> bytes:
        assert self._process.stdout
        return await self._process.stdout.read(READ_BYTES)

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Reply):
                if event.solicited:
                    self._answer(event)
            elif event.name in _OUT_OF_STEP:
                self.abandon()
            else:
                self._is_open = self._is_open and event.name != "exit"
                self._listener(event)

    def _answer(self, reply: Reply) -> None:
        if not self._slots:
            self.abandon()
        elif self._slots[0].take(reply):
            self._slots.popleft()


async def _start(address: ServerAddress, argv: Sequence[str]) -> asyncio.subprocess.Process:
    program, *server = address.argv
    try:
        return await asyncio.create_subprocess_exec(
            program,
            "-N",
            "-u",
            *server,
            "-C",
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            env=child_environment(),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise faults.missing(program) from None
