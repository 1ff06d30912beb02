"""The supervisor: one per state folder, hard to kill by accident, easy to stop, and never quiet about a fault."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from orchestrator_core.supervisor.lock import SupervisorLock, is_held, last_beat
from orchestrator_core.supervisor.spawn import LOG_NAME, ensure_running
from tests.conftest import MakeProject, TmuxServer
from tests.polling import eventually
from tests.rig import Rig


def test_start_status_stop(rig: Rig) -> None:
    assert rig.tmorch("supervisor", "status", "--json").json["supervisor"]["running"] is False
    started = rig.tmorch("supervisor", "start", "--json")
    assert started.code == 0, started
    pid = started.json["supervisor"]["pid"]
    again = rig.tmorch("supervisor", "start", "--json")
    assert again.json["supervisor"]["pid"] == pid
    assert rig.tmorch("supervisor", "stop").code == 0
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert rig.tmorch("supervisor", "status", "--json").json["supervisor"]["running"] is False


def test_a_second_one_is_refused_and_a_killed_one_leaves_no_lock(rig: Rig) -> None:
    pid = rig.tmorch("supervisor", "start", "--json").json["supervisor"]["pid"]
    second = rig.tmorch("supervisor", "run")
    assert second.code == 3
    assert "already" in second.err
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_held(rig.paths.lock))
    assert rig.paths.lock.exists()
    assert rig.tmorch("supervisor", "start").code == 0


def test_ten_starts_at_once_give_one(rig: Rig) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-m", "orchestrator_core.cli.main", "supervisor", "start"], stdout=subprocess.DEVNULL
        )
        for _ in range(10)
    ]
    assert [start.wait(timeout=60) for start in starts] == [0] * 10
    ours = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "orchestrator_core.supervisor" in (process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("XDG_STATE_HOME") == os.environ["XDG_STATE_HOME"]
    ]
    eventually(lambda: sum(process.is_running() and process.status() != "zombie" for process in ours) <= 1)
    assert is_held(rig.paths.lock)


def test_it_outlives_the_terminal_that_started_it(rig: Rig) -> None:
    """The terminal hangs up: its whole session gets SIGHUP."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "orchestrator_core.cli.main", "supervisor", "start"])
    os.waitpid(pid, 0)
    os.close(terminal)
    supervisor = rig.store.health.read().pid
    assert supervisor is not None
    process = psutil.Process(supervisor)
    assert os.getsid(supervisor) != os.getsid(0)
    assert process.terminal() is None
    assert is_held(rig.paths.lock)
    os.kill(supervisor, signal.SIGHUP)
    beat = last_beat(rig.paths.lock)
    eventually(lambda: last_beat(rig.paths.lock) != beat, timeout=20)
    assert process.is_running()


