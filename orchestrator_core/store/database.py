"""The connection that all repositories of a store share: queries in, plain rows out, errors explained."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from peewee import Insert, Query, SqliteDatabase

from orchestrator_core.errors import StoreError
from orchestrator_core.store.connection import Place, transaction
from orchestrator_core.store.faults import explained, undecodable
from orchestrator_core.store.opening import open_connection
from orchestrator_core.store.rows import Row, rows_of, split_readable, table_of
from orchestrator_core.store.schema import MIGRATIONS
from orchestrator_core.store.tables import EventRow

S = TypeVar("S", bound=Struct)
UNREADABLE = "store.unreadable"
DIALECT = SqliteDatabase(None)
"""Never connected: peewee builds the queries, and the connection runs them."""


class Database:
    """One connection, for any thread: whoever else calls during a transaction waits until it is over."""

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        self.path = path.resolve()
        self._connection = open_connection(self.path, migrations)
        self._place = Place(self.path)
        self._log = self.path.with_name(f"{self.path.name}-wal")
        self._unreadable: dict[str, StoreError] = {}
        self._turn = threading.RLock()

    def close(self) -> None:
        """Close the connection; closing it twice is harmless."""
        with self._turn, self._explaining():
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything in the block or nothing of it.

        Waits for other writers on entry. Inside another transaction it is a part of that one, which an error takes
        back on its own.
        """
        with self._turn, self._explaining(), transaction(self._connection):
            yield

    def rows(self, query: Query) -> list[Row]:
        """Return all rows of a query by column name, the values as SQLite has them."""
        sql, params = query.bind(DIALECT).sql()
        return self.execute(sql, params)

    def models(self, kind: type[S], query: Query) -> tuple[S, ...]:
        """Return the rows of a query as models. Rows that cannot be read are left out and reported."""
        return self.readable(split_readable(kind, self.rows(query)))

    def readable(self, split: tuple[tuple[S, ...], Iterable[StoreError]]) -> tuple[S, ...]:
        """Report the rows that could not be read, and return the others."""
        models, faults = split
        for fault in faults:
            self._report(fault)
        return models

    def write(self, query: Query) -> int:
        """Run an INSERT and return the new row's number, or an UPDATE and return how many rows it changed."""
        sql, params = query.bind(DIALECT).sql()
        with self._turn, self._explaining():
            cursor = self._connection.execute(sql, params)
            return (cursor.lastrowid or 0) if isinstance(query, Insert) else cursor.rowcount

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement in SQL and return all its rows."""
        with self._turn, self._explaining():
            return rows_of(self._connection.execute(sql, params))

    def check_rows(self, kinds: Iterable[type[Struct]]) -> tuple[StoreError, ...]:
        """Read all rows of the models' tables and return what is wrong with those that cannot be read."""
        faults: list[StoreError] = []
        for kind in kinds:
            faults += split_readable(kind, self.execute(f"SELECT * FROM {table_of(kind)}"))[1]
        return tuple(faults)

    def data_version(self) -> int:
        """Return a number that differs when another connection has committed since the last call."""
        self._place.check()
        return int(self.execute("PRAGMA data_version")[0]["data_version"])

    def revision(self) -> tuple[int, int]:
        """Return a value that differs when anybody has committed since the last call, this connection included."""
        return self.data_version(), self._connection.total_changes

    def stamp(self) -> tuple[int, int]:
        """Return when the write-ahead log was last written and its size."""
        try:
            found = self._log.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    @property
    def unreadable(self) -> tuple[StoreError, ...]:
        """The rows that were left out so far, each once."""
        return tuple(self._unreadable.values())

    def _report(self, fault: StoreError) -> None:
        """Write down a row that was left out: once in the log, however many processes come across it."""
        if fault.title in self._unreadable:
            return
        self._unreadable[fault.title] = fault
        text = f"{fault.title}: {fault.cause}"
        known = EventRow.select(EventRow.id).where((EventRow.kind == UNREADABLE) & (EventRow.text == text))
        event = EventRow.insert(at=time.time(), kind=UNREADABLE, text=text, orchestration="", agent="")
        with suppress(StoreError):  # a database that cannot be written can still be read
            if not self.rows(known.limit(1)):
                self.write(event)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except UnicodeEncodeError as error:
            raise undecodable(error) from error


def changed_values(model: Struct, changes: Mapping[str, object]) -> Row:
    """Return those of `changes` that differ from what `model` has.

    Raises:
        TypeError: the model has no such field, or it is its id.

    """
    wrong = [name for name in changes if name == "id" or name not in model.__struct_fields__]
    if wrong:
        raise TypeError(f"{type(model).__name__} cannot change {', '.join(wrong)}")
    return {name: value for name, value in changes.items() if getattr(model, name) != value}
