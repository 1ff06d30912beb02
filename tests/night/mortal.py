"""A database whose program is killed at a chosen statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import Query

from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import Row


class Killed(BaseException):
    """The program is gone: what was not committed is taken back, and nobody can catch this."""


class MortalDatabase(Database):
    """Dies at the n-th statement inside a transaction after `arm`, right before it; the end of one counts as well."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left: int | None = None
        self._depth = 0

    def arm(self, statements: int) -> None:
        """Have it die after so many statements."""
        self._left = statements

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        if self._depth:
            self._live()
        return super().execute(sql, params)

    def write(self, query: Query) -> int:
        if self._depth:
            self._live()
        return super().write(query)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._depth += 1
        try:
            with super().transaction():
                yield
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._live()

    def _live(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Killed
