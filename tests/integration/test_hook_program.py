"""The program that an agent runs for every hook, as a process of its own, as its settings name it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.claude.agent_settings import OFFERS, STOP, settings_file
from orchestrator_core.agents.driver import LaunchContext
from orchestrator_core.config.paths import Paths
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.services.spool import Spool, Told
from orchestrator_core.supervisor.bell import Bell
from tests.polling import eventually

AGENT = AgentId("shop-1a2b:developer")
FOLDERS = ["state", 'state of O\'Brien "the" $HOME `id`; 100%']
STOPPED = json.dumps({"session_id": "s", "hook_event_name": STOP, "stop_hook_active": False})


class Seat:
    """An agent's folder and its settings, in a state folder of its own."""

    def __init__(self, state: Path) -> None:
        self.paths = Paths.from_env({"HOME": str(state.parent), "TMORCH_STATE": str(state)})
        self.paths.ensure()
        self.folder = self.paths.agents / "shop-1a2b" / "developer"
        self.folder.mkdir(parents=True)
        agent = Agent(
            id=AGENT,
            orchestration=OrchestrationId("shop-1a2b"),
            role="developer",
            driver="claude",
            worktree="/w",
            branch="b",
        )
        context = LaunchContext(
            agent=agent, folder=self.folder, spool=self.paths.spool, briefing="", tmorch_argv=(), env={}
        )
        self.settings: dict[str, Any] = json.loads(settings_file(context, "manual").text)
        self.reports: list[str] = []
        self._spool = Spool(self.paths.spool, self.reports.append)

    def hook(self, event: str) -> dict[str, Any]:
        found: dict[str, Any] = self.settings["hooks"][event][0]["hooks"][0]
        return found

    def argv(self, event: str = "Notification") -> list[str]:
        """The program and its arguments, without the shell between."""
        return shlex.split(self.hook(event)["command"])

    def run(self, event: str, payload: str | bytes, **environ: str) -> subprocess.CompletedProcess[bytes]:
        """Do as Claude Code does."""
        return subprocess.run(
            ["/bin/sh", "-c", self.hook(event)["command"]],
            input=payload if isinstance(payload, bytes) else payload.encode(),
            capture_output=True,
            check=False,
            timeout=30,
            env={"PATH": os.environ["PATH"], **environ},
        )

    def told(self) -> list[Told]:
        return [found for name in self._spool.names() if (found := self._spool.read(name))]

    def tidy(self) -> list[str]:
        self._spool.tidy(time.time())
        return self.reports

    def offer(self, number: int, text: str = "{}") -> None:
        (self.folder / OFFERS / "taken").mkdir(parents=True, exist_ok=True)
        (self.folder / OFFERS / f"{number}.json").write_text(text)

    def taken(self) -> list[str]:
        return sorted(path.name for path in (self.folder / OFFERS / "taken").iterdir())


@pytest.fixture(params=FOLDERS, ids=["plain", "odd"])
def seat(request: pytest.FixtureRequest, tmp_path: Path) -> Seat:
    return Seat(tmp_path / request.param)


@pytest.fixture
def plain(tmp_path: Path) -> Seat:
    return Seat(tmp_path / "state")


@pytest.fixture
def bell(plain: Seat) -> Iterator[Bell]:
    made = Bell(plain.paths.state)
    yield made
    made.close()


