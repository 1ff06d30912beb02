"""Opening a database in whatever state it is found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from orchestrator_core.errors import StoreError
from orchestrator_core.models.message import PERSON
from orchestrator_core.store import Store, open_store, opening
from orchestrator_core.store.connection import connect
from orchestrator_core.store.database import Database
from orchestrator_core.store.faults import suspicion_of
from orchestrator_core.store.opening import SMALL, check_file
from orchestrator_core.store.quick import QuickStore
from orchestrator_core.store.schema import MIGRATIONS, VERSION
from orchestrator_core.store.tables import TABLES
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration

VERSION_1 = Path(__file__).parents[1] / "data/store/version_1.sql"
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state/tmorch.db"


def fill(path: Path, *, events: int = 0) -> None:
    with closing(open_store(path)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent())
        store.messages.add(DEVELOPER, PERSON, "hello", at=1.0)
        with store.transaction():
            for number in range(events):
                store.events.add("agent.status", f"developer is working on {number:>200}", at=float(number))


def failure(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(path)
    return caught.value


def asides(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.damaged-*"))


# --- making


def test_one_that_is_moved_aside_meanwhile_is_opened_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(place: Path) -> sqlite3.Connection:
        monkeypatch.setattr(opening, "connect", connect)
        place.rename(place.with_name("aside"))
        return connect(place)

    monkeypatch.setattr(opening, "connect", moved)
    with closing(open_store(path)) as store:
        assert store.orchestrations.list() == ()
    assert path.with_name("aside").exists()


@pytest.mark.parametrize("question", ["sqlite_master", "application_id"])
def test_one_that_is_made_while_it_is_looked_at_is_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    def make_first(statement: str) -> None:
        if question in statement and not path.with_name("made").exists():
            path.with_name("made").touch()
            monkeypatch.setattr(opening, "connect", connect)
            open_store(path).close()

    def watched(place: Path) -> sqlite3.Connection:
        connection = connect(place)
        connection.set_trace_callback(make_first)
        return connection

    monkeypatch.setattr(opening, "connect", watched)
    open_store(path).close()
    assert path.with_name("made").exists()


def test_a_new_database_is_private_and_empty(path: Path) -> None:
    with closing(open_store(path)) as store:
        assert store.orchestrations.list() == ()
        assert store.agents.active() == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["tmorch.db"]


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with closing(open_store(path)) as store:
        assert store.messages.latest() == ()


def test_opening_again_changes_nothing(path: Path) -> None:
    fill(path)
    before = path.read_bytes()
    with closing(open_store(path)) as store:
        assert store.messages.latest()[0].text == "hello"
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["a b", "what?", "50%20off", "c#", "ü 🙂", "semi;colon&x=1"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "tmorch.db"
    fill(path)
    with closing(QuickStore(path)) as quick:
        assert [agent.id for agent in quick.agents()] == [DEVELOPER]
    assert [file.name for file in tmp_path.iterdir() if file.name not in ("home", "gitconfig")] == [name]
    assert [file.name for file in path.parent.iterdir()] == ["tmorch.db"]


def test_a_relative_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(Path("here.db"))
    assert (tmp_path / "here.db").exists()


def test_a_store_may_be_used_from_another_thread(path: Path) -> None:
    fill(path)
    with closing(open_store(path)) as store, ThreadPoolExecutor(1) as threads:
        added = threads.submit(store.events.add, "x", "from a thread", at=1.0).result()
        assert store.events.latest(1) == (added,)


def test_a_symbolic_link_to_a_database_is_followed(path: Path, tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere/real.db")
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere/real.db")
    with closing(open_store(path)) as store, closing(QuickStore(path)) as quick:
        assert store.data_version() > 0
        assert [agent.id for agent in quick.agents()] == [DEVELOPER]


def test_the_models_columns_are_the_tables(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        for table in TABLES:
            name = table._meta.table_name
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            assert columns == set(table._meta.columns), name


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT * FROM message WHERE state = 'queued' AND target = 'a' ORDER BY id LIMIT 1", "message_by_state"),
        ("SELECT target FROM message WHERE state = 'queued' GROUP BY target", "message_by_state"),
        ("SELECT * FROM message WHERE target = 'a' ORDER BY id DESC LIMIT 50", "message_by_target"),
        (
            "SELECT id FROM message WHERE target = ? AND sender = ? AND created_at > ? AND created_at < ? AND text = ?",
            "message_by_sender",
        ),
        ("SELECT * FROM event WHERE orchestration = 'a' AND id > 5 ORDER BY id DESC LIMIT 5", "event_by_orchestration"),
        ("SELECT * FROM agent WHERE orchestration = 'a' ORDER BY seq", "sqlite_autoindex_agent_2"),
        ("SELECT * FROM agent WHERE pane = '%1'", "agent_by_pane"),
        ("SELECT * FROM journal WHERE orchestration = 'a' AND is_open ORDER BY id DESC", "journal_open"),
    ],
)
def test_hot_queries_use_their_index(path: Path, sql: str, index: str) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?")).fetchall()
    assert index in plan[0][3]


# --- versions


def make_version_1(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text())


def check_contents(store: Store) -> None:
    (orchestration,) = store.orchestrations.list(active=True)
    assert (orchestration.id, orchestration.goal) == (SHOP, "Sell more")
    assert [agent.id for agent in store.agents.of(SHOP)] == [DEVELOPER, TESTER]
    assert [message.text for message in store.messages.latest()] == ["still queued", "It's time;\nbegin 🙂"]
    assert store.messages.open_targets() == (TESTER,)
    assert store.events.latest(1)[0].kind == "orchestration.running"
    assert store.health.read().pid == 4711
    assert store.journal.open(SHOP)[0].payload == {"path": "/worktrees/shop-3f2a/developer"}


def test_a_database_of_version_1_opens(path: Path) -> None:
    make_version_1(path)
    with closing(open_store(path)) as store:
        check_contents(store)


def test_what_was_released_as_version_1_stays_as_it_is(path: Path) -> None:
    make_version_1(path)
    with closing(Database(path.with_name("new.db"), MIGRATIONS[:1])):
        assert tables_of(path.with_name("new.db")) == tables_of(path)


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {" ".join(row[0].split()) for row in rows}


REBUILD = (
    "CREATE TABLE agent_new AS SELECT * FROM agent",
    "DROP TABLE agent",
    "CREATE TABLE agent (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, orchestration TEXT, role TEXT,"
    " driver TEXT, worktree TEXT, branch TEXT, status TEXT, reason TEXT, doing TEXT, waiting_for TEXT,"
    " status_since REAL, pane TEXT, window TEXT, pid INTEGER, pid_started REAL, conversation TEXT, last_output TEXT,"
    " created_at REAL, is_adopted INTEGER NOT NULL, dialog TEXT, check_in_min REAL, limited_until REAL,"
    " model TEXT, permission_mode TEXT, account TEXT, context_used REAL, cost_usd REAL, restarts INTEGER,"
    " restarted_at REAL, held_reason TEXT, mood TEXT NOT NULL DEFAULT '')",
    "INSERT INTO agent SELECT *, 'good' FROM agent_new",
    "DROP TABLE agent_new",
)


def test_later_migrations_keep_what_is_there(path: Path) -> None:
    make_version_1(path)
    with closing(Database(path, (*MIGRATIONS, REBUILD))) as database:
        check_contents(Store(database))
        assert database.execute("PRAGMA user_version") == [{"user_version": VERSION + 1}]
        assert database.execute("SELECT DISTINCT mood FROM agent") == [{"mood": "good"}]


@pytest.mark.parametrize(
    "statements",
    [
        ("ALTER TABLE agent ADD COLUMN mood TEXT", "CREATE TABLE nonsense"),
        ("DROP TABLE orchestration", "CREATE TABLE orchestration (id TEXT UNIQUE)"),
    ],
)
def test_a_migration_that_fails_leaves_the_old_version(path: Path, statements: tuple[str, ...]) -> None:
    make_version_1(path)
    with pytest.raises(StoreError):
        Database(path, (*MIGRATIONS[:1], statements))
    with closing(open_store(path)) as store:
        check_contents(store)


def test_a_newer_version_is_left_alone(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    error = failure(path)
    assert error.code == "newer"
    assert f"version {VERSION + 1}" in error.cause
    assert path.read_bytes() == before


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert failure(path).code == "foreign"
    assert path.read_bytes() == before


# --- damage


def garble_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"this is no database" * 10)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def garble_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xde\xad\xbe\xef" * 2048)


@pytest.mark.parametrize("damage", [garble_header, cut_in_half, garble_pages])
def test_a_damaged_database_is_moved_aside_and_said_so(path: Path, damage: object) -> None:
    fill(path)
    assert callable(damage)
    damage(path)
    before = path.read_bytes()
    error = failure(path)
    (aside,) = asides(path)
    assert error.code == "damaged"
    assert str(aside) in error.cause
    assert "makes a new, empty one" in error.remedy
    assert aside.read_bytes() == before
    assert not path.exists()
    with closing(open_store(path)) as store:
        assert store.messages.latest() == ()
    assert asides(path) == [aside]


def test_its_side_files_go_with_it(path: Path) -> None:
    fill(path)
    crash_with(path, "store.messages.add('shop-3f2a:developer', 'you', 'last words', at=1.0)")
    wal = path.with_name("tmorch.db-wal")
    assert wal.stat().st_size > 0
    last_words = wal.read_bytes()
    path.write_bytes(b"")
    failure(path)
    assert [file.name.partition(".damaged-")[2][15:] for file in asides(path)] == ["", "-shm", "-wal"]
    assert next(file for file in asides(path) if file.name.endswith("-wal")).read_bytes() == last_words
    with closing(open_store(path)) as store:
        assert store.messages.latest() == ()


def test_a_write_ahead_log_without_its_database_is_kept(path: Path) -> None:
    fill(path)
    crash_with(path, "store.messages.add('shop-3f2a:developer', 'you', 'last words', at=1.0)")
    path.unlink()
    assert failure(path).code == "damaged"
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in asides(path))


def test_two_damaged_databases_in_one_second_are_both_kept(path: Path) -> None:
    for number in range(3):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"no database {number}")
        failure(path)
    assert sorted(file.read_text() for file in asides(path)) == [f"no database {number}" for number in range(3)]


def test_damage_deep_in_a_large_database_is_found_once_it_was_met(path: Path) -> None:
    fill(path, events=6000)
    assert path.stat().st_size > SMALL
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xde\xad\xbe\xef" * 1024 * 8)
    with closing(open_store(path)) as store:
        with pytest.raises(StoreError) as caught:
            store.events.latest(10_000)
        assert caught.value.code == "damaged"
    assert suspicion_of(path).exists()
    assert failure(path).code == "damaged"
    assert not suspicion_of(path).exists()
    assert len(asides(path)) == 1


def test_a_false_alarm_is_forgotten(path: Path) -> None:
    fill(path, events=6000)
    suspicion_of(path).touch()
    with closing(open_store(path)) as store:
        assert len(store.events.latest(10)) == 10
    assert not suspicion_of(path).exists()


def test_hand_written_nonsense_is_not_damage(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE agent SET status = 'dancing', created_at = 'soon'")
        connection.commit()
    with closing(open_store(path)) as store:
        assert store.agents.active() == ()
        assert store.messages.latest()[0].text == "hello"
    assert asides(path) == []
    assert check_file(path) == ""


def test_a_check_changes_nothing(path: Path) -> None:
    fill(path)
    garble_pages(path)
    before = path.read_bytes()
    assert check_file(path) != ""
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["tmorch.db"]


# --- no way in


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Run the block as somebody whom file modes hold back, in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="tm-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_a_file_that_may_not_be_read(path: Path) -> None:
    with unprivileged() as folder:
        path = folder / "tmorch.db"
        fill(path)
        path.chmod(0)
        error = failure(path)
        assert error.code == "cannot-open"
        assert str(path) in error.cause
        with pytest.raises(StoreError) as caught:
            QuickStore(path)
        assert caught.value.code == "cannot-open"


def test_a_file_that_may_not_be_written_can_be_read() -> None:
    with unprivileged() as folder:
        path = folder / "tmorch.db"
        fill(path)
        path.chmod(0o400)
        with closing(open_store(path)) as store:
            assert store.messages.latest()[0].text == "hello"
            with pytest.raises(StoreError) as caught:
                store.messages.add(DEVELOPER, PERSON, "more", at=2.0)
        assert caught.value.code == "read-only"
        assert "mode" in caught.value.remedy
        with closing(QuickStore(path)) as quick, pytest.raises(StoreError, match="cannot be written"):
            quick.add_message(DEVELOPER, PERSON, "more", at=2.0)


def test_a_folder_that_may_not_be_written() -> None:
    with unprivileged() as folder:
        folder.chmod(0o500)
        assert failure(folder / "tmorch.db").code == "cannot-open"
        assert failure(folder / "state/tmorch.db").code == "cannot-open"


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    error = failure(path)
    assert error.code == "cannot-open"
    assert path.is_dir()
    with pytest.raises(StoreError):
        QuickStore(path)


def test_a_pipe_in_place_of_the_file(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    assert "is not a file" in failure(path).cause


def test_a_full_disk_changes_nothing(path: Path) -> None:
    fill(path)
    with closing(Database(path)) as database:
        store = Store(database)
        pages = database.execute("PRAGMA page_count")[0]["page_count"]
        database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError) as caught, store.transaction():
            store.messages.add(DEVELOPER, PERSON, "x" * 1_000_000, at=2.0)
        assert caught.value.code == "disk-full"
        assert [message.text for message in store.messages.latest()] == ["hello"]
        assert store.messages.hold(DEVELOPER, "no room")


def test_a_database_that_is_locked_for_too_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr("orchestrator_core.store.connection.BUSY_S", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, closing(open_store(path)) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            store.messages.add(DEVELOPER, PERSON, "more", at=2.0)
        assert caught.value.code == "busy"
        assert str(path) in caught.value.cause
        other.execute("ROLLBACK")
        store.messages.add(DEVELOPER, PERSON, "more", at=2.0)


def test_tables_that_something_else_dropped(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE event")
    with closing(open_store(path)) as store, pytest.raises(StoreError) as caught:
        store.events.latest(1)
    assert caught.value.code == "schema"


# --- crashes

CRASH = """
import os, signal, sys
from pathlib import Path
from orchestrator_core.store import open_store
store = open_store(Path(sys.argv[1]))
{statement}
os.kill(os.getpid(), signal.SIGKILL)
"""


def crash_with(path: Path, statement: str) -> None:
    program = CRASH.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert done.returncode == -9


def test_a_killed_process_keeps_what_it_committed(path: Path) -> None:
    fill(path)
    crash_with(path, "store.messages.add('shop-3f2a:developer', 'you', 'last words', at=1.0)")
    with closing(open_store(path)) as store:
        assert [message.text for message in store.messages.latest()] == ["last words", "hello"]
    assert asides(path) == []


def test_a_process_killed_inside_a_transaction_leaves_the_old_state(path: Path) -> None:
    fill(path)
    crash_with(
        path,
        "transaction = store.transaction(); transaction.__enter__()\n"
        "for number in range(500): store.messages.add('shop-3f2a:developer', 'you', 'x' * 5000, at=1.0)\n"
        "store.orchestrations.update('shop-3f2a', goal='changed')",
    )
    with closing(open_store(path)) as store:
        assert [message.text for message in store.messages.latest()] == ["hello"]
        assert store.orchestrations.get(SHOP).goal == ""
        store.messages.add(DEVELOPER, PERSON, "and on", at=2.0)
    assert asides(path) == []
