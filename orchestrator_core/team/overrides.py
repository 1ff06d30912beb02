"""What the person and the project change of the catalogue: TOML and Markdown files, laid over the package's own.

Tables merge key by key, lists and values replace. Below a folder lie `roles.toml`, `templates.toml`, `plans.toml`,
`routing.toml`, `collaboration.toml` and `check_ins.toml` as in the package, `briefings/*.md.j2` in place of the
package's templates, and `rules.md` with house rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator_core.team.catalogue import PARTS, Catalogue, Parts, assembled, builtin, package_tables, squeeze
from orchestrator_core.team.override_files import TEMPLATES, Layer, layer_in, text_of

if TYPE_CHECKING:
    from orchestrator_core.config.checking import Problem
    from orchestrator_core.errors import SettingsError

Tables = dict[str, dict[str, Any]]
"""The content of the data files, by their names without `.toml`."""

_BOUNDARY = (
    "what an agent may do without asking is not for these files to say: it is chosen when a team is approved, "
    "or set in [claude] permission_mode of the person's own settings"
)


def overridden(person: Path, project: Path | None) -> Catalogue:
    """Return the package's catalogue with the files of two folders laid over it; a missing folder changes nothing.

    The person's come first, then the project's, which must not lead out of the folder that `project` lies in. Costs
    next to nothing when nothing has changed since the last call, and the same value is returned then.

    Raises:
        UsageError: a file is wrong; names it and the line.

    """
    layers = [layer_in(person), *([layer_in(project, project.parent)] if project else [])]
    with_files = tuple(layer for layer in layers if layer.files)
    return _laid_over(with_files) if with_files else builtin()


@lru_cache(maxsize=8)
def _laid_over(layers: tuple[Layer, ...]) -> Catalogue:
    tables: Tables = package_tables()
    for layer in layers:
        if layer.tables:
            tables = _with_layer(tables, layer)
    catalogue = assembled(msgspec.convert(tables, Parts)) if tables is not package_tables() else builtin()
    nearest_first = layers[::-1]
    texts = [text_of(stamp.path, layer.bounds) for layer in layers for stamp in layer.rules]
    for layer in layers:
        for stamp in layer.templates:
            text_of(stamp.path, layer.bounds)
    return msgspec.structs.replace(
        catalogue,
        briefings=(*(each.folder / TEMPLATES for each in nearest_first if each.templates), *catalogue.briefings),
        rules=tuple(text for text in texts if text.strip()),
        files=tuple(file for layer in layers for file in layer.files),
    )


def _with_layer(tables: Tables, layer: Layer) -> Tables:
    """Return the tables with a layer's files laid over them, once all of them are found to be right."""
    from orchestrator_core.config.toml import parse

    texts = {stamp.path.stem: text_of(stamp.path, layer.bounds) for stamp in layer.tables}
    own = {name: parse(text, layer.folder / f"{name}.toml") for name, text in texts.items()}
    merged = {name: _merged(table, own[name]) if name in own else table for name, table in tables.items()}
    for name in own:
        _check_file(name, merged[name], tables[name], texts[name], layer)
    if "roles" in own:
        _yield_names(merged["roles"], own["roles"])
    _check_together(merged, texts, layer)
    return merged


def _yield_names(merged: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Let a role that a layer brings have its name, in place, though another one was called that for short."""
    taken = {squeeze(role) for role in own.get("roles", {})}
    mine = own.get("aliases", {})
    merged["aliases"] = {
        alias: role for alias, role in merged["aliases"].items() if alias in mine or squeeze(alias) not in taken
    }


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            both[key] = _merged(below[key], above[key])
    return both


def _check_file(name: str, table: Mapping[str, Any], below: Mapping[str, Any], text: str, layer: Layer) -> None:
    try:
        msgspec.convert(table, PARTS[name])
    except msgspec.ValidationError as error:
        from orchestrator_core.config.checking import Problem, Wording, problems_in

        wording = Wording(noun="key", top=f"{name}.toml has")
        problems = list(problems_in(table, PARTS[name], wording=wording)) or [Problem(key=(), what=str(error))]
        raise _explained([(name, _with_meant(problem, below)) for problem in problems], {name: text}, layer) from error


def _with_meant(problem: Problem, below: Mapping[str, Any]) -> Problem:
    """Return the problem of an entry that lacks something with the one it may have been meant to change."""
    from difflib import get_close_matches

    from orchestrator_core.config.checking import MISSING

    *names, entry, _ = ("", *problem.key) if problem.what == MISSING else ("", "", "")
    known: Any = {"": below}
    for name in names:
        known = known.get(name) if isinstance(known, dict) else None
    near = get_close_matches(entry, known, 1) if isinstance(known, dict) and len(names) > 1 else []
    return msgspec.structs.replace(problem, nearest=(*names[1:], *near)) if near else problem


def _check_together(tables: Tables, texts: Mapping[str, str], layer: Layer) -> None:
    from orchestrator_core.team.references import broken_references

    problems = list(broken_references(msgspec.convert(tables, Parts)))
    if problems:
        raise _explained(problems, texts, layer)


def _explained(problems: list[tuple[str, Problem]], texts: Mapping[str, str], layer: Layer) -> SettingsError:
    """Return the error for what stands in a file of this layer: without its files all was well."""
    from orchestrator_core.config.toml_lines import lines_of
    from orchestrator_core.errors import SettingsError

    lines = {name: lines_of(text) for name, text in texts.items()}
    (name, problem), *others = sorted(problems, key=lambda each: _distance(each[1], lines.get(each[0], {})))
    file = layer.folder / f"{name}.toml"
    line = _distance(problem, lines.get(name, {}))[1]
    hint = f"; did you mean {'.'.join(problem.nearest)}?" if problem.nearest else ""
    cause = _BOUNDARY if any("permission" in name.lower() for name in problem.key[-1:]) else problem.cause
    also = ", ".join(dict.fromkeys(f"{'.'.join(each.key)} in {other}.toml" for other, each in others))
    return SettingsError(
        f"{file}{f', line {line}' if line else ''}: {'.'.join(problem.key)} {problem.what}{hint}",
        cause=f"{cause}; wrong as well: {also}" if also else cause,
        remedy=f"correct it in {file}",
    )


def _distance(problem: Problem, lines: Mapping[tuple[str, ...], int]) -> tuple[int, int]:
    """Return how far a problem's key is from what stands in the file, and the line of the latter, 0 for none."""
    from orchestrator_core.config.toml_lines import written_part

    part = written_part(problem.key, lines)
    return (len(problem.key) - len(part), lines[part]) if part else (len(problem.key) + 1, 0)
