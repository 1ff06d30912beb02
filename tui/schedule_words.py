"""What the schedule's screen says of a moment and of a check-in. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from textual.content import Content

from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind, CheckInState, Firing
from orchestrator_core.models.message import PERSON
from orchestrator_core.models.spans import exactly, lasting
from orchestrator_core.models.timeline import Lane, Tick, TickKind
from tui.timeline_plan import is_late, look_of
from tui.widgets.line import Part, part
from tui.wording import QUIET, clean, clean_line, plural

LABEL_CELLS = 9
AS_A_WHOLE = "It repeats: what is done here is done to all that it is going to fire."
PAST = (TickKind.SENT, TickKind.SKIPPED, TickKind.DEAD)


def from_now(at: float, now: float) -> str:
    """Return how far away a moment is: `in 12 min`, `5 min ago`."""
    return "now" if abs(at - now) < 1 else f"in {lasting(at - now)}" if at > now else f"{lasting(now - at)} ago"


def on_clock(at: float, now: float, *, seconds: bool = False) -> str:
    """Return a moment on the clock here, with its day unless that is today."""
    then, today = time.localtime(at), time.localtime(now)
    day = "" if then[:3] == today[:3] else "%a %d %b " if then.tm_year == today.tm_year else "%a %d %b %Y "
    return time.strftime(day + ("%H:%M:%S" if seconds else "%H:%M"), then)


def rhythm(check_in: CheckIn) -> str:
    """Return how often a check-in fires, in words."""
    match check_in.kind:
        case CheckInKind.ONCE:
            return "once"
        case CheckInKind.EVERY:
            return f"every {exactly(check_in.interval_s or 0.0)}"
        case CheckInKind.CRON:
            return f"at {clean(check_in.cron)} by the clock in {clean(check_in.zone)}"


def preview_words(times: Sequence[float], now: float) -> str:
    """Return when something would fire: the first time, and the next ones when it repeats."""
    first, *later = times
    words = f"{on_clock(first, now, seconds=not later)}, {from_now(first, now)}"
    if not later:
        return f"once, at {words}"
    return f"first at {words}; then {' and '.join(on_clock(at, now) for at in later)}"


def author_words(check_in: CheckIn) -> str:
    """Return who has set a check-in."""
    if check_in.is_standing or check_in.author == TMORCH:
        return "kept by tmorch, as one is for every live agent; set"
    if check_in.author == check_in.target:
        return "set by the agent itself"
    return "set by you" if check_in.author == PERSON else f"set by {clean(check_in.author)}"


def title_of(tick: Tick, lane: Lane, now: float) -> list[Part]:
    """Return the title of what is said of a moment."""
    glyph, look, _ = look_of(tick)
    glyph, look = ("!", "bold $text-warning") if is_late(tick, now) else (glyph, look)
    number = [part(f"check-in {tick.check_in}", QUIET, cost=5)] if tick.check_in is not None else []
    who = part(f"{clean(lane.orchestration)} ▸ {clean(lane.role)}", "bold", cost=None)
    return [part(f"{glyph} {state_words(tick, now)}", look, cost=None), who, *number]


def state_words(tick: Tick, now: float) -> str:
    """Return what a moment is, in a word or two."""
    if is_late(tick, now):
        return "overdue"
    word = look_of(tick)[2]
    return word if tick.receipt is None else f"fired, {word}"


def details_of(
    tick: Tick, lane: Lane, check_in: CheckIn | None, last: Firing | None, now: float, *, wish: float | None
) -> Content:
    """Return everything there is to say of a moment; `wish` is when the person wants it to be."""
    note = [clean_line(line) for line in (check_in.note if check_in else tick.note).splitlines()]
    fields = [*_about_tick(tick, lane, now, wish=wish), *_about_check_in(tick, check_in, last, now)]
    lines = [*map(Content, filter(None, note)), *(_field(name, text, style) for name, text, style in fields)]
    if check_in is not None and check_in.repeats and check_in.is_active:
        lines.append(Content.assemble((AS_A_WHOLE, QUIET)))
    return Content("\n").join(lines)


Field = tuple[str, str, str]
"""Name, value, style."""


def _field(name: str, text: str, style: str) -> Content:
    return Content.assemble((f"{name:<{LABEL_CELLS}}", QUIET), (text, style))


def _about_tick(tick: Tick, lane: Lane, now: float, *, wish: float | None) -> Iterator[Field]:
    if wish is not None:
        yield "moving", f"to {on_clock(wish, now, seconds=True)}, {from_now(wish, now)}", "bold $text-accent"
    else:
        yield "when", f"{on_clock(tick.at, now, seconds=True)}, {from_now(tick.at, now)}", ""
    if lane.is_paused and tick.kind not in PAST:
        yield "paused", "nothing fires for this team until it is resumed", "$text-warning"
    if tick.message is not None and tick.receipt is not None:
        glyph, look, word = look_of(tick)
        yield "receipt", f"{glyph} {word}, message {tick.message}", look
    if tick.reason:
        yield "why", clean(tick.reason), "$text-warning" if tick.kind is not TickKind.SENT else ""
    if tick.missed:
        yield "missed", f"it stands for {plural(tick.missed, 'later due time')} as well: nothing could fire then", ""


def _about_check_in(tick: Tick, check_in: CheckIn | None, last: Firing | None, now: float) -> Iterator[Field]:
    if check_in is None:
        return
    is_next_here = tick.kind in (TickKind.DUE, TickKind.OVERDUE)
    following = f", next at {on_clock(check_in.due_at, now)}" if check_in.repeats and not is_next_here else ""
    yield "rhythm", rhythm(check_in) + (following if check_in.is_active else ""), ""
    yield "author", f"{author_words(check_in)} {from_now(check_in.created_at, now)}", ""
    if not check_in.is_active:
        why = f": {clean(check_in.reason)}" if check_in.reason and check_in.reason != tick.reason else ""
        style = "$text-error" if check_in.state is CheckInState.DEAD else QUIET
        yield "state", f"{check_in.state}{why}", style
    elif check_in.attempts:
        again = f", again at {on_clock(check_in.retry_at, now, seconds=True)}" if check_in.retry_at else ""
        yield "tried", f"{plural(check_in.attempts, 'time')}{again}", "$text-warning"
    if last is not None and last.id != tick.firing:
        came = f", {last.receipt}" if last.receipt is not None else ""
        at = f"{on_clock(last.fired_at, now)}, {from_now(last.fired_at, now)}"
        yield "fired", f"last at {at}: {last.outcome}{came}", QUIET
