"""Leaving alone what fails again and again, so that it does not keep the rest from its turn."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Breaker(Generic[K]):
    """Counts the faults in a row of each item. Knows no clock: it says how long to wait, the caller waits."""

    def __init__(self, limit: int, pause_s: float) -> None:
        """Give an item up after `limit` faults in a row; until then it rests, first for `pause_s` seconds."""
        self._limit = limit
        self._pause_s = pause_s
        self._faults: dict[K, int] = {}

    def failed(self, item: K) -> float | None:
        """Count a fault, and return after how many seconds to try again: each time twice as many. None: give it up."""
        faults = self._faults.pop(item, 0) + 1
        if faults >= self._limit:
            return None
        self._faults[item] = faults
        return float(self._pause_s * 2 ** (faults - 1))

    def worked(self, item: K) -> None:
        """Forget the faults of an item."""
        self._faults.pop(item, None)
