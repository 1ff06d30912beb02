"""What is known of credit, in words and bars, the same on every front end. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from enum import Enum

from msgspec import Struct

from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountStatus,
    Confidence,
    CreditReading,
    Projection,
    ReadingSource,
    WindowStatus,
)
from orchestrator_core.models.spans import lasting

UNKNOWN = "?"
WINDOWS = {FIVE_HOUR: "5 h", SEVEN_DAY: "week"}
SOURCES = {
    ReadingSource.STATUS_LINE: "its status line",
    ReadingSource.RECORD: "its record of the limit",
    ReadingSource.PRINT: "claude -p",
    ReadingSource.SCREEN: "the words on its screen",
    ReadingSource.GUESS: "nobody told, five hours are assumed",
}
EIGHTHS = " ▏▎▍▌▋▊▉"
TRACK = "░"
DAY_S = 86400.0
WEEK_S = 6.5 * DAY_S


class Thresholds(Struct, frozen=True):
    """From how much use on, in percent, a window is shown as getting short, and as nearly used up."""

    warn: float = 75.0
    alarm: float = 90.0


USUAL = Thresholds()


class Level(Enum):
    """How an account or a window stands, the worst last. What has not told anything is neither well nor bad."""

    UNKNOWN = 0
    OK = 1
    WARNING = 2
    ALARM = 3
    EXHAUSTED = 4

    @property
    def state(self) -> str:
        """The state in one of four words."""
        return "warning" if self is Level.ALARM else self.name.lower()


def has_reset(reading: CreditReading, now: float) -> bool:
    """Whether the window that was told of is over: nothing is known of the one since."""
    return reading.resets_at is not None and reading.resets_at <= now


def used_now(reading: CreditReading, now: float) -> float | None:
    """Return how much of the window is used, as far as that is known at `now`."""
    return None if has_reset(reading, now) else reading.used_percentage


def level_of(reading: CreditReading, now: float, thresholds: Thresholds) -> Level:
    """Return how a window stands at `now`."""
    if has_reset(reading, now):
        return Level.UNKNOWN
    used = reading.used_percentage
    if reading.is_limit or (used is not None and used >= 100):
        return Level.EXHAUSTED
    if used is None:
        return Level.UNKNOWN
    return Level.ALARM if used >= thresholds.alarm else Level.WARNING if used >= thresholds.warn else Level.OK


def gauge_of(reading: CreditReading, now: float, width: int) -> str:
    """Return a window's bar; of a limit that was told without a number it is full."""
    is_bare = reading.is_limit and reading.used_percentage is None and not has_reset(reading, now)
    return bar(100.0 if is_bare else used_now(reading, now), width)


def level_of_account(account: AccountStatus, now: float, thresholds: Thresholds) -> Level:
    """Return how an account stands at `now`: as its worst window does."""
    if account.limited_until is not None and account.limited_until > now:
        return Level.EXHAUSTED
    levels = [level_of(window.reading, now, thresholds) for window in account.windows]
    return max(levels, key=lambda level: level.value, default=Level.UNKNOWN)


def most_used(accounts: Iterable[AccountStatus], now: float, thresholds: Thresholds) -> AccountStatus | None:
    """Return the account that stands worst, and of several the one of which most is used; None when there is none."""

    def weight(account: AccountStatus) -> tuple[int, float]:
        used = [used_now(window.reading, now) or 0.0 for window in account.windows]
        return level_of_account(account, now, thresholds).value, max(used, default=0.0)

    return max(accounts, key=weight, default=None)


def window_name(window: str) -> str:
    """Return what a window is called: `5 h`, `week`, or its own name."""
    return WINDOWS.get(window, window.replace("_", " "))


def is_estimate(reading: CreditReading) -> bool:
    """Whether nobody has told it in so many words."""
    return reading.confidence is Confidence.ESTIMATE or reading.source is ReadingSource.GUESS


def about(reading: CreditReading) -> str:
    """Return the mark of an estimate, or nothing."""
    return "~" if is_estimate(reading) else ""


def percentage(reading: CreditReading, now: float) -> str:
    """Return how much is used: `63 %`, `~63 %`, `?`. It is never rounded up: 99.9 is not used up."""
    used = used_now(reading, now)
    return UNKNOWN if used is None else f"{about(reading)}{int(used)} %"


def countdown(reading: CreditReading, now: float) -> str:
    """Return how long it is until the reset: `resets in 1 h 12 min`; empty when that is not known."""
    if reading.resets_at is None:
        return ""
    if has_reset(reading, now):
        return f"reset {lasting(now - reading.resets_at)} ago"
    return f"resets in {about(reading)}{lasting(reading.resets_at - now)}"


def on_clock(at: float, now: float) -> str:
    """Return when something is: the time alone today, with its weekday within a week, else with the date."""
    then = time.localtime(at)
    if then[:3] == time.localtime(now)[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%a %H:%M" if abs(at - now) < WEEK_S else "%Y-%m-%d %H:%M", then)


def reset_words(reading: CreditReading, now: float) -> str:
    """Return when a window resets, and how long that is."""
    if reading.resets_at is None:
        return "reset unknown"
    at = on_clock(reading.resets_at, now)
    words = countdown(reading, now)
    return f"{words}, nothing told since" if has_reset(reading, now) else f"{words}, at {at}"


def origin(reading: CreditReading) -> str:
    """Return whether the reading was told or is estimated."""
    return "estimated" if is_estimate(reading) else "parsed"


def source_words(reading: CreditReading, now: float) -> str:
    """Return who told it, when, and how far that can be relied on."""
    source = SOURCES[reading.source]
    return f"{origin(reading)}: {source} · {lasting(now - reading.at)} ago · {reading.confidence}"


def projection_words(window: WindowStatus, now: float) -> str:
    """Return when a window would be used up, with what that rests on."""
    reading = window.reading
    if has_reset(reading, now):
        return ""
    if reading.is_limit or (reading.used_percentage or 0.0) >= 100:
        return "used up"
    projection = window.projection
    if projection is None:
        return "no projection: too few readings"
    return f"{exhaustion(projection, now)} ({projection.basis})"


def exhaustion(projection: Projection, now: float) -> str:
    """Return when it would be used up, as an estimate."""
    if projection.at is None:
        return "not used up before it resets"
    return f"used up ~{on_clock(projection.at, now)}, in ~{lasting(max(0.0, projection.at - now))}"


def bar(used: float | None, width: int) -> str:
    """Return a bar of exactly `width` cells; of what is unknown only the track."""
    if width <= 0:
        return ""
    eighths = round(min(max(used or 0.0, 0.0), 100.0) / 100.0 * width * 8)
    if used is not None and 0 < used < 100:
        eighths = min(max(eighths, 1), width * 8 - 1)  # something is never nothing, and not quite all never all
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (EIGHTHS[rest] if rest else "")
    return drawn + TRACK * (width - len(drawn))


def context_left(used: float | None) -> float | None:
    """Return how much of a context is left, from 0 to 100."""
    return None if used is None else min(max(100.0 - used, 0.0), 100.0)


def tokens(count: int | None) -> str:
    """Return a number of tokens in at most six characters: `812`, `12.3k`, `1.2M`, `?`."""
    if count is None:
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size * 0.9995:
            value = count / size
            return f"{value:.0f}{unit}" if value >= 99.95 else f"{value:.1f}{unit}"
    return str(count)


def cost(usd: float | None) -> str:
    """Return a cost as it would be by the API: `$1.23`, `?`."""
    return UNKNOWN if usd is None else f"${usd:.2f}"
