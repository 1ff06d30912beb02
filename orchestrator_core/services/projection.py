"""When a window would be used up at the pace of late: an estimate that says what it is based on. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator_core.models.credit import CreditReading, Projection

LOOK_BACK_S = 5400.0
"""How far back the pace is taken from."""
LEAST_S = 600.0
"""Over less time than this no pace is told."""
HOUR_S = 3600.0


def project(readings: Sequence[CreditReading], now: float) -> Projection | None:
    """Return when the window of these readings, oldest first, would be used up; None when they are too few to tell."""
    told = [reading for reading in readings if reading.used_percentage is not None and reading.at <= now]
    if not told or (told[-1].resets_at is not None and told[-1].resets_at <= now):
        return None
    since = [reading for reading in _since_reset(told) if reading.at >= now - LOOK_BACK_S]
    if len(since) < 2 or now - since[0].at < LEAST_S:
        return None
    first, last = since[0], since[-1]
    used = (last.used_percentage or 0.0) - (first.used_percentage or 0.0)
    an_hour = used / (now - first.at) * HOUR_S
    basis = f"{an_hour:.1f} % an hour over the last {round((now - first.at) / 60)} min"
    if an_hour <= 0:
        return Projection(at=None, basis=basis)
    at = max(now, now + (100.0 - (last.used_percentage or 0.0)) / an_hour * HOUR_S)
    return Projection(at=at if last.resets_at is None or at < last.resets_at else None, basis=basis)


def _since_reset(told: Sequence[CreditReading]) -> list[CreditReading]:
    """Return the readings from the last time on that use fell or the window began anew."""
    begin = 0
    for index in range(1, len(told)):
        before, after = told[index - 1], told[index]
        is_anew = before.resets_at is not None and after.at >= before.resets_at
        if is_anew or (after.used_percentage or 0.0) < (before.used_percentage or 0.0):
            begin = index
    return list(told[begin:])
