from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator_core.config.paths import Paths, expanded
from orchestrator_core.errors import StoreError


def test_the_xdg_variables_say_where_things_are() -> None:
    paths = Paths.from_env({"HOME": "/home/ada", "XDG_CONFIG_HOME": "/etc/ada", "XDG_STATE_HOME": "/var/ada"})
    assert paths.config_file == Path("/etc/ada/tmorch/config.toml")
    assert paths.themes == Path("/etc/ada/tmorch/themes")
    assert paths.state == Path("/var/ada/tmorch")
    assert paths.database == Path("/var/ada/tmorch/tmorch.db")


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_an_empty_or_relative_xdg_variable_counts_as_not_set(value: str) -> None:
    paths = Paths.from_env({"HOME": "/home/ada", "XDG_CONFIG_HOME": value, "XDG_STATE_HOME": value})
    assert paths.config_file == Path("/home/ada/.config/tmorch/config.toml")
    assert paths.state == Path("/home/ada/.local/state/tmorch")


def test_our_own_variables_come_first() -> None:
    environ = {
        "HOME": "/home/ada",
        "XDG_CONFIG_HOME": "/etc/ada",
        "TMORCH_CONFIG": "~/conf/my.toml",
        "TMORCH_STATE": "~/state",
    }
    paths = Paths.from_env(environ)
    assert paths.config_file == Path("/home/ada/conf/my.toml")
    assert paths.themes == Path("/home/ada/conf/themes")
    assert paths.state == Path("/home/ada/state")
    assert paths.lock.parent == paths.state


def test_a_relative_state_folder_is_made_absolute() -> None:
    assert Paths.from_env({"HOME": "/home/ada", "TMORCH_STATE": "here"}).state == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("text", "path"), [("~", "/home/ada"), ("~/x/../y", "/home/ada/x/../y"), ("/a/../b", "/b"), ("~bob/x", None)]
)
def test_expanded(text: str, path: str | None) -> None:
    assert expanded(text, {"HOME": "/home/ada"}) == Path(path or Path.cwd() / text)


def test_knowing_the_paths_makes_nothing(tmp_path: Path) -> None:
    Paths.from_env({"HOME": str(tmp_path / "nobody")})
    assert not (tmp_path / "nobody").exists()


def test_ensure_makes_private_folders_and_nothing_twice() -> None:
    paths = Paths.from_env()
    paths.ensure()
    times = {folder: folder.stat().st_mtime_ns for folder in paths.folders}
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in paths.folders)
    paths.ensure()
    assert times == {folder: folder.stat().st_mtime_ns for folder in paths.folders}
    assert not paths.database.exists()


def test_ensure_leaves_an_open_folder_as_the_person_made_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    paths = Paths.from_env({"TMORCH_STATE": str(tmp_path / "shared")})
    paths.ensure()
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o755
    assert stat.S_IMODE(paths.logs.stat().st_mode) == 0o700


def test_a_file_in_place_of_the_state_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        Paths.from_env({**os.environ, "TMORCH_STATE": str(tmp_path / "state")}).ensure()
    assert str(tmp_path / "state") in caught.value.title
    assert "TMORCH_STATE" in caught.value.remedy
