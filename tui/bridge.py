"""The only reader: turns the facade's feeds into messages for the app, and starts a feed again when it fails.

Each feed is one coroutine that the app runs as a worker. A feed never raises: what goes wrong is posted as
FeedFailed and shown, and the feed begins again after a pause that doubles up to a few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator_core.errors import NotFoundError, TmorchError
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.pane import PaneFrame
from tui.messages import (
    FeedFailed,
    FeedRecovered,
    FleetChanged,
    FrameChanged,
    News,
    ReceiptsChanged,
    Sight,
    SightLost,
    StoreChanged,
    TimelineChanged,
    Window,
)

if TYPE_CHECKING:
    from orchestrator_core.orchestrator import Orchestrator, Previews

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0
LOOK_AWAY_S = 1.0
RECEIPTS = 3
"""Receipts that are shown of one agent."""
PENDING_S = 1.0
"""How often a receipt that is not final is looked at when the fleet says nothing."""

Pause = Callable[[float], Awaitable[None]]


class Bridge:
    """Reads the fleet, one pane's pictures and one agent's receipts, and posts what it reads."""

    def __init__(
        self, orchestrator: Orchestrator, post: Callable[[News], object], *, pause: Pause = asyncio.sleep
    ) -> None:
        self._orchestrator = orchestrator
        self._post = post
        self._pause = pause
        self._previews: Previews | None = None
        self._sight: Sight | None = None
        self._sight_changed = asyncio.Event()
        self._followed = asyncio.Event()
        self._agent: AgentId | None = None
        self._receipts_wanted = asyncio.Event()
        self._window: Window | None = None
        self._timeline_wanted = asyncio.Event()

    # -- what is wanted ---------------------------------------------------------------------------

    def look_at(self, sight: Sight | None) -> None:
        """Show this pane from now on; None shows nothing and costs nothing."""
        if sight != self._sight:
            self._sight = sight
            self._followed.clear()
            self._sight_changed.set()

    async def look_away(self) -> None:
        """Show nothing, and return once that is so: before the app stops for a while."""
        self.look_at(None)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._followed.wait(), LOOK_AWAY_S)

    def ask_receipts(self, agent: AgentId | None) -> None:
        """Read the receipts of this agent now and while one of them is not final."""
        if agent != self._agent:
            self._agent = agent
            self._receipts_wanted.set()

    def ask_receipts_again(self) -> None:
        """Read the receipts of the agent asked for last once more: something may have happened to them."""
        self._receipts_wanted.set()

    def ask_timeline(self, window: Window) -> None:
        """Read this part of the schedule now."""
        self._window = window
        self._timeline_wanted.set()

    async def history(self, sight: Sight, lines: int) -> PaneFrame | None:
        """Return the pane's picture with scrollback; None when nothing is shown.

        Raises:
            TmorchError: the pane cannot be read.

        """
        return await self._previews.history(sight.pane, lines, server=sight.server) if self._previews else None

    async def close(self) -> None:
        """Let go of the previews."""
        if self._previews is not None:
            await self._previews.close()
            self._previews = None

    # -- feeds ------------------------------------------------------------------------------------

    async def feed_fleet(self) -> None:
        """Post every fleet. Runs until it is cancelled."""
        await self._keep("fleet", self._read_fleets)

    async def feed_frames(self) -> None:
        """Post every picture of the pane that is looked at. Runs until it is cancelled."""
        await self._keep("preview", self._read_frames)

    async def feed_receipts(self) -> None:
        """Post the receipts that are asked for. Runs until it is cancelled."""
        await self._keep("receipts", self._read_receipts)

    async def feed_timeline(self) -> None:
        """Post the part of the schedule that is asked for. Runs until it is cancelled."""
        await self._keep("timeline", self._read_timeline)

    async def feed_changes(self) -> None:
        """Say whenever something may have been written to the store. Runs until it is cancelled."""
        await self._keep("changes", self._read_changes)

    async def _keep(self, feed: str, read: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Run a feed over and over; `read` calls its argument whenever it got something."""
        failures = 0

        def well() -> None:
            nonlocal failures
            if failures:
                failures = 0
                self._post(FeedRecovered(feed))

        while True:
            try:
                await read(well)
                error = TmorchError(f"the {feed} feed ended", cause="its source closed")
            except TmorchError as known:
                error = known
            except Exception as unexpected:  # the edge of the loop: shown, and tried again
                error = unexpected_error(unexpected)
            failures += 1
            retry_s = min(FIRST_RETRY_S * 2 ** (failures - 1), LAST_RETRY_S)
            self._post(FeedFailed(feed, error, retry_s))
            await self._pause(retry_s)

    async def _read_fleets(self, well: Callable[[], None]) -> None:
        async for fleet in self._orchestrator.fleets():
            well()
            self._post(FleetChanged(fleet))

    async def _read_changes(self, well: Callable[[], None]) -> None:
        async for _ in self._orchestrator.changes():
            well()
            self._post(StoreChanged())

    async def _read_frames(self, well: Callable[[], None]) -> None:
        previews = self._previews = self._orchestrator.previews()
        follower = asyncio.ensure_future(self._follow(previews))
        reader = asyncio.ensure_future(self._post_frames(previews, well))
        try:
            done, _ = await asyncio.wait((follower, reader), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            follower.cancel()
            reader.cancel()
            await asyncio.gather(follower, reader, return_exceptions=True)
            self._previews = None
            await previews.close()

    async def _follow(self, previews: Previews) -> None:
        """Follow whatever is wanted last; wishes that come meanwhile overtake each other."""
        self._sight_changed.set()
        while True:
            await self._sight_changed.wait()
            self._sight_changed.clear()
            sight = self._sight
            try:
                if sight is None:
                    await previews.follow(None)
                else:
                    await previews.follow(sight.pane, server=sight.server)
            except NotFoundError as error:
                if sight is not None:
                    self._post(SightLost(sight, error))
            if sight == self._sight:
                self._followed.set()

    async def _post_frames(self, previews: Previews, well: Callable[[], None]) -> None:
        async for frame in previews.frames():
            well()
            sight = self._sight
            if sight is not None and frame.pane == sight.pane:
                self._post(FrameChanged(sight, frame))

    async def _read_timeline(self, well: Callable[[], None]) -> None:
        self._timeline_wanted.set()
        while True:
            await self._timeline_wanted.wait()
            self._timeline_wanted.clear()
            window = self._window
            if window is None:
                continue
            read = self._orchestrator.check_ins.timeline
            timeline = await read(window.start, window.end, step_s=window.step_s)
            well()
            self._post(TimelineChanged(timeline))

    async def _read_receipts(self, well: Callable[[], None]) -> None:
        self._receipts_wanted.set()
        while True:
            await self._receipts_wanted.wait()
            self._receipts_wanted.clear()
            agent = self._agent
            if agent is None:
                continue
            messages = await self._orchestrator.receipts(agent, limit=RECEIPTS)
            well()
            self._post(ReceiptsChanged(agent, messages))
            if any(not message.state.is_final for message in messages):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._receipts_wanted.wait(), PENDING_S)
                self._receipts_wanted.set()


def unexpected_error(error: BaseException) -> TmorchError:
    """Return an unexpected exception in the shape in which errors are shown."""
    return TmorchError(
        f"unexpected {type(error).__name__}",
        cause=str(error) or "it gives no reason",
        remedy="this is a fault of tmorch: please report it",
        code="unexpected",
    )