def is_silent(done: subprocess.CompletedProcess[bytes]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_a_hook_tells_is_in_the_spool_whole_and_private(seat: Seat) -> None:
    before = time.time()
    payload = {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "ü\n'\"$x`"}
    assert is_silent(seat.run("UserPromptSubmit", json.dumps(payload), TMUX_PANE="%5"))
    (told,) = seat.told()
    assert (told.agent, told.payload, told.pane, told.handed_over) == (AGENT, payload, "%5", None)
    assert before <= told.at <= time.time()
    (file,) = (seat.paths.spool / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("pane", ["", "nonsense", "%1/../../x"])
def test_outside_a_pane_it_tells_none(plain: Seat, pane: str) -> None:
    assert is_silent(plain.run("Stop", STOPPED, TMUX_PANE=pane))
    assert [told.pane for told in plain.told()] == [None]


def test_it_rings_the_supervisor(plain: Seat, bell: Bell) -> None:
    plain.run("Notification", "{}")
    assert os.read(bell.descriptor, 10) == b"."


def test_a_bell_that_is_full_of_rings_holds_nothing_up(plain: Seat, bell: Bell) -> None:
    try:
        while True:
            os.write(bell.descriptor, b"." * 4096)
    except BlockingIOError:
        pass
    assert is_silent(plain.run("Notification", "{}"))
    assert len(plain.told()) == 1


def test_a_bell_to_which_nobody_listens_holds_nothing_up(plain: Seat) -> None:
    os.mkfifo(plain.paths.state / "supervisor.bell")
    assert is_silent(plain.run("Notification", "{}"))
    assert len(plain.told()) == 1


def test_a_locked_or_broken_store_costs_and_loses_nothing(plain: Seat) -> None:
    with closing(sqlite3.connect(plain.paths.database, isolation_level=None)) as database:
        database.execute("CREATE TABLE t (x)")
        database.execute("BEGIN EXCLUSIVE")
        assert is_silent(plain.run("Notification", "{}"))
    plain.paths.database.write_bytes(b"not a database")
    assert is_silent(plain.run("Notification", "{}"))
    assert len(plain.told()) == 2
    assert plain.paths.database.read_bytes() == b"not a database"


def test_a_missing_spool_is_made_again(plain: Seat) -> None:
    shutil.rmtree(plain.paths.spool)
    assert is_silent(plain.run("Notification", "{}"))
    assert len(plain.told()) == 1
    assert plain.paths.spool.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_was_taken_away_is_not(plain: Seat) -> None:
    shutil.rmtree(plain.paths.state)
    assert is_silent(plain.run("Notification", "{}"))
    assert not plain.paths.state.exists()


def test_what_cannot_be_kept_leaves_a_trace_that_tmorch_shows(plain: Seat) -> None:
    shutil.rmtree(plain.paths.spool / "tmp")
    (plain.paths.spool / "tmp").write_text("in the way")
    assert is_silent(plain.run("Notification", "{}"))
    assert plain.told() == []
    (report,) = plain.tidy()
    assert "Notification" in report
    assert "NotADirectoryError" in report
    assert len(plain.tidy()) == 1


def test_a_closed_stdin_is_no_reason_to_complain_to_the_agent(plain: Seat) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", plain.hook("Stop")["command"] + " <&-"], capture_output=True, check=False, timeout=30
    )
    assert is_silent(done)


def test_a_payload_of_a_megabyte(plain: Seat) -> None:
    payload = {"hook_event_name": "UserPromptSubmit", "prompt": "é漢🙂" * 100_000}
    assert is_silent(plain.run("UserPromptSubmit", json.dumps(payload)))
    assert [told.payload for told in plain.told()] == [payload]


def test_fifty_at_once_lose_nothing(plain: Seat) -> None:
    with ThreadPoolExecutor(max_workers=50) as pool:
        payloads = [json.dumps({"number": number}) for number in range(50)]
        assert all(is_silent(done) for done in pool.map(lambda p: plain.run("Notification", p), payloads))
    assert sorted(told.payload["number"] for told in plain.told()) == list(range(50))


def test_one_that_is_killed_in_the_middle_leaves_nothing_half_read(plain: Seat) -> None:
    process = subprocess.Popen(plain.argv(), stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b'{"hook_event_name": "Stop", ')
    process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    process.stdin.close()
    assert (plain.told(), plain.tidy()) == ([], [])


def test_nothing_of_the_agents_folder_or_environment_is_run(plain: Seat, tmp_path: Path) -> None:
    for name in ("os", "json", "time", "sitecustomize", "hook_program"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    argv = ["/bin/sh", "-c", plain.hook("Stop")["command"]]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "os.py")}
    done = subprocess.run(argv, input=b"{}", capture_output=True, check=False, timeout=30, cwd=tmp_path, env=environ)
    assert is_silent(done)
    assert len(plain.told()) == 1


def test_it_loads_next_to_nothing(plain: Seat) -> None:
    python, *rest = plain.argv()
    done = subprocess.run([python, "-X", "importtime", *rest], input=b"{}", capture_output=True, check=True, timeout=30)
    loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert not loaded & {"json", "re", "pathlib", "sqlite3", "typing", "orchestrator_core"}
    assert len(plain.told()) == 1


class TestHandOver:
    def test_the_lowest_offer_is_said_and_told(self, seat: Seat) -> None:
        for number in (12, 9, 101):
            seat.offer(number, json.dumps({"decision": "block", "reason": f"ü {number}"}))
        done = seat.run("Stop", STOPPED)
        assert json.loads(done.stdout) == {"decision": "block", "reason": "ü 9"}
        assert done.returncode == 0
        assert [told.handed_over for told in seat.told()] == [9]
        assert seat.taken() == ["9.json"]

    def test_other_events_say_nothing(self, plain: Seat) -> None:
        plain.offer(1)
        assert is_silent(plain.run("SubagentStop", STOPPED))
        assert plain.taken() == []

    def test_an_agent_that_was_kept_from_stopping_is_not_kept_again(self, plain: Seat) -> None:
        plain.offer(1)
        assert is_silent(plain.run("Stop", json.dumps({"stop_hook_active": True})))
        assert plain.taken() == []
        assert [told.handed_over for told in plain.told()] == [None]

    def test_an_offer_is_taken_once_by_many(self, plain: Seat) -> None:
        plain.offer(7, '{"decision": "block"}')
        with ThreadPoolExecutor(max_workers=8) as pool:
            said = [done.stdout for done in pool.map(lambda _: plain.run("Stop", STOPPED), range(8))]
        assert sorted(said) == [b""] * 7 + [b'{"decision": "block"}']
        assert [told.handed_over for told in plain.told() if told.handed_over] == [7]

    def test_what_lies_beside_the_offers_is_left_alone(self, plain: Seat) -> None:
        plain.offer(1)
        (plain.folder / OFFERS / "1.json").rename(plain.folder / OFFERS / ".2.json.tmp")
        assert is_silent(plain.run("Stop", STOPPED))
        assert plain.taken() == []


