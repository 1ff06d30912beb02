"""A tmux client of our own that stays attached, runs commands without starting processes, and finds its way back.

It attaches with `ignore-size`, so no window ever takes its size, and never to a session that would end when it leaves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Self

from orchestrator_core.errors import (
    MissingProgramError,
    TimedOutError,
    TmorchError,
    TmuxCommandError,
    TmuxGoneError,
)
from orchestrator_core.models.fleet import TmuxState
from orchestrator_core.models.ids import SessionId
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.address import ServerAddress, version
from orchestrator_core.tmux.attachment import SURVIVES, Candidate, choose, list_candidates
from orchestrator_core.tmux.connection import Connection
from orchestrator_core.tmux.formats import parse_rows, row_format
from orchestrator_core.tmux.inbox import DISCONNECTED, RECONNECTED, Inbox
from orchestrator_core.tmux.process import ProcessTransport
from orchestrator_core.tmux.protocol import Notification, Reply
from orchestrator_core.tmux.transport import DEFAULT_TIMEOUT_S, printed
from orchestrator_core.tmux.version import TmuxVersion

log = logging.getLogger(__name__)

READS = frozenset(
    {"capture-pane", "display-message", "list-clients", "list-panes", "list-sessions", "list-windows", "show-options"}
)
"""Commands that change nothing: asked again when the connection broke before they were answered."""
OUTPUT_SINCE = TmuxVersion(text="3.3", major=3, minor=3)
"""Older servers die when a pane dies with output that a control client has not got yet: they are not listened to."""
PAUSE_AFTER_S = 1
"""tmux stops sending a pane's output to a client that lags by this much, until told to go on."""
LOOK_EVERY_S = 0.5
"""How often to look for a server that is not there: one socket connect."""
RETRY_S = (0.0, 0.05, 0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to attach to a server that is there."""
STABLE_S = 1.0
"""A connection that lasted this long ended for a reason of its own: the next attempt comes at once."""
PATIENCE = 5
"""So many connections that did not last are a habit of the server's: between them, commands go by process."""
ATTACH_TIMEOUT_S = 2.0
QUIET_ATTEMPTS = 2
"""Sessions come and go; only when this many attempts were refused is it more than that."""
LOOK_AGAIN_S = 5.0
"""How often to look for a session to attach to on a server that has none, and for a tmux program that will do."""

Road = Connection | ProcessTransport


class ControlClient:
    """Commands and notifications of one tmux server, over whatever connections it takes.

    `state` and `detail` say how it stands. While a server runs that cannot be attached to, commands go by a process
    each and there are no notifications. Made for one event loop; `start` it there, and `close` it.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        read_only: bool = False,
        output: bool = False,
        listener: Callable[[Notification], None] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        self.address = address
        self.notifications = Inbox()
        """What tmux tells, for one reader; empty when a `listener` was given, which is called instead."""
        self.state = TmuxState.CONNECTING
        self.detail = ""
        """Why it is not connected, in the person's words."""
        self.server_pid = 0
        """The server's process: ids of panes, windows and sessions mean something only within one server's life."""
        self.hears_output = False
        """Whether tmux tells it of the output of its session's panes."""
        self._read_only = read_only
        self._wants_output = output
        self._listener = listener or self.notifications.put
        self._timeout_s = timeout_s
        self._session: SessionId | None = None
        self._preferred: SessionId | None = None
        self._road: Road | None = None
        self._fault: TmorchError = faults.gone(address.socket_path)
        self._settled = asyncio.Event()
        self._nudged = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._attempts = 0
        self._has_settled = False
        self._is_closed = False
        self._program: TmuxVersion | None = None

    @property
    def session(self) -> SessionId | None:
        """The session it is attached to, whose panes' output it hears; None while it is not attached."""
        return self._session if isinstance(self._road, Connection) else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin, and return when the first attempt to attach has come to an end, well or not.

        Nothing happens if it was started before, or is closed.
        """
        if self._keeper is None and not self._is_closed:
            self._keeper = asyncio.create_task(self._keep(), name="tmux control client")
        await self._settled.wait()

    async def close(self) -> None:
        """Detach and end. No process is left behind; commands in flight are broken off."""
        self._is_closed = True
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        self._settle(None, TmuxState.NO_SERVER)
        self.notifications.close()

    async def command(self, *argv: str) -> list[str]:
        """Run one command and return the lines it printed.

        Raises:
            TmuxCommandError: tmux answered with an error.
            TmuxGoneError: no server runs.
            TimedOutError: the server does not answer (code `tmux-wedged`), or the connection broke before it did
                (`tmux-lost`); commands that change nothing are then asked again first.
            MissingProgramError: there is no tmux that would do.

        """
        (reply,) = await self.pipeline([argv])
        return printed(argv, reply)

    async def pipeline(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Write `commands` at once and return a reply for each; errors as of `command`, but for tmux's own."""
        if not commands:
            return []
        may_repeat = all(argv[0] in READS for argv in commands)
        road: Road | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    road = await self._wait_for_road()
                    try:
                        return await road.pipeline(commands)
                    except ConnectionAbortedError:
                        continue
                    except ConnectionResetError:
                        if not may_repeat:
                            raise self._lost() from None
        except TimeoutError:
            if isinstance(road, Connection):
                road.abandon()  # a late answer could be taken for the answer to something else
            raise self._unanswered() from None

    def post(self, *argv: str) -> None:
        """Run one command without waiting for it; nothing happens while not attached."""
        if isinstance(self._road, Connection):
            self._road.submit([argv])

    async def switch(self, session: SessionId) -> None:
        """Hear the output of `session` from now on, and prefer it when attaching again.

        Raises:
            RefusedError: `session` would end when this client leaves it (code `destroy-unattached`).
            TmuxCommandError: there is no such session.
            TmuxGoneError, TimedOutError: see `command`.

        """
        fields = row_format(("session_id", "destroy-unattached"))
        rows = parse_rows(await self.command("display-message", "-p", "-t", f"{session}:", fields))
        found, destroy_unattached = rows[0] if rows else ("", "")
        if found == session and destroy_unattached not in SURVIVES:
            raise faults.destroys_itself(session)
        previous, self._session = self._session, session
        try:
            await self.command("switch-client", "-E", "-t", session)
        except TmuxCommandError:
            self._session = previous
            raise
        self._preferred = session

    async def _wait_for_road(self) -> Road:
        if self._keeper is None or self._is_closed:
            raise faults.gone(self.address.socket_path)
        if self.state is TmuxState.NO_SERVER and self.address.is_listening():
            self._settled.clear()
            self._nudged.set()
        await self._until_settled()
        if self._road is None:
            raise self._fault.with_traceback(None)
        return self._road

    async def _until_settled(self) -> None:
        while True:
            await self._settled.wait()
            if isinstance(self._road, Connection) and not self._road.is_open:
                self._settled.clear()  # it has ended, and its end is about to be dealt with
            if self._settled.is_set():  # still: it was waited for, and the world went on meanwhile
                return

    def _lost(self) -> TmorchError:
        path = self.address.socket_path
        return faults.lost(path) if self.address.is_listening() else faults.gone(path)

    def _unanswered(self) -> TmorchError:
        path = self.address.socket_path
        return faults.wedged(path, self._timeout_s) if self.address.is_listening() else faults.gone(path)

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await self._live()
            except TmorchError as error:
                self._blocked(error)
            except Exception as error:
                log.exception("the tmux client failed; it tries again")
                self._blocked(TmorchError("the tmux client failed", cause=repr(error)))
            if clock() - began > STABLE_S:
                self._attempts = 0
            await self._rest()

    async def _live(self) -> None:
        """Attach, and stay until the connection ends."""
        self._program = self._program or await asyncio.to_thread(version, self.address.bin)
        if not self.address.is_listening():
            raise faults.gone(self.address.socket_path)
        candidates = await list_candidates(self.address, self._timeout_s)
        chosen = choose(candidates, self._preferred)
        if chosen is None:
            self._go_by_process("there is no session that tmorch may attach to")
            return
        self.server_pid, self._session = chosen.server_pid, chosen.session_id
        self.hears_output = self._wants_output and _output_is_safe(chosen.server_version)
        connection = await self._attach(chosen)
        if connection is None:
            return
        self._settle(connection, TmuxState.CONNECTED)
        try:
            await connection.serve()
        finally:
            self._settled.clear()
            self._become(None, TmuxState.CONNECTING, detail="attaching again")
            await connection.close()

    async def _attach(self, chosen: Candidate) -> Connection | None:
        """Return a connection, None when the server, which has just answered a process, does not let us attach."""
        flags = _client_flags(read_only=self._read_only, output=self.hears_output)
        try:
            patience = min(self._timeout_s, ATTACH_TIMEOUT_S)
            return await Connection.open(self.address, chosen.session_id, flags, self._hear, patience)
        except TmuxCommandError as error:
            if self._attempts >= QUIET_ATTEMPTS:
                self._go_by_process(error.cause)
            raise
        except TimedOutError:
            self._go_by_process(_why_no_answer(self._program, chosen.server_version))
            return None

    def _hear(self, notification: Notification) -> None:
        moved = notification.name == "session-changed" and notification.args.split(" ")[0] != self._session
        if moved and isinstance(self._road, Connection):
            self._road.abandon()  # tmux moved us, our session being gone: choose the next one ourselves
        else:
            self._listener(notification)

    def _go_by_process(self, why: str) -> None:
        road = ProcessTransport(self.address, timeout_s=self._timeout_s)
        self._settle(road, TmuxState.CONNECTED, detail=f"one process a command: {why}")

    def _blocked(self, error: TmorchError) -> None:
        """Note why there is no connection, unless commands can go by process, or the next attempt may do."""
        state = _state_of(error)
        may_pass = self._attempts < QUIET_ATTEMPTS or isinstance(self._road, ProcessTransport)
        if isinstance(error, TmuxCommandError) and may_pass:
            return
        self._fault = error
        self._settle(None, state, detail=f"{error.title}: {error.cause}")

    def _settle(self, road: Road | None, state: TmuxState, *, detail: str = "") -> None:
        """Be in a state that lasts; commands that waited for it go on."""
        self._become(road, state, detail=detail)
        self._settled.set()
        self._has_settled = True

    def _become(self, road: Road | None, state: TmuxState, *, detail: str) -> None:
        before, self._road = self._road, road
        self.state, self.detail = state, detail
        if self._has_settled and not self._is_closed and type(before) is not type(road):
            self._listener(Notification(name=DISCONNECTED if road is None else RECONNECTED))

    async def _rest(self) -> None:
        if self.state is TmuxState.CONNECTING:
            pause = RETRY_S[min(self._attempts, len(RETRY_S) - 1)]
            self._attempts += 1
            if self._attempts > PATIENCE and not self._settled.is_set():
                self._go_by_process("tmux keeps ending the connection")
        else:
            pause = LOOK_EVERY_S if self.state is TmuxState.NO_SERVER else LOOK_AGAIN_S
            self._attempts = self._attempts if self._road else 0
        await self._wait_for_nudge(pause)

    async def _wait_for_nudge(self, seconds: float) -> None:
        self._nudged.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            return


def _why_no_answer(program: TmuxVersion | None, server: TmuxVersion | None) -> str:
    if program and server and program != server:
        return f"tmux {program.text} cannot stay attached to the running server, which is tmux {server.text}"
    return "the server does not let a control client attach"


def _state_of(error: TmorchError) -> TmuxState:
    if isinstance(error, TmuxGoneError):
        return TmuxState.NO_SERVER
    return TmuxState.MISSING if isinstance(error, MissingProgramError) else TmuxState.CONNECTING


def _output_is_safe(server: TmuxVersion | None) -> bool:
    """Whether the server survives a pane that ends while a control client listens to it (tmux issue 2828)."""
    return server is not None and server.at_least(OUTPUT_SINCE)


def _client_flags(*, read_only: bool, output: bool) -> tuple[str, ...]:
    flags = ["ignore-size"]
    if read_only:
        flags.append("read-only")
    flags.append(f"pause-after={PAUSE_AFTER_S}" if output else "no-output")
    return tuple(flags)
