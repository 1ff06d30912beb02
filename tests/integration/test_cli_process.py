"""The installed command as a process: what it loads, how it ends, and how it finds itself in a real tmux."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.config.paths import Paths
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import PaneId, WindowId
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.lock import SupervisorLock
from tests.conftest import TmuxServer, run_git
from tests.fakes.cli import make_agent, make_orchestration
from tests.fakes.json_shape import faults
from tests.polling import eventually

TMORCH = (sys.executable, "-m", "orchestrator_core.cli.main")
HEAVY = {"asyncio", "peewee", "libtmux", "subprocess", "psutil", "jinja2", "tomllib", "tomli_w", "typing_extensions"}
TIMEOUT_S = 40
ORCHESTRATION = "shop-1a2b"


def tmorch(*args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run tmorch without a terminal."""
    return subprocess.run(
        [*TMORCH, *args],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, **(env or {})},
    )


class Fleet:
    """A state folder with a team on a real tmux server; its agents are panes in which nothing runs but `cat`."""

    def __init__(self, server: TmuxServer) -> None:
        self.paths = Paths.from_env()
        self.paths.ensure()
        self.server = server
        self.store: Store = open_store(self.paths.database)
        # Whoever holds this is the supervisor: no other one starts, and nothing is delivered.
        self.lock = SupervisorLock(self.paths.lock)
        assert self.lock.acquire()
        self.store.orchestrations.claim(make_orchestration(ORCHESTRATION, server=os.path.realpath(server.socket_path)))

    def add(self, role: str) -> Agent:
        """Add an agent in a new window of its own; the session's first window stays in front."""
        new = ("new-window", "-d", "-t", f"={ORCHESTRATION}:")
        if not self.store.agents.of(make_orchestration(ORCHESTRATION).id):
            new = ("new-session", "-d", "-s", ORCHESTRATION)
        found = self.server.run(*new, "-n", role, "-P", "-F", "#{pane_id} #{window_id}", "cat").split()
        agent = msgspec.structs.replace(
            make_agent(f"{ORCHESTRATION}:{role}"), pane=PaneId(found[0]), window=WindowId(found[1])
        )
        self.store.agents.add(agent)
        return agent

    def inside(self, agent: Agent) -> dict[str, str]:
        """The environment that tmux gives to the programs in an agent's pane."""
        return {"TMUX": f"{self.server.socket_path},{self.server.pid},0", "TMUX_PANE": str(agent.pane)}

    def close(self) -> None:
        self.store.close()
        self.lock.release()


@pytest.fixture
def fleet(tmux_server: TmuxServer) -> Iterator[Fleet]:
    made = Fleet(tmux_server)
    yield made
    made.close()


def loaded_by(*args: str, env: Mapping[str, str]) -> tuple[int, set[str]]:
    """Run a command in a fresh interpreter and return its exit code and the modules that it loaded."""
    report = (
        "import sys\nfrom orchestrator_core.cli.main import main\n"
        f"code = main({list(args)!r})\n"
        "sys.stderr.write('\\n' + ' '.join(sorted(sys.modules)))\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", report],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, **env},
    )
    return done.returncode, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "command",
    [
        ["whoami"],
        ["whoami", "--json"],
        ["send", "developer", "hello", "--no-wait"],
        ["send", "developer", "hello", "--wait", "0.05", "--json"],
        ["send", f"{ORCHESTRATION}:developer", "hello", "--no-wait"],
    ],
)
def test_the_quick_road_loads_nothing_heavy(fleet: Fleet, command: list[str]) -> None:
    fleet.add("developer")
    tester = fleet.add("tester")
    code, loaded = loaded_by(*command, env=fleet.inside(tester))
    assert code == (5 if "--wait" in command else 0)
    assert loaded & HEAVY == set()
    assert "msgspec" in loaded


def test_only_a_window_name_asks_tmux(fleet: Fleet) -> None:
    fleet.add("developer")
    code, loaded = loaded_by("send", f"{ORCHESTRATION}:0", "hello", "--no-wait", env={})
    assert code == 0
    assert "subprocess" in loaded
    assert "libtmux" not in loaded


