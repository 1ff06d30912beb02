"""Firing check-ins: what becomes of one that is due, and that each due time fires once, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind, CheckInState, Firing, FiringOutcome
from orchestrator_core.models.ids import AgentId, CheckInId, PaneId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services import firing
from orchestrator_core.services.breaker import Breaker
from orchestrator_core.services.firing import GiveUp, Hold, Retry, Scheduler, Send, Situation, Skip, decide
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.database import Database
from orchestrator_core.store.events import Events
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, corrupt, path

__all__ = ["path"]

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC).timestamp()
MINUTE, HOUR = 60.0, 3600.0
SETTINGS = ScheduleSettings()


def a_check_in(**changes: Any) -> CheckIn:
    """One that is due now, every ten minutes, set by its own agent."""
    made = CheckIn(
        id=CheckInId(0),
        target=DEVELOPER,
        author=DEVELOPER,
        note="look at the tests",
        kind=CheckInKind.EVERY,
        due_at=NOW,
        interval_s=10 * MINUTE,
        anchor_at=NOW,
        zone="UTC",
        set_at=NOW - 10 * MINUTE,
        created_at=NOW - 10 * MINUTE,
    )
    return replace(made, **changes)


ONCE: dict[str, Any] = {"kind": CheckInKind.ONCE, "interval_s": None}
STANDING: dict[str, Any] = {"author": TMORCH, "is_standing": True}


def situation(
    agent: dict[str, Any] | None = None, team: OrchestrationState = OrchestrationState.RUNNING, **changes: Any
) -> Situation:
    known = {name: changes.pop(name) for name in ("is_waiting", "last_sent") if name in changes}
    return Situation(
        check_in=a_check_in(**changes),
        agent=an_agent(**{"status": AgentStatus.IDLE, "pane": PaneId("%1"), **(agent or {})}),
        orchestration=an_orchestration(state=team),
        **known,
    )


# --- what becomes of one that is due


@pytest.mark.parametrize("status", [AgentStatus.IDLE, AgentStatus.WORKING, AgentStatus.WAITING, AgentStatus.UNKNOWN])
@pytest.mark.parametrize("changes", [{}, ONCE])
def test_what_somebody_has_set_is_sent_whatever_its_agent_does(status: AgentStatus, changes: dict[str, Any]) -> None:
    """It waits in the outbox until the agent is free."""
    assert decide(situation({"status": status}, last_sent=NOW - 1, **changes), SETTINGS, NOW) == Send()


@pytest.mark.parametrize(
    ("agent", "team", "reason"),
    [
        ({}, OrchestrationState.STOPPED, "its team is stopped"),
        ({"status": AgentStatus.EXITED, "reason": "/exit"}, OrchestrationState.RUNNING, "its agent has ended: /exit"),
        ({"status": AgentStatus.FAILED, "reason": "x"}, OrchestrationState.RUNNING, "its agent has failed: x"),
        ({"pane": None}, OrchestrationState.RUNNING, "its agent has no pane"),
    ],
)
def test_one_whose_agent_is_gone_is_tried_again_and_then_given_up(
    agent: dict[str, Any], team: OrchestrationState, reason: str
) -> None:
    few = ScheduleSettings(retries=2, retry_s=30)
    pauses = [decide(situation(agent, team, attempts=attempts), few, NOW) for attempts in range(3)]
    assert pauses == [Retry(reason, NOW + 30), Retry(reason, NOW + 60), GiveUp(reason)]
    assert decide(situation(agent, team), ScheduleSettings(retries=0), NOW) == GiveUp(reason)


def test_one_whose_agent_is_limited_is_kept_until_the_limit_ends() -> None:
    def held_until(limited_until: float | None) -> float:
        held = decide(situation({"status": AgentStatus.LIMITED, "limited_until": limited_until}), SETTINGS, NOW)
        assert isinstance(held, Hold)
        assert "usage limit" in held.reason
        return held.until

    assert held_until(NOW + 2 * HOUR) == NOW + 2 * HOUR
    assert held_until(None) == NOW + MINUTE
    assert held_until(NOW - HOUR) == NOW + MINUTE


def test_one_whose_agent_is_starting_is_kept_for_a_moment() -> None:
    held = decide(situation({"status": AgentStatus.STARTING}), SETTINGS, NOW)
    assert held == Hold("its agent is starting", NOW + 10)


def test_one_that_repeats_is_left_out_while_its_last_message_waits() -> None:
    assert decide(situation(is_waiting=True), SETTINGS, NOW) == Skip("its message before still waits")


@pytest.mark.parametrize(
    ("changes", "settings", "expected"),
    [
        ({}, {}, Send()),
        ({"agent": {"status": AgentStatus.WORKING}}, {}, Skip("its agent works")),
        ({"agent": {"status": AgentStatus.WORKING}}, {"when_working": "wait"}, Send()),
        ({"last_sent": NOW - 299}, {}, Skip("a check-in was sent to its agent a moment ago")),
        ({"last_sent": NOW - 300}, {}, Send()),
        ({"last_sent": NOW - 1}, {"cooldown_min": 0}, Send()),
        ({"last_sent": NOW + HOUR}, {}, Send()),  # the clock went back
        ({"last_sent": NOW - 119, "interval_s": 2 * MINUTE}, {}, Send()),  # that was its own one
    ],
)
def test_a_standing_one_is_left_out_when_it_would_disturb(
    changes: dict[str, Any], settings: dict[str, Any], expected: object
) -> None:
    assert decide(situation(**STANDING, **changes), ScheduleSettings(**settings), NOW) == expected


situations = st.builds(
    lambda status, team, pane, limited, once, standing, attempts, waiting, last: situation(
        {"status": status, "pane": pane, "limited_until": limited},
        team,
        is_waiting=waiting,
        last_sent=last,
        attempts=attempts,
        **(ONCE if once else STANDING if standing else {}),
    ),
    st.sampled_from(AgentStatus),
    st.sampled_from(OrchestrationState),
    st.sampled_from([None, PaneId("%1")]),
    st.none() | st.floats(NOW - 1e6, NOW + 1e6),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
    st.booleans(),
    st.none() | st.floats(NOW - 1e6, NOW + 1e6),
)


@given(situations, st.integers(0, 9))
def test_every_decision_gets_on(known: Situation, retries: int) -> None:
    """Nothing is sent to nobody, nothing stays due, nothing is tried for ever, and no asked-for reminder is lost."""
    decision = decide(known, ScheduleSettings(retries=retries), NOW)
    agent = known.agent
    is_there = known.orchestration.state.is_active and agent.status.is_live and agent.pane is not None
    assert is_there != isinstance(decision, Retry | GiveUp)
    assert isinstance(decision, GiveUp) == (not is_there and known.check_in.attempts >= retries)
    if isinstance(decision, Hold | Retry):
        assert decision.until > NOW
        assert decision.reason
    if isinstance(decision, Skip):
        assert known.check_in.is_standing or (known.check_in.repeats and known.is_waiting)


# --- on a real store


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Bench:
    """A store with two idle agents, and a scheduler that can be killed."""

    def __init__(self, place: Path) -> None:
        self.path = place
        self.clock = Clock()
        self.reports: list[str] = []
        self.settings = SETTINGS
        self.store = open_store(place)
        self.store.orchestrations.claim(an_orchestration())
        for number, agent in enumerate((DEVELOPER, TESTER)):
            self.store.agents.add(an_agent(agent, pane=PaneId(f"%{number}"), status=AgentStatus.IDLE))
        self.scheduler = self.another()

    def another(self, store: Store | None = None) -> Scheduler:
        def report(text: str, details: str = "") -> None:
            self.reports.append(text)

        return Scheduler(store or self.store, self.settings, self.clock, report)

    def kill(self) -> None:
        """End the scheduler and its connection; another one takes over."""
        self.store.close()
        self.store = open_store(self.path)
        self.scheduler = self.another()

    def add(self, **changes: Any) -> CheckInId:
        return self.store.check_ins.add(a_check_in(**changes)).id

    def get(self, number: CheckInId) -> CheckIn:
        return self.store.check_ins.get(number)

    def run_until(self, end: float) -> list[AgentId]:
        """Live until `end` as the supervisor does: a round whenever one is wanted."""
        told: list[AgentId] = []
        while (at := self.scheduler.next_at()) is not None and at <= end:
            self.clock.now = max(self.clock.now, at)
            told += self.scheduler.round()
        self.clock.now = end
        return told

    def round_at(self, now: float) -> tuple[AgentId, ...]:
        self.clock.now = now
        return self.scheduler.round()

    def status(self, status: AgentStatus, agent: AgentId = DEVELOPER, **changes: Any) -> None:
        self.store.agents.update(agent, status=status, **changes)

    def firings(self, number: CheckInId) -> list[Firing]:
        return [found for found in self.store.firings.between(0, 1e12) if found.check_in == number]

    def texts(self) -> list[str]:
        return [message.text for message in reversed(self.store.messages.latest(limit=10_000))]

    def events(self, kind: str) -> list[str]:
        return [event.text for event in self.store.events.latest(100) if event.kind == kind]


@pytest.fixture
def bench(path: Path) -> Iterator[Bench]:
    made = Bench(path)
    yield made
    made.store.close()


def test_it_arrives_once_on_time_and_goes_on_without_drift(bench: Bench) -> None:
    """Scenario 35: an accelerated clock, and rounds that are never quite on time."""
    number = bench.add(note="the  words\nas they are")
    for turn in range(5):
        assert bench.round_at(NOW + turn * 10 * MINUTE - 0.01) == ()
        assert bench.round_at(NOW + turn * 10 * MINUTE + 7.3) == (DEVELOPER,)
        assert bench.round_at(NOW + turn * 10 * MINUTE + 7.4) == ()
        assert bench.get(number).due_at == NOW + (turn + 1) * 10 * MINUTE
        message = bench.store.messages.latest(DEVELOPER, 1)[0]
        bench.store.messages.claim_next(DEVELOPER, bench.clock())
        bench.store.messages.finish(message.id, MessageState.DELIVERED, at=bench.clock())
    assert bench.texts() == ["the  words\nas they are"] * 5
    assert [(f.due_at, f.missed, f.receipt) for f in bench.firings(number)] == [
        (NOW + turn * 10 * MINUTE, 0, MessageState.DELIVERED) for turn in range(5)
    ]
    assert len(bench.events("check-in.fired")) == 5


def test_one_that_fires_once_is_over_then(bench: Bench) -> None:
    number = bench.add(**ONCE)
    assert bench.run_until(NOW + HOUR) == [DEVELOPER]
    assert bench.get(number).state is CheckInState.FIRED
    assert bench.get(number).ended_at == NOW
    assert bench.scheduler.next_at() is None


@pytest.mark.parametrize(
    ("author", "sender"),
    [(DEVELOPER, "check-in"), (TMORCH, "check-in"), (TESTER, f"check-in by {TESTER}"), ("you", "check-in by you")],
)
def test_the_message_says_whose_words_it_brings(bench: Bench, author: str, sender: str) -> None:
    bench.add(author=author)
    bench.scheduler.round()
    assert [message.sender for message in bench.store.messages.latest()] == [sender]


def test_what_an_outage_has_missed_fires_once(bench: Bench) -> None:
    """Scenario 36: it was killed for three intervals."""
    every, once, cron = (
        bench.add(note="every"),
        bench.add(note="once", **ONCE),
        bench.add(note="cron", kind=CheckInKind.CRON, interval_s=None, cron="*/15 * * * *"),
    )
    bench.kill()
    assert bench.round_at(NOW + 35 * MINUTE) == (DEVELOPER,)
    assert sorted(bench.texts()) == ["cron", "every", "once"]
    for number, missed, next_at in ((every, 3, NOW + 40 * MINUTE), (cron, 2, NOW + 45 * MINUTE)):
        assert [(f.due_at, f.missed, f.fired_at) for f in bench.firings(number)] == [(NOW, missed, bench.clock())]
        assert bench.get(number).due_at == next_at
    assert [f.missed for f in bench.firings(once)] == [0]
    assert bench.get(once).state is CheckInState.FIRED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    gaps=st.lists(st.floats(0.0, 5 * HOUR), min_size=1, max_size=12),
    kills=st.sets(st.integers(0, 11)),
    interval=st.floats(MINUTE, HOUR),
)
def test_every_due_time_is_covered_once(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[float], kills: set[int], interval: float
) -> None:
    """Whatever the outages and however often it is killed: no due time is lost, none is covered twice, none drifts."""
    bench = Bench(tmp_path_factory.mktemp("bench") / "tmorch.db")
    with closing(bench.store):
        number = bench.add(interval_s=interval)
        for turn, gap in enumerate(gaps):
            if turn in kills:
                bench.kill()
            bench.round_at(bench.clock() + gap)
            assert bench.get(number).due_at > bench.clock()
        covered = [
            round((f.due_at - NOW) / interval) + more for f in bench.firings(number) for more in range(f.missed + 1)
        ]
        assert covered == list(range(len(covered)))
        assert bench.get(number).due_at == pytest.approx(NOW + len(covered) * interval, abs=1e-3)
        bench.store.close()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("changes", [{}, ONCE, STANDING])
def test_ending_between_any_two_statements_loses_and_doubles_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    number = bench.add(**changes)
    before = bench.get(number)
    statements = 0
    while not bench.firings(number):
        assert (bench.get(number), bench.texts(), bench.events("check-in.fired")) == (before, [], [])
        statements += 1
        _kill_at(monkeypatch, statements)
        with suppress(Killed):
            bench.scheduler.round()
        monkeypatch.undo()
        bench.kill()
    assert statements > 10
    assert bench.get(number) != before
    bench.scheduler.round()
    assert len(bench.firings(number)) == len(bench.texts()) == 1


def _kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """End at the statement with that number, counted from now; the end of a transaction counts as one."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    def counted(name: str) -> None:
        real = getattr(Database, name)

        def run(*args: Any) -> Any:
            count()
            return real(*args)

        monkeypatch.setattr(Database, name, run)

    real = Database.transaction

    @contextmanager
    def transaction(database: Database) -> Iterator[None]:
        with real(database):
            yield
            count()

    counted("execute")
    counted("write")
    monkeypatch.setattr(Database, "transaction", transaction)


