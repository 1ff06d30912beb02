"""Whether each check-in of a night is accounted for: each due time has a firing, each firing a due time.

A due time counts from when the clock shows it. It is covered by exactly one firing: its own, or the one of an earlier
due time when an outage lay between. That firing comes at the first moment at which it could: the supervisor runs, the
team is not paused, the agent can take messages. What is not covered has a reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from orchestrator_core.models.agent import AgentStatus
from tests.night import due_times
from tests.night.ledger import Change, Ledger, Row, Seen
from tests.night.play import Night

EXACT_S = 1e-3
COOLDOWN_S = 300.0
RETRIES = 5
BY_HAND = "asked for"
NEVER_CHANGED = ("target", "author", "kind", "interval_s", "cron", "zone", "is_standing", "created_at")


class Account(Struct, kw_only=True):
    """What became of one check-in."""

    row: Row
    due: int = 0
    """How many due times came."""
    sent: int = 0
    skipped: int = 0
    covered: int = 0
    """By the firing of an earlier one."""
    passed: int = 0
    """They had fired before the clock went back."""
    dropped: int = 0
    """It was moved, cancelled or dead before they could fire."""
    pending: int = 0
    by_hand: int = 0
    receipts: Counter[str]
    faults: list[str]


class Span(Struct, frozen=True, kw_only=True):
    """A time in which the due times of a check-in lie in one row."""

    start: float
    end: float
    orders: tuple[float, float]
    """Between which changes it lies."""
    wall: float
    """What the clock showed at its start."""
    row: Row
    ended_by: str
    """What came then; empty at the end of the night."""


def account(night: Night) -> list[Account]:
    """Return what became of each check-in, in the order they were set."""
    receipts = {row["id"]: row for row in night.ledger.query("SELECT * FROM message")}
    return [_account(night, receipts, number) for number in sorted(night.ledger.rows)]


def _account(night: Night, messages: dict[int, Row], number: int) -> Account:
    ledger = night.ledger
    found = Account(row=ledger.rows[number], receipts=Counter(), faults=[])
    fired_before: set[float] = set()
    for span in _spans(ledger, number, night.clock.at):
        _account_span(night, span, found, fired_before)
    by_hand = [seen for seen in ledger.firings[number] if seen.row["reason"].startswith(BY_HAND)]
    found.by_hand = len(by_hand)
    for seen in ledger.firings[number]:
        found.faults += _wrong_outcome(ledger, seen, messages)
        if seen.row["message"] is not None:
            found.receipts[messages[seen.row["message"]]["state"]] += 1
    counted = found.sent + found.skipped + found.covered + found.passed + found.dropped + found.pending
    if counted != found.due:
        found.faults.append(f"{found.due} due times, {counted} accounted for")
    if found.sent + found.skipped + found.by_hand != len(ledger.firings[number]):
        found.faults.append("a firing lies outside every span")
    found.faults += _wrong_end(night, found)
    return found


def _spans(ledger: Ledger, number: int, end: float) -> Iterator[Span]:
    """Yield the spans of a check-in: it was set, moved, or corrected because the clock went back."""
    start: Change | None = None
    for change in ledger.changes[number]:
        begins = change.before is None or change.cause == "moved" or _is_correction(change)
        ends = change.after["state"] != "active"
        if start is not None and (begins or ends):
            yield _span(start, change.at, change.order, change.cause if begins else change.after["state"])
            start = None
        if begins and not ends:
            start = change
    if start is not None:
        yield _span(start, end, math.inf, "")


def _span(start: Change, end: float, order: float, ended_by: str) -> Span:
    orders = (start.order, order)
    return Span(start=start.at, end=end, orders=orders, wall=start.wall, row=start.after, ended_by=ended_by)


def _is_correction(change: Change) -> bool:
    """Whether a round has brought a check-in nearer: nothing but a clock that went back is a reason."""
    before, after = change.before, change.after
    return before is not None and change.cause == "round" and after["due_at"] < before["due_at"]


def _times(span: Span, latest: float) -> list[float]:
    row = span.row
    first = row["due_at"]
    if row["kind"] == "once":
        return [first]
    if row["kind"] == "every":
        return due_times.every(first, row["interval_s"], latest)
    return [first, *due_times.cron(row["cron"], row["zone"], max(first, span.wall), latest)]


def _account_span(night: Night, span: Span, found: Account, fired_before: set[float]) -> None:
    ledger, clock, number = night.ledger, night.clock, found.row["id"]
    team = night.team_of[found.row["target"]]
    firings = [
        seen
        for seen in ledger.firings[number]
        if span.orders[0] < seen.order < span.orders[1] and not seen.row["reason"].startswith(BY_HAND)
    ]
    came = [
        (due, shown[0][0])
        for due in _times(span, _latest_shown(night, span))
        if (shown := clock.shows(due, span.start, math.nextafter(span.end, math.inf)))
    ]
    found.due += len(came)
    row_of = iter(firings)
    seen = next(row_of, None)
    index = 0
    while index < len(came):
        due, since = came[index]
        if due in fired_before:
            found.passed += 1
            index += 1
            continue
        able = ledger.able(found.row["target"], team, since, span.end)
        expected = _first(night, due, able)
        if seen is None or seen.row["due_at"] != due:
            _uncovered(night, found, span, due, since, expected)
            index += 1
            continue
        if seen.at < since - EXACT_S or (expected is not None and seen.at > expected + EXACT_S):
            found.faults.append(f"due at {due:.0f}, could fire at {expected}, fired at {seen.at}")
        covered = [d for d, _ in came[index + 1 :] if d <= seen.row["fired_at"]]
        if seen.row["missed"] != len(covered):
            found.faults.append(f"the firing for {due:.0f} covers {len(covered)} more, and says {seen.row['missed']}")
        found.covered += len(covered)
        fired_before.add(due)
        setattr(found, seen.row["outcome"], getattr(found, seen.row["outcome"]) + 1)
        index += 1 + len(covered)
        seen = next(row_of, None)
    if seen is not None:
        found.faults.append(f"a firing for {seen.row['due_at']:.3f}, which is no due time, at {seen.at:.0f} s")


def _latest_shown(night: Night, span: Span) -> float:
    """Return the latest time that the clock showed in a span."""
    moments = [span.start, span.end] + [
        math.nextafter(at, 0) for at, _, text in night.ledger.incidents if span.start < at <= span.end
    ]
    return max(night.clock.wall(at) for at in moments)


def _first(night: Night, due: float, able: list[tuple[float, float]]) -> float | None:
    """Return the first moment in spans at which the clock shows `due` or more."""
    shown = [part for first, last in able for part in night.clock.shows(due, first, last)]
    return min((first for first, _ in shown), default=None)


def _uncovered(night: Night, found: Account, span: Span, due: float, since: float, expected: float | None) -> None:
    """Account for a due time without a firing."""
    if expected is not None and expected < span.end - EXACT_S:
        found.faults.append(f"due at {due:.0f}, could fire at {expected:.0f} s, and never did")
    elif span.ended_by:
        found.dropped += 1
    else:
        found.pending += 1


def _wrong_outcome(ledger: Ledger, seen: Seen, messages: dict[int, Row]) -> Iterator[str]:
    row, check_in = seen.row, ledger.rows[seen.row["check_in"]]
    named = f"firing {row['id']} at {seen.at:.0f} s"
    if row["outcome"] == "sent":
        yield from (f"{named}: {wrong}" for wrong in _wrong_message(check_in, row, messages))
    elif row["message"] is not None or not row["reason"]:
        yield f"{named} was skipped with message {row['message']} and reason {row['reason']!r}"
    if row["reason"].startswith(BY_HAND):
        return
    rules = _reasons_to_skip(check_in, seen)
    if row["outcome"] == "skipped" and not any(rules.values()):
        yield f"{named} was skipped ({row['reason']}) without a rule"
    if row["outcome"] == "sent" and any(must for rule, must in rules.items() if rule != "perhaps"):
        yield f"{named} was sent against {[rule for rule, holds in rules.items() if holds]}"


def _reasons_to_skip(check_in: Row, seen: Seen) -> dict[str, bool]:
    is_standing = bool(check_in["is_standing"])
    passed, shown = seen.was_nudged_for or (math.inf, math.inf)
    return {
        "its message waits": seen.was_waiting and check_in["kind"] != "once",
        "it works": is_standing and seen.status == AgentStatus.WORKING,
        "nudged": is_standing and 0 <= passed < COOLDOWN_S and 0 <= shown < COOLDOWN_S,
        "perhaps": is_standing and (0 <= passed < COOLDOWN_S or 0 <= shown < COOLDOWN_S),
    }


def _wrong_message(check_in: Row, firing: Row, messages: dict[int, Row]) -> Iterator[str]:
    message = messages.get(firing["message"])
    if message is None:
        yield f"it has no message {firing['message']}"
        return
    is_own = check_in["author"] in (check_in["target"], "tmorch")
    sender = "check-in" if is_own else f"check-in by {check_in['author']}"
    wanted = (check_in["target"], sender, firing["fired_at"], "when-idle")
    got = tuple(message[name] for name in ("target", "sender", "created_at", "mode"))
    if got != wanted:
        yield f"its message is {got} instead of {wanted}"


def _wrong_end(night: Night, found: Account) -> Iterator[str]:
    """Tell what is wrong with how a check-in stands when the night is over."""
    row, clock = found.row, night.clock
    if row["state"] in ("cancelled", "dead") and not row["reason"]:
        yield f"it is {row['state']} without a reason"
    has_fired = any(seen.row["due_at"] == row["due_at"] for seen in night.ledger.firings[row["id"]])
    if row["state"] == "active" and row["due_at"] <= clock() and not found.pending and not has_fired:
        yield f"it is active, and its next due time {row['due_at']:.0f} has passed"
    if row["state"] == "dead":
        yield from _wrong_death(night, row)


def _wrong_death(night: Night, row: Row) -> Iterator[str]:
    change = next(c for c in night.ledger.changes[row["id"]] if c.after["state"] == "dead")
    if not night.ledger.is_gone(row["target"], change.at):
        yield f"it died at {change.at:.0f} s although its agent was there"
    if change.before is None or change.before["attempts"] != RETRIES:
        yield f"it died at {change.at:.0f} s, before it was tried {RETRIES} times again"


def wrong_changes(night: Night) -> list[str]:
    """Return what the clock's jump, and nothing else, may have done, and did wrong."""
    return [
        f"check-in {number}: {fault}"
        for number, changes in night.ledger.changes.items()
        for change in changes
        for fault in _wrong_change(change)
    ]