def test_whoami_is_the_pane_it_runs_in_and_not_the_window_in_front(fleet: Fleet, tmp_path: Path) -> None:
    """Scenario 31, in a real pane."""
    fleet.add("developer")
    tester = fleet.add("tester")
    answer = tmp_path / "answer"
    command = f"{shlex.join(TMORCH)} whoami --json > {answer}.new; mv {answer}.new {answer}; exec cat"
    settings = [f"-e{name}={os.environ[name]}" for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")]
    fleet.server.run("respawn-pane", "-k", *settings, "-t", str(tester.pane), command)
    eventually(answer.exists)
    found = json.loads(answer.read_text())
    assert faults(found, schema_of("whoami")) == []
    assert found["agent"] == tester.id
    front = fleet.server.run("display-message", "-p", "-t", f"={ORCHESTRATION}:", "#{window_name}")
    assert front == "developer"


def test_the_same_pane_id_on_another_server_is_nobody(fleet: Fleet) -> None:
    agent = fleet.add("developer")
    done = tmorch("whoami", "--json", env={**fleet.inside(agent), "TMUX": "/tmp/other,1,0"})
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "not-an-agent"


def test_a_message_waits_in_the_outbox_with_its_sender(fleet: Fleet) -> None:
    developer, tester = fleet.add("developer"), fleet.add("tester")
    done = tmorch("send", "developer", "-", "--no-wait", "--json", stdin="a\nb\n", env=fleet.inside(tester))
    assert done.returncode == 0, done
    receipt = json.loads(done.stdout)
    assert faults(receipt, schema_of("send")) == []
    assert receipt["state"] == "queued"
    assert receipt["target"] == {"agent": developer.id, "pane": developer.pane}
    (stored,) = fleet.store.messages.latest(developer.id)
    assert (stored.id, stored.sender, stored.text) == (receipt["id"], tester.id, "a\nb")


def test_the_receipt_follows_what_becomes_of_the_message(fleet: Fleet) -> None:
    developer = fleet.add("developer")
    sending = subprocess.Popen(
        [*TMORCH, "send", "developer", "hello", "--wait", "30", "--json"], stdout=subprocess.PIPE, text=True
    )
    claimed = eventually(lambda: fleet.store.messages.claim_next(developer.id, 1.0))
    assert claimed is not None
    fleet.store.messages.finish(
        claimed.id, msgspec.convert("delivered", type(claimed.state)), pane=developer.pane, at=2.0
    )
    out, _ = sending.communicate(timeout=TIMEOUT_S)
    assert sending.returncode == 0
    assert json.loads(out)["state"] == "delivered"


def test_session_and_window_match_exactly(fleet: Fleet) -> None:
    """Scenario 22, on a real tmux."""
    fleet.add("developer")
    fleet.server.run("rename-session", "-t", f"={ORCHESTRATION}", "web2")
    assert tmorch("send", "web:developer", "hello", "--no-wait").returncode == 4
    assert tmorch("send", "web2:dev", "hello", "--no-wait").returncode == 4
    assert fleet.store.messages.latest() == ()
    assert tmorch("send", "web2:developer", "hello", "--no-wait").returncode == 0


def test_without_the_tmux_server_it_says_so_at_once_and_keeps_the_message(fleet: Fleet) -> None:
    """Scenario 32."""
    developer = fleet.add("developer")
    fleet.server.kill()
    done = tmorch("send", "developer", "hello", "--wait", "30", "--json")
    assert done.returncode == 6, done
    assert json.loads(done.stdout)["state"] == "queued"
    (stored,) = fleet.store.messages.latest(developer.id)
    assert stored.state == "queued"


def test_equal_messages_are_suppressed_with_their_number(fleet: Fleet) -> None:
    """Scenario 30, from the sender's side."""
    fleet.add("developer")
    codes = [tmorch("send", "developer", "again", "--no-wait", "--json") for _ in range(7)]
    assert [done.returncode for done in codes] == [0, 0, 0, 0, 0, 3, 3]
    assert json.loads(codes[-1].stdout)["state"] == "refused"
    assert "(2 so far)" in json.loads(codes[-1].stdout)["reason"]
    assert tmorch("send", "developer", "something else", "--no-wait").returncode == 0


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ([], 2),
        (["sned"], 2),
        (["send", "developer"], 2),
        (["start", "--plan", "max6"], 2),
        (["start", "."], 3),
        (["whoami"], 4),
        (["send", "developer", "hello"], 4),
        (["status", "developer"], 4),
        (["stop", "shop"], 4),
        (["cleanup", "shop"], 4),
        (["start", "no/such/place", "--yes"], 4),
        (["list"], 0),
        (["supervisor", "status"], 0),
        (["--version"], 0),
    ],
)
def test_exit_codes(args: list[str], code: int) -> None:
    done = tmorch(*args, *(["--json"] if code > 2 else []))
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    if code > 2:
        assert faults(json.loads(done.stdout), schema_of("error")) == []
        assert done.stderr == ""


