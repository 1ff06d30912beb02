"""One way to connect, for both roads to the database. Standard library only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator_core.errors import StoreError

BUSY_S = 5.0
WAL_LIMIT = 4 * 1024 * 1024
"""To how many bytes the write-ahead log is cut back once it has been larger."""

PRAGMAS = ("foreign_keys = ON", "synchronous = NORMAL", f"journal_size_limit = {WAL_LIMIT}")


def connect(path: Path) -> sqlite3.Connection:
    """Connect to the database at `path`, which must exist. Transactions are explicit; any thread may use it.

    Text that is not UTF-8 is read with replacement characters: one bad byte must not stop a listing.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = _readable
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _readable(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all statements in the block or, when it ends with an error, none of them. Waits for other writers first.

    Inside another transaction the block is taken back on its own.
    """
    is_inner = connection.in_transaction
    connection.execute("SAVEPOINT inner_block" if is_inner else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("RELEASE inner_block" if is_inner else "COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite takes all of it back by itself when the disk is full
            connection.execute("ROLLBACK TO inner_block" if is_inner else "ROLLBACK")
            if is_inner:
                connection.execute("RELEASE inner_block")
        raise


class Place:
    """Whether a path still leads to the file that was opened there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _identity(path)

    def check(self) -> None:
        """Do nothing as long as it does. Costs one `stat`.

        Raises:
            StoreError: (code `replaced`) the file was removed, moved or replaced: what is written now would be
                seen by nobody.

        """
        if _identity(self._path) == self._file:
            return
        raise StoreError(
            "the database was moved or replaced",
            cause=f"{self._path} is not the file that was opened",
            remedy="start tmorch and its supervisor again",
            code="replaced",
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
