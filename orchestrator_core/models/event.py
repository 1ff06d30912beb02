"""Something that happened, for the log."""

from __future__ import annotations

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True):
    """One line of the log. `at` is in seconds since the epoch."""

    id: int
    at: float
    kind: str
    """A dotted word, such as `agent.status` or `message.delivered`."""
    text: str
    orchestration: str = ""
    agent: str = ""