def test_the_command_does_the_same(plain: Seat) -> None:
    plain.offer(3, '{"decision": "block"}')
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator_core.cli.main", "hook", "Stop"],
        input=STOPPED.encode(),
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, "TMORCH_STATE": str(plain.paths.state), "TMORCH_AGENT": AGENT, "TMUX_PANE": "%5"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"decision": "block"}', b"")
    (told,) = plain.told()
    assert (told.agent, told.pane, told.handed_over, told.payload) == (AGENT, "%5", 3, json.loads(STOPPED))


class TestStatusLine:
    """The person's own status line goes on as if tmorch were not there."""

    PAYLOAD = json.dumps({"model": {"id": "x"}, "workspace": {"project_dir": "PROJECT"}})

    def show(self, seat: Seat, project: Path, home: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["/bin/sh", "-c", seat.settings["statusLine"]["command"]],
            input=self.PAYLOAD.replace("PROJECT", str(project)).encode(),
            capture_output=True,
            check=False,
            timeout=30,
            cwd=project,
            env={"PATH": os.environ["PATH"], "HOME": str(home), **environ},
        )

    def own(self, folder: Path, command: str, name: str = "settings.json") -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"statusLine": {"type": "command", "command": command}}))
        return file

    def kept(self, seat: Seat) -> Any:
        return json.loads((seat.folder / "status-line.json").read_text())

    def test_without_one_nothing_is_shown_and_what_was_told_is_kept(self, seat: Seat, tmp_path: Path) -> None:
        assert is_silent(self.show(seat, tmp_path, tmp_path))
        assert self.kept(seat)["model"] == {"id": "x"}

    def test_theirs_gets_the_same_stdin_and_its_output_is_shown(self, seat: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / ".claude", "cat; echo; echo \"second 'line'\"")
        shown = self.show(seat, tmp_path / "..", tmp_path)
        assert shown.stdout.decode().splitlines()[1] == "second 'line'"
        assert json.loads(shown.stdout.splitlines()[0]) == self.kept(seat)

    def test_the_projects_come_before_the_persons(self, plain: Seat, tmp_path: Path) -> None:
        project, home = tmp_path / "project", tmp_path / "home"
        project.mkdir()
        expected: dict[str, None] = {}
        for folder, name in (
            (home / ".claude", "settings.json"),
            (project / ".claude", "settings.json"),
            (project / ".claude", "settings.local.json"),
        ):
            self.own(folder, f"printf {name}-{folder.parent.name}", name)
            expected[self.show(plain, project, home).stdout.decode()] = None
        assert list(expected) == ["settings.json-home", "settings.json-project", "settings.local.json-project"]

    def test_their_configuration_may_be_elsewhere(self, plain: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / "conf", "printf there")
        assert self.show(plain, tmp_path, tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "conf")).stdout == b"there"

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"statusLine": 3}', '{"statusLine": {"command": null}}'])
    def test_a_broken_file_of_theirs_shows_nothing(self, plain: Seat, tmp_path: Path, text: str) -> None:
        self.own(tmp_path / ".claude", "").write_text(text)
        assert is_silent(self.show(plain, tmp_path / "..", tmp_path))

    def test_a_broken_command_fails_as_it_would_alone(self, plain: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / ".claude", "echo half; exit 7")
        shown = self.show(plain, tmp_path / "..", tmp_path)
        assert (shown.returncode, shown.stdout) == (7, b"half\n")

    def test_a_slow_command_is_the_process_that_claude_ends(self, plain: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / ".claude", "echo $$ > pid; exec sleep 60")
        argv = shlex.split(plain.settings["statusLine"]["command"])
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, cwd=tmp_path, env=environ)
        assert process.stdin is not None
        process.stdin.write(b"{}")
        process.stdin.close()
        assert eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()) == str(
            process.pid
        )
        process.terminate()
        assert process.wait(timeout=10) == -signal.SIGTERM

    def test_one_whose_reader_leaves_ends_as_it_would_alone(self, plain: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / ".claude", "exec yes")
        shown = subprocess.run(
            ["/bin/bash", "-c", f"{plain.settings['statusLine']['command']} | head -1; echo ${{PIPESTATUS[0]}}"],
            input=b"{}",
            capture_output=True,
            check=False,
            timeout=30,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        assert shown.stdout == b"y\n141\n"

    def test_a_folder_that_is_gone_does_not_cost_them_theirs(self, plain: Seat, tmp_path: Path) -> None:
        self.own(tmp_path / ".claude", "cat")
        shutil.rmtree(plain.folder)
        shown = self.show(plain, tmp_path / "..", tmp_path)
        assert json.loads(shown.stdout)["model"] == {"id": "x"}

    def test_nothing_of_theirs_is_written(self, plain: Seat, tmp_path: Path) -> None:
        file = self.own(tmp_path / ".claude", "true")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        self.show(plain, tmp_path, tmp_path)
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert file in before
        assert after.keys() - before.keys() == {plain.folder / "status-line.json"}
        assert all(after[path] == before[path] for path in before)
