"""Live pictures of one pane at a time, whichever of the servers it is on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import PaneFrame
from orchestrator_core.tmux.address import ServerAddress

if TYPE_CHECKING:
    from orchestrator_core.tmux.preview import PanePreview


class Previews:
    """Live pictures of one pane at a time. Only looks: it never types and never changes a window's size."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._server = ""
        self._preview: PanePreview | None = None
        self._pump: asyncio.Task[None] | None = None
        self._newest: asyncio.Queue[PaneFrame] = asyncio.Queue(maxsize=1)

    async def follow(self, pane: PaneId | None, *, server: str = "") -> None:
        """Show `pane` from now on; None shows nothing. `server` is a socket path, empty for our own."""
        server = server or self._address.socket_path
        if self._preview is None or server != self._server:
            if pane is None:
                return
            await self._connect(server)
        assert self._preview is not None
        await self._preview.follow(pane)

    async def _connect(self, server: str) -> None:
        from orchestrator_core.tmux.preview import PanePreview

        await self.close()
        self._server = server
        self._preview = PanePreview(ServerAddress(bin=self._address.bin, socket_path=server))
        self._pump = asyncio.create_task(self._forward(self._preview))

    async def _forward(self, preview: PanePreview) -> None:
        async for frame in preview.frames():
            if self._newest.full():
                self._newest.get_nowait()
            self._newest.put_nowait(frame)

    async def frames(self) -> AsyncIterator[PaneFrame]:
        """Yield a frame when the followed pane's picture changed; the first one at once after `follow`.

        A slow consumer gets the newest frame, never a backlog.
        """
        while True:
            yield await self._next()

    async def _next(self) -> PaneFrame:
        """Return the newest frame; raises what ended the feed."""
        while True:
            waiting = asyncio.ensure_future(self._newest.get())
            watched = {waiting} | ({self._pump} if self._pump else set())
            done, _ = await asyncio.wait(watched, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if waiting in done:
                return waiting.result()
            waiting.cancel()
            if self._pump and self._pump in done:
                pump, self._pump, self._preview = self._pump, None, None
                pump.result()

    async def history(self, pane: PaneId, lines: int, *, server: str = "") -> PaneFrame:
        """Return the pane's picture with up to `lines` rows of scrollback above it."""
        server = server or self._address.socket_path
        if self._preview is None or server != self._server:
            await self._connect(server)
        assert self._preview is not None
        return await self._preview.history(pane, lines)

    async def close(self) -> None:
        """Stop following and end the tmux client behind it."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._preview is not None:
            await self._preview.close()
        self._pump, self._preview = None, None
