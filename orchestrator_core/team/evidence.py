"""Which file and folder names count as what: the patterns of `data/templates.toml`, matched quickly. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from orchestrator_core.team.catalogue import Templates

MINOR_FACTOR = 0.25
DEEP_FACTOR = 0.5
"""For what lies deep, and for what lies aside."""


class Matcher:
    """Tells the kinds of evidence that a path is.

    A path is relative to the project with `/` between its parts, and ends in `/` for a folder.
    """

    def __init__(self, kinds: Mapping[str, Iterable[str]]) -> None:
        self._exact: dict[str, list[str]] = {}
        self._suffix: dict[str, list[str]] = {}
        self._glob: list[tuple[re.Pattern[str], bool, str]] = []
        for kind, patterns in kinds.items():
            for pattern in patterns:
                self._add(kind, pattern.casefold())

    def _add(self, kind: str, pattern: str) -> None:
        if not set(pattern) & set("*?["):
            self._exact.setdefault(pattern, []).append(kind)
        elif re.fullmatch(r"\*\.[^.*?\[/]+", pattern):
            self._suffix.setdefault(pattern[2:], []).append(kind)
        else:
            self._glob.append((re.compile(fnmatch.translate(pattern)), "/" in pattern, kind))

    def kinds(self, path: str) -> tuple[str, ...]:
        """Return the kinds that `path` is evidence of, each once."""
        path = path.casefold()
        found = list(self._exact.get(path, ()))
        if not path.endswith("/"):
            found += self._of_file(path)
        return tuple(dict.fromkeys(found))

    def _of_file(self, path: str) -> list[str]:
        name = path.rpartition("/")[2]
        found = list(self._exact.get(name, ()))
        stem, _, suffix = name.rpartition(".")
        if stem:
            found += self._suffix.get(suffix, ())
        found += [kind for regex, whole, kind in self._glob if regex.match(path if whole else name)]
        return found


@lru_cache(maxsize=8)
def sign_matcher(templates: Templates) -> Matcher:
    """Return the matcher for what optional roles look for."""
    return Matcher(templates.signs)


def signs_in(paths: Sequence[str], wanted: Iterable[str], templates: Templates) -> tuple[str, ...]:
    """Return those of `paths` that are one of the `wanted` signs, each once."""
    matcher = sign_matcher(templates)
    return tuple(dict.fromkeys(path for path in paths if set(wanted) & set(matcher.kinds(path))))


def weight_of_place(path: str, templates: Templates) -> float:
    """Return how much a path counts by its place: 1 at the top or one folder down, less below or aside."""
    *folders, name = path.casefold().split("/")  # of a folder's own path, the last part is empty
    minor, aside = _places(templates)
    above = folders if name else folders[:-1]
    if not minor.isdisjoint(above):
        return MINOR_FACTOR
    return 1.0 if len(above) <= 1 and aside.isdisjoint(folders) else DEEP_FACTOR


@lru_cache(maxsize=8)
def _places(templates: Templates) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(templates.minor), frozenset(templates.aside)
