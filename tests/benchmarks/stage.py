"""A private stage for measuring: a state folder, a tmux server full of agents, and apps in pseudo-terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from orchestrator_core.config.paths import Paths
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import OrchestrationId, SessionId, agent_id
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.store import Store, open_store
from orchestrator_core.tmux import sessions
from orchestrator_core.tmux.address import ServerAddress

STUB = Path(__file__).with_name("printing_agent.py")
ROWS, COLUMNS = 60, 200


class Stage:
    """A private state folder and tmux server, set up in the environment of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {n: v for n, v in os.environ.items() if not n.startswith(("TMORCH_", "TMUX", "XDG_", "PYTHON"))}
        self.environ |= {
            "HOME": str(folder / "home"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "TMUX_TMPDIR": str(folder),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
        }
        (folder / "home").mkdir()
        self.paths = Paths.from_env(self.environ)
        self.paths.ensure()
        self.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config_file.write_text(
            f'[drivers.stub]\ncommand = ["{sys.executable}", "{STUB}"]\nprocess_names = ["python", "python3", '
            f'"{Path(sys.executable).name}", "{Path(sys.executable).resolve().name}"]\nscreen = "claude"\n'
        )
        socket_folder = folder / f"tmux-{os.getuid()}"
        socket_folder.mkdir(mode=0o700)
        self.socket = str(socket_folder / "default")
        self.address = ServerAddress(bin="tmux", socket_path=self.socket)
        self._apps: list[Screen] = []
        self._desks: list[str] = []

    def tmux(self, *args: str) -> str:
        """Run a tmux command on the stage's server."""
        done = subprocess.run(
            ["tmux", "-S", self.socket, *args], capture_output=True, text=True, check=True, env=self.environ
        )
        return done.stdout.strip()

    def populate(self, teams: int, agents: int, *, mode: str) -> list[Agent]:
        """Open `teams` sessions of `agents` windows each with printing agents; `mode` is busy, idle or quiet."""
        os.environ.update(self.environ)
        store = open_store(self.paths.database)
        made = []
        for team in range(teams):
            made += self._open_team(store, OrchestrationId(f"bench-{team:02}"), agents, mode)
        store.close()
        return made

    def _open_team(self, store: Store, name: OrchestrationId, count: int, mode: str) -> list[Agent]:
        now = time.time()
        store.orchestrations.claim(
            Orchestration(
                id=name, project=str(self.folder / name), project_name=name, session=name, starting_branch="main",
                base_commit="0" * 40, server=self.socket, driver="stub", created_at=now,
            )
        )  # fmt: skip
        made: list[Agent] = []
        session: SessionId | None = None
        for number in range(count):
            created = self._open_window(name, session, f"role{number}", mode)
            session = created.session_id
            role = f"role{number}"
            agent = Agent(
                id=agent_id(name, role), orchestration=name, role=role, driver="stub", worktree=str(self.folder),
                branch=f"tmorch/{name}/{role}", status=AgentStatus.STARTING, pane=created.pane_id,
                window=created.window_id, pid=created.pid, pid_started=psutil.Process(created.pid).create_time(),
                status_since=now, created_at=now,
            )  # fmt: skip
            store.agents.add(agent)
            made.append(agent)
        store.orchestrations.update(name, state=OrchestrationState.RUNNING, session_id=session)
        return made

    def _open_window(self, name: OrchestrationId, session: SessionId | None, role: str, mode: str) -> sessions.Created:
        argv = (sys.executable, "-S", "-E", str(STUB), mode)
        if session is None:
            return sessions.create_session(
                self.address, name=name, window=role, cwd=str(self.folder), argv=argv, env={}, orchestration=name,
                agent=agent_id(name, role),
            )  # fmt: skip
        return sessions.create_window(
            self.address, session_id=session, window=role, cwd=str(self.folder), argv=argv, env={}, orchestration=name,
            agent=agent_id(name, role),
        )  # fmt: skip

    def wait_idle(self, role: str, seconds: float = 30.0) -> None:
        """Wait until the agent with `role` is idle."""
        store = open_store(self.paths.database)
        deadline = time.monotonic() + seconds
        while any(agent.role == role and agent.status is not AgentStatus.IDLE for agent in store.agents.active()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{role} is not idle after {seconds} s")
            time.sleep(0.05)
        store.close()

    def start_supervisor(self) -> psutil.Process:
        """Start the supervisor and return its process."""
        subprocess.run([tmorch(), "supervisor", "start"], check=True, env=self.environ, stdout=subprocess.DEVNULL)
        store = open_store(self.paths.database)
        pid = store.health.read().pid
        store.close()
        assert pid is not None
        return psutil.Process(pid)

    def open(self, *argv: str) -> Screen:
        """Run a program in a pseudo-terminal of 200×60."""
        screen = Screen(argv, self.environ, self.folder)
        self._apps.append(screen)
        return screen

    def open_in_tmux(self, name: str, command: str) -> Screen:
        """Run a program in a pane of another tmux server, seen through a client in a pseudo-terminal."""
        socket = str(self.folder / name)
        self._desks.append(socket)
        return self.open("tmux", "-S", socket, "-f", "/dev/null", "new-session", "-s", "desk", command)

    def close(self) -> None:
        """End everything that runs on the stage."""
        for desk in self._desks:
            subprocess.run(["tmux", "-S", desk, "kill-server"], check=False, capture_output=True)
        for app in self._apps:
            app.close()
        subprocess.run([tmorch(), "supervisor", "stop"], check=False, env=self.environ, capture_output=True)
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage and clear it away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tmb-", dir="/tmp"))
    made = Stage(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


class Screen:
    """A program in a pseudo-terminal; what it writes is read as bytes."""

    def __init__(self, argv: Sequence[str], environ: dict[str, str], cwd: Path) -> None:
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execvpe(argv[0], list(argv), environ)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._seen = b""

    def type(self, keys: bytes) -> None:
        """Type `keys`."""
        os.write(self._terminal, keys)

    def forget(self) -> None:
        """Read away what was written so far."""
        while select.select([self._terminal], [], [], 0)[0]:
            os.read(self._terminal, 1 << 16)
        self._seen = b""

    def wait_for(self, token: bytes, seconds: float = 30.0) -> float:
        """Read until `token` was written, and return the moment it was read (perf_counter)."""
        deadline = time.perf_counter() + seconds
        while token not in self._seen:
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise TimeoutError(f"{token!r} did not come; the last was {self._seen[-600:]!r}")
            self._seen += os.read(self._terminal, 1 << 16)
        now = time.perf_counter()
        self._seen = self._seen.rpartition(token)[2]
        return now

    def drain(self, seconds: float) -> int:
        """Read for `seconds`, and return how many bytes were written."""
        count = 0
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self._terminal], [], [], left)[0]:
                count += len(os.read(self._terminal, 1 << 16))
        return count

    @property
    def process(self) -> psutil.Process:
        """The program's process."""
        return psutil.Process(self.pid)

    def close(self) -> None:
        """End the program."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.close(self._terminal)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError, OSError):
            pass


def tmorch() -> str:
    """Return the installed command beside this Python."""
    return str(Path(sys.executable).with_name("tmorch"))


def tmorch_tui() -> str:
    """Return the installed app beside this Python."""
    return str(Path(sys.executable).with_name("tmorch-tui"))


def spread(values: Sequence[float]) -> str:
    """Return median and 95th percentile in milliseconds."""
    ordered = sorted(values)
    return f"median {statistics.median(ordered) * 1000:6.1f} ms   p95 {percentile(ordered, 0.95) * 1000:6.1f} ms"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU time that living processes have used so far.

    By the scheduler's own account where there is one: the usual one counts whole clock ticks, which timers hit.
    """
    return sum(_scheduled(process) for process in processes)


def _scheduled(process: psutil.Process) -> float:
    threads = Path(f"/proc/{process.pid}/task")
    if not (threads / str(process.pid) / "schedstat").exists():
        return float(sum(process.cpu_times()[:2]))
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads.iterdir()) / 1e9
