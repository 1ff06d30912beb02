"""Live pictures of one pane at a time.

tmux tells when the pane puts something out; what is on its screen is then captured, once a burst is over or the pace
allows it. It only looks: it types nothing, sizes nothing, and leaves nothing in the pane.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from msgspec.structs import replace

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.pane import Cursor, PaneFrame
from orchestrator_core.tmux.address import ServerAddress
from orchestrator_core.tmux.control import ControlClient
from orchestrator_core.tmux.gateway import TmuxGateway
from orchestrator_core.tmux.inbox import RECONNECTED
from orchestrator_core.tmux.pacing import Pacer
from orchestrator_core.tmux.panes import Picture, parse_picture, picture_commands
from orchestrator_core.tmux.protocol import Notification

SETTLE_S = 0.003
"""From the first output after a rest to the look: programs draw one change in several writes."""
LOOK_ANYWAY_S = 1.0
"""A look without a cause: for what tmux does not tell, and for sessions that must not be attached to."""
LOOK_UNTOLD_S = 0.05
"""The same where the server must not be asked to tell of output: see `ControlClient.hears_output`."""
FLOOD_BYTES = 32 * 1024
"""A pane that puts out so much between two looks is not listened to until the next one."""
_HUSH_AGAIN = 64
_CAUSES = frozenset({"layout-change", "pane-mode-changed", "session-changed", RECONNECTED})


class _View:
    """A pane as it is being followed."""

    def __init__(self, pane: PaneId | None) -> None:
        self.pane = pane
        self.last: PaneFrame | None = None
        self.server_pid = 0
        self.is_gone = False
        self.is_held = True
        """tmux may not be telling what it puts out: it has to be asked to go on."""
        self.unseen_bytes = 0
        self.switched_at = float("-inf")
        self.changed = asyncio.Event()
        self.left = asyncio.Event()

    def leave(self) -> None:
        """Stop waiting for this pane."""
        self.left.set()
        self.changed.set()


class PanePreview:
    """Follows one pane of one server, with a read-only client of its own that starts with the first call.

    For one reader of `frames` at a time, which may be as slow as it likes: a look is taken when it asks for more.
    """

    def __init__(self, address: ServerAddress) -> None:
        self._client = ControlClient(address, read_only=True, output=True, listener=self._hear)
        self._gateway = TmuxGateway(self._client)
        self._view = _View(None)
        self._hushed: Counter[PaneId] = Counter()
        self._closed = False

    async def follow(self, pane: PaneId | None) -> None:
        """Show `pane` from now on; None shows nothing."""
        before, self._view = self._view, _View(pane)
        before.leave()
        if pane is not None:
            self._hushed.pop(pane, None)
            await self._client.start()

    async def frames(self) -> AsyncIterator[PaneFrame]:
        """Yield a frame whenever the picture changed; the first at once after `follow`.

        A pane that goes away gives one last frame, its last picture marked dead. While tmux does not answer there are
        no frames. Ends with `close`.
        """
        pacer, clock = Pacer(), asyncio.get_running_loop().time
        before, self._view = self._view, _View(self._view.pane)
        before.leave()
        while not self._closed:
            view = self._view
            pacer.looked(clock())
            frame = await self._look(view)
            if frame is not None and view is self._view:
                yield frame
            if view is self._view:
                await self._wait_for_change(view)
                await _wait_until_left(view, pacer.delay(clock()))

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
        self._view.leave()
        await self._client.close()

    async def _look(self, view: _View) -> PaneFrame | None:
        """Return the pane's picture if it is another than the last time."""
        view.changed.clear()
        if view.pane is None or view.is_gone:
            return None
        try:
            picture = await self._take_picture(view, view.pane)
            if picture is not None:
                await self._listen_where(view, picture)
        except TmorchError:
            return None  # the client finds its way back and says so, which is a cause to look again
        frame = _last_picture(view, view.pane) if picture is None else picture.frame
        if frame == view.last:
            return None
        view.last = frame
        return frame

    async def _take_picture(self, view: _View, pane: PaneId) -> Picture | None:
        """Return the picture, or None when the pane is gone, if only with its server: ids start anew with each."""
        go_on = [("refresh-client", "-A", f"{pane}:continue")] if view.is_held and self._client.session else []
        view.unseen_bytes, view.is_held = 0, False
        *_, facts, capture = await self._client.pipeline([*go_on, *picture_commands(pane)])
        picture = parse_picture(pane, facts.lines, capture.lines) if capture.ok else None
        if picture is not None and view.server_pid not in (0, picture.server_pid):
            picture = None
        view.is_gone = picture is None
        view.server_pid = picture.server_pid if picture else view.server_pid
        return picture

    async def _listen_where(self, view: _View, picture: Picture) -> None:
        """Attach to the pane's session, where its output is heard; look again, as some was not."""
        now = asyncio.get_running_loop().time()
        if self._client.session in (None, picture.session_id) or not picture.survives:
            return
        if now - view.switched_at > LOOK_ANYWAY_S:  # a window may be in two sessions: don't chase it
            view.switched_at = now
            await self._client.switch(picture.session_id)
            view.changed.set()

    async def _wait_for_change(self, view: _View) -> None:
        """Wait for a cause to look again: at once when there was one during the last look."""
        if view.changed.is_set():
            return
        is_untold = self._client.session is not None and not self._client.hears_output
        patience = LOOK_UNTOLD_S if is_untold else LOOK_ANYWAY_S
        try:
            async with asyncio.timeout(None if view.pane is None or view.is_gone else patience):
                await view.changed.wait()
        except TimeoutError:
            return
        await _wait_until_left(view, SETTLE_S)

    def _hear(self, notification: Notification) -> None:
        view = self._view
        if notification.name in ("output", "extended-output") and notification.pane:
            if notification.pane == view.pane:
                self._hear_output(view, notification.pane, len(notification.data))
            else:
                self._hush(notification.pane)
        elif notification.name == "pause" and notification.pane == view.pane:
            view.is_held = True
            view.changed.set()
        elif notification.name in _CAUSES:
            if notification.name == RECONNECTED:
                self._hushed.clear()
            view.changed.set()

    def _hear_output(self, view: _View, pane: PaneId, size: int) -> None:
        view.unseen_bytes += size
        view.changed.set()
        if view.unseen_bytes > FLOOD_BYTES and not view.is_held:
            view.is_held = True
            self._client.post("refresh-client", "-A", f"{pane}:pause")

    def _hush(self, pane: PaneId) -> None:
        """Have tmux not tell what a pane puts out that nobody looks at. `off` would make the pane itself wait."""
        if self._hushed[pane] % _HUSH_AGAIN == 0:
            self._client.post("refresh-client", "-A", f"{pane}:pause")
        self._hushed[pane] += 1


async def _wait_until_left(view: _View, seconds: float) -> None:
    if seconds <= 0 or view.left.is_set():
        return
    try:
        async with asyncio.timeout(seconds):
            await view.left.wait()
    except TimeoutError:
        return


def _last_picture(view: _View, pane: PaneId) -> PaneFrame:
    nowhere = Cursor(x=0, y=0, visible=False)
    last = view.last or PaneFrame(pane=pane, lines=(), width=0, height=0, cursor=nowhere)
    return replace(last, dead=True, cursor=nowhere)
