"""Keys one after the other: each is handed on when the one before has been dealt with.

Textual hands a key to whatever has the focus when it comes. Text that is pasted, sent by a script, or typed while the
app is busy would otherwise reach what had the focus before `m` or `/` moved it, and be lost or taken for commands.
"""

from __future__ import annotations

import time
from collections import deque

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump

STUCK_S = 1.0
"""How long a key may take before the next one no longer waits for it."""


HELD_STEP_S = 0.01
"""How often it is looked at again whether the next key is still held back."""


class KeyOrderApp(App[ReturnType]):
    """An app that keeps its keys in order.

    A widget with the focus, or a screen, that is `holds_keys` has yet to do what the last key wants: the next one
    waits for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting_keys: deque[events.Key] = deque()
        self._key_out_since: float | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
        else:
            self._waiting_keys.append(event)
            if self._key_out_since is None:
                await self._hand_on()
            else:
                self.set_timer(STUCK_S, self._hand_on_if_stuck)

    async def _hand_on_if_stuck(self) -> None:
        if self._key_out_since is not None and time.monotonic() - self._key_out_since >= STUCK_S:
            await self._hand_on()

    async def _hand_on(self) -> None:
        """Hand the oldest key on, and see it come up to the app again."""
        if any(getattr(node, "holds_keys", False) for node in (self.focused, self.screen)):
            self._key_out_since = time.monotonic()
            self.set_timer(HELD_STEP_S, self._hand_on)
            return
        self._key_out_since = None
        if not self._waiting_keys:
            return
        self._key_out_since = time.monotonic()
        await super().on_event(self._waiting_keys.popleft())
        self._follow(self.focused or self.screen)

    def _follow(self, node: MessagePump | None) -> None:
        """Come up behind the key, from parent to parent: it has been dealt with when we are at the top."""
        if node is None or node is self or not node.call_later(self._follow, node._parent):  # noqa: SLF001  # as keys do
            self.call_later(self._hand_on)
