"""`Attention`: which needs are new, and whether the bell may ring for them. Pure."""

from __future__ import annotations

from orchestrator_core.models.need import Need


class Attention:
    """Remembers what the person was shown. What was there at the start is no news."""

    def __init__(self, min_interval_s: float) -> None:
        self._min_interval_s = min_interval_s
        self._known: frozenset[str] | None = None
        self._rang_at = float("-inf")

    def news(self, needs: tuple[Need, ...]) -> tuple[Need, ...]:
        """Take in what needs the person now, and return what did not before, oldest first."""
        known, self._known = self._known, frozenset(need.key for need in needs)
        return () if known is None else tuple(need for need in needs if need.key not in known)

    def may_ring(self, now: float) -> bool:
        """Whether the bell has been silent for long enough; if so it is taken to ring now."""
        if now - self._rang_at < self._min_interval_s:
            return False
        self._rang_at = now
        return True
