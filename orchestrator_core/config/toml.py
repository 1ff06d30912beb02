"""The settings file: reading it, and changing one value without disturbing the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator_core.errors import SettingsError

if TYPE_CHECKING:
    from orchestrator_core.config.paths import Paths

PRIVATE_FILE = 0o600
SHOWN = 200
"""How many characters of a line an error shows."""


def read_text(file: Path) -> str | None:
    """Return the file's text, None when there is no such file.

    Raises:
        SettingsError: it cannot be read, or is not UTF-8.

    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(file, "read", error) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is not UTF-8 text",
            cause=f"byte {error.start} is 0x{error.object[error.start]:02x}: {error.reason}",
            remedy="save it as UTF-8",
        ) from error


def parse(text: str, file: Path) -> dict[str, Any]:
    """Return `text`, which came from `file`, as a table.

    Raises:
        SettingsError: it is not TOML; names the line and the column.

    """
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides what it says itself: a number too long, lists too deep
        what, place, line = _where(str(error), text)
        raise SettingsError(
            f"{file} is not TOML: {what}, {place}",
            cause=f"the line reads: {line}" if line else "the file ends there",
            remedy="correct that line",
        ) from error


def _where(said: str, text: str) -> tuple[str, str, str]:
    """Take apart what tomllib said into what is wrong, where, and the line itself."""
    lines = text.splitlines()
    found = re.search(r" \(at line (\d+), column (\d+)\)$", said)
    if found is None:
        return said.split(" (at ")[0], f"line {max(len(lines), 1)}, at its end", ""
    number = int(found[1])
    line = lines[number - 1].strip()[:SHOWN] if number <= len(lines) else ""
    return said[: found.start()], f"line {number}, column {found[2]}", line


def update_setting(paths: Paths, key: str, value: object) -> None:
    """Set the dotted `key` to `value` in the settings file; the rest of the file keeps its values.

    Comments stay as well unless the file is laid out in a way that only rewriting it can change. The file is
    replaced in one step; two processes may do this at once.

    Raises:
        SettingsError: there is no such setting, the value is not allowed, the file is not in order as it is, or it
            cannot be written. Nothing was changed.

    """
    from orchestrator_core.config.checking import checked_table

    names = key.split(".")
    try:
        paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(paths.config_file, "written", error) from error
    with _alone(paths.config_file.parent):
        text = read_text(paths.config_file) or ""
        before = parse(text, paths.config_file)
        checked_table(before, paths.config_file)
        after = _with_value(before, names, value)
        checked_table(after, paths.config_file)
        if after != before:
            write_atomically(paths.config_file, _edited(text, names, value, after))


def write_atomically(file: Path, text: str) -> None:
    """Replace the file's text in one step, so that a reader or a crash sees the old or the new, nothing between.

    A symbolic link stays one; a file that exists keeps its mode, a new one is its owner's only.

    Raises:
        SettingsError: it cannot be written.

    """
    import tempfile

    target = file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o7777 if target.exists() else PRIVATE_FILE
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unusable(file, "written", error) from error
    try:
        with os.fdopen(descriptor, "wb") as temporary:
            temporary.write(text.encode())
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unusable(file, "written", error) from error


def _with_value(table: Mapping[str, Any], names: list[str], value: object) -> dict[str, Any]:
    first, *rest = names
    inner = table.get(first)
    if rest:
        value = _with_value(inner if isinstance(inner, dict) else {}, rest, value)
    return {**table, first: value}


def _edited(text: str, names: list[str], value: object, wanted: Mapping[str, Any]) -> str:
    """Return `text` with one line changed or added; all of it written anew when that does not give `wanted`."""
    import tomllib

    import tomli_w

    if not isinstance(value, Mapping):
        *section, name = names
        edited = _with_line(text, ".".join(section), name, tomli_w.dumps({name: value}).rstrip("\n"))
        with suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(edited) == wanted:
                return edited
    return tomli_w.dumps(wanted)


def _with_line(text: str, section: str, name: str, line: str) -> str:
    lines = text.splitlines()
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    start, end = _span(lines, section)
    if start is None:
        lines += ["", f"[{section}]", line] if lines else [f"[{section}]", line]
        return end_of_line.join(lines) + end_of_line
    key = re.escape(name)
    present = re.compile(rf"""^\s*{key}\s*=\s*("[^"\\]*"|'[^']*'|[^#"']*?)(?P<tail>\s*(#.*)?)$""")
    commented = re.compile(rf"^\s*#\s*{key}\s*=")
    for number in range(start, end):
        if found := present.match(lines[number]):
            lines[number] = line + found["tail"]
            return end_of_line.join(lines) + end_of_line
    above = next((number + 1 for number in range(start, end) if commented.match(lines[number])), start)
    lines.insert(above, line)
    return end_of_line.join(lines) + end_of_line


def _span(lines: list[str], section: str) -> tuple[int | None, int]:
    """Return between which lines the section's own keys are; None when it has no header."""
    headers = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    starts = [number + 1 for number in headers if lines[number].split("#")[0].strip() == f"[{section}]"]
    if not starts:
        return (None if section else 0), headers[0] if headers else len(lines)
    return starts[0], next((number for number in headers if number >= starts[0]), len(lines))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from changing settings meanwhile."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems have no locks: replacing is atomic all the same
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unusable(file: Path, verb: str, error: OSError) -> SettingsError:
    return SettingsError(
        f"{file} cannot be {verb}",
        cause=error.strerror or str(error),
        remedy="TMORCH_CONFIG names another settings file" if verb == "read" else "check its owner and the disk",
        code="settings-file",
    )
