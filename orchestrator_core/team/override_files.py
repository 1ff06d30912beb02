"""The files by which a person or a project changes the catalogue: which there are, and what is in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import SettingsError
from orchestrator_core.team.catalogue import BRIEFINGS, PARTS

RULES = "rules.md"
TEMPLATES = BRIEFINGS.name
"""The folder of briefing templates below that of the files."""
MAX_BYTES = 256 * 1024
MAX_RULES_BYTES = 16 * 1024
"""House rules go into every briefing."""
TABLES = tuple(f"{name}.toml" for name in PARTS)
NAMES = frozenset((*TABLES, RULES, TEMPLATES))


class Stamp(Struct, frozen=True):
    """A file as it was when it was looked at; another text means another stamp."""

    path: Path
    changed: tuple[int, ...]


class Layer(Struct, frozen=True, kw_only=True):
    """A folder that changes the catalogue."""

    folder: Path
    bounds: Path | None = None
    """The folder that its files must not lie outside of, wherever links lead; None: they may lie anywhere."""
    tables: tuple[Stamp, ...] = ()
    rules: tuple[Stamp, ...] = ()
    templates: tuple[Stamp, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All its files."""
        return tuple(stamp.path for stamp in (*self.tables, *self.rules, *self.templates))


def layer_in(folder: Path, bounds: Path | None = None) -> Layer:
    """Return what lies in `folder`; a folder that is missing holds nothing. Reads no file, and is quick.

    Raises:
        SettingsError: something has the name of such a file and is none, is too large, or cannot be looked at.

    """
    there = {entry.name for entry in _entries(folder)}
    if there.isdisjoint(NAMES):
        return Layer(folder=folder, bounds=bounds)
    templates = _templates(folder / TEMPLATES) if TEMPLATES in there else ()
    return Layer(
        folder=folder,
        bounds=bounds,
        tables=_stamps(folder / name for name in TABLES if name in there),
        rules=_stamps((folder / RULES,) if RULES in there else (), MAX_RULES_BYTES),
        templates=_stamps(templates),
    )


def text_of(file: Path, bounds: Path | None) -> str:
    """Return what is in a file of a layer with these bounds.

    Raises:
        SettingsError: it cannot be read, lies outside the bounds, is not UTF-8 text, or has grown too large.

    """
    try:
        if bounds and not file.resolve().is_relative_to(bounds.resolve()):
            raise _out_of_bounds(file)
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _too_large(file, MAX_BYTES)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{file}, line {line}: this is not UTF-8 text",
            cause=f"byte {error.start} is 0x{error.object[error.start]:02x}: {error.reason}",
            remedy="save it as UTF-8",
        ) from error
    except OSError as error:
        raise _unreadable(file, error) from error


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder, error) from error


def _templates(folder: Path) -> list[Path]:
    names = sorted(entry.name for entry in _entries(folder) if not _is_left_by_editor(entry))
    valid = sorted(each.name for each in BRIEFINGS.iterdir()) if names else []
    for name in names:
        if name not in valid:
            raise SettingsError(
                f"{folder / name}: a briefing has no such part",
                cause=f"the parts are {', '.join(valid)}",
                remedy="give it the name of the part that it is to replace, or take it out of that folder",
            )
    return [folder / name for name in names]


def _is_left_by_editor(entry: os.DirEntry[str]) -> bool:
    """Whether a file was never meant to be a template. A link that leads somewhere could be included by one."""
    is_odd = entry.name.startswith(".") or entry.name.endswith("~")
    return is_odd and not (entry.is_symlink() and Path(entry).exists())


def _stamps(files: Iterable[Path], limit: int = MAX_BYTES) -> tuple[Stamp, ...]:
    return tuple(_stamp(file, limit) for file in files)


def _stamp(file: Path, limit: int) -> Stamp:
    try:
        found = file.stat()
    except OSError as error:
        raise _unreadable(file, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise SettingsError(
            f"{file} is not a file",
            cause="a folder has that name" if stat.S_ISDIR(found.st_mode) else "it is a pipe, a socket or a device",
            remedy="remove it, or give it another name",
        )
    if found.st_size > limit:
        raise _too_large(file, limit, found.st_size)
    return Stamp(file, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev))


def _out_of_bounds(file: Path) -> SettingsError:
    return SettingsError(
        f"{file} leads out of the project",
        cause=f"it is, or lies behind, a link to {file.resolve()}, and what it says would go to agents",
        remedy="put the file itself there",
    )


def _too_large(file: Path, limit: int, size: int = 0) -> SettingsError:
    return SettingsError(
        f"{file} is too large",
        cause=f"it has {size or 'more than ' + str(limit)} bytes, and at most {limit} are read",
        remedy="make it shorter",
    )


def _unreadable(file: Path, error: OSError) -> SettingsError:
    is_dangling = isinstance(error, FileNotFoundError) and file.is_symlink()
    return SettingsError(
        f"{file} cannot be read",
        cause="it is a link that leads nowhere" if is_dangling else error.strerror or str(error),
        remedy="remove it, or make it readable",
    )
