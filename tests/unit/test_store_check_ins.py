from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, RefusedError, StoreError
from orchestrator_core.models.check_in import CheckIn, CheckInKind, CheckInState, Firing, FiringOutcome
from orchestrator_core.models.ids import AgentId, CheckInId, FiringId, MessageId
from orchestrator_core.models.message import CHECK_IN, PERSON, MessageState
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.check_ins import BROKEN, DUE, NEXT, NEXT_BY_AGENT, SHOWN
from orchestrator_core.store.connection import connect
from orchestrator_core.store.database import Database
from orchestrator_core.store.schema import MIGRATIONS, VERSION
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, corrupt, path, store

__all__ = ["path", "store"]

VERSION_2 = Path(__file__).parents[1] / "data/store/version_2.sql"
NOBODY = CheckInId(77)


def a_check_in(due_at: float = 100.0, /, **changes: object) -> CheckIn:
    made = CheckIn(
        id=CheckInId(0),
        target=DEVELOPER,
        author=PERSON,
        note="look at the tests",
        kind=CheckInKind.ONCE,
        due_at=due_at,
        zone="Europe/Berlin",
    )
    return replace(made, **changes)


def a_firing(check_in: CheckIn, due_at: float = 100.0, **changes: object) -> Firing:
    made = Firing(
        id=FiringId(0),
        check_in=check_in.id,
        target=check_in.target,
        due_at=due_at,
        fired_at=due_at,
        outcome=FiringOutcome.SKIPPED,
    )
    return replace(made, **changes)


def sent(store: Store, check_in: CheckIn, due_at: float = 100.0, **changes: object) -> tuple[MessageId, Firing | None]:
    message = store.messages.add(check_in.target, CHECK_IN, check_in.note, at=due_at)
    outcome = {"outcome": FiringOutcome.SENT, "message": message.id}
    return message.id, store.firings.add(a_firing(check_in, due_at, **outcome, **changes))


# --- check-ins


def test_a_check_in_is_stored_as_it_was_given(store: Store) -> None:
    given = a_check_in(
        kind=CheckInKind.EVERY,
        author=TESTER,
        note="über\nzwei 'Zeilen' 🙂",
        interval_s=90.5,
        anchor_at=10.25,
        cron="",
        is_standing=True,
        reason="it waits",
        attempts=2,
        retry_at=130.5,
        set_at=5.0,
        created_at=4.0,
    )
    stored = store.check_ins.add(given)
    assert stored == replace(given, id=stored.id) == store.check_ins.get(stored.id)
    assert store.check_ins.add(given).id > stored.id
    with pytest.raises(NotFoundError, match="no check-in 77"):
        store.check_ins.get(NOBODY)
    with pytest.raises(StoreError) as caught:
        store.check_ins.add(a_check_in(target=AgentId("shop-3f2a:nobody")))
    assert caught.value.code == "constraint"


def test_every_change_raises_the_version_and_nothing_else_does(store: Store) -> None:
    versions = [store.check_ins.version()]
    first, second = store.check_ins.add(a_check_in()), store.check_ins.add(a_check_in(200.0))
    versions.append(store.check_ins.version())
    after = store.check_ins.update(first.id, note="hurry", state=CheckInState.CANCELLED)
    assert after == store.check_ins.get(first.id) == replace(first, note="hurry", state=CheckInState.CANCELLED)
    versions.append(store.check_ins.version())
    store.check_ins.bury(second.id, "gone", 300.0)
    versions.append(store.check_ins.version())
    assert versions == sorted(set(versions))
    store.check_ins.update(first.id, note="hurry")
    store.check_ins.get(second.id)
    assert store.check_ins.version() == versions[-1]


