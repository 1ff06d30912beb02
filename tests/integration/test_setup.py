"""Scenario 1: set-up makes what is missing, names what it cannot make, and changes nothing the second time."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import DriverSettings, Settings, TmuxSettings, load_settings
from orchestrator_core.errors import SettingsError, StoreError
from orchestrator_core.services.setup import ProgramState, SetupReport, install_command, setup
from orchestrator_core.store import open_store
from orchestrator_core.store.database import Database
from orchestrator_core.store.schema import MIGRATIONS, VERSION


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, time of change and contents of everything in `folder`."""
    prints = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        found = path.lstat()
        contents = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        prints[str(path)] = (found.st_mode, found.st_mtime_ns, contents)
    return prints


def program(folder: Path, name: str, said: str) -> None:
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '{said}'\n")
    script.chmod(0o755)


async def test_everything_is_made_once(isolated_home: Path) -> None:
    paths = Paths.from_env()
    first = await setup(paths, Settings())
    assert first.changed
    assert [(step.name, step.changed) for step in first.steps] == [
        ("settings", True),
        ("folders", True),
        ("database", True),
    ]
    assert load_settings(paths, {}) == Settings()
    assert "# wait_s = 5.0" in paths.config_file.read_text()
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in paths.folders)
    with closing(open_store(paths.database)) as store:
        assert store.orchestrations.list() == ()


async def test_the_second_time_nothing_changes(isolated_home: Path) -> None:
    paths = Paths.from_env()
    await setup(paths, Settings())
    before = fingerprint(isolated_home)
    second = await setup(paths, load_settings(paths))
    assert fingerprint(isolated_home) == before
    assert not second.changed
    assert [step.text for step in second.steps] == ["is there, left as it is", "are there", "is there"]


async def test_what_the_person_wrote_stays(isolated_home: Path) -> None:
    paths = Paths.from_env()
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text("[demo]\nseed = 3\n")
    report = await setup(paths, load_settings(paths))
    assert paths.config_file.read_text() == "[demo]\nseed = 3\n"
    assert not report.steps[0].changed


async def test_an_older_database_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Paths.from_env()
    await setup(paths, Settings())
    newer = (*MIGRATIONS, ("ALTER TABLE agent ADD COLUMN mood TEXT",))
    monkeypatch.setattr("orchestrator_core.services.setup.VERSION", VERSION + 1)
    monkeypatch.setattr("orchestrator_core.services.setup.open_store", lambda path: Database(path, newer))
    report = await setup(paths, Settings())
    assert report.steps[2].changed
    assert report.steps[2].text == f"brought from version {VERSION} to {VERSION + 1}"


def states(report: SetupReport) -> dict[str, ProgramState]:
    return {program.name: program.state for program in report.programs}


async def test_the_programs_here_are_found(isolated_home: Path) -> None:
    report = await setup(Paths.from_env(), Settings())
    assert states(report)["tmux"] is ProgramState.FOUND
    assert states(report)["git"] is ProgramState.FOUND
    assert report.lacking == ()
    assert "(" in report.programs[0].text


async def test_every_missing_program_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    settings = Settings(drivers={"aider": DriverSettings(command=("aider", "-x"))})
    report = await setup(Paths.from_env(), settings)
    assert states(report) == dict.fromkeys(("tmux", "git", "claude", "aider"), ProgramState.MISSING)
    assert [p.name for p in report.lacking] == ["tmux", "git"]
    remedies = {p.name: p.remedy for p in report.programs}
    assert "`sudo apt-get install tmux` or `brew install tmux`" in remedies["tmux"]
    assert "git 2.31 or newer" in remedies["git"]
    assert "tmorch demo" in remedies["claude"]
    assert "[drivers.aider] command" in remedies["aider"]
    assert report.steps[2].changed


@pytest.mark.parametrize(
    ("name", "said", "needed"), [("tmux", "tmux 3.1c", "3.2a"), ("git", "git version 2.30.2", "2.31")]
)
async def test_a_program_that_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str, needed: str
) -> None:
    program(tmp_path / "bin", name, said)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    report = await setup(Paths.from_env(), Settings())
    (lacking,) = report.lacking
    assert (lacking.name, lacking.state) == (name, ProgramState.TOO_OLD)
    assert f"{name} {needed} or newer is needed" in lacking.remedy


async def test_a_program_that_is_named_in_the_settings_is_the_one_looked_for(tmp_path: Path) -> None:
    program(tmp_path / "bin", "tmux-3.5", "tmux 3.5a")
    settings = Settings(tmux=TmuxSettings(bin=str(tmp_path / "bin/tmux-3.5")))
    report = await setup(Paths.from_env(), settings)
    assert report.programs[0].text == f"3.5a ({tmp_path}/bin/tmux-3.5)"


@pytest.mark.parametrize(("manager", "command"), [("brew", "`brew install git`"), ("dnf", "`sudo dnf install git`")])
def test_the_package_manager_that_is_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: str, command: str
) -> None:
    program(tmp_path / "bin", manager, "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert install_command("git") == command


async def test_what_is_in_the_way_is_explained(isolated_home: Path) -> None:
    paths = Paths.from_env()
    paths.state.parent.mkdir(parents=True)
    paths.state.write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made"):
        await setup(paths, Settings())
    paths.config_file.unlink()
    paths.config_file.parent.rmdir()
    paths.config_file.parent.write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be"):
        await setup(paths, Settings())
