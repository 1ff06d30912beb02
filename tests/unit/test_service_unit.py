"""The supervisor as a service: what is written, for whom, and what is left alone."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import RefusedError, UsageError
from orchestrator_core.services.service_unit import (
    ARGUMENTS,
    MARK,
    UNIT,
    Keeper,
    Service,
    cron_line,
    install,
    is_installed,
    plist_text,
    service_for,
    uninstall,
    unit_path,
    unit_text,
    variables_of,
)

PYTHON = "/opt/tmorch/bin/python"
words = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1)


class Systemctl:
    """A `systemctl` on a PATH of its own, which notes what it is asked."""

    def __init__(self, folder: Path, fails: str = "none") -> None:
        self.folder = folder
        self._calls = folder / "calls"
        folder.mkdir()
        program = folder / "systemctl"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {shlex.quote(str(self._calls))}\n'
            f'case "$*" in *{fails}*) echo "Failed to connect to bus" >&2; exit 1;; esac\n'
        )
        program.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}

    def asked(self) -> list[str]:
        calls = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return [call.removeprefix("--user ") for call in calls]


@pytest.fixture
def systemctl(tmp_path: Path) -> Systemctl:
    return Systemctl(tmp_path / "bin", fails="is-active")


def here(systemctl: Systemctl) -> Service:
    environ = systemctl.environ
    return service_for(Paths.from_env(environ), environ, python=PYTHON, platform="linux", systemd_runs=Path("/"))


def test_installing_twice_changes_nothing_the_second_time(systemctl: Systemctl, tmp_path: Path) -> None:
    ended: list[str] = []
    service = here(systemctl)
    first = install(service, systemctl.environ, make_way=lambda: ended.append("the other"))
    assert (first.is_changed, first.is_started, first.problem) == (True, True, "")
    assert systemctl.asked() == ["daemon-reload", f"enable {UNIT}", f"restart {UNIT}"]
    assert ended == ["the other"]
    path = Path(service.path)
    assert path.read_text() == service.text
    assert path.is_relative_to(os.environ["XDG_CONFIG_HOME"])
    assert is_installed(systemctl.environ)

    written = path.stat().st_mtime_ns
    running = Systemctl(tmp_path / "running").environ
    again = install(service, running, make_way=lambda: ended.append("again"))
    assert (again.is_changed, again.is_started, again.problem) == (False, True, "")
    assert path.stat().st_mtime_ns == written
    assert ended == ["the other"]


def test_where_the_users_systemd_does_not_answer_it_is_said(tmp_path: Path) -> None:
    systemctl = Systemctl(tmp_path / "bin", fails="--user")
    ended: list[str] = []
    outcome = install(here(systemctl), systemctl.environ, make_way=lambda: ended.append("the other"))
    assert outcome.is_changed
    assert not outcome.is_started
    assert "Failed to connect to bus" in outcome.problem
    assert ended == []
    assert f"systemctl --user enable {UNIT}" in outcome.service.commands


@pytest.mark.parametrize("is_link", [False, True])
def test_a_unit_of_somebody_else_is_left_alone(systemctl: Systemctl, tmp_path: Path, *, is_link: bool) -> None:
    path = unit_path(systemctl.environ)
    path.parent.mkdir(parents=True)
    if is_link:
        path.symlink_to("/dev/null")  # masked: it is not to run
    else:
        path.write_text("[Service]\nExecStart=/usr/bin/mine\n")
    before = path.read_text()
    for act in (install, uninstall):
        with pytest.raises(RefusedError):
            act(here(systemctl), systemctl.environ)
    assert path.read_text() == before
    assert systemctl.asked() == []


def test_uninstalling(systemctl: Systemctl) -> None:
    assert not uninstall(here(systemctl), systemctl.environ).is_changed
    assert systemctl.asked() == []
    install(here(systemctl), systemctl.environ)
    systemctl.asked()
    gone = uninstall(here(systemctl), systemctl.environ)
    assert (gone.is_changed, gone.problem) == (True, "")
    assert systemctl.asked() == [f"disable --now {UNIT}", "daemon-reload"]
    assert not is_installed(systemctl.environ)


def test_only_what_differs_from_the_defaults_is_named(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PATH": "/bin", "TMUX": "secret", "EDITOR": "vi"}
    assert variables_of(Paths.from_env(home), home) == {"PATH": "/bin"}
    moved = home | {"XDG_STATE_HOME": "/s", "TMORCH_CONFIG": "/c/my.toml"}
    found = variables_of(Paths.from_env(moved), moved)
    assert found == {"PATH": "/bin", "TMORCH_STATE": "/s/tmorch", "TMORCH_CONFIG": "/c/my.toml"}


def test_without_systemd_there_is_another_way(tmp_path: Path) -> None:
    paths = Paths.from_env(os.environ)
    nowhere = tmp_path / "not-there"
    linux = service_for(paths, os.environ, platform="linux", systemd_runs=nowhere)
    assert (linux.keeper, linux.path, linux.commands) == (Keeper.CRON, "", ("crontab -e",))
    mac = service_for(paths, os.environ, platform="darwin", systemd_runs=nowhere)
    assert mac.keeper is Keeper.LAUNCHD
    assert mac.path.endswith("Library/LaunchAgents/tmorch.supervisor.plist")


def test_a_line_break_makes_no_second_line(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": "/bin\nExecStartPre=/bin/evil"}
    with pytest.raises(UsageError):
        service_for(Paths.from_env(environ), environ)


@given(words, words)
def test_the_plist_says_what_was_meant(python: str, value: str) -> None:
    made = plistlib.loads(plist_text(python, {"PATH": value}).encode())
    assert made["ProgramArguments"] == [python, *ARGUMENTS]
    assert made["EnvironmentVariables"] == {"PATH": value}


@given(words, words)
def test_cron_hands_on_what_was_meant(python: str, value: str) -> None:
    line = cron_line(python, {"PATH": value}).replace("\\%", "%").removeprefix("@reboot ")
    assert shlex.split(line) == ["env", f"PATH={value}", python, *ARGUMENTS, "2>/dev/null"]
    assert "\n" not in line.rstrip("\n")


@given(words, words)
def test_a_unit_quotes_what_systemd_would_read_into(python: str, value: str) -> None:
    text = unit_text(python, {"PATH": value})
    assert text.startswith(MARK)
    line = next(line for line in text.splitlines() if line.startswith("Environment="))
    quoted = line.removeprefix("Environment=")
    assert quoted[0] == quoted[-1] == '"'
    unquoted = quoted[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\").replace("%%", "%")
    assert unquoted == f"PATH={value}"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    python = tmp_path / "a $mall 100% place" / "python"
    python.parent.mkdir()
    python.symlink_to(shutil.which("true") or "/bin/true")
    unit = tmp_path / UNIT
    unit.write_text(unit_text(str(python), {"PATH": '/a b:/c"d:/50%', "TZ": "Europe/Berlin"}))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
