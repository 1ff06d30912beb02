"""A night, for people to read."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.night.judge import Account
from tests.night.play import Night

COUNTS = ("due", "sent", "skipped", "covered", "passed", "dropped", "pending", "by_hand")
TITLES = ("due", "sent", "skip", "cover", "again", "drop", "open", "hand")
MEANING = (
    "due: times that came · sent, skip: firings · cover: by the firing of an earlier one, after an outage · again: had "
    "fired before the clock went back · drop: moved, cancelled or dead first · open: held or paused · hand: asked for"
)


def totals(night: Night, accounts: list[Account]) -> list[str]:
    """Return a night in a few lines."""
    states = Counter(found.row["state"] for found in accounts)
    receipts: Counter[str] = sum((found.receipts for found in accounts), Counter())
    plan = night.plan
    counts = ", ".join(f"{sum(getattr(f, n) for f in accounts)} {t}" for n, t in zip(COUNTS, TITLES, strict=True))
    return [
        f"seed {plan.seed}, {plan.start}, clock {plan.jump_s / 60:+g} min: "
        f"{len(accounts)} check-ins ({_list(states)}) of {len(night.lives)} agents, {night.ledger.refusals} refused",
        f"  {counts}",
        f"  messages: {_list(receipts)}; faults: {len(night.faults) + sum(len(f.faults) for f in accounts)}",
    ]


def table(night: Night, accounts: list[Account]) -> list[str]:
    """Return what became of each check-in, and what went wrong when."""
    lines = [f"{'':>4} {'for':24} {'by':10} {'what':32}" + "".join(f"{t:>6}" for t in TITLES) + "  receipts; end"]
    lines += [_line(found) for found in accounts]
    lines += [MEANING, *(f"  {_time(night, wall)}  {text}" for _, wall, text in night.ledger.incidents)]
    return lines


def _line(found: Account) -> str:
    row = found.row
    by = "itself" if row["author"] == row["target"] else row["author"].rpartition(":")[2]
    counts = "".join(f"{getattr(found, name) or '·':>6}" for name in COUNTS)
    end = "" if row["state"] == "active" else f"; {row['state']}" + (f": {row['reason']}" if row["reason"] else "")
    return f"{row['id']:>4} {row['target']:24} {by:10} {_what(found)[:32]:32}{counts}  {_list(found.receipts)}{end}"


def _what(found: Account) -> str:
    row = found.row
    match row["kind"]:
        case "once":
            return "once"
        case "every":
            return f"every {row['interval_s'] / 60:g} min" + (", standing" if row["is_standing"] else "")
        case _:
            return f"{row['cron']} {row['zone']}"


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "-"


def _time(night: Night, wall: float) -> str:
    return datetime.fromtimestamp(wall, ZoneInfo("Europe/Berlin")).strftime("%a %H:%M:%S %Z")
