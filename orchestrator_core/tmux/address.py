"""Which tmux server, and whether it is there. Quick to import: `tmorch whoami` uses it."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from orchestrator_core.errors import MissingProgramError, RefusedError, SettingsError
from orchestrator_core.tmux import faults
from orchestrator_core.tmux.version import OLDEST, TmuxVersion, parse_version

MAX_SOCKET_PATH = 103
"""Bytes: the shortest `sun_path` among the systems that tmux runs on, less the final NUL."""
_VERSION_TIMEOUT_S = 10.0
_FALLBACK_FOLDER = "/tmp"


class ServerAddress(Struct, frozen=True, kw_only=True):
    """A tmux server: the program that talks to it, and its socket with symbolic links resolved."""

    bin: str = "tmux"
    socket_path: str

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line that reaches this server, to be followed by a tmux command."""
        return (self.bin, "-S", self.socket_path)

    @classmethod
    def from_settings(cls, socket: str, bin: str, environ: Mapping[str, str]) -> ServerAddress:
        """Return the server that the settings `[tmux] socket` and `bin` name.

        `socket` is a name, as of `tmux -L`, or an absolute path. Empty means the server of `$TMUX`, or tmux's default.

        Raises:
            SettingsError: `socket` is neither, or its path is too long for a socket.

        """
        path = os.path.realpath(_socket_path(socket, environ))
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise SettingsError(
                "the tmux socket's path is too long",
                cause=f"{path} has more than {MAX_SOCKET_PATH} bytes",
                remedy="set [tmux] socket to a shorter path",
            )
        return cls(bin=bin, socket_path=path)

    def is_listening(self) -> bool:
        """Whether a server listens on the socket: a dead one does not, a wedged one does. Starts no process."""
        import socket as sockets

        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(self.socket_path)
            except BlockingIOError:
                return True  # its queue of connections is full
            except OSError:
                return False
        return True

    def make_folder(self) -> None:
        """Make the socket's folder as tmux does, private to the person.

        Raises:
            RefusedError: the folder is there and others can get at it, or it is not the person's.

        """
        folder = Path(self.socket_path).parent
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o007
        if folder.name == _folder_name() and not is_private:
            raise RefusedError(
                f"{folder} is not safe for a tmux socket",
                cause="it is not a folder of yours alone",
                remedy=f"see whose it is; `chmod 700 {folder}` if it is yours",
                code="unsafe-folder",
            )


def _socket_path(socket: str, environ: Mapping[str, str]) -> str:
    if socket.startswith("/"):
        return socket
    if "/" in socket or socket in (".", ".."):
        raise SettingsError(
            f"[tmux] socket is {socket!r}",
            cause="it is neither a name nor an absolute path",
            remedy='write a name such as "work", or a path that begins with /',
        )
    inside = environ.get("TMUX", "").rsplit(",", 2)[0]
    if inside and not socket:
        return inside
    return f"{_tmpdir(environ)}/{_folder_name()}/{socket or 'default'}"


def _tmpdir(environ: Mapping[str, str]) -> str:
    """Return the first folder that exists, as tmux does."""
    wanted = environ.get("TMUX_TMPDIR", "")
    return wanted if wanted and Path(wanted).exists() else _FALLBACK_FOLDER


def _folder_name() -> str:
    return f"tmux-{os.getuid()}"


def version(bin: str = "tmux") -> TmuxVersion:
    """Return the version of the tmux program `bin`. Runs it once; the answer is kept.

    Raises:
        MissingProgramError: it is not there, does not say a version, or is older than 3.2a.

    """
    import shutil

    path = shutil.which(bin)
    if path is None:
        raise faults.missing(bin)
    said = _ask_version(path, Path(path).stat().st_mtime_ns)
    found = parse_version(said)
    if found is None or not found.at_least(OLDEST):
        raise MissingProgramError(
            f"tmux is too old: {said.strip() or 'it says no version'}",
            cause=f"{path} lacks what tmorch relies on",
            remedy=f"install tmux {OLDEST.text} or newer, or set [tmux] bin in the settings",
        )
    return found


@functools.lru_cache(maxsize=8)
def _ask_version(path: str, _changed_ns: int) -> str:
    import subprocess

    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingProgramError(
            f"{path} does not run", cause=str(error), remedy="reinstall tmux, or set [tmux] bin"
        ) from error
    return done.stdout