def _wrong_change(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None:
        return
    if any(before[name] != after[name] for name in NEVER_CHANGED):
        yield f"one of {', '.join(NEVER_CHANGED)} changed by {change.cause}"
    if not _is_correction(change):
        return
    if not change.wall < before["set_at"] - due_times.BACK_S:
        yield f"it was brought nearer at {change.at:.0f} s although the clock had not gone back"
    latest = due_times.latest(before, change.wall)
    if after["due_at"] != latest:
        yield f"it was brought to {after['due_at']:.0f} instead of {latest:.0f}"


def wrong_totals(night: Night) -> Iterator[str]:
    """Yield where events, messages and needs do not tell the same as check-ins and firings."""
    ledger = night.ledger
    acts = Counter(kind for _, kind, _ in ledger.acts)
    rows, firings = list(ledger.rows.values()), [seen.row for found in ledger.firings.values() for seen in found]
    outcomes = Counter(row["outcome"] for row in firings)
    events = Counter(row["kind"] for row in ledger.query("SELECT kind FROM event"))
    standing = sum(row["is_standing"] for row in rows)
    wanted = {
        "check-in.set": acts["set"],
        "check-in.moved": acts["moved"],
        "check-in.reworded": acts["reworded"],
        "check-in.cancelled": _cancelled(ledger),
        "check-in.fired": outcomes["sent"],
        "check-in.skipped": outcomes["skipped"],
        "check-in.dead": sum(
            c.after["state"] == "dead" != (c.before or {}).get("state") for cs in ledger.changes.values() for c in cs
        ),
        "check-in.standing": len({row["target"] for row in rows if row["is_standing"]}),
        "check-in.repaired": standing - len({row["target"] for row in rows if row["is_standing"]}),
        "schedule.paused": acts["paused"],
        "schedule.resumed": acts["resumed"],
    }
    for kind, number in wanted.items():
        if events.pop(kind, 0) != number:
            yield f"{number} events {kind} are explained, not as many were written"
    if unknown := set(events) - {"schedule.clock", "need.raised", "need.ended"}:
        yield f"events nobody can explain: {sorted(unknown)}"
    if events["schedule.clock"] > 1:
        yield f"the clock went back once, and {events['schedule.clock']} events say so"
    sent = ledger.query("SELECT id FROM message WHERE sender LIKE 'check-in%'")
    if sorted(row["id"] for row in sent) != sorted(row["message"] for row in firings if row["message"] is not None):
        yield "messages and firings are not one to one"
    times = Counter((row["check_in"], row["due_at"]) for row in firings)
    if repeated := [time for time, number in times.items() if number > 1]:
        yield f"due times that fired twice: {repeated}"
    needs = {row["key"] for row in ledger.query("SELECT key FROM need WHERE kind = 'missed'")}
    dead = {f"check-in:{row['id']}" for row in rows if row["state"] == "dead" and not row["is_standing"]}
    if needs != dead:
        yield f"needs {sorted(needs)} for dead {sorted(dead)}"


def _cancelled(ledger: Ledger) -> int:
    """Return how often a check-in went from active to cancelled."""
    return sum(
        change.after["state"] == "cancelled" and change.before is not None and change.before["state"] == "active"
        for changes in ledger.changes.values()
        for change in changes
    )
