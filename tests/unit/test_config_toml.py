from __future__ import annotations

import multiprocessing
import os
import stat
import tomllib
from pathlib import Path

import pytest

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.schema import example_text
from orchestrator_core.config.settings import load_settings
from orchestrator_core.config.toml import update_setting
from orchestrator_core.errors import SettingsError


@pytest.fixture
def paths() -> Paths:
    return Paths.from_env()


def write(paths: Paths, text: str) -> None:
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_bytes(text.encode())


def test_a_first_setting_makes_the_file(paths: Paths) -> None:
    update_setting(paths, "tui.theme", "nord")
    assert paths.config_file.read_text() == '[tui]\ntheme = "nord"\n'
    assert stat.S_IMODE(paths.config_file.stat().st_mode) == 0o600


def test_the_default_stays_to_be_seen_above_the_new_value(paths: Paths) -> None:
    write(paths, example_text())
    update_setting(paths, "tui.theme", "nord")
    before, after = example_text().splitlines(), paths.config_file.read_text().splitlines()
    assert after[: after.index('theme = "nord"')] == before[: before.index('# theme = "tmorch-dark"') + 1]
    assert [line for line in after if line != 'theme = "nord"'] == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[tui]\ntheme = "a"  # mine\n# end\n', '[tui]\ntheme = "b"  # mine\n# end\n'),
        ("# top\n[tui]\n  theme='a'\n[demo]\nseed = 3\n", '# top\n[tui]\ntheme = "b"\n[demo]\nseed = 3\n'),
        ("[demo]\nseed = 3\n", '[demo]\nseed = 3\n\n[tui]\ntheme = "b"\n'),
        ("[tui] # look\nguests = false\n", '[tui] # look\ntheme = "b"\nguests = false\n'),
        ('[tui]\r\ntheme = "a"\r\n', '[tui]\r\ntheme = "b"\r\n'),
        ('[tui]\ntheme = "a"', '[tui]\ntheme = "b"\n'),
        ("[demo]\nseed = 1 # [tui]\n[tui]\n\n", '[demo]\nseed = 1 # [tui]\n[tui]\ntheme = "b"\n\n'),
    ],
)
def test_only_one_line_changes(paths: Paths, before: str, after: str) -> None:
    write(paths, before)
    update_setting(paths, "tui.theme", "b")
    assert paths.config_file.read_bytes().decode() == after


@pytest.mark.parametrize(
    "before",
    [
        'tui = { theme = "a", guests = false }\n[demo]\nseed = 3\n',
        'tui.theme = "a"\ntui.guests = false\ndemo.seed = 3\n',
        '[tui]\ntheme = """\na"""\nguests = false\n[demo]\nseed = 3\n',
        '[tui]\n"theme" = "a"\nguests = false\n[demo]\nseed = 3\n',
        '["tui"]\ntheme = "a"\nguests = false\n[demo]\nseed = 3\n',
    ],
)
def test_however_the_file_is_laid_out_its_values_stay(paths: Paths, before: str) -> None:
    write(paths, before)
    update_setting(paths, "tui.theme", "b")
    table = tomllib.loads(paths.config_file.read_text())
    assert table == {"tui": {"theme": "b", "guests": False}, "demo": {"seed": 3}}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tui.guests", False),
        ("messages.wait_s", 1.5),
        ("claude.command", ["a", 'with "quotes" # and more']),
        ("tui.keys", {"app.quit": "ctrl+q"}),
        ("claude.gates.mcp", "refuse"),
    ],
)
def test_values_of_every_type(paths: Paths, key: str, value: object) -> None:
    update_setting(paths, "demo.seed", 5)
    update_setting(paths, key, value)
    table: object = tomllib.loads(paths.config_file.read_text())
    for name in key.split("."):
        assert isinstance(table, dict)
        table = table[name]
    assert table == value
    assert load_settings(paths, {}).demo.seed == 5


@pytest.mark.parametrize(("key", "value"), [("tui.thme", "x"), ("tui.guests", "yes"), ("tui", 3), ("tui.theme.x", 1)])
def test_what_is_not_allowed_changes_nothing(paths: Paths, key: str, value: object) -> None:
    write(paths, "[demo]\nseed = 3\n")
    with pytest.raises(SettingsError, match="tui"):
        update_setting(paths, key, value)
    assert paths.config_file.read_text() == "[demo]\nseed = 3\n"


def test_a_file_that_is_not_in_order_is_left_alone(paths: Paths) -> None:
    write(paths, "[demo]\nsed = 3\n")
    with pytest.raises(SettingsError, match=r"did you mean demo\.seed"):
        update_setting(paths, "tui.theme", "b")
    assert paths.config_file.read_text() == "[demo]\nsed = 3\n"


def test_the_same_value_again_does_not_touch_the_file(paths: Paths) -> None:
    write(paths, '[tui]\ntheme = "b"\n')
    before = paths.config_file.stat().st_mtime_ns
    update_setting(paths, "tui.theme", "b")
    assert paths.config_file.stat().st_mtime_ns == before


def test_a_symbolic_link_stays_one_and_the_mode_stays(paths: Paths, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("[demo]\nseed = 3\n")
    real.chmod(0o644)
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.symlink_to(real)
    update_setting(paths, "tui.theme", "b")
    assert paths.config_file.is_symlink()
    assert load_settings(paths, {}).tui.theme == "b"
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
    assert [file.name for file in tmp_path.glob(".dotfiles*")] == []


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    paths = Paths.from_env({"TMORCH_CONFIG": str(tmp_path / "file/config.toml"), "HOME": os.environ["HOME"]})
    with pytest.raises(SettingsError, match="cannot be written"):
        update_setting(paths, "tui.theme", "b")


def _set(key: str, value: int) -> None:
    for number in range(10):
        update_setting(Paths.from_env(), key, value + number)


def test_two_processes_that_set_different_things_both_get_their_way(paths: Paths) -> None:
    context = multiprocessing.get_context("spawn")
    keys = ("demo.seed", "messages.duplicate_limit")
    processes = [context.Process(target=_set, args=(key, 100)) for key in keys]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    settings = load_settings(paths, {})
    assert (settings.demo.seed, settings.messages.duplicate_limit) == (109, 109)
