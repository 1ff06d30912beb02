"""Check-ins as people and agents read them in a terminal."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from orchestrator_core.cli.output import Look, printable
from orchestrator_core.cli.tables import Cell, Column, shorten, table
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInState, Firing
from orchestrator_core.models.spans import exactly, lasting

PAUSED = "its team's check-ins are paused"
NOTE_COLUMNS = 72
"""How much of a note a list shows, however wide the terminal."""
_STATE_STYLES = {CheckInState.DEAD: "bad", CheckInState.CANCELLED: "dim", CheckInState.FIRED: "dim"}


def clock(at: float, now: float, *, seconds: bool = False) -> str:
    """Return a moment on clocks here, with its day when that is another than today."""
    there, here = time.localtime(at), time.localtime(now)
    day = "" if there[:3] == here[:3] else "%m-%d " if there.tm_year == here.tm_year else "%Y-%m-%d "
    return time.strftime(day + ("%H:%M:%S" if seconds else "%H:%M"), there)


def rhythm(check_in: CheckIn) -> str:
    """Return how often it fires: `once`, `every 30 min`, `at 0 9 * * 1-5 (Europe/Berlin)`."""
    match check_in.kind:
        case CheckInKind.ONCE:
            return "once"
        case CheckInKind.EVERY:
            return f"every {exactly(check_in.interval_s or 0.0)}"
        case CheckInKind.CRON:
            return f"at {check_in.cron} ({check_in.zone})"


def check_in_line(check_in: CheckIn, now: float) -> str:
    """Return a check-in in one line."""
    who = f"check-in {check_in.id} for {check_in.target}"
    if not check_in.is_active:
        why = f" ({check_in.reason})" if check_in.reason else ""
        return printable(f"{who}, {check_in.state}{why}: {check_in.note}")
    due = f"at {clock(check_in.due_at, now, seconds=True)} ({_due(check_in, now)})"
    when = f" {rhythm(check_in)}, next {due}" if check_in.repeats else f" {due}"
    return printable(f"{who}{when}: {check_in.note}")


def schedule_lines(check_ins: Iterable[CheckIn], paused: Collection[str], now: float, look: Look) -> list[str]:
    """Return a table with a line a check-in; `paused` are the agents of teams whose check-ins are paused."""
    columns = (
        Column("NO", right=True),
        Column("DUE"),
        Column("AT"),
        Column("RHYTHM", elastic=True),
        Column("FOR", elastic=True),
        Column("BY", elastic=True),
        Column("NOTE", elastic=True),
        Column("WHY", elastic=True),
    )
    rows = (_row(check_in, check_in.target in paused, now) for check_in in check_ins)
    return table(columns, rows, width=look.width, color=look.color)


def check_in_fields(check_in: CheckIn, last: Firing | None, paused: bool, now: float) -> list[tuple[str, str]]:
    """Return everything about one check-in, as names and values; what is empty is left out."""
    fields = [
        ("check-in", str(check_in.id)),
        ("for", check_in.target),
        ("by", check_in.author),
        ("state", check_in.state),
        ("due", f"{clock(check_in.due_at, now, seconds=True)}" + _behind(_due(check_in, now), check_in.is_active)),
        ("rhythm", rhythm(check_in)),
        ("standing", "kept by tmorch for every live agent" if check_in.is_standing else ""),
        ("why", _why(check_in, paused, now)),
        ("set", clock(check_in.created_at, now, seconds=True)),
        ("last fired", _last(last, now) if last is not None else ""),
        ("note", check_in.note),
    ]
    return [(name, value) for name, value in fields if value]


def _row(check_in: CheckIn, paused: bool, now: float) -> tuple[str | Cell, ...]:
    return (
        str(check_in.id),
        _state_cell(check_in, paused, now),
        clock(check_in.due_at, now),
        rhythm(check_in),
        check_in.target,
        "itself" if check_in.author == check_in.target else check_in.author,
        shorten(check_in.note, NOTE_COLUMNS),
        _why(check_in, False, now),
    )


def _state_cell(check_in: CheckIn, paused: bool, now: float) -> Cell:
    if not check_in.is_active:
        return Cell(check_in.state, _STATE_STYLES.get(check_in.state, ""))
    if paused:
        return Cell("paused", "warn")
    return Cell(_due(check_in, now), "warn" if check_in.due_at <= now else "")


def _due(check_in: CheckIn, now: float) -> str:
    ahead = check_in.due_at - now
    if abs(ahead) < 1:
        return "now"
    return f"in {lasting(ahead)}" if ahead > 0 else f"{lasting(-ahead)} overdue"


def _why(check_in: CheckIn, paused: bool, now: float) -> str:
    if not check_in.is_active:
        return check_in.reason
    parts = [PAUSED] if paused else []
    if check_in.attempts:
        times = "once" if check_in.attempts == 1 else f"{check_in.attempts} times"
        parts.append(f"tried {times}")
    if check_in.retry_at is not None:
        parts.append(f"tried again at {clock(check_in.retry_at, now, seconds=True)}")
    return ", ".join(parts) + (": " if parts and check_in.reason else "") + check_in.reason


def _last(firing: Firing, now: float) -> str:
    missed = f", for {firing.missed} later due times as well" if firing.missed else ""
    message = f", message {firing.message}" if firing.message is not None else ""
    receipt = f" {firing.receipt}" if firing.receipt is not None else ""
    why = "; ".join(reason for reason in (firing.reason, firing.receipt_reason) if reason)
    at = clock(firing.fired_at, now, seconds=True)
    return f"{at}, {firing.outcome}{message}{receipt}{missed}" + (f": {why}" if why else "")


def _behind(text: str, shown: bool) -> str:
    return f" ({text})" if shown else ""
