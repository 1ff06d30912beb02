"""What keeps the demo agent from its work: a usage limit, or an error."""

from __future__ import annotations

import math
from typing import NamedTuple

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.transcript import Notice, Reply, Transcript


class Limit(NamedTuple):
    """A usage limit."""

    until: str
    """When it resets, as it is shown."""
    lifts_at: float = math.inf
    """By the agent's own clock."""
    resets_at: int = 0
    """In seconds since the epoch."""
    window: str = "five_hour"
    continues: bool = True
    """It goes on by itself afterwards."""

    @property
    def text(self) -> str:
        """What is said when it is hit."""
        name = "weekly" if self.window == "seven_day" else "5-hour"
        return f"You've hit your {name} limit · resets {self.until} (UTC)"


class Trouble:
    """At most one limit and one error."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.limit: Limit | None = None
        self.has_error = False

    @property
    def lifts_at(self) -> float:
        """When the limit is over; infinite without one."""
        return self.limit.lifts_at if self.limit else math.inf

    def tell_limit(self, limit: Limit) -> None:
        """Say that a limit was hit."""
        self._transcript.add(Notice(limit.text))

    def wait_for(self, limit: Limit) -> None:
        """Wait for the limit's end."""
        self.limit = limit
        if limit.continues:
            text = f"Usage limit reached · set to continue automatically at {limit.until}"
            self._transcript.add(Reply(text, ink=c.GREY))

    def repeat_limit(self, limit: Limit) -> None:
        """Say what becomes of a message while the limit lasts."""
        text = f"Usage limit reached again · set to continue automatically at {limit.until}"
        self._transcript.add(Reply(text, ink=c.GREY))
        self.tell_limit(limit)

    def fail(self, text: str) -> None:
        """Show an error that ended the turn."""
        self.has_error = True
        self._transcript.add(Notice(text))

    def cancel_limit(self) -> None:
        """Wait no longer, and say nothing."""
        self.limit = None

    def end(self) -> None:
        """Get over it, and say so."""
        if self.limit:
            if self.limit.continues:
                self._transcript.add(Reply("Usage limit reset · Continuing automatically", ink=c.GREY))
            self.cancel_limit()
        if self.has_error:
            self.has_error = False
            self._transcript.add(Reply("It works again."))
