"""How a path that a person has begun to write may go on: a few likely ones, whatever lies in the folders.

A candidate that ends with `/` is a folder to go on into; any other is what was looked for: a repository, a spec.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from orchestrator_core.config.paths import expanded
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.launch import PathKind
from orchestrator_core.services.proposal import SPEC_NAMES, find_project

SHOWN = 50
"""How many candidates there are at most."""
LISTED = 20_000
"""How many names of a folder are looked at; what comes after them is found by its path all the same."""
PROBED = 400
"""Of how many folders it is looked at whether they are repositories."""
MARKDOWN = (".md", ".markdown")
_JOINERS = "\u200c\u200d"
"""Invisible, but letters of some languages are told apart by them."""
_UNWRITABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_Key = tuple[int, int, str, str]


class _Place(Struct, frozen=True):
    """A folder that is listed, and what stands before the names in it when they are written."""

    folder: Path
    before: str


def completions(text: str, kind: PathKind, project: str, settings: Settings) -> tuple[str, ...]:
    """Return how `text` may go on, likely ones first: each stands for the whole of it.

    A project is looked for where we are and in the projects folder, a spec where we are and in `project`. Folders that
    cannot be read have nothing in them; names that cannot be written on one line are left out.
    """
    text = text.lstrip()
    try:
        found = _projects(text, settings) if kind is PathKind.PROJECT else _specs(text, project, settings)
        return tuple(islice(_once(found), SHOWN))
    except (OSError, ValueError):  # we are nowhere, or no path can be made of it: a null, half a character
        return ()


def _once(found: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for candidate in found:
        if candidate not in seen:
            seen.add(candidate)
            yield candidate


# -- projects -------------------------------------------------------------------------------------


def _projects(text: str, settings: Settings) -> Iterator[str]:
    if not text:
        yield from _started_in()
    yield from _folder_itself(text)
    before, slash, name = text.rpartition("/")
    yield from _folders_in(_places(before + slash, settings.projects.path()), name)


def _started_in() -> Iterator[str]:
    """Yield the repository that we are in."""
    found = _repository_of(Path.cwd())
    if found is not None and _is_writable(str(found)):
        yield _short(found)


def _repository_of(folder: Path) -> Path | None:
    return next((each for each in (folder, *folder.parents) if _is_repository(each)), None)


def _folder_itself(text: str) -> Iterator[str]:
    """Yield what is a folder already, but has no name to be completed."""
    if text.rpartition("/")[2] in ("..", "~") and expanded(text).is_dir():
        yield f"{text}/"


def _places(before: str, elsewhere: Path) -> tuple[_Place, ...]:
    """Return where names after `before` are looked for; names in `elsewhere` are written with their whole path."""
    here, away = expanded(before or "."), elsewhere / before
    if before.startswith(("/", "~", "./", "../")) or here == away:
        return (_Place(here, before),)
    return (_Place(away, f"{_short(away)}/"), _Place(here, before))


def _folders_in(places: tuple[_Place, ...], name: str) -> Iterator[str]:
    """Yield the folders that go on as `name` does: repositories first."""
    found: list[tuple[_Key, str]] = []
    for at, place in enumerate(places):
        fitting = sorted((_key(each.name, name, at), each.name) for each in _listed(place, name) if _is_folder(each))
        for probed, (key, each) in enumerate(fitting):
            is_repository = probed < PROBED and _is_repository(place.folder / each)
            ranked = (key[0], key[1] if is_repository else key[1] + len(places), *key[2:])
            found.append((ranked, f"{place.before}{each}{'' if is_repository else '/'}"))
    yield from (candidate for _, candidate in sorted(found))


# -- specs ----------------------------------------------------------------------------------------


def _specs(text: str, project: str, settings: Settings) -> Iterator[str]:
    root = _project_root(project, settings)
    if not text and root is not None:
        yield from (_seen_from_here(root, name) for name in SPEC_NAMES if (root / name).is_file())
    yield from _folder_itself(text)
    before, slash, name = text.rpartition("/")
    before += slash
    here = _Place(expanded(before or "."), before)
    places: tuple[_Place, ...] = (here,)
    if root is not None and not before.startswith(("/", "~")) and root / before != here.folder:
        places = (_Place(root / before, before), here)
    found = [
        (_is_folder(each), _key(each.name, name, at), at, each)
        for at, place in enumerate(places)
        for each in _listed(place, name)
        if _is_spec(each) or _is_folder(each)
    ]
    for is_folder, _, at, each in sorted(found, key=lambda one: one[:2]):
        written = f"{places[at].before}{each.name}"
        text = written if root is None or places[at] is here else _seen_from_here(root, written)
        yield f"{text}/" if is_folder else text


def _project_root(project: str, settings: Settings) -> Path | None:
    """Return the top folder of what was written for the project, when there is one."""
    try:
        folder = find_project(project, settings)
    except (NotFoundError, OSError, ValueError):
        return None
    return _repository_of(folder) or folder


def _seen_from_here(root: Path, name: str) -> str:
    """Return how a path in the project is written: its whole path where the short one means another file here."""
    there, here = root / name, expanded(name)
    return _short(there) if here.exists() and not here.samefile(there) else name


# -- names ----------------------------------------------------------------------------------------


def _listed(place: _Place, name: str) -> Iterator[os.DirEntry[str]]:
    """Yield what of a folder has `name` in its own name; hidden ones when that begins with a dot, and only then."""
    wanted = name.casefold()
    try:
        with os.scandir(place.folder) as entries:
            for entry in islice(entries, LISTED):
                is_asked_for = entry.name.startswith(".") is name.startswith(".")
                if is_asked_for and wanted in entry.name.casefold() and _is_writable(entry.name):
                    yield entry
    except OSError:
        return


def _key(name: str, wanted: str, place: int) -> _Key:
    """Return by what a name is ordered: what begins as was written, the place, the name."""
    folded = name.casefold()
    return (0 if folded.startswith(wanted.casefold()) else 1, place, folded, name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads to itself
        return False


def _is_spec(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.name.lower().endswith(MARKDOWN) and entry.is_file()
    except OSError:
        return False


def _is_repository(folder: Path) -> bool:
    try:
        return (folder / ".git").exists()
    except OSError:
        return False


def _is_writable(name: str) -> bool:
    """Whether a person can write the name on a line, and it is taken as it was written."""
    is_plain = not any(unicodedata.category(char) in _UNWRITABLE and char not in _JOINERS for char in name)
    return is_plain and name == name.strip()


def _short(path: Path) -> str:
    """Return a path with `~` for the person's home."""
    home = expanded("~")
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) and path != home else str(path)