def test_two_on_one_store_fire_nothing_twice(bench: Bench) -> None:
    """Each has a connection of its own, as two processes have."""
    numbers = [bench.add(note=f"note {number}") for number in range(40)]
    both = threading.Barrier(2)

    def live() -> None:
        with closing(open_store(bench.path)) as store:
            scheduler = bench.another(store)
            both.wait()
            while store.check_ins.due(bench.clock(), 1):
                scheduler.round()

    threads = [threading.Thread(target=live) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.reports == []
    assert sorted(bench.texts()) == sorted(f"note {number}" for number in range(40))
    assert {len(bench.firings(number)) for number in numbers} == {1}


def test_very_much_at_once_comes_in_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "TURN_S", 0.0)
    numbers = [bench.add(note=f"note {number}", due_at=NOW - 1 + number * 0.001, **ONCE) for number in range(3)]
    turns = []
    while bench.scheduler.next_at() is not None:
        turns.append(bench.scheduler.round())
    assert turns == [(DEVELOPER,)] * 3
    assert bench.texts() == [f"note {number}" for number in range(3)]
    assert all(bench.get(number).state is CheckInState.FIRED for number in numbers)


def test_one_whose_agent_is_gone_is_dead_in_the_end(bench: Bench) -> None:
    """Scenario 38: some attempts, further and further apart; then it says why, and is never tried again."""
    number = bench.add(**ONCE)
    well = bench.add(note="the other agent's", target=TESTER)
    bench.status(AgentStatus.EXITED, reason="its window is gone")
    attempts: list[int] = []
    while (at := bench.scheduler.next_at()) is not None and at < NOW + 3 * HOUR:
        bench.clock.now = max(bench.clock.now, at)
        bench.scheduler.round()
        found = bench.get(number)
        if found.is_active and found.attempts > len(attempts):
            attempts.append(round((found.retry_at or 0) - bench.clock()))
            assert found.reason == "its agent has ended: its window is gone"
    assert attempts == [60, 120, 240, 480, 960]
    dead = bench.get(number)
    assert (dead.state, dead.reason) == (CheckInState.DEAD, "its agent has ended: its window is gone")
    assert dead.ended_at == NOW + 31 * MINUTE
    assert dead in bench.store.check_ins.shown(NOW, NOW + HOUR)
    assert len(bench.events("check-in.dead")) == 1
    assert "its window is gone" in bench.events("check-in.dead")[0]
    assert "look at the tests" not in bench.texts()
    assert bench.get(well).is_active


