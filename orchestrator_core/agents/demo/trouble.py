"""What keeps the demo agent from its work: a usage limit, or an error."""

from __future__ import annotations

import math

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.transcript import Notice, Reply, Transcript


class Trouble:
    """At most one limit and one error."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self.limit = ""
        """Until when, as it is shown; empty without a limit."""
        self.has_error = False
        self.lifts_at = math.inf

    def hit_limit(self, until: str, lifts_at: float) -> None:
        """Hit a usage limit, with the promise to go on by itself."""
        self.limit = until
        self.lifts_at = lifts_at
        self.tell_limit(until)
        self._transcript.add(Reply(f"Usage limit reached · set to continue automatically at {until}", ink=c.GREY))

    def tell_limit(self, until: str) -> None:
        """Say that a limit was hit."""
        self._transcript.add(Notice(f"You've hit your 5-hour limit · resets {until} (UTC)"))

    def repeat_limit(self) -> None:
        """Say what becomes of a message while the limit lasts."""
        text = f"Usage limit reached again · set to continue automatically at {self.limit}"
        self._transcript.add(Reply(text, ink=c.GREY))
        self.tell_limit(self.limit)

    def fail(self, text: str) -> None:
        """Show an error that ended the turn."""
        self.has_error = True
        self._transcript.add(Notice(text))

    def cancel_limit(self) -> None:
        """Wait no longer, and say nothing."""
        self.limit = ""
        self.lifts_at = math.inf

    def end(self) -> None:
        """Get over it, and say so."""
        if self.limit:
            self.cancel_limit()
            self._transcript.add(Reply("Usage limit reset · Continuing automatically", ink=c.GREY))
        if self.has_error:
            self.has_error = False
            self._transcript.add(Reply("It works again."))
