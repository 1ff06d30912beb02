"""Live pictures of one pane at a time.

tmux tells when the pane puts something out; what is on its screen is then captured, once a burst is over or the pace
allows it. It only looks: it types nothing, sizes nothing, and leaves nothing in the pane.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from orchestrator_core.errors import NotFoundError, RefusedError, TmorchError, TmuxCommandError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.pacing import Pacer
from orchestrator_core.tmux.panes import Picture, parse_picture, picture_commands
from orchestrator_core.tmux.protocol import Notification

SETTLE_S = 0.003
"""From the first output after a rest to the look: programs draw one change in several writes."""
LOOK_ANYWAY_S = 1.0
"""A look without a cause: for what tmux does not tell, and for sessions that must not be attached to."""
FLOOD_BYTES = 32 * 1024
"""So much output between two looks is not listened to further until the next one."""


class PanePreview:
    """Follows one pane of one server, with a read-only client of its own that starts with the first call.

    For one reader of `frames` at a time, which may be as slow as it likes: a look is taken when it asks for more.
    """

    def __init__(self, address: ServerAddress) -> None:
        self._client = ControlClient(address, read_only=True, output=True, listener=self._hear)
        self._gateway = TmuxGateway(self._client)
        self._pane: PaneId | None = None
        self._server_pid = 0
        self._follows = 0
        self._changes = 0
        self._changed = asyncio.Event()
        self._unheard = 0
        self._is_held = False
        self._hushed: set[PaneId] = set()
        self._closed = False

    async def follow(self, pane: PaneId | None) -> None:
        """Show `pane` from now on; None shows nothing."""
        self._pane = pane
        self._server_pid = 0
        self._follows += 1
        self._is_held = True  # the new pane may have been hushed
        if pane is not None:
            self._hushed.discard(pane)
        self._mark()
        if pane is not None and not self._closed:
            await self._client.start()

    async def frames(self) -> AsyncIterator[PaneFrame]:
        """Yield a frame whenever the picture changed; the first at once after `follow`.

        A pane that goes away gives one last frame, its last picture marked dead. While tmux does not answer there are
        no frames. Ends with `close`.
        """
        pacer, clock = Pacer(), asyncio.get_running_loop().time
        last, shown, seen = None, -1, -1
        while not self._closed:
            if shown == self._follows:
                await self._wait_for_change(seen, pacer)
            pacer.looked(clock())
            seen, follows = self._changes, self._follows
            frame = await self._look(last)
            if frame is None or follows != self._follows:
                continue
            if frame != last or shown != follows:
                last, shown = frame, follows
                yield frame

    async def history(self, pane: PaneId, lines: int) -> PaneFrame:
        """Return `pane`'s picture with up to `lines` rows of scrollback above it.

        Raises:
            NotFoundError: the pane is gone.
            TmuxGoneError, TimedOutError: see `ControlClient.command`.

        """
        await self._client.start()
        return await self._gateway.capture(pane, history=lines)

    async def close(self) -> None:
        """Stop following and end the tmux client."""
        self._closed = True
        self._mark()
        await self._client.close()
