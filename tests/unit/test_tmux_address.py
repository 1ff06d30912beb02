"""Which server is meant."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator_core.errors import RefusedError, SettingsError
from orchestrator_core.tmux.address import ServerAddress

FOLDER = f"tmux-{os.getuid()}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as path:
        yield Path(path).resolve()


def path_of(socket_name: str, environ: dict[str, str]) -> str:
    return ServerAddress.from_settings(socket_name, "tmux", environ).socket_path


def test_the_default_is_tmuxs_own(folder: Path) -> None:
    assert path_of("", {"TMUX_TMPDIR": str(folder)}) == f"{folder}/{FOLDER}/default"


def test_a_name(folder: Path) -> None:
    environ = {"TMUX_TMPDIR": str(folder), "TMUX": "/elsewhere/s,12,0"}
    assert path_of("work", environ) == f"{folder}/{FOLDER}/work"


def test_a_path_wins_over_everything(folder: Path) -> None:
    assert path_of(f"{folder}/sock", {"TMUX": "/elsewhere/s,12,0"}) == f"{folder}/sock"


def test_inside_tmux_it_is_that_server(folder: Path) -> None:
    assert path_of("", {"TMUX": f"{folder}/a,b,12,0", "TMUX_TMPDIR": "/nowhere"}) == f"{folder}/a,b"


def test_a_tmpdir_that_is_not_there_is_passed_over() -> None:
    assert path_of("", {"TMUX_TMPDIR": "/no/such/folder"}) == os.path.realpath(f"/tmp/{FOLDER}/default")


def test_symbolic_links_are_resolved(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    assert path_of(f"{folder}/link/s", {}) == f"{folder}/real/s"


@pytest.mark.parametrize("name", ["a/b", "./s", "..", "/" + "x" * 120])
def test_what_cannot_be_a_socket(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        path_of(name, {})
    assert caught.value.cause


def test_argv() -> None:
    assert ServerAddress(bin="/opt/tmux", socket_path="/s").argv == ("/opt/tmux", "-S", "/s")


def test_listening(folder: Path) -> None:
    address = ServerAddress(socket_path=str(folder / "s"))
    assert not address.is_listening()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.socket_path)
        assert not address.is_listening()
        server.listen(0)
        assert address.is_listening()
    assert not address.is_listening()  # the file is left behind, nobody listens


def test_a_server_that_accepts_nobody_still_listens(folder: Path) -> None:
    address = ServerAddress(socket_path=str(folder / "s"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.socket_path)
        server.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            client.connect_ex(address.socket_path)
            waiting.append(client)
        assert address.is_listening()
        for client in waiting:
            client.close()


def test_the_folder_is_made_private(folder: Path) -> None:
    address = ServerAddress(socket_path=str(folder / FOLDER / "default"))
    address.make_folder()
    assert (folder / FOLDER).stat().st_mode & 0o777 == 0o700
    address.make_folder()


def test_a_folder_open_to_others_is_refused(folder: Path) -> None:
    (folder / FOLDER).mkdir()
    (folder / FOLDER).chmod(0o777)
    with pytest.raises(RefusedError) as caught:
        ServerAddress(socket_path=str(folder / FOLDER / "default")).make_folder()
    assert caught.value.code == "unsafe-folder"
