"""The schedule with 10 000 check-ins in it: how late they fire, how long it takes to read, what it costs to keep."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import cycle
from pathlib import Path

import psutil
from msgspec.structs import replace

from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.services.recurrence import cron_times
from orchestrator_core.services.timeline import read_timeline
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.rows import values_of
from tests.benchmarks.stage import cpu_seconds, percentile, spread, stage

HOUR, DAY = 3600.0, 86400.0
STORED, FIRED = 10_000, 20_000
REPEATING = 0.02
"""Which share repeats: four for each agent."""
ONE_BY_ONE, AT_ONCE = 250, 100
APART_S = 0.2
CRONS = ("*/30 9-17 * * *", "5 * * * *", "0 3 * * 1", "15 1-4 * * *")
WINDOWS = (("2 h", 2 * HOUR), ("1 day", DAY), ("1 week", 7 * DAY))
CELLS = 160
LAG_MS, READ_MS, IDLE_PERCENT, WAKE_UPS = 250, 10, 0.5, 20


def measure(idle_s: float = 20.0) -> None:
    """Print lag, reading times and the supervisor's cost at rest."""
    with stage() as here:
        agents = here.populate(10, 5, mode="idle")
        with closing(open_store(here.paths.database)) as store:
            _fill(here.paths.database, store, [agent.id for agent in agents])
            supervisor = here.start_supervisor()
            here.wait_idle("role0")
            time.sleep(8)
            _measure_rest(supervisor, idle_s)
            _measure_reading(store)
    with stage() as here:
        agents = here.populate(4, 5, mode="busy")
        with closing(open_store(here.paths.database)) as store:
            _fill(here.paths.database, store, [agent.id for agent in agents])
            supervisor = here.start_supervisor()
            time.sleep(8)
            _measure_lag(here.paths.database, store, agents, supervisor)


def _measure_rest(supervisor: psutil.Process, seconds: float) -> None:
    cpu, woken, began = cpu_seconds([supervisor]), _wake_ups(supervisor), time.perf_counter()
    time.sleep(seconds)
    passed = time.perf_counter() - began
    used = (cpu_seconds([supervisor]) - cpu) / passed * 100
    often = (_wake_ups(supervisor) - woken) / passed
    print(
        f"P7  at rest         supervisor {used:.2f} % of a core, budget ≤ {IDLE_PERCENT} %; {often:.1f} wake-ups a "
        f"second, budget ≤ {WAKE_UPS}   (50 agents idle, {STORED} check-ins stored, none due)"
    )


