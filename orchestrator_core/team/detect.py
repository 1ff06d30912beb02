"""The type of a project, from the names of its files and folders.

Each kind of evidence counts once, with a small bonus for more of it, so that 500 data files say hardly more
than five and a single manifest is not drowned. What lies deep, in tests and examples, or with what deploys the
project counts less.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.team import CODE_PROJECT, Detection, ProjectType
from orchestrator_core.team.catalogue import Templates, builtin
from orchestrator_core.team.evidence import Matcher, sign_matcher, weight_of_place

MAX_ENTRIES = 20_000
MAX_PER_FOLDER = 2_000
MAX_DEPTH = 8
"""How many folders deep names are looked at."""
GUESS = 0.5
"""The confidence when nothing speaks for any type; evidence only adds to it."""

_LEAST = 0.51
_FULL_SCORE = 100
_PLURALITY_CAP = 5
_SHOWN_PER_KIND = 3
_FOLDER_LEVELS = 2
_SOURCE = "source code"


def detect(project: Path, templates: Templates | None = None) -> Detection:
    """Return the type of the project in the folder `project`, with what speaks for it.

    Looks at names only, at most 20 000 of them; follows no symbolic link and skips what cannot be read.

    Raises:
        NotFoundError: `project` is not a folder.

    """
    if not project.is_dir():
        raise NotFoundError(f"{project} is not a folder", remedy="name the folder of a project")
    templates = templates or builtin().templates
    return detect_names(list(walk(project, templates)), templates)


def detect_names(names: Iterable[str], templates: Templates | None = None) -> Detection:
    """Return the type that file names speak for: relative paths with `/`, folders with a `/` at the end."""
    templates = templates or builtin().templates
    paths = _weighed(names, templates)
    found = _by_kind(paths, _matcher(templates))
    scores = {kind: _score(kind, found, templates) for kind in templates.types}
    best = max(scores, key=lambda kind: scores[kind])  # the first of equals, which is the code project
    return Detection(
        type=best if scores[best] else CODE_PROJECT,
        confidence=_confidence(scores[best], sum(scores.values())),
        evidence=_evidence(best, found, templates),
        reason=_reason(best, found, scores, templates),
        signs=_signs(paths, templates),
        source_files=len(found.get(_SOURCE, ())),
    )


def walk(project: Path, templates: Templates | None = None) -> Iterator[str]:
    """Yield the names in `project`, upper levels first, folders with a `/` at the end; at most 20 000."""
    ignored = _ignored(templates or builtin().templates)
    left = MAX_ENTRIES
    todo = deque([("", 0)])
    while todo and left > 0:
        folder, depth = todo.popleft()
        for name in _entries(project, folder, min(left, MAX_PER_FOLDER), ignored):
            left -= 1
            yield name
            if name.endswith("/") and depth < MAX_DEPTH:
                todo.append((name, depth + 1))


def _entries(project: Path, folder: str, limit: int, ignored: frozenset[str]) -> list[str]:
    try:
        with os.scandir(project / folder) as entries:
            wanted = (entry for entry in entries if entry.name.casefold() not in ignored)
            return sorted(folder + _name_of(entry) for entry in islice(wanted, limit))
    except OSError:  # vanished, or not ours to read: it is no evidence then
        return []


def _name_of(entry: os.DirEntry[str]) -> str:
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _weighed(names: Iterable[str], templates: Templates) -> list[str]:
    """Return the names that count, the weightiest first, with the folders they lie in."""
    kept: dict[str, None] = {}
    for name in islice(_bounded(names, _ignored(templates)), MAX_ENTRIES):
        kept |= dict.fromkeys(printable(folder) for folder in _top_folders(name))
        kept[printable(name)] = None
    return sorted(kept, key=lambda path: -weight_of_place(path, templates))


def _bounded(names: Iterable[str], ignored: frozenset[str]) -> Iterator[str]:
    """Yield the names outside ignored folders, upper levels first, so many of each folder."""
    per_folder: Counter[str] = Counter()
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        folder = name.rstrip("/").rpartition("/")[0]
        per_folder[folder] += 1
        if per_folder[folder] <= MAX_PER_FOLDER and ignored.isdisjoint(name.casefold().split("/")):
            yield name


def _top_folders(name: str) -> list[str]:
    folders = name.rstrip("/").split("/")[:-1][:_FOLDER_LEVELS]
    return ["/".join(folders[: count + 1]) + "/" for count in range(len(folders))]


def printable(name: str) -> str:
    """Return a file name fit to be shown: what is not UTF-8 or not printable becomes `�`."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


