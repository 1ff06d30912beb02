# ruff: noqa: PTH103, PTH109, PTH110, PTH116, PTH118, PTH119, PTH120, PTH123
"""The few things the demo agent does with files.

Without pathlib: that alone is a twentieth of the memory of an agent of which there may be a hundred.
"""

from __future__ import annotations

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


def interpreter() -> str:
    """Return the Python that runs this; a program that goes by another name does not know its own."""
    own = sys.executable
    return own if os.path.basename(own).startswith("python") else os.path.realpath("/proc/self/exe")
