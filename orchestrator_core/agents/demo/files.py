# ruff: noqa: PTH103, PTH108, PTH109, PTH110, PTH115, PTH116, PTH118, PTH119, PTH120, PTH123
"""The few things the demo agent does with files.

Without pathlib: that alone is a twentieth of the memory of an agent of which there may be a hundred.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys


def here() -> str:
    """Return the folder we are in."""
    return os.getcwd()


def join(folder: str, file: str) -> str:
    """Return the path of `file` in `folder`."""
    return os.path.join(folder, file)


def beside(module: str, file: str) -> str:
    """Return the path of a data file that lies beside the module whose `__file__` is given."""
    return os.path.join(os.path.dirname(module), file)


def name(path: str) -> str:
    """Return the last part of a path."""
    return os.path.basename(path)


def link(path: str) -> str:
    """Return what a symbolic link says; nothing when there is none."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    return os.path.exists(path)


def is_fifo(path: str) -> bool:
    """Whether there is a FIFO at `path`."""
    return os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)


def size(path: str) -> int:
    """Return how many bytes a file has; none when there is no such file."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def read(path: str) -> str:
    """Return what is in a file; nothing when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except OSError:
        return ""


def read_from(path: str, offset: int) -> bytes:
    """Return what a file has from `offset` on."""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read()


def write(path: str, text: str) -> None:
    """Write a file, and the folders it needs."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def append(path: str, data: bytes) -> None:
    """Append `data` to a file in one write, so that readers see all of it or nothing."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def overwrite(path: str, text: str) -> None:
    """Write a private file in its place: a reader may meet it empty."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, text.encode("utf-8", "surrogatepass"))
    finally:
        os.close(file)


def remove(path: str) -> None:
    """Remove a file; nothing happens when there is none."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def nameless(content: bytes = b"") -> int:
    """Return a descriptor of a new file that goes with its last descriptor, read from its start."""
    path = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"demo-agent-{os.urandom(8).hex()}")
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    while content:
        content = content[os.write(file, content) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file


def whole(file: int) -> str:
    """Return all that is in a file that somebody else may have written."""
    size_now = os.fstat(file).st_size
    return os.pread(file, size_now, 0).decode("utf-8", "replace")


def interpreter() -> str:
    """Return the Python that runs this; a program that goes by another name does not know its own."""
    own = sys.executable
    return own if os.path.basename(own).startswith("python") else os.path.realpath("/proc/self/exe")
