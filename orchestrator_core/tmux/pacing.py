"""How often to look at a pane that keeps changing. Pure."""

from __future__ import annotations

SHORTEST_S = 0.016
"""Between two looks, always."""
SUSTAINED_S = 0.05
"""Between two looks at a pane that never rests."""
BURST = 20.0
"""Looks that a rested pane is good for before the sustained pace applies."""


class Pacer:
    """Lets bursts through quickly and slows a flood down: a bucket of looks that fills with time."""

    def __init__(self) -> None:
        self._looks = BURST
        self._last = float("-inf")

    def delay(self, now: float) -> float:
        """Return the seconds to wait at `now` before the next look."""
        rested = max(0.0, now - self._last)
        looks = min(BURST, self._looks + rested / SUSTAINED_S)
        return max(SHORTEST_S - rested, (1.0 - looks) * SUSTAINED_S, 0.0)

    def looked(self, now: float) -> None:
        """Note a look at `now`."""
        rested = max(0.0, now - self._last)
        self._looks = max(0.0, min(BURST, self._looks + rested / SUSTAINED_S) - 1.0)
        self._last = now
