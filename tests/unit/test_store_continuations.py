"""Ways out of limits in the store: one open for each account, and a nudge and its message are one thing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import StoreError
from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.credit import AccountId, Continuation, ContinuationState
from orchestrator_core.models.message import PERSON, MessageState
from orchestrator_core.store import Store, open_store
from tests.unit.test_credit import HOME, NOW
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent, an_orchestration

OTHER = AccountId("/home/dana/.other")
GO_ON = "go on"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tmorch.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path)) as made:
        made.orchestrations.claim(an_orchestration())
        for name in (DEVELOPER, TESTER):
            made.agents.add(an_agent(name, account=HOME))
        yield made


def new(account: AccountId = HOME) -> Continuation:
    return Continuation(id=0, account=account, resets_at=NOW + 60, next_at=NOW + 210, created_at=NOW)


def open_one(store: Store, account: AccountId = HOME) -> Continuation:
    begun = store.continuations.begin(new(account))
    assert begun is not None
    return begun


def texts(store: Store) -> list[str]:
    return [message.text for message in store.messages.latest(DEVELOPER, 99)]


def test_an_account_has_one_that_is_open(store: Store) -> None:
    first, other = open_one(store), open_one(store, OTHER)
    assert store.continuations.begin(new()) is None
    assert store.continuations.open() == (first, other)
    over = replace(first, state=ContinuationState.OVER, ended_at=NOW + 300)
    store.continuations.update(over)
    second = open_one(store)
    assert store.continuations.open() == (other, second)
    assert store.continuations.since(0.0) == (over, other, second)
    assert store.continuations.since(NOW + 1) == ()


def test_the_database_itself_refuses_a_second_open_one(store: Store, path: Path) -> None:
    """Whoever writes it: two programs may both have found none."""
    open_one(store)
    with closing(sqlite3.connect(path)) as another:
        columns = [row[1] for row in another.execute("PRAGMA table_info(continuation)") if row[1] != "id"]
        names = ", ".join(columns)
        with pytest.raises(sqlite3.IntegrityError):
            another.execute(f"INSERT INTO continuation ({names}) SELECT {names} FROM continuation")


def test_what_is_stored_is_there_for_the_next_supervisor(store: Store, path: Path) -> None:
    changed = replace(
        open_one(store),
        state=ContinuationState.BACKING_OFF,
        attempts=2,
        next_at=NOW + 999,
        reason="it is still limited",
    )
    store.continuations.update(changed)
    nudge = store.continuations.nudge(changed, DEVELOPER, GO_ON, NOW)
    with closing(open_store(path)) as another:
        assert another.continuations.open() == (changed,)
        assert another.continuations.nudged(changed) == {DEVELOPER}
        assert another.continuations.waiting_nudge(DEVELOPER) == nudge.id


def test_an_agent_is_told_once_in_an_attempt_and_nothing_is_left_of_a_second_time(store: Store) -> None:
    found = open_one(store)
    message = store.continuations.nudge(found, DEVELOPER, GO_ON, NOW)
    assert (message.sender, message.target, message.state) == (TMORCH, DEVELOPER, MessageState.QUEUED)
    with pytest.raises(StoreError):
        store.continuations.nudge(found, DEVELOPER, GO_ON, NOW + 1)
    assert texts(store) == [GO_ON], "the message of the second time went with its row"
    assert store.continuations.nudged(found) == {DEVELOPER}
    later = replace(found, attempts=1)
    assert store.continuations.nudged(later) == frozenset()
    store.continuations.nudge(later, DEVELOPER, GO_ON, NOW + 2)
    assert texts(store) == [GO_ON, GO_ON]


def test_what_has_not_been_typed_is_taken_back_and_what_has_is_not(store: Store) -> None:
    found = open_one(store)
    ordinary = store.messages.add(DEVELOPER, PERSON, "hello", at=NOW)
    nudges = {name: store.continuations.nudge(found, name, GO_ON, NOW).id for name in (DEVELOPER, TESTER)}
    assert store.continuations.unsettled() == nudges
    assert store.messages.claim(nudges[TESTER], NOW) is not None
    assert store.continuations.waiting_nudge(TESTER) is None
    assert store.continuations.unsettled() == nudges, "it is on its way"
    for name in (DEVELOPER, TESTER):
        store.continuations.withdraw(name, "it goes on by itself", NOW + 1)
    assert store.messages.get(nudges[DEVELOPER]).state is MessageState.REFUSED
    assert store.messages.get(nudges[TESTER]).state is MessageState.DELIVERING
    assert store.messages.get(ordinary.id).state is MessageState.QUEUED
    assert store.continuations.unsettled() == {TESTER: nudges[TESTER]}
