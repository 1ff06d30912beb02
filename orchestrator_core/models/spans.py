"""Time spans in words, the same everywhere. Pure."""

from __future__ import annotations

MINUTE_S, HOUR_S = 60, 3600


def lasting(seconds: float) -> str:
    """Return a time span to the nearest minute, in its two largest units at most: `5 s`, `30 min`, `2 h 5 min`."""
    whole = round(abs(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    minutes = round(whole / MINUTE_S)
    for size, unit, smaller, smaller_unit in ((1440, "d", 60, "h"), (60, "h", 1, "min")):
        if minutes >= size:
            rest = minutes % size // smaller
            return f"{minutes // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{minutes} min"


def exactly(seconds: float) -> str:
    """Return an interval as it was asked for, not rounded: `90 min`, `0.5 min`, `2 h`."""
    if seconds >= 2 * HOUR_S and seconds % HOUR_S == 0:
        return f"{seconds / HOUR_S:g} h"
    return f"{seconds / MINUTE_S:g} min"
