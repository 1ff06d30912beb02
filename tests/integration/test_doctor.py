"""Scenario 2: the doctor names what is missing or broken, says what to do, and touches nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.models.message import PERSON
from orchestrator_core.services.doctor import Check, Result, examine
from orchestrator_core.services.setup import setup
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.schema import VERSION
from tests.conftest import TmuxServer
from tests.integration.test_setup import fingerprint, program
from tests.unit.test_store_contract import DEVELOPER, an_agent, an_orchestration, corrupt

NOW = 10_000.0
RUNNING = SupervisorHealth(running=True, pid=77, heartbeat_at=NOW - 3)


@pytest.fixture
async def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A state folder after `tmorch setup`, a terminal with all colours, and a `claude`."""
    program(tmp_path / "claude", "claude", "")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path / 'claude'}")
    monkeypatch.setenv("COLORTERM", "truecolor")
    found = Paths.from_env()
    await setup(found, Settings())
    return found


async def examined(
    paths: Paths, health: SupervisorHealth = RUNNING, environ: Mapping[str, str] = os.environ
) -> dict[str, Check]:
    checks = await examine(paths, lambda store: health, environ=environ, clock=lambda: NOW)
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.text for check in checks)
    assert all(check.remedy for check in checks if check.result is not Result.OK)
    return {check.name: check for check in checks}


def bad(checks: Mapping[str, Check]) -> dict[str, Result]:
    return {name: check.result for name, check in checks.items() if check.result is not Result.OK}


async def test_with_everything_there_all_is_well(paths: Paths) -> None:
    checks = await examined(paths)
    assert bad(checks) == {}
    assert list(checks) == [
        "python",
        "tmux",
        "git",
        "claude",
        "settings",
        "tmux server",
        "state folder",
        "disk",
        "database",
        "supervisor",
        "colours",
        "encoding",
    ]


async def test_before_any_setup_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "24bit")
    program(tmp_path / "claude", "claude", "")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path / 'claude'}")
    assert bad(await examined(Paths.from_env())) == {}


async def test_the_doctor_changes_nothing(paths: Paths, isolated_home: Path) -> None:
    paths.database.write_bytes(paths.database.read_bytes()[:8000])
    files = {name: facts for name, facts in fingerprint(isolated_home).items() if not Path(name).is_dir()}
    await examined(paths)
    after = {name: facts for name, facts in fingerprint(isolated_home).items() if not Path(name).is_dir()}
    assert after == files


@pytest.mark.parametrize("name", ["tmux", "git"])
async def test_a_needed_program_that_is_missing_fails(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for other in {"tmux", "git", "claude"} - {name}:
        found = shutil.which(other)
        assert found
        (others / other).symlink_to(found)
    monkeypatch.setenv("PATH", str(others))
    checks = await examined(paths)
    assert bad(checks) == {name: Result.FAIL}
    assert checks[name].is_program
    assert name in checks[name].text
    assert f"install {name}" in checks[name].remedy


async def test_a_missing_claude_is_a_warning(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "claude/claude").unlink()
    if shutil.which("claude") is None:
        assert bad(await examined(paths)) == {"claude": Result.WARN}


# --- settings


async def test_broken_settings_fail_and_the_rest_is_examined(paths: Paths) -> None:
    paths.config_file.write_text("[messages]\nwait = 3\n")
    checks = await examined(paths)
    assert bad(checks) == {"settings": Result.FAIL}
    assert "did you mean messages.wait_s?" in checks["settings"].text
    assert str(paths.config_file) in checks["settings"].remedy


async def test_a_driver_that_is_not_described(paths: Paths) -> None:
    paths.config_file.write_text('[team]\ndriver = "aider"\n')
    assert "no such driver" in (await examined(paths))["settings"].text
    paths.config_file.write_text('[team]\ndriver = "aider"\n[drivers.aider]\ncommand = ["no-such-aider"]\n')
    checks = await examined(paths)
    assert bad(checks) == {"aider": Result.WARN}


# --- tmux


async def test_a_server_that_runs_is_asked(paths: Paths, tmux_server: TmuxServer) -> None:
    tmux_server.run("new-session", "-d", "sleep 1000")
    checks = await examined(paths)
    assert bad(checks) == {}
    assert f"answers on {os.path.realpath(tmux_server.socket_path)}" in checks["tmux server"].text
    assert "escape key" not in checks


@pytest.mark.parametrize(("time", "result"), [("500", Result.WARN), ("10", Result.OK)])
async def test_inside_tmux_the_escape_time_matters(
    paths: Paths, tmux_server: TmuxServer, time: str, result: Result
) -> None:
    tmux_server.run("new-session", "-d", "sleep 1000")
    tmux_server.run("set-option", "-s", "escape-time", time)
    environ = {**os.environ, "TMUX": f"{tmux_server.socket_path},1,0"}
    check = (await examined(paths, environ=environ))["escape key"]
    assert check.result is result
    assert f"{time} ms" in check.text


async def test_a_program_that_is_not_the_servers(paths: Paths, tmux_server: TmuxServer, tmp_path: Path) -> None:
    tmux_server.run("new-session", "-d", "sleep 1000")
    newer = tmp_path / "newer"
    newer.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo "tmux 9.9" || exec {shutil.which("tmux")} "$@"\n')
    newer.chmod(0o755)
    checks = await examined(paths, environ={**os.environ, "TMORCH_TMUX__BIN": str(newer)})
    assert bad(checks) == {"tmux server": Result.WARN}
    assert "but the program is 9.9" in checks["tmux server"].text


async def test_a_socket_that_cannot_be(paths: Paths) -> None:
    checks = await examined(paths, environ={**os.environ, "TMORCH_TMUX__SOCKET": f"/{'x' * 200}"})
    assert bad(checks) == {"tmux server": Result.FAIL}


# --- the state folder and the database


async def test_a_state_folder_that_others_may_read(paths: Paths) -> None:
    paths.state.chmod(0o755)
    checks = await examined(paths)
    assert bad(checks) == {"state folder": Result.WARN}
    assert checks["state folder"].remedy == f"chmod 700 {paths.state}"


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "result"), [(500 * 1024**2, Result.WARN), (1024**2, Result.FAIL)])
async def test_a_disk_that_is_nearly_full(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, free: int, result: Result
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(total=10**12, used=0, free=free))
    assert bad(await examined(paths)) == {"disk": result}


