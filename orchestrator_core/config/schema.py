"""What can be set, as data: for help, for the example file, and for saying what a value may be."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from orchestrator_core.config import settings
from orchestrator_core.config.settings import Settings

WIDTH = 96
EXAMPLE_DRIVER = """\
# An agent of another kind: `tmorch start --agent aider`.
# [drivers.aider]
# command = ["aider", "--no-auto-commits"]
# screen = "none"
# prompt_pattern = '^> $'
"""


class SettingRow(Struct, frozen=True, kw_only=True):
    """One setting, as help shows it."""

    key: str
    """Dotted; `NAME` stands for a name of the person's choice."""
    type: str
    """What it may be, in words."""
    default: str
    """As TOML; empty for a key that must be given."""
    text: str
    """What it is for."""


def schema_rows() -> tuple[SettingRow, ...]:
    """Return every setting, in the order of the sections."""
    return tuple(_rows(Settings, ()))


def example_text() -> str:
    """Return a settings file that sets nothing: every setting with its default, commented out."""
    parts = [
        "# Settings of tmorch. Every line that starts with # shows a default: take the # away to change it.",
        "# A variable TMORCH_<SECTION>__<KEY>, such as TMORCH_TMUX__SOCKET, overrides what stands here.",
        "",
    ]
    for section, rows in _by_section().items():
        if "NAME" in section:
            parts.append(EXAMPLE_DRIVER)
            continue
        parts.append(f"[{section}]")
        for row in rows:
            parts += [f"# {line}" for line in textwrap.wrap(f"{row.text} May be: {row.type}.", WIDTH)]
            parts += [f"# {row.key.rpartition('.')[2]} = {row.default}", ""]
    return "\n".join(parts)


def fields_of(kind: type[Struct]) -> dict[str, FieldInfo]:
    """Return a section's settings by name."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def as_section(kind: Any) -> type[Struct] | None:
    """Return `kind` when it is a section, a table with known keys."""
    return kind if isinstance(kind, type) and issubclass(kind, Struct) else None


def section_of_names(kind: Any) -> type[Struct] | None:
    """Return the section that each entry of `kind` is, when `kind` is a table whose keys the person chooses."""
    return as_section(get_args(kind)[1]) if get_origin(kind) is dict else None


def base_of(kind: Any) -> Any:
    """Return a value's type without its constraints."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def choices(kind: Any) -> tuple[str, ...]:
    """Return the words that `kind` is limited to; none when it is not limited to words."""
    base = base_of(kind)
    if get_origin(base) is Literal:
        return tuple(get_args(base))
    if isinstance(base, type) and issubclass(base, Enum):
        return tuple(member.value for member in base)
    return ()


def allowed(kind: Any) -> str:
    """Say what a value of `kind` may be, in words."""
    meta = next((m for m in get_args(kind)[1:] if isinstance(m, Meta)), Meta()) if base_of(kind) is not kind else Meta()
    if words := choices(kind):
        return "one of " + ", ".join(as_toml(word) for word in words)
    if meta.description:
        return meta.description
    nouns = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
    return nouns[base_of(kind)] + _range(meta)


def _range(meta: Meta) -> str:
    if meta.min_length:
        return ", not empty"
    above = f" above {meta.gt}" if meta.gt is not None else f" of {meta.ge} or more" if meta.ge is not None else ""
    return above + (f", at most {meta.le}" if meta.le is not None else "")


def as_toml(value: object) -> str:
    """Return a value as it is written in TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return as_toml(value.value)
        case str():
            return msgspec.json.encode(value).decode()
        case list() | tuple():
            return f"[{', '.join(map(as_toml, value))}]"
        case Mapping():
            pairs = ", ".join(f"{as_toml(str(key))} = {as_toml(entry)}" for key, entry in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)


def _rows(kind: type[Struct], key: tuple[str, ...]) -> Iterator[SettingRow]:
    texts = _texts(kind.__name__)
    for name, field in fields_of(kind).items():
        if section := as_section(field.type):
            yield from _rows(section, (*key, name))
        elif section := section_of_names(field.type):
            yield from _rows(section, (*key, name, "NAME"))
        else:
            default = "" if field.required else as_toml(_default(field))
            row_key = ".".join((*key, name))
            yield SettingRow(key=row_key, type=allowed(field.type), default=default, text=texts.get(name, ""))


def _default(field: FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _by_section() -> dict[str, list[SettingRow]]:
    sections: dict[str, list[SettingRow]] = {}
    for row in schema_rows():
        sections.setdefault(row.key.rpartition(".")[0], []).append(row)
    return sections


def _texts(section: str) -> dict[str, str]:
    """Return the help under each field of a section, which Python itself does not keep."""
    tree = ast.parse(inspect.getsource(settings))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == section)
    texts = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                texts[name] = " ".join(words.split())
    return texts
