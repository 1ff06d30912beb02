"""Settings from variables: `TMORCH_<SECTION>__<KEY>`, typed by the schema."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, get_origin

from msgspec import Struct

from orchestrator_core.config.schema import as_section, base_of, fields_of, section_of_names
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import SettingsError

PREFIX = "TMORCH_"
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


def apply_variables(table: MutableMapping[str, Any], variables: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put the values of `variables` into `table`, and return which key came from which variable.

    What cannot be read as its setting's type goes in as text, and an unknown name as it is: checking tells.

    Raises:
        SettingsError: a value is no text.

    """
    origins = {}
    for variable, text in sorted(variables.items()):
        _check_text(variable, text)
        names = variable.removeprefix(PREFIX).lower().split("__")
        key, kind = _resolve(names, table)
        if _put(table, key, _typed(text, kind)):
            origins[key] = variable
    return origins


def _check_text(variable: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(
            f"{variable}: is not UTF-8 text",
            cause=f"its value is {text!a}",
            remedy=f"correct or unset the variable {variable}",
        ) from error


def variable_for(key: tuple[str, ...]) -> str:
    """Return the name of the variable that overrides `key`."""
    return PREFIX + "__".join(key).upper().replace("-", "_")


def _resolve(names: list[str], table: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Return the key that `names` mean and its type; None for the type of an unknown key."""
    kind: Any = Settings
    key: list[str] = []
    here: object = table
    for name in names:
        if section := as_section(kind):
            field = fields_of(section).get(name)
            kind = field.type if field else None
        elif entry := section_of_names(kind):
            name, kind = _spelling(name, here), entry
        else:
            kind = None
        key.append(name)
        here = here.get(name) if isinstance(here, Mapping) else None
    return tuple(key), kind


def _spelling(name: str, table: object) -> str:
    """Return how the file spells `name`: a variable's name has neither small letters nor dashes."""
    known = table if isinstance(table, Mapping) else {}
    return next((k for k in known if k.lower().replace("-", "_") == name), name)


def _put(table: MutableMapping[str, Any], key: tuple[str, ...], value: object) -> bool:
    """Set `key`; return False where the file has a plain value in place of a section, which is wrong by itself."""
    *sections, last = key
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            return False
        table = inner
    table[last] = value
    return True


def _typed(text: str, kind: Any) -> object:
    base = base_of(kind)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return text
    if base is bool:
        word = text.strip().lower()
        return word in YES if word in YES | NO else text
    if base in (int, float):
        with suppress(ValueError):
            return base(text)
    if get_origin(base) in (tuple, list):
        return _words(text)
    if get_origin(base) is dict:
        return _toml_value(text)
    return text


def _words(text: str) -> object:
    """Return a list, written as in TOML or as in a shell."""
    if text.lstrip().startswith("["):
        return _toml_value(text)
    import shlex

    with suppress(ValueError):
        return shlex.split(text)
    return text


def _toml_value(text: str) -> object:
    import tomllib

    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(f"value = {text}\n").get("value", text)
    return text