def test_an_agent_that_comes_back_gets_it_at_once(bench: Bench) -> None:
    number = bench.add()
    bench.status(AgentStatus.FAILED)
    bench.run_until(NOW + 5 * MINUTE)
    assert bench.get(number).attempts == 3
    bench.status(AgentStatus.IDLE)
    bench.scheduler.release(DEVELOPER)
    assert bench.scheduler.next_at() == NOW
    assert bench.scheduler.round() == (DEVELOPER,)
    after = bench.get(number)
    assert (after.attempts, after.retry_at, after.reason) == (0, None, "")
    assert [f.due_at for f in bench.firings(number)] == [NOW]


def test_a_limit_holds_it_back_until_its_end(bench: Bench) -> None:
    number = bench.add()
    bench.status(AgentStatus.LIMITED, limited_until=NOW + 4 * HOUR)
    assert bench.run_until(NOW + 4 * HOUR - 1) == []
    held = bench.get(number)
    assert (held.attempts, held.retry_at, held.due_at) == (0, NOW + 4 * HOUR, NOW)
    assert "usage limit" in held.reason
    bench.status(AgentStatus.IDLE)
    assert bench.run_until(NOW + 4 * HOUR) == [DEVELOPER]
    assert [f.missed for f in bench.firings(number)] == [24]


