"""A bounded queue of notifications that never loses one silently."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from orchestrator_core.models.ids import PaneId
from orchestrator_core.tmux.protocol import Notification

RECONNECTED = "reconnected"
"""Ours: the client is attached again, and anything may have happened meanwhile. List again."""
DISCONNECTED = "disconnected"
"""Ours: the client lost its server or its session; it is looking for one."""
DROPPED = "dropped"
"""Ours: notifications came faster than they were read, and were thrown away. List again."""

CAPACITY = 1000


class Inbox(AsyncIterator[Notification]):
    """Notifications for one reader. Output of a pane that waits to be read already is not queued twice."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._queue: deque[Notification] = deque()
        self._noisy: set[PaneId] = set()
        self._arrived = asyncio.Event()
        self._closed = False

    def put(self, notification: Notification) -> None:
        """Queue `notification`. When the queue is full, all of it gives way to one `DROPPED`."""
        if notification.data:
            notification = Notification(name=notification.name, pane=notification.pane)
        if notification.pane is not None and notification.name.endswith("output"):
            if notification.pane in self._noisy:
                return
            self._noisy.add(notification.pane)
        if len(self._queue) >= self._capacity:
            self._queue.clear()
            self._noisy.clear()
            self._queue.append(Notification(name=DROPPED))
        self._queue.append(notification)
        self._arrived.set()

    def close(self) -> None:
        """End the iteration once the queue is read."""
        self._closed = True
        self._arrived.set()

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> Notification:
        while not self._queue:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        notification = self._queue.popleft()
        if notification.pane is not None:
            self._noisy.discard(notification.pane)
        return notification