async def test_worktrees_elsewhere_have_a_disk_of_their_own(paths: Paths, tmp_path: Path) -> None:
    checks = await examined(paths, environ={**os.environ, "TMORCH_WORKTREES__FOLDER": str(tmp_path / "far/away")})
    assert str(tmp_path / "far/away") in checks["disk of the worktrees"].text


async def test_a_damaged_database_fails_and_stays_where_it_is(paths: Paths) -> None:
    paths.database.write_bytes(b"no database" * 1000)
    checks = await examined(paths)
    assert bad(checks) == {"database": Result.FAIL}
    assert ".recover" in checks["database"].remedy
    assert paths.database.read_bytes() == b"no database" * 1000


@pytest.mark.parametrize(("version", "result"), [(VERSION + 1, Result.FAIL)])
async def test_a_database_of_another_version(paths: Paths, version: int, result: Result) -> None:
    corrupt(paths.database, f"PRAGMA user_version = {version}")
    assert bad(await examined(paths)) == {"database": result}


async def test_an_older_database_is_left_to_setup(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_core.services.doctor.VERSION", VERSION + 1)
    checks = await examined(paths)
    assert bad(checks) == {"database": Result.WARN}
    assert "tmorch setup" in checks["database"].remedy


def fill(paths: Paths) -> None:
    with closing(open_store(paths.database)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent())
        store.messages.add(DEVELOPER, PERSON, "hello", at=1.0)


async def test_rows_that_cannot_be_read_are_named(paths: Paths) -> None:
    fill(paths)
    corrupt(paths.database, "UPDATE agent SET created_at = 'soon'")
    corrupt(paths.database, "UPDATE message SET state = 'lost'")
    checks = await examined(paths)
    assert bad(checks) == {"database": Result.WARN}
    assert "shop-3f2a:developer of agent" in checks["database"].text
    assert "and 1 more" in checks["database"].text


async def test_a_database_that_is_locked(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_core.store.connection.BUSY_S", 0.1)
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        checks = await examined(paths)
    assert bad(checks) == {"database": Result.FAIL}
    assert "busy" in checks["database"].text


# --- the supervisor


@pytest.mark.parametrize(
    ("health", "result", "text"),
    [
        (RUNNING, Result.OK, "process 77 runs"),
        (SupervisorHealth(running=True, pid=77, heartbeat_at=NOW - 600), Result.FAIL, "for 10 minutes"),
        (SupervisorHealth(running=True), Result.FAIL, "ever"),
        (replace(RUNNING, overdue=3), Result.FAIL, "check-ins are overdue: 3"),
        (replace(RUNNING, has_service=True), Result.OK, "a service starts it at login"),
        (SupervisorHealth(running=False, overdue=1), Result.FAIL, "check-ins are overdue: 1"),
        (
            SupervisorHealth(
                running=True, pid=77, heartbeat_at=NOW, last_error="tmux spoke in tongues", last_error_at=NOW - 60
            ),
            Result.WARN,
            "tmux spoke in tongues",
        ),
        (
            SupervisorHealth(running=True, pid=77, heartbeat_at=NOW, last_error="old", last_error_at=NOW - 9000),
            Result.OK,
            "process 77 runs",
        ),
        (SupervisorHealth(running=False), Result.WARN, "with 1 active teams and messages waiting for 1 agents"),
    ],
)
async def test_how_the_supervisor_is(paths: Paths, health: SupervisorHealth, result: Result, text: str) -> None:
    fill(paths)
    check = (await examined(paths, health))["supervisor"]
    assert check.result is result
    assert text in check.text


async def test_without_work_no_supervisor_is_needed(paths: Paths) -> None:
    assert bad(await examined(paths, SupervisorHealth(running=False))) == {}


async def test_the_caller_is_given_the_store(paths: Paths) -> None:
    fill(paths)
    seen: list[int] = []

    def probe(store: Store) -> SupervisorHealth:
        seen.append(len(store.agents.active()))
        return RUNNING

    await examine(paths, probe)
    assert seen == [1]


# --- the terminal


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"COLORTERM": "", "TERM": "xterm-256color"}, "colours"),
        ({"COLORTERM": "", "TERM": "dumb"}, "colours"),
        ({"LC_ALL": "C"}, "encoding"),
        ({"LC_ALL": "", "LANG": "", "LC_CTYPE": ""}, "encoding"),
    ],
)
async def test_a_poor_terminal_is_a_warning(paths: Paths, variables: dict[str, str], name: str) -> None:
    assert bad(await examined(paths, environ={**os.environ, **variables})) == {name: Result.WARN}


async def test_hooks_that_are_switched_off_are_said(paths: Paths, isolated_home: Path) -> None:
    settings = isolated_home / ".claude" / "settings.json"
    settings.parent.mkdir()
    for text in ('{"disableAllHooks": false}', "[true]", "{broken"):
        settings.write_text(text)
        assert "claude hooks" not in await examined(paths)
    settings.write_text('{"disableAllHooks": true}')
    check = (await examined(paths))["claude hooks"]
    assert check.result is Result.WARN
    assert str(settings) in check.text
