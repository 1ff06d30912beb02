"""What was written, held against what may stand there: errors name the place, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

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
)
from orchestrator_core.config.settings import Settings
from orchestrator_core.config.toml import SHOWN, parse
from orchestrator_core.errors import SettingsError

Key = tuple[str, ...]
"""The names on the way to a value; the entries of a list are called `1`, `2`, and so on."""
MISSING = "is missing"


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with what was written."""

    key: Key
    what: str
    """The rest of a sentence that begins with the key."""
    cause: str = ""
    nearest: Key = ()
    """The key that was probably meant."""


class Wording(Struct, frozen=True, kw_only=True):
    """How unknown keys are spoken of."""

    noun: str = "setting"
    top: str = "the sections are"
    """What the keys at the top of the file follow on."""
    known: tuple[str, ...] = ()
    """Dotted keys that may have been meant besides those of the same table."""


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
        problems = list(problems_in(table, Settings, wording=_settings())) or [Problem(key=(), what=str(error))]
        raise _explained(problems, file, origins or {}) from error


def _settings() -> Wording:
    return Wording(known=tuple(row.key for row in schema_rows()))


def problems_in(value: object, kind: Any, key: Key = (), *, wording: Wording) -> Iterator[Problem]:
    """Yield all that keeps `value`, which was written at `key`, from being a `kind`.

    A kind is a struct, a table of names, a list of any length, or what `config.schema.allowed` has words for.
    """
    if section := as_section(kind):
        yield from _in_section(value, section, key, wording)
    elif get_origin(kind) is dict:
        yield from _in_names(value, kind, key, wording)
    elif get_origin(kind) is tuple:
        yield from _in_list(value, get_args(kind)[0], key, wording)
    else:
        yield from _in_value(value, kind, key)


def _in_section(value: object, kind: type[Struct], key: Key, wording: Wording) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _wrong(key, value, f"a table, written as [{'.'.join(key)}]")
        return
    fields = fields_of(kind)
    found = [_unknown((*key, name), tuple(fields), wording) for name in value if name not in fields]
    for name, field in fields.items():
        if name in value:
            found += problems_in(value[name], field.type, (*key, name), wording=wording)
        elif field.required:
            found.append(_missing((*key, name), field.type))
    yield from found or _as_a_whole(value, kind, key)


def _in_names(value: object, kind: Any, key: Key, wording: Wording) -> Iterator[Problem]:
    name_kind, entry = get_args(kind)
    if not isinstance(value, dict):
        table = f"[{'.'.join((*key, 'NAME'))}]"
        yield _wrong(key, value, f"made of tables such as {table}" if _is_table(entry) else "a table of names")
        return
    for name, inner in value.items():
        if words := choices(name_kind):
            if name not in words:
                yield _unknown((*key, name), words, wording)
                continue
        elif not _is(name, name_kind):
            yield Problem(key=(*key, name), what="cannot be called that", cause=f"a name here is {allowed(name_kind)}")
        yield from problems_in(inner, entry, (*key, name), wording=wording)


def _in_list(value: object, kind: Any, key: Key, wording: Wording) -> Iterator[Problem]:
    if not isinstance(value, list):
        made_of = f"tables such as [[{'.'.join(key)}]]" if as_section(kind) else "a list, in brackets"
        yield _wrong(key, value, made_of)
        return
    for number, inner in enumerate(value, 1):
        yield from problems_in(inner, kind, (*key, str(number)), wording=wording)


def _is(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _in_value(value: object, kind: Any, key: Key) -> Iterator[Problem]:
    if _is(value, kind):
        return
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
    found = as_toml(value)
    shown = found if len(found) <= SHOWN else f"{found[:SHOWN]}…"
    return Problem(key=key, what=f"is {shown}{hint}", cause=f"it must be {may_be}")


def _missing(key: Key, kind: Any) -> Problem:
    may_be = "a list, in brackets" if get_origin(kind) is tuple else "a table" if _is_table(kind) else allowed(kind)
    return Problem(key=key, what=MISSING, cause=f"it must be {may_be}")


def _is_table(kind: Any) -> bool:
    return get_origin(kind) is dict or as_section(kind) is not None


def _unknown(key: Key, siblings: Sequence[str], wording: Wording) -> Problem:
    section = key[:-1]
    where = f"[{'.'.join(section)}] has" if section else wording.top
    return Problem(
        key=key,
        what=f"is no {wording.noun}",
        cause=f"{where} {', '.join(siblings)}",
        nearest=_nearest(key, siblings, wording.known),
    )


def _nearest(key: Key, siblings: Sequence[str], known: Sequence[str]) -> Key:
    *section, name = key
    here = [(*section, near) for near in get_close_matches(name, siblings, 1)]
    elsewhere = [tuple(other.split(".")) for other in known if other.rpartition(".")[2] == name]
    close = [tuple(other.split(".")) for other in get_close_matches(".".join(key), known, 1)]
    near = (elsewhere if not section else []) + here + elsewhere + close
    return near[0] if near else ()


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
