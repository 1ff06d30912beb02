"""As much of JSON Schema as the schemas of `--json` use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def faults(value: Any, schema: Mapping[str, Any], where: str = "$") -> list[str]:
    """Return what about `value` is not as `schema` has it; nothing when it fits."""
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r} is none of {schema['enum']}"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(value, kind) for kind in kinds):
        return [f"{where}: {value!r} is not {' or '.join(kinds)}"]
    if isinstance(value, dict):
        return _faults_of_object(value, schema, where)
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in faults(item, schema["items"], f"{where}[{n}]")]
    return []


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def _faults_of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> list[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    found = [f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, item in value.items():
        if name in known:
            found += faults(item, known[name], f"{where}.{name}")
        elif others is False:
            found.append(f"{where}: {name} is not known")
        elif isinstance(others, Mapping):
            found += faults(item, others, f"{where}.{name}")
    return found