def test_an_update_names_fields_of_a_check_in_there_is(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.check_ins.update(NOBODY, note="x")
    number = store.check_ins.add(a_check_in()).id
    for wrong in ("id", "version", "colour"):
        with pytest.raises(TypeError, match=wrong):
            store.check_ins.update(number, **{wrong: 3})


def test_those_that_are_due_come_in_order_and_only_so_many(store: Store) -> None:
    late, early, held = (store.check_ins.add(a_check_in(at)).id for at in (90.0, 50.0, 10.0))
    store.check_ins.update(held, retry_at=95.0)
    later = store.check_ins.add(a_check_in(101.0)).id
    assert store.check_ins.due(100.0, 10) == (early, late, held)
    assert store.check_ins.due(100.0, 2) == (early, late)
    assert store.check_ins.due(94.0, 10) == (early, late)
    assert store.check_ins.due(101.0, 10)[-1] == later
    assert store.check_ins.next_at() == 50.0


def test_what_has_ended_or_is_paused_is_not_due(store: Store) -> None:
    number = store.check_ins.add(a_check_in()).id
    store.orchestrations.update(SHOP, check_ins_paused_at=50.0)
    assert (store.check_ins.due(200.0, 10), store.check_ins.next_at()) == ((), None)
    assert [check_in.id for check_in in store.check_ins.active()] == [number]
    store.orchestrations.update(SHOP, check_ins_paused_at=None)
    assert store.check_ins.due(200.0, 10) == (number,)
    for state in (CheckInState.FIRED, CheckInState.CANCELLED, CheckInState.DEAD):
        store.check_ins.update(number, state=state)
        assert (store.check_ins.due(200.0, 10), store.check_ins.next_at()) == ((), None)


def test_listings(store: Store) -> None:
    third, first, other = (
        store.check_ins.add(a_check_in(due_at, target=target)).id
        for due_at, target in ((300.0, DEVELOPER), (100.0, DEVELOPER), (200.0, TESTER))
    )
    ended = store.check_ins.add(a_check_in(state=CheckInState.FIRED)).id
    assert [check_in.id for check_in in store.check_ins.active()] == [first, other, third]
    assert [check_in.id for check_in in store.check_ins.active(DEVELOPER)] == [first, third]
    assert [check_in.id for check_in in store.check_ins.latest(10)] == [ended, other, first, third]
    assert [check_in.id for check_in in store.check_ins.latest(2, DEVELOPER)] == [ended, first]
    assert {check_in.id for check_in in store.check_ins.named([third, ended, NOBODY])} == {third, ended}
    assert store.check_ins.next_by_agent() == {DEVELOPER: 100.0, TESTER: 200.0}


def test_what_is_shown_is_due_by_the_end_or_died_since_the_start(store: Store) -> None:
    overdue, due, later, ended, died, long_dead = (
        store.check_ins.add(a_check_in(due_at)).id for due_at in (5.0, 150.0, 250.0, 150.0, 3.0, 2.0)
    )
    store.check_ins.update(ended, state=CheckInState.FIRED, ended_at=150.0)
    store.check_ins.bury(died, "gone", 100.0)
    store.check_ins.bury(long_dead, "gone", 99.0)
    assert [check_in.id for check_in in store.check_ins.shown(100.0, 200.0)] == [overdue, due, died]
    assert [check_in.id for check_in in store.check_ins.shown(101.0, 250.0)] == [overdue, due, later]


def test_an_agents_active_ones_are_counted(store: Store) -> None:
    for author, state in (
        (TESTER, CheckInState.ACTIVE),
        (TESTER, CheckInState.ACTIVE),
        (TESTER, CheckInState.FIRED),
        (DEVELOPER, CheckInState.ACTIVE),
    ):
        store.check_ins.add(a_check_in(author=author, state=state))
    assert store.check_ins.count_active(TESTER) == 2
    assert store.check_ins.count_active(PERSON) == 0


def test_those_of_a_team_are_cancelled_at_once(store: Store) -> None:
    mine, fired = store.check_ins.add(a_check_in()), store.check_ins.add(a_check_in(state=CheckInState.FIRED))
    other = store.check_ins.add(a_check_in(target=TESTER))
    assert store.check_ins.cancel_all([DEVELOPER], "the team was stopped", 120.0) == 1
    after = store.check_ins.get(mine.id)
    assert (after.state, after.reason, after.ended_at) == (CheckInState.CANCELLED, "the team was stopped", 120.0)
    assert store.check_ins.get(fired.id) == fired
    assert store.check_ins.get(other.id) == other
    assert store.check_ins.cancel_all([], "nobody", 120.0) == 0


def test_only_an_active_one_is_buried(store: Store) -> None:
    number = store.check_ins.add(a_check_in(retry_at=130.0, attempts=5)).id
    store.check_ins.bury(number, "its agent is gone", 140.0)
    dead = store.check_ins.get(number)
    assert (dead.state, dead.reason, dead.ended_at) == (CheckInState.DEAD, "its agent is gone", 140.0)
    assert (dead.due_at, dead.retry_at) == (100.0, None)
    store.check_ins.bury(number, "again", 150.0)
    assert store.check_ins.get(number) == dead


# --- rows that are broken


@pytest.mark.parametrize(
    ("column", "value"),
    [("due_at", "tomorrow"), ("due_at", 9e999), ("due_at", b"x"), ("retry_at", "soon"), ("due_at", 1e12)],
)
def test_one_whose_time_is_none_is_found_and_stops_nobody(store: Store, path: Path, column: str, value: object) -> None:
    broken, sound = store.check_ins.add(a_check_in()).id, store.check_ins.add(a_check_in(200.0)).id
    assert store.check_ins.broken() == ()
    corrupt(path, f"UPDATE checkin SET {column} = ? WHERE id = ?", value, broken)
    assert store.check_ins.broken() == (broken,)
    assert store.check_ins.due(1e9, 10) == (sound,)
    assert store.check_ins.next_at() == 200.0
    store.check_ins.bury(broken, "its time is none", 300.0)
    assert store.check_ins.broken() == ()
    assert [c.id for c in store.check_ins.shown(0.0, 1e9)] == [broken, sound]
    assert store.check_ins.get(broken).due_at < 1e9


@pytest.mark.parametrize(
    ("column", "value"), [("kind", "sometimes"), ("note", b"\x00\x01"), ("interval_s", "x"), ("created_at", "y")]
)
def test_one_that_cannot_be_read_is_still_due_and_left_out_of_listings(
    store: Store, path: Path, column: str, value: object
) -> None:
    broken, sound = store.check_ins.add(a_check_in()).id, store.check_ins.add(a_check_in(200.0)).id
    corrupt(path, f"UPDATE checkin SET {column} = ? WHERE id = ?", value, broken)
    assert store.check_ins.due(300.0, 10) == (broken, sound)
    with pytest.raises(StoreError) as caught:
        store.check_ins.get(broken)
    assert caught.value.code == "bad-row"
    for listed in (store.check_ins.active(), store.check_ins.latest(9), store.check_ins.shown(0.0, 300.0)):
        assert [check_in.id for check_in in listed] == [sound]
    assert "of checkin" in store.unreadable[0].title
    assert len(store.check_rows()) == 1
    store.check_ins.bury(broken, "it cannot be read", 300.0)
    assert store.check_ins.due(300.0, 10) == (sound,)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("due_at", "tomorrow"),
        ("due_at", None),
        ("retry_at", "soon"),
        ("kind", "sometimes"),
        ("state", "asleep"),
        ("note", ""),
        ("author", ""),
        ("attempts", -1),
        ("target", "shop-3f2a:nobody"),
    ],
)
def test_the_database_itself_refuses_what_cannot_be(store: Store, path: Path, column: str, value: object) -> None:
    number = store.check_ins.add(a_check_in()).id
    with closing(connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE checkin SET {column} = ? WHERE id = ?", (value, number))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": CheckInKind.EVERY},
        {"kind": CheckInKind.EVERY, "interval_s": 0.0},
        {"kind": CheckInKind.CRON, "zone": "UTC"},
        {"kind": CheckInKind.CRON, "cron": "0 9 * * *", "zone": ""},
    ],
)
def test_one_that_repeats_says_how(store: Store, changes: dict[str, object]) -> None:
    with pytest.raises(StoreError):
        store.check_ins.add(a_check_in(**changes))


