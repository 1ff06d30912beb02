"""Between rows and frozen models. Standard library and msgspec only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from orchestrator_core.errors import StoreError

Row = dict[str, Any]
TABLES = {"AgentMessage": "message", "JournalEntry": "journal", "HealthRow": "health"}
"""Where a table is not named as its model."""
JSON_COLUMNS = ("payload", "dialog", "choices")

S = TypeVar("S", bound=Struct)


def rows_of(cursor: sqlite3.Cursor) -> list[Row]:
    """Return all rows of a query, by column name; none for a statement that is no query."""
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def model_of(kind: type[S], row: Mapping[str, Any]) -> S:
    """Return a row as a model; columns the model does not have are left out.

    Raises:
        StoreError: the row has a value that the model cannot have.

    """
    try:
        return msgspec.convert({**row, **_truths(kind, row), **_objects(kind, row)}, kind)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"the row {row.get('id')} of {table_of(kind)} in the database cannot be read",
            cause=str(error),
            remedy="`tmorch doctor` lists every such row, and how to remove it",
            code="bad-row",
        ) from error


def split_readable(kind: type[S], rows: Iterable[Mapping[str, Any]]) -> tuple[tuple[S, ...], list[StoreError]]:
    """Return the rows that can be read as models, and what was wrong with the others."""
    models, faults = [], []
    for row in rows:
        try:
            models.append(model_of(kind, row))
        except StoreError as fault:
            faults.append(fault)
    return tuple(models), faults


def values_of(model: Struct) -> Row:
    """Return a model as column values."""
    values = msgspec.to_builtins(model)
    assert isinstance(values, dict)
    encoded = {
        name: msgspec.json.encode(values[name]).decode() for name in JSON_COLUMNS if values.get(name) is not None
    }
    return {**values, **encoded}


def table_of(kind: type[Struct]) -> str:
    """Return the name of the table that a model's rows are in."""
    return TABLES.get(kind.__name__, kind.__name__.lower())


@cache
def _truth_fields(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name.startswith(("is_", "has_")))


@cache
def _object_fields(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in JSON_COLUMNS if name in kind.__struct_fields__)


def _truths(kind: type[Struct], row: Mapping[str, Any]) -> dict[str, bool]:
    """Return the truth values, which SQLite keeps as 0 and 1."""
    return {name: row[name] == 1 for name in _truth_fields(kind) if row.get(name) in (0, 1)}


def _objects(kind: type[Struct], row: Mapping[str, Any]) -> dict[str, object]:
    """Return what SQLite keeps as JSON text; what is none is left, and found to be wrong."""
    try:
        return {name: msgspec.json.decode(row[name]) for name in _object_fields(kind) if row.get(name) is not None}
    except (msgspec.DecodeError, TypeError):
        return {}