def test_the_screen_is_refused_without_a_terminal() -> None:
    done = tmorch("tui")
    assert done.returncode == 3
    assert "needs a terminal" in done.stderr


def test_a_wrong_setting_is_a_usage_error_that_names_it(isolated_home: Path) -> None:
    file = Paths.from_env().config_file
    file.parent.mkdir(parents=True)
    file.write_text("[messages]\nwait = 3\n")
    done = tmorch("list")
    assert done.returncode == 2
    assert "messages.wait" in done.stderr
    assert str(file) in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "| true", ">&- 2>&- <&-"])
def test_a_closed_stream_is_no_fault(redirection: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(TMORCH)} --help {redirection}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    script = f"{shlex.join(TMORCH)} status --watch --json | head -1; echo ${{PIPESTATUS[0]}}"
    watching = subprocess.Popen(
        ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        store = open_store(Paths.from_env().database) if Paths.from_env().database.exists() else None
        assert watching.stdout is not None
        json.loads(watching.stdout.readline())
        store = store or open_store(Paths.from_env().database)
        store.orchestrations.claim(make_orchestration())  # something changes, so that it writes again
        store.close()
        out, err = watching.communicate(timeout=TIMEOUT_S)
        assert err == ""
        assert out == "141\n"
    finally:
        if watching.poll() is None:
            os.killpg(watching.pid, signal.SIGKILL)
            watching.wait()


def test_ctrl_c_ends_watching() -> None:
    watching = subprocess.Popen([*TMORCH, "status", "--watch", "--json"], stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    assert faults(json.loads(watching.stdout.readline()), schema_of("status")) == []
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=TIMEOUT_S)
    assert watching.returncode == 0


class AtTerminal:
    """A tmorch whose streams are a terminal."""

    def __init__(self, *args: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*TMORCH, *args], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "NO_COLOR": "1"}
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        while text not in self.seen:
            self.seen += os.read(self._ours, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(timeout=TIMEOUT_S)
        os.close(self._ours)
        return code


@pytest.fixture
def asked(git_project: Path) -> AtTerminal:
    (git_project / "SPEC.md").write_text("GOAL: Sell things\n")
    terminal = AtTerminal("start", "--project", str(git_project), "--agent", "demo", "--roles", "developer", "--no-tui")
    terminal.wait_for("[y/N] ")
    return terminal


def test_a_no_starts_nothing(asked: AtTerminal, git_project: Path, tmux_server: TmuxServer) -> None:
    asked.type("n\n")
    assert asked.end() == 3
    assert run_git(git_project, "for-each-ref", "refs/heads/tmorch") == ""
    assert tmux_server.run("list-sessions", check=False) == ""


def test_one_ctrl_c_at_the_question_is_enough(asked: AtTerminal, git_project: Path) -> None:
    asked.process.send_signal(signal.SIGINT)
    assert asked.end() == 130
    assert run_git(git_project, "for-each-ref", "refs/heads/tmorch") == ""


def test_plan_makes_nothing(git_project: Path) -> None:
    (git_project / "SPEC.md").write_text("GOAL: Sell things\n")
    done = tmorch("plan", str(git_project), "--agent", "demo", "--json", "--plan", "pro")
    assert done.returncode == 0, done
    found: dict[str, Any] = json.loads(done.stdout)
    assert faults(found, schema_of("plan")) == []
    assert len(found["roles"]) <= 3
    assert run_git(git_project, "for-each-ref", "refs/heads/tmorch") == ""
    assert run_git(git_project, "status", "--porcelain") == "?? SPEC.md"