# --- firings


def test_a_due_time_has_one_firing(store: Store, path: Path) -> None:
    check_in, other = store.check_ins.add(a_check_in()), store.check_ins.add(a_check_in())
    message, firing = sent(store, check_in, missed=3)
    assert firing is not None
    assert (firing.message, firing.missed, firing.receipt) == (message, 3, MessageState.QUEUED)
    assert firing == store.firings.get(firing.id)
    assert store.firings.has(check_in.id, 100.0)
    assert not store.firings.has(check_in.id, 100.5)
    with closing(open_store(path)) as another:
        assert another.firings.add(a_firing(check_in)) is None
    assert store.firings.add(a_firing(other)) is not None
    assert store.firings.add(a_firing(check_in, 160.0)) is not None
    assert len(store.firings.between(0.0, 1000.0)) == 3


def test_the_database_itself_refuses_a_second_firing_and_one_without_its_message(store: Store, path: Path) -> None:
    check_in = store.check_ins.add(a_check_in())
    store.firings.add(a_firing(check_in))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        corrupt(path, "INSERT INTO firing SELECT NULL, check_in, target, due_at, 3.0, 0, outcome, NULL, '' FROM firing")
    with pytest.raises(StoreError):
        store.firings.add(a_firing(check_in, 160.0, outcome=FiringOutcome.SENT))


def test_a_firing_shows_how_far_its_message_has_come(store: Store) -> None:
    check_in = store.check_ins.add(a_check_in())
    message, firing = sent(store, check_in)
    assert firing is not None
    assert store.firings.is_waiting(check_in.id)
    store.messages.claim_next(DEVELOPER, 101.0)
    assert store.firings.is_waiting(check_in.id)
    store.messages.finish(message, MessageState.UNCONFIRMED, reason="its pane went away", at=102.0)
    assert not store.firings.is_waiting(check_in.id)
    after = store.firings.get(firing.id)
    assert (after.receipt, after.receipt_reason) == (MessageState.UNCONFIRMED, "its pane went away")
    skipped = store.firings.add(a_firing(check_in, 200.0, reason="it works"))
    assert skipped is not None
    assert (skipped.receipt, skipped.reason, skipped.outcome) == (None, "it works", FiringOutcome.SKIPPED)


