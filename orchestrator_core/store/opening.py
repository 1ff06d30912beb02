"""Opening a database: made if there is none, brought to this version, and looked over for damage.

A damaged file is moved aside with everything that belongs to it, and that is an error: nothing is ever made anew
over data without a word. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from orchestrator_core.errors import StoreError
from orchestrator_core.store.connection import connect, transaction
from orchestrator_core.store.faults import DAMAGE, explained, primary_code, suspicion_of
from orchestrator_core.store.schema import APPLICATION_ID, MIGRATIONS

SMALL = 1024 * 1024
"""Up to how many bytes a database is looked over whole at every opening: it takes about 3 ms."""
SIDE_FILES = ("", "-wal", "-shm")
REPLACEMENTS = 5
"""How many times a database is opened again that another process has moved aside meanwhile."""
BROKEN_RULES = re.compile(r"CHECK constraint failed|[A-Z]+ value in ")
"""What `quick_check` says of single values that break a rule of their table: the file itself is sound."""


class _ReplacedError(Exception):
    """The file at the path is another one than it was a moment before."""


def open_connection(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Return a connection to the database at `path`, in good order and of this version.

    Raises:
        StoreError: it cannot be opened, is another program's or of a newer version, or was damaged and is moved
            aside (code `damaged`; the next opening makes a new one).

    """
    path = path.resolve()
    for _ in range(REPLACEMENTS):
        try:
            return _open(path, migrations)
        except _ReplacedError:
            continue
    return _open(path, migrations, is_last=True)


def _open(path: Path, migrations: Sequence[Sequence[str]], *, is_last: bool = False) -> sqlite3.Connection:
    _prepare_place(path)
    before = _inode(path)
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(closing(connect(path)))
            _check_ours(connection, path, len(migrations))
            damage = _damage(connection, path)
            if not damage:
                _bring_up(connection, path, migrations)
                stack.pop_all()
                return connection
    except sqlite3.Error as error:
        if primary_code(error) not in DAMAGE:
            if _inode(path) != before and not is_last:
                raise _ReplacedError from error
            raise explained(error, path) from error
        damage = str(error)
    raise _set_aside(path, damage, before)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the tables; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def stored_version(path: Path) -> int:
    """Return the version in the header of our database at `path`, without opening it; 0 when that is not there.

    Tables that were made moments ago may still be in the write-ahead log only; then this is 0 as well.
    """
    with suppress(OSError), path.open("rb") as file:
        header = file.read(100)
        if header.startswith(b"SQLite format 3\0") and int.from_bytes(header[68:72], "big") == APPLICATION_ID:
            return int.from_bytes(header[60:64], "big")
    return 0


def structural_damage(connection: sqlite3.Connection) -> str:
    """Look over the whole file and return what is wrong with its structure; empty when nothing is.

    Single values that break a rule of their table are not damage in this sense.
    """
    lines = [str(row[0]) for row in connection.execute("PRAGMA quick_check")]
    damage = [line for line in lines if line != "ok" and not BROKEN_RULES.match(line)]
    return damage[0] if damage else ""


# --- the place


def _prepare_place(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_file(path)
        wal = path.with_name(path.name + "-wal")
        if _size(path) == 0 and _size(wal) > 0:
            # SQLite would throw this write-ahead log away, and with it all that was written last.
            raise _set_aside(path, "the file is empty or gone, but what was written last is there", _inode(path))
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            "the database cannot be opened",
            cause=f"{path}: {error.strerror or error}",
            remedy="look at the owner and mode of the file and its folder, or set TMORCH_STATE to another folder",
            code="cannot-open",
        ) from error


def _check_file(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise StoreError(
            "the database cannot be opened",
            cause=f"{path} is not a file",
            remedy="move it away, or set TMORCH_STATE to another folder",
            code="cannot-open",
        )


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _inode(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_ino
    return None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time make, migrate or move the database."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems have no locks; SQLite's own still hold
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# --- the version


def _check_ours(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    has_tables = _has_tables(connection)  # first: whoever makes it meanwhile writes its tables and its mark in one
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID and (application or has_tables):
        raise StoreError(
            "the database is another program's",
            cause=f"{path} is an SQLite database, but tmorch did not make it",
            remedy="move it away, or set TMORCH_STATE to another folder",
            code="foreign",
        )
    if version_of(connection) > newest:
        raise StoreError(
            "the database is of a newer tmorch",
            cause=f"{path} has version {version_of(connection)}, this tmorch knows up to {newest}",
            remedy="use the newer tmorch, or set TMORCH_STATE to another folder for this one",
            code="newer",
        )


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _bring_up(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    is_wal = connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    if is_wal and version_of(connection) == len(migrations):
        return
    with _alone(path):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = OFF")  # a migration may build a table anew
        for number, statements in enumerate(migrations, start=1):
            if version_of(connection) < number:
                _migrate(connection, number, statements)
        connection.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: sqlite3.Connection, number: int, statements: Sequence[str]) -> None:
    """Bring the database to version `number`, or leave it as it is."""
    with transaction(connection):
        for statement in statements:
            connection.execute(statement)
        _check_references(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")


def _check_references(connection: sqlite3.Connection) -> None:
    lost = connection.execute("PRAGMA foreign_key_check").fetchall()
    if lost:
        raise sqlite3.IntegrityError(f"the migration leaves references to nothing: {lost[:3]}")


# --- damage


def _damage(connection: sqlite3.Connection, path: Path) -> str:
    """Look for damage as far as it costs little, and closely where there is reason to; return what was found."""
    suspicion = suspicion_of(path)
    is_suspect = suspicion.exists()
    if not (is_suspect or path.stat().st_size <= SMALL or _is_cut_short(connection, path)):
        return ""
    damage = structural_damage(connection)
    if is_suspect:
        suspicion.unlink(missing_ok=True)
    return damage


def _is_cut_short(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is smaller than it says. Not proof of damage: pages may be in the write-ahead log."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    return path.stat().st_size < int(pages) * int(size)


def _set_aside(path: Path, damage: str, inode: int | None) -> StoreError:
    """Move the database out of the way with its side files, unless another process did; return what to raise."""
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        with _alone(path):
            if _inode(path) == inode:
                aside = _move(path, aside)
                suspicion_of(path).unlink(missing_ok=True)
    except OSError as error:
        return StoreError(
            "the database is damaged",
            cause=f"{path}: {damage}; it cannot be moved aside: {error.strerror or error}",
            remedy=f"move {path} away yourself; the next start makes a new one",
            code="damaged",
        )
    return StoreError(
        "the database was damaged and has been moved aside",
        cause=f"{damage}; it is now {aside}",
        remedy="the next start makes a new, empty one: run the command again. "
        f"`sqlite3 {aside} .recover` may save what was in it; worktrees and branches are untouched",
        code="damaged",
    )


def _move(path: Path, aside: Path) -> Path:
    number = 1
    wanted = aside
    while any(aside.with_name(aside.name + side).exists() for side in SIDE_FILES):
        number += 1
        aside = wanted.with_name(f"{wanted.name}-{number}")
    for side in SIDE_FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(aside.with_name(aside.name + side))
    return aside


def check_file(path: Path) -> str:
    """Look over the whole database at `path` without changing anything; return what is wrong, empty for nothing.

    Raises:
        StoreError: it cannot be opened or read.

    """
    try:
        with closing(connect(path)) as connection:
            return structural_damage(connection)
    except sqlite3.Error as error:
        if primary_code(error) in DAMAGE:
            return str(error)
        raise explained(error, path) from error