def test_the_lock_is_not_lost_to_a_probe(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = SupervisorLock(path), SupervisorLock(path)
    assert not is_held(path)
    assert first.acquire()
    assert is_held(path)
    assert not second.acquire()
    first.release()
    assert second.acquire()


def test_a_fault_in_one_agent_leaves_the_others_alone(rig: Rig, make_project: MakeProject) -> None:
    """A row that makes no sense is reported; the other agent still gets its message."""
    team = rig.start(make_project(), roles="orchestrator,developer")
    rig.store.agents.update(rig.agent(team, "orchestrator").id, driver="no-such-driver")
    assert rig.tmorch("send", "developer", "still there?", "--wait", "30").code == 0
    eventually(lambda: "no-such-driver" in rig.store.health.read().last_error)
    assert rig.agent(team).texts() == ["still there?"]
    assert "no-such-driver" in rig.tmorch("supervisor", "status", "--json").out


def test_a_server_that_comes_back_is_found_again(rig: Rig, make_project: MakeProject, tmux_server: TmuxServer) -> None:
    lost = rig.agent(rig.start(make_project("one")))
    tmux_server.kill()
    lost.wait_status("exited")
    assert "tmux" in lost.row.reason
    back = rig.agent(rig.start(make_project("two")))
    assert rig.tmorch("send", back.id, "hello", "--wait", "30").code == 0
    assert back.texts() == ["hello"]
    assert lost.row.status == "exited"


def test_a_killed_agent_and_a_vanished_window_are_noticed(rig: Rig, make_project: MakeProject) -> None:
    team = rig.start(make_project(), roles="developer,tester")
    developer, tester = rig.agent(team), rig.agent(team, "tester")
    assert developer.row.pid
    os.kill(developer.row.pid, signal.SIGKILL)
    developer.wait_status("failed", "exited")
    rig.tmux.run("kill-window", "-t", str(tester.row.window))
    tester.wait_status("exited")
    assert "gone" in tester.row.reason


def test_what_a_killed_one_was_about_to_paste_does_not_stay(rig: Rig) -> None:
    rig.paths.ensure()
    left = rig.paths.scratch / "tmorch-left.txt"
    left.write_text("something private")
    assert rig.tmorch("supervisor", "start").code == 0
    assert not left.exists()


def test_stopping_ends_both_of_two_that_were_started_at_once(rig: Rig) -> None:
    """The second waits for the lock a little, and would take over from the one that is stopped."""
    ensure_running(rig.paths)
    ensure_running(rig.paths)
    eventually(lambda: rig.paths.database.exists() and rig.store.health.read().pid)
    stopped = rig.tmorch("supervisor", "stop")
    assert stopped.code == 0, stopped
    assert not is_held(rig.paths.lock)


SUPERVISOR = (sys.executable, "-m", "orchestrator_core.supervisor")


def log_of(rig: Rig) -> str:
    return (rig.paths.logs / LOG_NAME).read_text()


def test_a_second_one_ends_in_order_and_says_so_in_the_log(rig: Rig) -> None:
    assert rig.tmorch("supervisor", "start").code == 0
    second = subprocess.run(SUPERVISOR, capture_output=True, text=True, check=False, timeout=30)
    assert second.returncode == 0
    assert "a supervisor runs already" in log_of(rig).splitlines()[-1]
    assert "a supervisor runs already" in second.stderr  # under a service: the journal


def test_a_services_one_waits_and_takes_over(rig: Rig) -> None:
    """One that ended because another one runs would not be there when that one is killed."""
    first = rig.tmorch("supervisor", "start", "--json").json["supervisor"]["pid"]
    service = subprocess.Popen([*SUPERVISOR, "--stay"], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: f"process {service.pid} waits" in log_of(rig))
        os.kill(first, signal.SIGKILL)
        eventually(lambda: rig.store.health.read().pid == service.pid)
        assert rig.tmorch("supervisor", "stop").code == 0
        assert service.wait(timeout=20) == 0
    finally:
        with suppress(ProcessLookupError):
            service.kill()
        service.wait()


def test_killed_and_started_again_it_says_since_when(rig: Rig) -> None:
    first = rig.tmorch("supervisor", "start", "--json").json["supervisor"]
    assert first["responds"]
    assert not first["service"]
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: not is_held(rig.paths.lock))
    down = rig.tmorch("supervisor", "status", "--json").json["supervisor"]
    assert (down["running"], down["responds"]) == (False, False)
    assert down["since"] >= first["since"]
    again = rig.tmorch("supervisor", "start", "--json").json["supervisor"]
    assert again["pid"] != first["pid"]
    assert again["since"] > down["since"]


def test_its_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    """A flood of errors, and then the last words of an interpreter that dies: they are in the newest file."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / LOG_NAME
    flood = (
        "import logging, sys; from pathlib import Path; from orchestrator_core.supervisor.logs import log_to\n"
        "log_to(Path(sys.argv[1]))\n"
        "for n in range(50_000): logging.getLogger('orchestrator_core.x').error('fault %d %s', n, 'x' * 80)\n"
        "raise SystemError('the last words')\n"
    )
    with log.open("a") as file:
        subprocess.run([sys.executable, "-c", flood, str(log)], stdout=file, stderr=file, check=False, timeout=60)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [LOG_NAME, f"{LOG_NAME}.1", f"{LOG_NAME}.2"]
    assert all(file.stat().st_size <= 1_000_000 for file in files[1:])
    assert "fault 49999" in log.read_text()
    assert "the last words" in log.read_text().splitlines()[-1]


def test_a_server_that_hangs_does_not_stop_it(rig: Rig, make_project: MakeProject, tmux_server: TmuxServer) -> None:
    """It reports what it meets, keeps giving signs of life, and goes on when the server does."""
    agent = rig.agent(rig.start(make_project()))
    agent.wait_status("idle")
    server = tmux_server.pid
    os.kill(server, signal.SIGSTOP)
    try:
        hung_at = last_beat(rig.paths.lock)
        eventually(lambda: rig.store.health.read().last_error, timeout=40)
        eventually(lambda: last_beat(rig.paths.lock) != hung_at, timeout=40)
    finally:
        os.kill(server, signal.SIGCONT)
    assert rig.tmorch("send", agent.id, "are you back?", "--wait", "40").code == 0
    assert agent.texts() == ["are you back?"]


def test_a_broken_check_in_and_a_vanished_pane_stop_nothing(rig: Rig, make_project: MakeProject) -> None:
    team = rig.start(make_project(), roles="orchestrator,developer")
    gone, developer = rig.agent(team, "orchestrator"), rig.agent(team)
    developer.wait_status("idle")
    with sqlite3.connect(rig.paths.database) as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        database.execute("UPDATE checkin SET due_at = 'soon', interval_s = 'often' WHERE target = ?", (gone.id,))
    rig.tmux.run("kill-window", "-t", str(gone.row.window))
    gone.wait_status("exited")
    assert rig.tmorch("send", developer.id, "go on", "--wait", "30").code == 0
    eventually(lambda: "check-in.dead" in {event.kind for event in rig.store.events.latest(50)})
    assert rig.tmorch("supervisor", "status", "--json").json["supervisor"]["responds"]