def test_a_working_agent_is_left_alone_by_its_standing_one(bench: Bench) -> None:
    bench.status(AgentStatus.WORKING)
    standing, own = bench.add(note="standing", **STANDING), bench.add(note="own")
    bench.scheduler.round()
    assert bench.texts() == ["own"]
    assert [(f.outcome, f.reason) for f in bench.firings(standing)] == [(FiringOutcome.SKIPPED, "its agent works")]
    assert bench.get(standing).due_at == bench.get(own).due_at == NOW + 10 * MINUTE
    assert len(bench.events("check-in.skipped")) == 1


def test_a_paused_team_is_told_once_afterwards(bench: Bench) -> None:
    number = bench.add()
    bench.store.orchestrations.update(SHOP, check_ins_paused_at=NOW - 1)
    bench.scheduler.round()
    assert bench.scheduler.next_at() is None
    bench.clock.now = NOW + HOUR
    bench.store.orchestrations.update(SHOP, check_ins_paused_at=None)
    assert bench.scheduler.next_at() == NOW
    bench.scheduler.round()
    assert [(f.due_at, f.missed) for f in bench.firings(number)] == [(NOW, 6)]


# --- rows that are broken


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE checkin SET due_at = 'soon' WHERE id = ?",
        "UPDATE checkin SET due_at = 9e999 WHERE id = ?",
        "UPDATE checkin SET due_at = 'soon', anchor_at = 'never' WHERE id = ?",
        "UPDATE checkin SET note = x'00ff' WHERE id = ?",
        "UPDATE checkin SET attempts = 'many' WHERE id = ?",
        "UPDATE checkin SET retry_at = 'later' WHERE id = ?",
        "UPDATE checkin SET kind = 'monthly' WHERE id = ?",
        "UPDATE checkin SET kind = 'cron', cron = 'at noon' WHERE id = ?",
        "UPDATE checkin SET kind = 'cron', cron = '0 * * * *', zone = 'Mars' WHERE id = ?",
    ],
)
def test_a_broken_row_is_put_aside_and_the_others_fire(bench: Bench, sql: str) -> None:
    """Scenario 39: a row that was changed by hand ends, says why, and keeps nothing else from its turn."""
    broken, well = bench.add(note="broken"), bench.add(note="well", target=TESTER)
    corrupt(bench.path, sql, broken)
    bench.run_until(NOW + MINUTE)
    assert bench.texts() == ["well"]
    assert len(bench.firings(well)) == 1
    row = bench.store._database.execute("SELECT state, reason FROM checkin WHERE id = ?", (broken,))[0]
    assert row["state"] == "dead"
    assert row["reason"]
    assert len(bench.events("check-in.dead")) == 1