def _wake_ups(process: psutil.Process) -> int:
    """Return how often the threads of a process have given up the processor of themselves, and so been woken."""
    return sum(
        int(line.split()[1])
        for status in Path(f"/proc/{process.pid}/task").glob("*/status")
        for line in status.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


def _measure_reading(store: Store, samples: int = 20) -> None:
    now = time.time()
    for name, length in WINDOWS:
        times, ticks = [], 0
        for _ in range(samples):
            began = time.perf_counter()
            timeline = read_timeline(store, now - length / 4, now + length * 0.75, step_s=length / CELLS, now=now)
            times.append(time.perf_counter() - began)
            ticks = sum(len(lane.ticks) for lane in timeline.lanes)
        print(
            f"P7  read {name:11} {spread(times)}   ({len(timeline.lanes)} lanes, {ticks} ticks), budget ≤ {READ_MS} ms"
        )


def _measure_lag(database: Path, store: Store, agents: Sequence[Agent], supervisor: psutil.Process) -> None:
    """Measure from due to in the outbox, as another process sees it; the agents work, so nothing is typed meanwhile."""
    began = time.time() + 3
    series = [began + number * APART_S for number in range(ONE_BY_ONE)]
    burst = series[-1] + 5
    cpu = cpu_seconds([supervisor])
    with store.transaction():
        targets = cycle(agent.id for agent in agents)
        dues = {
            store.check_ins.add(_once(next(targets), due_at)).id: due_at for due_at in (*series, *[burst] * AT_ONCE)
        }
    seen = _watch(database, dues)
    used = (cpu_seconds([supervisor]) - cpu) / (time.time() - began + 3) * 100
    lags = {number: at - dues[number] for number, at in seen.items()}
    _print_lags(f"{1 / APART_S:.0f} a second", [lag for number, lag in lags.items() if dues[number] != burst])
    _print_lags(f"{AT_ONCE} at once", [lag for number, lag in lags.items() if dues[number] == burst])
    missing = len(dues) - len(seen)
    print(f"P7                  supervisor {used:.1f} % of a core meanwhile; {missing} of {len(dues)} did not fire")


def _print_lags(name: str, lags: Sequence[float]) -> None:
    p50, p99, most = (percentile(lags, share) * 1000 for share in (0.5, 0.99, 1))
    print(
        f"P7  fire {name:11} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   most {most:6.1f} ms after due, "
        f"budget p99 ≤ {LAG_MS} ms"
    )


def _watch(database: Path, dues: dict[CheckInId, float]) -> dict[CheckInId, float]:
    """Return when the firing of each check-in was there to be read."""
    seen: dict[CheckInId, float] = {}
    deadline = max(dues.values()) + 20
    with closing(sqlite3.connect(database)) as reader:
        version, last = 0, reader.execute("SELECT COALESCE(MAX(id), 0) FROM firing").fetchone()[0]
        while len(seen) < len(dues) and time.time() < deadline:
            time.sleep(0.002)
            if (found := reader.execute("PRAGMA data_version").fetchone()[0]) == version:
                continue
            version, at = found, time.time()
            rows = reader.execute("SELECT id, check_in FROM firing WHERE id > ? ORDER BY id", (last,)).fetchall()
            last = rows[-1][0] if rows else last
            seen |= {number: at for _, number in rows if number in dues}
    return seen


def _once(target: AgentId, due_at: float) -> CheckIn:
    now = time.time()
    return CheckIn(
        id=CheckInId(0), target=target, author="you", note=f"look at {due_at}", kind=CheckInKind.ONCE, due_at=due_at,
        anchor_at=due_at, zone="UTC", set_at=now, created_at=now,
    )  # fmt: skip


# --- what is stored


def _fill(database: Path, store: Store, agents: Sequence[AgentId]) -> None:
    """Store check-ins of all kinds over the week to come, none due within the hour, and the firings of the last one."""
    chance, now = random.Random(7), time.time()
    crons = {cron: next(cron_times(cron, "Europe/Berlin", now + HOUR)) for cron in CRONS}
    check_ins = [replace(_any(chance, now, crons, agents), id=CheckInId(number + 1)) for number in range(STORED)]
    with closing(sqlite3.connect(database)) as writer:
        _insert(writer, "checkin", ({**values_of(c), "version": c.id} for c in check_ins))
        past = [(chance.choice(check_ins), now - chance.uniform(60, 7 * DAY)) for _ in range(FIRED)]
        _insert(writer, "message", (_message(n + 1, c, at) for n, (c, at) in enumerate(past)))
        _insert(writer, "firing", (_firing(n + 1, c, at) for n, (c, at) in enumerate(past)))
        writer.commit()
    assert store.check_ins.version() == STORED


def _any(chance: random.Random, now: float, crons: dict[str, float], agents: Sequence[AgentId]) -> CheckIn:
    check_in = replace(_once(chance.choice(agents), now + chance.uniform(HOUR, 7 * DAY)), author=TMORCH)
    lot = chance.random()
    if lot < 1 - REPEATING:
        return check_in
    if lot < 1 - REPEATING / 4:
        interval_s = chance.choice((10, 30, 60, 240)) * 60.0
        due_at = now + HOUR + chance.uniform(0, interval_s)
        return replace(check_in, kind=CheckInKind.EVERY, interval_s=interval_s, due_at=due_at, anchor_at=due_at)
    cron = chance.choice(CRONS)
    return replace(check_in, kind=CheckInKind.CRON, cron=cron, zone="Europe/Berlin", due_at=crons[cron])


def _message(number: int, check_in: CheckIn, at: float) -> dict[str, object]:
    return {
        "id": number, "target": check_in.target, "sender": "check-in", "text": check_in.note, "state": "acknowledged",
        "reason": "", "mode": "when-idle", "kind": "text", "suppressed": 0, "is_duplicate": 0, "created_at": at,
        "claimed_at": at, "delivered_at": at, "acknowledged_at": at,
    }  # fmt: skip


def _firing(number: int, check_in: CheckIn, at: float) -> dict[str, object]:
    return {
        "id": number, "check_in": check_in.id, "target": check_in.target, "due_at": at, "fired_at": at, "missed": 0,
        "outcome": "sent", "message": number, "reason": "",
    }  # fmt: skip


def _insert(writer: sqlite3.Connection, table: str, rows: Iterable[dict[str, object]]) -> None:
    for row in rows:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        writer.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