@lru_cache(maxsize=8)
def _ignored(templates: Templates) -> frozenset[str]:
    return frozenset(templates.ignored)


@lru_cache(maxsize=8)
def _matcher(templates: Templates) -> Matcher:
    kinds = {_key(type, one.kind): one.names for type, each in templates.types.items() for one in each.indicators}
    return Matcher(kinds | {_SOURCE: templates.source.names})


def _key(type: ProjectType, kind: str) -> str:
    return f"{type}: {kind}"


def _by_kind(paths: Sequence[str], matcher: Matcher) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        for kind in matcher.kinds(path):
            found.setdefault(kind, []).append(path)
    return found


def _weights(type: ProjectType, templates: Templates) -> dict[str, int]:
    weights = {_key(type, one.kind): one.weight for one in templates.types[type].indicators}
    return weights | ({_SOURCE: templates.source.weight} if type == CODE_PROJECT else {})


def _score(type: ProjectType, found: Mapping[str, Sequence[str]], templates: Templates) -> float:
    return sum(
        (weight + min(len(found[kind]) - 1, _PLURALITY_CAP)) * weight_of_place(found[kind][0], templates)
        for kind, weight in _weights(type, templates).items()
        if kind in found
    )


def _confidence(best: float, total: float) -> float:
    """Return 0.5 for a guess, and up to 1 the more the evidence is and the less speaks for another type."""
    if not best:
        return GUESS
    strength = min(1.0, best / _FULL_SCORE)
    return max(_LEAST, round(GUESS + (1 - GUESS) * strength * best / total, 2))


def _evidence(type: ProjectType, found: Mapping[str, Sequence[str]], templates: Templates) -> tuple[str, ...]:
    shown = (path for kind in _weights(type, templates) for path in found.get(kind, ())[:_SHOWN_PER_KIND])
    return tuple(dict.fromkeys(shown))


def _signs(paths: Sequence[str], templates: Templates) -> tuple[str, ...]:
    found = _by_kind(paths, sign_matcher(templates))
    return tuple(dict.fromkeys(path for each in found.values() for path in each[:_SHOWN_PER_KIND]))


def _reason(
    best: ProjectType,
    found: Mapping[str, Sequence[str]],
    scores: Mapping[ProjectType, float],
    templates: Templates,
) -> str:
    if not scores[best]:
        return f"nothing in it speaks for any type of project, so it is taken for {_phrase(CODE_PROJECT, templates)}"
    reason = f"it looks like {_phrase(best, templates)}: {_seen(best, found, templates)}"
    others = [type for type in scores if type != best and scores[type]]
    if not others:
        return reason
    second = max(others, key=lambda type: scores[type])
    return f"{reason}; {_phrase(second, templates)} would have {_seen(second, found, templates)}"


def _phrase(type: ProjectType, templates: Templates) -> str:
    return templates.types[type].phrase


def _seen(type: ProjectType, found: Mapping[str, Sequence[str]], templates: Templates) -> str:
    """Return what speaks for `type` in a few words, such as `Terraform (main.tf), data files (500)`."""
    kinds = [(kind, found[kind]) for kind in _weights(type, templates) if kind in found]
    return ", ".join(
        f"{kind.removeprefix(f'{type}: ')} ({paths[0] if len(paths) == 1 else len(paths)})" for kind, paths in kinds
    )
