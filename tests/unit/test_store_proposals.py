"""Proposals in the store: saved, started, discarded, and those of other versions of tmorch."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, StoreError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import Proposal, ProposalId, StartRequest
from orchestrator_core.models.spec import Phase, Remark
from orchestrator_core.models.team import Tuning
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.database import Database
from orchestrator_core.store.proposals import KEPT_S
from orchestrator_core.store.schema import MIGRATIONS, VERSION
from tests.fakes.proposals import SHOP as PROJECT
from tests.fakes.proposals import SPEC, a_proposal
from tests.unit.test_store_check_ins import rows_of, tables_of
from tests.unit.test_store_contract import SHOP, an_orchestration, corrupt, path, store

__all__ = ["path", "store"]

VERSION_3 = Path(__file__).parents[1] / "data/store/version_3.sql"
NOBODY = ProposalId(77)
PROCESSES = 6


def a_full_proposal() -> Proposal:
    """A proposal with something in every part."""
    request = StartRequest(
        project="über/shop",
        plan="max20",
        added=("devops",),
        removed=("tester",),
        tuning={"developer": Tuning(check_in_min=12.5, model="opus", permission_mode="plan")},
    )
    spec = replace(SPEC, phases=(Phase(name="Eins 🙂", tasks=("a",), hours=1.5),), remarks=(Remark(line=3, text="?"),))
    advice = Suggestion(action=Action.ADD, role="securityops", why="tokens", source=AnalysisSource.CLAUDE)
    analysis = Analysis(source=AnalysisSource.CLAUDE, suggestions=(advice,), cost_usd=0.25, seconds=31.5)
    return replace(a_proposal(request, spec=spec), analysis=analysis)


def numbers(store: Store) -> list[int]:
    return [saved.id for saved in store.proposals.list()]


def spoil(path: Path, number: int, body: str) -> None:
    corrupt(path, f"UPDATE proposal SET body = '{body}' WHERE id = {number}")


def test_a_proposal_is_kept_as_it_was_given(store: Store) -> None:
    given = a_full_proposal()
    saved = store.proposals.save(given, 5.0)
    assert saved == replace(given, saved=ProposalId(1))
    assert store.proposals.get(saved.saved) == saved


def test_saved_ones_are_listed_newest_first(store: Store) -> None:
    first = store.proposals.save(a_proposal(), 5.0)
    second = store.proposals.save(a_full_proposal(), 6.5)
    assert (first.saved, second.saved) == (1, 2)
    listed = store.proposals.list()
    assert [(each.id, each.saved_at) for each in listed] == [(2, 6.5), (1, 5.0)]
    assert listed[0].project == PROJECT.path
    assert (listed[0].goal, listed[0].spec) == (SPEC.goal, SPEC.path)
    assert listed[0].agents == len(second.team.chosen)


def test_saving_again_replaces(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    assert store.proposals.save(replace(saved, driver="demo"), 6.0).saved == saved.saved
    assert store.proposals.get(saved.saved).driver == "demo"
    assert [(each.id, each.saved_at) for each in store.proposals.list()] == [(1, 6.0)]


def test_what_was_discarded_meanwhile_does_not_come_back(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    assert store.proposals.discard(saved.saved)
    assert store.proposals.save(saved, 6.0).saved == 2
    assert numbers(store) == [2]


def test_what_was_started_meanwhile_stays_what_it_was_started_from(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    store.proposals.started(saved, SHOP, 6.0)
    again = store.proposals.save(replace(saved, driver="demo"), 7.0)
    assert again.saved != saved.saved
    assert store.proposals.of(SHOP) == saved


def test_a_started_one_waits_no_more(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    store.proposals.started(saved, SHOP, 6.0)
    assert numbers(store) == []
    assert not store.proposals.discard(saved.saved)
    with pytest.raises(NotFoundError, match="no saved proposal 1"):
        store.proposals.get(saved.saved)


def test_one_that_was_never_saved_is_kept_when_it_starts(store: Store) -> None:
    given = a_full_proposal()
    store.proposals.started(given, SHOP, 6.0)
    assert store.proposals.of(SHOP) == replace(given, saved=ProposalId(1))
    assert numbers(store) == []


def test_a_start_that_cannot_be_kept_changes_nothing(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    with pytest.raises(StoreError):
        store.proposals.started(replace(saved, driver="demo"), OrchestrationId("nobody-0000"), 6.0)
    assert store.proposals.get(saved.saved) == saved


def test_what_an_unknown_team_came_from_is_not_known(store: Store) -> None:
    assert store.proposals.of(OrchestrationId("x-0000")) is None


def test_a_number_that_is_none_names_those_there_are(store: Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        store.proposals.get(NOBODY)
    assert "none is saved" in caught.value.cause
    store.proposals.save(a_proposal(), 5.0)
    with pytest.raises(NotFoundError) as caught:
        store.proposals.get(NOBODY)
    assert caught.value.candidates == ("1",)


def test_discarding_twice_says_so(store: Store) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    assert store.proposals.discard(saved.saved)
    assert not store.proposals.discard(saved.saved)
    assert not store.proposals.discard(NOBODY)


def test_only_what_was_discarded_long_ago_goes(store: Store, path: Path) -> None:
    store.proposals.started(a_proposal(), SHOP, 1.0)
    waiting = store.proposals.save(a_proposal(), 1.0)
    old, young = (store.proposals.save(a_proposal(), at).saved for at in (1.0, KEPT_S))
    store.proposals.discard(old)
    store.proposals.discard(young)
    store.proposals.save(a_proposal(), KEPT_S + 2.0)
    kept = {row["id"]: row["state"] for row in rows_of(path)["proposal"]}
    assert old not in kept
    assert kept[young] == "discarded"
    assert kept[waiting.saved] == "saved"
    assert list(kept.values()).count("started") == 1


def test_a_name_that_is_not_utf_8_is_explained(store: Store) -> None:
    odd = replace(a_proposal(), worktrees="/state/caf\udce9")
    with pytest.raises(StoreError) as caught:
        store.proposals.save(odd, 5.0)
    assert caught.value.code == "not-text"


# --- of other versions


@pytest.mark.parametrize("body", ["", "{}", "[1", '{"request": {"project": 5}}'])
def test_what_cannot_be_read_is_named_and_hides_nothing_else(store: Store, path: Path, body: str) -> None:
    bad = store.proposals.save(a_proposal(), 5.0).saved
    good = store.proposals.save(a_proposal(), 6.0).saved
    spoil(path, bad, body)
    assert numbers(store) == [good]
    with pytest.raises(StoreError, match="the saved proposal 1 cannot be read") as caught:
        store.proposals.get(bad)
    assert caught.value.code == "old-proposal"
    assert "--discard 1" in caught.value.remedy
    assert [fault.title for fault in store.unreadable] == ["the saved proposal 1 cannot be read"]
    assert [fault.title for fault in store.check_rows()] == ["the saved proposal 1 cannot be read"]
    assert store.proposals.discard(bad)
    assert store.check_rows() == ()


def test_a_team_started_from_one_that_cannot_be_read_says_so(store: Store, path: Path) -> None:
    store.proposals.started(a_proposal(), SHOP, 5.0)
    spoil(path, 1, "{}")
    with pytest.raises(StoreError, match="the started proposal 1"):
        store.proposals.of(SHOP)


def test_values_of_a_newer_version_are_passed_over(store: Store, path: Path) -> None:
    saved = store.proposals.save(a_proposal(), 5.0)
    body = msgspec.json.decode(msgspec.json.encode(saved))
    with closing(sqlite3.connect(path)) as connection, connection:
        newer = msgspec.json.encode({**body, "invented_later": [1]}).decode()
        connection.execute("UPDATE proposal SET body = ?", (newer,))
    assert store.proposals.get(saved.saved) == saved


def test_a_database_of_version_3_keeps_every_value(path: Path) -> None:
    make_version_3(path)
    before = rows_of(path)
    with closing(open_store(path)) as store:
        assert store.check_rows() == ()
        assert [(agent.model, agent.permission_mode) for agent in store.agents.of(SHOP)] == [("", ""), ("", "")]
        assert store.orchestrations.get(SHOP).check_ins_paused_at == 7.5
        assert store.proposals.list() == ()
        assert store.proposals.save(a_proposal(), 1.0).saved == 1
    after = rows_of(path)
    for table, rows in before.items():
        assert rows, f"{table} of the example is empty"
        if table != "sqlite_sequence":
            assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_what_was_released_as_version_3_stays_as_it_is(path: Path) -> None:
    make_version_3(path)
    with closing(Database(path.with_name("new.db"), MIGRATIONS[:3])):
        assert tables_of(path.with_name("new.db")) == tables_of(path)


def make_version_3(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_3.read_text())


# --- many processes


def save_one(path: Path, number: int) -> int:
    with closing(open_store(path)) as store:
        return store.proposals.save(a_proposal(), float(number)).saved


def start_it(path: Path, name: str) -> bool:
    """Start the first proposal under a name of its own."""
    with closing(open_store(path)) as store:
        store.orchestrations.claim(an_orchestration(name, project=f"/projects/{name}"))
        store.proposals.started(replace(a_proposal(), saved=ProposalId(1)), OrchestrationId(name), 9.0)
        return store.proposals.of(OrchestrationId(name)) is not None


def test_each_process_gets_a_number_of_its_own_and_each_start_its_proposal(tmp_path: Path) -> None:
    path = tmp_path / "tmorch.db"
    with closing(open_store(path)) as store:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
            saved = [pool.submit(save_one, path, number) for number in range(PROCESSES)]
            assert sorted(each.result(60) for each in saved) == list(range(1, PROCESSES + 1))
            started = [pool.submit(start_it, path, f"x-{number}") for number in range(PROCESSES)]
            assert all(each.result(60) for each in started)
        assert sorted(numbers(store)) == list(range(2, PROCESSES + 1))
