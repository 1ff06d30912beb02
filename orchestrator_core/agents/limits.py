"""When a usage limit ends, by what an agent says of it. How that is worded is in `limits.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator_core.errors import SettingsError
from orchestrator_core.models.credit import FIVE_HOUR

WORDINGS = Path(__file__).with_suffix(".toml")
VERSION = 1
"""Of the keys of that file and of the groups in its wordings."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SAME_S = 120.0
"""So much earlier than it was read, a time of day means today: it is told without its seconds."""
MOST_S = 5.25 * 3600
"""So far ahead the end of five hours may lie, told without its seconds by a clock that may be wrong."""
DAY_S = 86400.0
USED_UP = 100.0
EPOCH, DOOMSDAY = 1e8, 1e11
"""What is not between them is no time in seconds."""


class UsageWindow(Struct, frozen=True, kw_only=True):
    """How much of a subscription's allowance is used."""

    used_percentage: float
    resets_at: float
    """When it starts anew, seconds since the epoch."""


def limit_end(windows: Sequence[UsageWindow], texts: Sequence[str], since: float, local: tzinfo) -> float | None:
    """Return when a limit ends that was met at `since`; None when nobody can tell.

    What is used up counts most, then the first of `texts` that names a time, then what is nearest to be used up.
    A time without a zone is one of `local`.
    """
    ahead = [window for window in windows if window.resets_at > since - SAME_S]
    if used_up := [window.resets_at for window in ahead if window.used_percentage >= USED_UP]:
        return max(used_up)
    told = (_end_told(text, since, local) for text in texts)
    if (at := next((at for at in told if at is not None), None)) is not None:
        return at
    nearest = max(ahead, key=lambda window: window.used_percentage, default=None)
    return nearest.resets_at if nearest else None


def window_of(text: str) -> str:
    """Return the window whose limit `text` tells of: `five_hour` when it does not say."""
    return _window_said(text) or FIVE_HOUR


def resets_at(text: str, since: float, local: tzinfo) -> float | None:
    """Return the moment that `text`, read at `since`, names as the end of a limit; None when it names none we know.

    A time of day is the next one; a day of the week, too; a day without a year is the nearest one of that date.
    """
    line = " ".join(text.split())
    found = next(filter(None, (wording.search(line) for wording in _wordings().ends)), None)
    if found is None:
        return None
    said = {name: words for name, words in found.groupdict().items() if words}
    try:
        return _moment(said, since, local)
    except (OverflowError, ValueError, OSError):  # a moment that no calendar has
        return None


def _end_told(text: str, since: float, local: tzinfo) -> float | None:
    """Return the end that `text` tells of: five hours that would not be over before tomorrow have passed already."""
    at = resets_at(text, since, local)
    if at is not None and MOST_S < at - since <= DAY_S and _window_said(text) == FIVE_HOUR:
        return at - DAY_S
    return at


def _window_said(text: str) -> str | None:
    for words, name in _wordings().windows:
        if found := words.search(text):
            return name or found[0].lower()
    return None


# --- the wordings


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limits.toml`: see there."""

    version: int
    parts: dict[str, str]
    wordings: dict[str, str]
    windows: list[dict[str, str]]


class _Wordings(Struct, frozen=True):
    ends: tuple[re.Pattern[str], ...]
    windows: tuple[tuple[re.Pattern[str], str], ...]


@cache
def _wordings() -> _Wordings:
    file = msgspec.toml.decode(WORDINGS.read_bytes(), type=_File)
    if file.version != VERSION:
        raise SettingsError(f"{WORDINGS} is of version {file.version}, and {VERSION} is read")
    ends = (_filled_in(wording, file.parts) for wording in file.wordings.values())
    return _Wordings(
        ends=tuple(re.compile(wording, re.IGNORECASE) for wording in ends),
        windows=tuple((re.compile(words["pattern"], re.IGNORECASE), words["name"]) for words in file.windows),
    )


def _filled_in(wording: str, parts: Mapping[str, str]) -> str:
    """Return a wording with its parts; braces that count repetitions stay."""
    return re.sub(r"\{([a-z]+)\}", lambda found: parts[found[1]], wording)


# --- what was said, as a moment


def _moment(said: Mapping[str, str], since: float, local: tzinfo) -> float | None:
    if "epoch" in said:
        return float(said["epoch"])
    if "hour" not in said:
        span = timedelta(**{unit: int(said.get(unit, 0)) for unit in ("days", "hours", "minutes")})
        return since + span.total_seconds()
    clock = _clock(said["hour"], said.get("minute"), said.get("half"))
    zone = _zone(said, local)
    if clock is None or zone is None:
        return None
    read = datetime.fromtimestamp(since, zone)
    if "month" in said:
        return _of_date(read, said, clock)
    days = [read.date() + timedelta(days=ahead) for ahead in range(-1, 9)]
    if "weekday" in said:
        days = [day for day in days if DAYS[day.weekday()] == said["weekday"].lower()]
    elif "tomorrow" in said:
        days = days[2:3]
    ats = sorted(at for day in days for at in _instants(datetime.combine(day, clock, zone)))
    return next((at for at in ats if at >= since - SAME_S), None)


def _clock(hour: str, minute: str | None, half: str | None) -> time | None:
    """Return a time of day; None for what is none, or might be meant either way."""
    number, minutes = int(hour), int(minute or 0)
    if half:
        if not 1 <= number <= 12:
            return None
        number = number % 12 + (12 if half.lower() == "p" else 0)
    elif minute is None:
        return None
    return time(number, minutes) if number < 24 and minutes < 60 else None


def _zone(said: Mapping[str, str], local: tzinfo) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    name = said.get("zone") or said.get("short") or said.get("utc")
    if name is None:
        return local
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    try:
        return ZoneInfo(name) if "/" in name else None  # the system's "EST" knows no summer time
    except (KeyError, ValueError, OSError):  # no such zone; no name of one; a folder of them
        return None


def _of_date(read: datetime, said: Mapping[str, str], clock: time) -> float | None:
    """Return the moment of a date: of its year, or where none is told, the nearest to when it was read."""
    name = said["month"].lower()
    month = int(name) if name.isdigit() else MONTHS.index(name) + 1
    years = (int(said["year"]),) if "year" in said else (read.year - 1, read.year, read.year + 1)
    ats = [at for year in years for at in _of_year(read, year, month, int(said["day"]), clock)]
    return min(ats, key=lambda at: abs(at - read.timestamp()), default=None)


def _of_year(read: datetime, year: int, month: int, day: int, clock: time) -> Iterator[float]:
    try:
        moment = datetime.combine(datetime(year, month, day), clock, read.tzinfo)
    except ValueError:  # February 29th
        return
    yield from _instants(moment)


def _instants(moment: datetime) -> tuple[float, ...]:
    """Return the moments at which clocks show that: two where they are set back in between."""
    return tuple(dict.fromkeys(moment.replace(fold=fold).timestamp() for fold in (0, 1)))