def test_the_last_firing_of_each_and_of_a_target(store: Store) -> None:
    first, second = store.check_ins.add(a_check_in()), store.check_ins.add(a_check_in())
    silent = store.check_ins.add(a_check_in())
    assert store.firings.last_sent(DEVELOPER) is None
    sent(store, first, 100.0)
    sent(store, second, 150.0)
    store.firings.add(a_firing(first, 200.0))
    latest = store.firings.latest([first.id, second.id, silent.id])
    assert {number: firing.due_at for number, firing in latest.items()} == {first.id: 200.0, second.id: 150.0}
    assert store.firings.latest([]) == {}
    assert store.firings.last_sent(DEVELOPER) == 150.0
    assert store.firings.last_sent(TESTER) is None


def test_what_fired_meanwhile(store: Store) -> None:
    check_in = store.check_ins.add(a_check_in())
    versions = [store.firings.version()]
    for due_at in (300.0, 100.0, 200.0):
        store.firings.add(a_firing(check_in, due_at))
        versions.append(store.firings.version())
    assert [firing.due_at for firing in store.firings.between(100.0, 200.0)] == [100.0, 200.0]
    assert versions == sorted(set(versions))


def test_a_firing_that_is_taken_back_leaves_nothing(store: Store) -> None:
    check_in = store.check_ins.add(a_check_in())

    def fire_half() -> None:
        with store.transaction():
            sent(store, check_in)
            store.check_ins.update(check_in.id, state=CheckInState.FIRED)
            store.check_ins.update(NOBODY, state=CheckInState.FIRED)

    with pytest.raises(NotFoundError):
        fire_half()
    assert not store.firings.has(check_in.id, 100.0)
    assert store.messages.latest() == ()
    assert store.check_ins.get(check_in.id) == check_in


# --- routes


def test_a_route_is_asked_for_without_a_message(store: Store) -> None:
    store.routes.check(TESTER, DEVELOPER)
    store.routes.set(SHOP, [("developer", "tester"), ("tester", "nobody")])
    store.routes.check(DEVELOPER, TESTER)
    store.routes.check(PERSON, DEVELOPER)
    with pytest.raises(RefusedError) as caught:
        store.routes.check(TESTER, DEVELOPER)
    assert caught.value.code == "route"
    with pytest.raises(NotFoundError):
        store.routes.check(TESTER, AgentId("shop-3f2a:nobody"))


# --- many


@pytest.mark.parametrize(
    ("sql", "params", "index"),
    [
        (DUE, (1.0, 50), "checkin_by_time"),
        (NEXT, (1.0,), "checkin_by_time"),
        (BROKEN, (1.0,), "checkin_by_time"),
        (SHOWN, (1.0, 2.0), "checkin_by_due"),
        (SHOWN, (1.0, 2.0), "checkin_dead"),
        (NEXT_BY_AGENT, (), "checkin_by_target"),
    ],
    ids=["due", "next", "broken", "shown", "dead", "next by agent"],
)
def test_what_is_asked_often_uses_its_index(
    store: Store, path: Path, sql: str, params: tuple[float, ...], index: str
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    looks = [step for step in plan if "checkin" in step]
    assert any(index in step for step in looks), plan
    assert all("INDEX" in step for step in looks), plan
    assert not any("TEMP B-TREE" in step for step in plan if sql is not SHOWN), plan


# --- from the version before


def make_version_2(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_2.read_text())


def rows_of(path: Path) -> dict[str, list[dict[str, object]]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables}


def test_a_database_of_version_2_keeps_every_value(path: Path) -> None:
    make_version_2(path)
    before = rows_of(path)
    with closing(open_store(path)) as store:
        assert store.check_rows() == ()
        assert store.orchestrations.get(SHOP).check_ins_paused_at is None
        assert [agent.check_in_min for agent in store.agents.of(SHOP)] == [None, None]
        assert store.check_ins.next_by_agent() == {}
        assert store.check_ins.add(a_check_in()).id == 1
    after = rows_of(path)
    for table, rows in before.items():
        assert rows, f"{table} of the example is empty"
        if table == "sqlite_sequence":
            continue
        assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_what_was_released_as_version_2_stays_as_it_is(path: Path) -> None:
    make_version_2(path)
    with closing(Database(path.with_name("new.db"), MIGRATIONS[:2])):
        assert tables_of(path.with_name("new.db")) == tables_of(path)


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {" ".join(row[0].split()) for row in rows}
