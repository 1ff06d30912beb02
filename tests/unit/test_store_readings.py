"""Readings and agents' use in the store: the latest counts, and is never forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.agents.limits import UsageWindow
from orchestrator_core.models.credit import FIVE_HOUR, SEVEN_DAY, AccountId, AgentUse, ReadingSource
from orchestrator_core.services.credit import keep_told
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.database import Database
from orchestrator_core.store.schema import MIGRATIONS
from tests.unit.test_credit import HOME, NOW, reading
from tests.unit.test_store_check_ins import rows_of, tables_of
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent, an_orchestration

OTHER = AccountId("/home/dana/.other")
VERSION_4 = Path(__file__).parents[1] / "data/store/version_4.sql"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "tmorch.db")) as made:
        made.orchestrations.claim(an_orchestration())
        made.agents.add(an_agent())
        made.agents.add(an_agent(TESTER))
        yield made


def test_the_latest_of_each_window_counts(store: Store) -> None:
    told = [reading(10), reading(20), reading(5, window=SEVEN_DAY), reading(70, account=OTHER, used_percentage=None)]
    for each in told:
        store.readings.add(each)
    assert store.readings.current() == (told[1], told[2], told[3])
    assert store.readings.current(NOW + 1) == ()
    assert store.readings.history(HOME, FIVE_HOUR, 0.0) == (told[0], told[1])


def test_old_ones_are_forgotten_but_the_latest_is_not(store: Store) -> None:
    for day in range(5):
        store.readings.add(reading(day, at=NOW + day))
    assert store.readings.prune(NOW + 10) == 4
    assert store.readings.current() == (reading(4, at=NOW + 4),)
    assert store.readings.prune(NOW + 10) == 0


def test_use_is_kept_by_conversation(store: Store) -> None:
    uses = [
        AgentUse(agent=DEVELOPER, at=NOW, conversation="a", cost_usd=1.0),
        AgentUse(agent=DEVELOPER, at=NOW + 1, conversation="a", cost_usd=2.0),
        AgentUse(agent=DEVELOPER, at=NOW + 2, conversation="b", cost_usd=0.5, context_used=3.5, model="Opus"),
        AgentUse(agent=TESTER, at=NOW + 3, context_size=1_000_000, input_tokens=5, output_tokens=7),
    ]
    for use in uses:
        store.agent_uses.add(use)
    assert store.agent_uses.latest() == {DEVELOPER: uses[2], TESTER: uses[3]}
    assert store.agent_uses.since(NOW + 1) == tuple(uses[1:])
    assert store.agent_uses.prune(NOW + 10) == 1
    assert store.agent_uses.since(0.0) == tuple(uses[1:])
    assert store.check_rows() == ()


def test_a_row_that_cannot_be_read_is_left_out(store: Store) -> None:
    store.readings.add(reading())
    store.readings.add(replace(reading(), window=SEVEN_DAY))
    store._database.execute("PRAGMA ignore_check_constraints = ON")
    store._database.execute("UPDATE reading SET source = 'dream' WHERE window = ?", (SEVEN_DAY,))
    assert store.readings.current() == (reading(),)


def test_what_a_reading_of_a_spec_has_told_is_kept_once(store: Store) -> None:
    windows = {FIVE_HOUR: UsageWindow(used_percentage=63, resets_at=NOW + 3600)}
    keep_told(store, "", windows, NOW)
    for _ in range(2):
        keep_told(store, HOME, windows, NOW)
    (found,) = store.readings.current()
    assert (found.account, found.used_percentage, found.source) == (HOME, 63, ReadingSource.PRINT)


# --- what was released before


def make_version_4(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_4.read_text())


def test_a_database_of_version_4_keeps_every_value(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    make_version_4(path)
    before = rows_of(path)
    with closing(open_store(path)) as store:
        assert store.check_rows() == ()
        assert {(agent.account, agent.restarts, agent.held_reason) for agent in store.agents.active()} == {("", 0, "")}
        assert (store.readings.current(), store.continuations.open()) == ((), ())
    after = rows_of(path)
    for table, rows in before.items():
        assert rows, f"{table} of the example is empty"
        if table != "sqlite_sequence":
            assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows


def test_what_was_released_as_version_4_stays_as_it_is(tmp_path: Path) -> None:
    make_version_4(tmp_path / "old.db")
    with closing(Database(tmp_path / "new.db", MIGRATIONS[:4])):
        assert tables_of(tmp_path / "new.db") == tables_of(tmp_path / "old.db")