def test_one_that_cannot_be_fired_is_tried_three_times(bench: Bench) -> None:
    number = bench.add(kind=CheckInKind.CRON, interval_s=None, cron="at noon")
    attempts: list[float] = []
    while bench.get(number).is_active:
        attempts.append(bench.clock() - NOW)
        bench.scheduler.round()
        bench.clock.now = bench.get(number).retry_at or NOW
    assert attempts == [0, 5, 15]
    assert len(bench.reports) == 3
    assert "at noon" in bench.get(number).reason
    assert bench.texts() == []


def test_an_agent_whose_row_is_broken_keeps_nobody_else_from_theirs(bench: Bench) -> None:
    lost, well = bench.add(note="lost"), bench.add(note="well", target=TESTER)
    corrupt(bench.path, "UPDATE agent SET created_at = 'yesterday' WHERE id = ?", DEVELOPER)
    assert bench.round_at(NOW) == (TESTER,)
    assert bench.get(lost).is_active
    bench.run_until(NOW + MINUTE)
    assert bench.texts() == ["well"]
    assert bench.get(lost).state is CheckInState.DEAD
    assert "created_at" in bench.get(lost).reason
    assert len(bench.firings(well)) == len(bench.events("check-in.dead")) == 1


def test_a_database_that_is_full_is_no_fault_of_the_check_in(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    number = bench.add()
    before = bench.get(number)

    def full(*args: object, **kwargs: object) -> None:
        raise StoreError("the disk is full", code="disk-full")

    monkeypatch.setattr(Events, "add", full)
    for _ in range(5):
        with pytest.raises(StoreError, match="disk is full"):
            bench.scheduler.round()
    assert bench.get(number) == before
    assert bench.texts() == []
    monkeypatch.undo()
    assert bench.scheduler.round() == (DEVELOPER,)


# --- a clock that is set


def test_nothing_sleeps_for_hours_because_the_clock_went_back(bench: Bench) -> None:
    """The clock was ten hours ahead, and is set right while the scheduler lives."""
    every = bench.add(note="every")
    once = bench.add(note="once", due_at=NOW + 20 * MINUTE, set_at=NOW, **ONCE)
    bench.scheduler.round()
    assert bench.get(every).due_at == NOW + 10 * MINUTE
    back = NOW - 10 * HOUR
    bench.clock.now = back
    assert bench.scheduler.next_at() == back
    bench.run_until(back)
    assert bench.get(every).due_at == back + 10 * MINUTE
    assert bench.get(once).due_at == back + 20 * MINUTE
    assert len(bench.events("schedule.clock")) == 1
    bench.run_until(back + 30 * MINUTE)
    assert bench.texts().count("once") == 1


def test_a_clock_that_went_back_meanwhile_is_noticed_at_the_start(bench: Bench) -> None:
    number = bench.add(due_at=NOW + 10 * HOUR, anchor_at=NOW + 10 * HOUR, set_at=NOW + 10 * HOUR - 10 * MINUTE)
    assert bench.scheduler.next_at() == NOW
    bench.scheduler.round()
    assert bench.get(number).due_at == NOW + 10 * MINUTE


def test_a_due_time_that_comes_again_fires_no_second_time(bench: Bench) -> None:
    number = bench.add(kind=CheckInKind.CRON, interval_s=None, cron="0 * * * *", due_at=NOW + 30 * MINUTE)
    assert bench.round_at(NOW + 30 * MINUTE) == (DEVELOPER,)
    bench.run_until(NOW)
    bench.clock.now = NOW
    bench.scheduler.round()
    assert bench.get(number).due_at == NOW + 30 * MINUTE
    assert bench.round_at(NOW + 30 * MINUTE + 1) == ()
    assert bench.get(number).due_at == NOW + 90 * MINUTE
    assert len(bench.firings(number)) == len(bench.texts()) == 1


def test_what_is_tried_again_does_not_wait_for_the_old_time(bench: Bench) -> None:
    number = bench.add(attempts=2, retry_at=NOW + 5 * HOUR, due_at=NOW - MINUTE)
    bench.scheduler.round()
    assert bench.get(number).retry_at == NOW + 2 * MINUTE


def test_what_was_held_back_does_not_wait_for_the_old_time_either(bench: Bench) -> None:
    number = bench.add(retry_at=NOW + 4 * HOUR)
    bench.round_at(NOW - 10 * HOUR)
    after = bench.get(number)
    assert (after.due_at, after.retry_at) == (NOW - 10 * HOUR + 10 * MINUTE, None)


def test_nothing_is_moved_by_a_clock_that_is_corrected_a_little(bench: Bench) -> None:
    number = bench.add()
    bench.scheduler.round()
    before = bench.get(number)
    bench.round_at(NOW - 30)
    assert bench.get(number) == before


# --- the breaker


def test_the_breaker_counts_faults_in_a_row() -> None:
    breaker: Breaker[str] = Breaker(3, 5.0)
    assert [breaker.failed("a"), breaker.failed("a")] == [5.0, 10.0]
    assert breaker.failed("b") == 5.0
    breaker.worked("a")
    assert [breaker.failed("a") for _ in range(4)] == [5.0, 10.0, None, 5.0]
