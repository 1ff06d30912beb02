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
from orchestrator_core.tmux.child import Child
from orchestrator_core.tmux.protocol import ControlParser, Event, Notification, Reply
from orchestrator_core.tmux.quoting import command_line
from orchestrator_core.tmux.transport import BRANCHES

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

    def break_off(self, error: ConnectionError) -> None:
        """Nothing more will come."""
        if not self.done.done():
            self.done.set_exception(error)
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

    def __init__(self, listener: Callable[[Notification], None]) -> None:
        self.is_open = False
        """Commands can be written: tmux has neither refused us nor told us to go."""
        self._listener = listener
        self._parser = ControlParser()
        self._slots: deque[Slot] = deque()
        self._greeted: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._child: Child | None = None

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
        connection = cls(listener)
        connection._child = await Child.start(address, ("-C", *argv), connection._read, with_input=True)
        try:
            async with asyncio.timeout(timeout_s):
                refusal = await connection._greeting(connection._child)
            connection.is_open = not refusal
        except TimeoutError:
            raise faults.wedged(address.socket_path, timeout_s) from None
        finally:
            if not connection.is_open:
                await connection.close()
        if refusal:
            raise faults.command_failed(argv, refusal)
        return connection

    async def _greeting(self, child: Child) -> str:
        """Return why tmux refused; empty when it did not."""
        ended = asyncio.ensure_future(child.wait_quiet())
        try:
            await asyncio.wait((self._greeted, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not self._greeted.done():
            return child.stderr.decode(errors="replace").strip() or "it ended at once"
        greeting = self._greeted.result()
        return "" if greeting.ok else "\n".join(greeting.lines) or "it gave no reason"

    async def serve(self) -> None:
        """Wait until the client ends; call `close` afterwards."""
        if self._child:
            await self._child.wait_quiet()

    async def pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Write `commands` at once and return a reply for each.

        Raises:
            ConnectionResetError: the client ended before all of them were answered.
            ConnectionAbortedError: it had ended before; nothing was written.
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
        if self._child is None or not self.is_open:
            exchange.break_off(ConnectionAbortedError())
            return exchange
        self._slots.extend(Slot(exchange, fence) for fence in fences)
        self._child.write(data)
        return exchange

    def abandon(self) -> None:
        """End the client at once, whatever it waits for; `serve` returns."""
        self.is_open = False
        if self._child:
            self._child.kill()

    async def close(self) -> None:
        """Detach, and end the process if it does not end by itself. Commands in flight are broken off."""
        self.is_open = False
        if self._child is None:
            return
        self._child.end_input()
        try:
            async with asyncio.timeout(GRACE_S):
                await self._child.wait_ended()
        except TimeoutError:
            pass
        finally:
            self.abandon()
            while self._slots:
                self._slots.popleft().exchange.break_off(ConnectionResetError())
        await self._child.wait_ended()

    def _read(self, data: bytes) -> None:
        for event in self._parser.feed(data):
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Notification):
            if event.name in _OUT_OF_STEP:
                self.abandon()
                return
            self.is_open = self.is_open and event.name != "exit"
            self._listener(event)
        elif not self._greeted.done():
            self._greeted.set_result(event)  # the reply to the attaching itself
        elif event.solicited:
            self._answer(event)

    def _answer(self, reply: Reply) -> None:
        if not self._slots:
            self.abandon()
        elif self._slots[0].take(reply):
            self._slots.popleft()
