"""From what was written to `Settings`, with errors that name the place, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from orchestrator_core.config.environment import apply_variables, variable_for
from orchestrator_core.config.schema import (
    allowed,
    as_section,
    as_toml,
    choices,
    fields_of,
    schema_rows,
    section_of_names,
)
from orchestrator_core.config.settings import Settings
from orchestrator_core.config.toml import parse
from orchestrator_core.errors import SettingsError

Key = tuple[str, ...]
MISSING = "is missing"


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with what was written."""

    key: Key
    what: str
    """The rest of a sentence that begins with the key."""
    cause: str = ""
    nearest: Key = ()
    """The key that was probably meant."""


def checked_settings(text: str | None, file: Path, variables: Mapping[str, str]) -> Settings:
    """Return the settings of a file's text (None: there is no file) and of override variables.

    Raises:
        SettingsError: as `load_settings` says.

    """
    table = parse(text, file) if text else {}
    origins = apply_variables(table, variables)
    return checked_table(table, file, origins)


def checked_table(table: Mapping[str, Any], file: Path, origins: Mapping[Key, str] | None = None) -> Settings:
    """Return `table` as settings. `origins` names the variables that values came from; the rest is the file's.

    Raises:
        SettingsError: as `load_settings` says.

    """
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        problems = list(_problems(table, Settings, ())) or [Problem(key=(), what=str(error))]
        raise _explained(problems, file, origins or {}) from error


def _problems(value: object, kind: Any, key: Key) -> Iterator[Problem]:
    if section := as_section(kind):
        yield from _in_section(value, section, key)
    elif entry := section_of_names(kind):
        if not isinstance(value, dict):
            yield _wrong(key, value, f"made of tables such as [{'.'.join(key)}.NAME]")
            return
        for name, inner in value.items():
            yield from _problems(inner, entry, (*key, name))
    else:
        yield from _in_value(value, kind, key)


def _in_section(value: object, kind: type[Struct], key: Key) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _wrong(key, value, f"a table, written as [{'.'.join(key)}]")
        return
    fields = fields_of(kind)
    found = [_unknown((*key, name), tuple(fields)) for name in value if name not in fields]
    for name, field in fields.items():
        if name in value:
            found += _problems(value[name], field.type, (*key, name))
        elif field.required:
            found.append(_missing((*key, name), field.type))
    yield from found or _as_a_whole(value, kind, key)


def _in_value(value: object, kind: Any, key: Key) -> Iterator[Problem]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        meant = get_close_matches(str(value).lower(), [word.lower() for word in choices(kind)], 1)
        word = next((word for word in choices(kind) if word.lower() in meant), "")
        yield _wrong(key, value, allowed(kind), f"; did you mean {as_toml(word)}?" if word else "")


def _as_a_whole(value: Mapping[str, Any], kind: type[Struct], key: Key) -> Iterator[Problem]:
    """Run the section's own check, of values that are each right by themselves; it says `KEY: what`."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValueError):
            name, _, what = str(error.__cause__).partition(": ")
            yield Problem(key=(*key, *name.split(".")), what=what)


def _wrong(key: Key, value: object, may_be: str, hint: str = "") -> Problem:
    return Problem(key=key, what=f"is {as_toml(value)}{hint}", cause=f"it must be {may_be}")


def _missing(key: Key, kind: Any) -> Problem:
    return Problem(key=key, what=MISSING, cause=f"it must be {allowed(kind)}")


def _unknown(key: Key, siblings: Sequence[str]) -> Problem:
    section = key[:-1]
    where = f"[{'.'.join(section)}] has" if section else "the sections are"
    return Problem(
        key=key,
        what="is no setting",
        cause=f"{where} {', '.join(siblings)}",
        nearest=_nearest(key, siblings),
    )


def _nearest(key: Key, siblings: Sequence[str]) -> Key:
    *section, name = key
    keys = [row.key for row in schema_rows()]
    here = [".".join((*section, near)) for near in get_close_matches(name, siblings, 1)]
    elsewhere = [known for known in keys if known.rpartition(".")[2] == name]
    near = (elsewhere if not section else []) + here + elsewhere + get_close_matches(".".join(key), keys, 1)
    return tuple(near[0].split(".")) if near else ()


def _explained(problems: Sequence[Problem], file: Path, origins: Mapping[Key, str]) -> SettingsError:
    first = problems[0]
    variable = _variable(first.key[:-1] if first.what == MISSING else first.key, origins)
    meant = variable_for(first.nearest) if variable else ".".join(first.nearest)
    hint = f"; did you mean {meant}?" if first.nearest else ""
    others = [".".join(problem.key) for problem in problems[1:]]
    also = f"; wrong as well: {', '.join(others)}" if others else ""
    return SettingsError(
        f"{variable or file}: {'.'.join(first.key)} {first.what}{hint}",
        cause=first.cause + also,
        remedy=f"correct or unset the variable {variable}" if variable else f"correct it in {file}",
    )


def _variable(key: Key, origins: Mapping[Key, str]) -> str:
    """Return the variable that `key`, or what is in it, came from; empty when the file has it."""
    exact = [origins[key[:length]] for length in range(len(key), 0, -1) if key[:length] in origins]
    inside = [variable for origin, variable in origins.items() if origin[: len(key)] == key]
    return next(iter(exact + inside), "")
