"""What SQLite complains of, in words that say what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import StoreError

DAMAGE = frozenset({"CORRUPT", "NOTADB"})


class Fault(Struct, frozen=True, kw_only=True):
    """One kind of complaint; `{path}` stands for the database file."""

    code: str
    title: str
    cause: str
    remedy: str


FAULTS = {
    "BUSY": Fault(
        code="busy",
        title="the database is busy",
        cause="another process has kept {path} locked for longer than 5 seconds",
        remedy="try again; `fuser -v {path}` shows who has it open",
    ),
    "FULL": Fault(
        code="disk-full",
        title="the disk is full",
        cause="there is no room left to write {path}; nothing was changed",
        remedy="free some space and try again",
    ),
    "READONLY": Fault(
        code="read-only",
        title="the database cannot be written",
        cause="{path}, or its folder, is read-only to you",
        remedy="look at the owner and mode of both, or set TMORCH_STATE to a folder you may write to",
    ),
    "CANTOPEN": Fault(
        code="cannot-open",
        title="the database cannot be opened",
        cause="{path}, or its folder, is missing or not accessible to you",
        remedy="look at the owner and mode of both, or set TMORCH_STATE to another folder",
    ),
    "IOERR": Fault(
        code="disk-error",
        title="the disk does not read or write as it should",
        cause="the operating system reported an error with {path}",
        remedy="look at the system's log and at the free space; the state folder should be on a local disk",
    ),
    "DAMAGED": Fault(
        code="damaged",
        title="the database is damaged",
        cause="what is in {path} is not what was written",
        remedy="stop the supervisor and start any tmorch command: it checks the file and, if it is beyond use, "
        "moves it aside",
    ),
    "SCHEMA": Fault(
        code="schema",
        title="the database does not have the tables of this tmorch",
        cause="something else has changed {path}",
        remedy="move {path} away; the next start makes a new one",
    ),
    "CONSTRAINT": Fault(
        code="constraint",
        title="a rule of the database forbids this",
        cause="it was refused for {path}",
        remedy="nothing was changed; this is a fault in tmorch: please report it",
    ),
}
SAME = {
    "LOCKED": "BUSY",
    "PERM": "CANTOPEN",
    "AUTH": "CANTOPEN",
    "NOLFS": "FULL",
    "TOOBIG": "FULL",
    "CORRUPT": "DAMAGED",
    "NOTADB": "DAMAGED",
}
OTHER = Fault(
    code="store",
    title="the database cannot be used",
    cause="SQLite answered with an error for {path}",
    remedy="`tmorch doctor` looks at it more closely",
)


def explained(error: Exception, path: Path) -> StoreError:
    """Return the error to raise in place of SQLite's, for the database at `path`.

    A report of damage is noted beside the file, so that the next opening looks closely.
    """
    name = primary_code(error)
    if name in DAMAGE:
        note_suspicion(path)
    if "no such table" in str(error) or "no such column" in str(error):
        name = "SCHEMA"
    fault = FAULTS.get(SAME.get(name, name), OTHER)
    return StoreError(
        fault.title,
        cause=f"{fault.cause.format(path=path)} (SQLite says: {error})",
        remedy=fault.remedy.format(path=path),
        code=fault.code,
    )


def primary_code(error: Exception) -> str:
    """Return SQLite's primary result code by name, such as `BUSY`; empty for an error that is not its own."""
    name = str(getattr(error, "sqlite_errorname", "")) if isinstance(error, sqlite3.Error) else ""
    return name.removeprefix("SQLITE_").split("_")[0]


def suspicion_of(path: Path) -> Path:
    """Return the file whose presence says that damage was seen in the database at `path`."""
    return path.with_name(f"{path.name}.suspect")


def note_suspicion(path: Path) -> None:
    """Ask the next opening of `path` to look closely; quietly nothing where the folder cannot be written."""
    try:
        suspicion_of(path).touch(mode=0o600)
    except OSError:
        return


def undecodable(error: UnicodeEncodeError) -> StoreError:
    """Return the error for text that is no text: a file name with bytes that are not UTF-8, for instance."""
    return StoreError(
        "a value cannot be stored",
        cause=f"{error.object!r} holds bytes that are not UTF-8 text",
        remedy="rename the file or folder so that its name is UTF-8",
        code="not-text",
    )
