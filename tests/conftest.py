"""Isolation for every test, and the real tmux and git that tests run against."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.rig import Rig

TMUX_TIMEOUT_S = 20
# few examples: the whole test command has minutes; raise it when hunting
settings.register_profile("tmorch", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("hunt", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("TMORCH_HYPOTHESIS", "tmorch"))
IDENTITY = """\
[user]
\tname = Test Person
\temail = test@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgsign = false
"""


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and never look through the tests themselves: there are thousands."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_works() -> None:
    """Have programs that tests start end at ctrl+c: who is started in the background of a script ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def isolated_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep every test away from the developer's home, tmux server and git identity."""
    home = tmp_path / "home"
    home.mkdir()
    short = tempfile.mkdtemp(prefix="tm-", dir="/tmp")  # a socket path has room for about 100 characters
    gitconfig = tmp_path / "gitconfig"
    gitconfig.write_text(IDENTITY)
    for name in [n for n in os.environ if n.startswith(("TMORCH_", "TMUX", "GIT_", "CLAUDE", "ANTHROPIC"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local/share",
        "TMUX_TMPDIR": short,
        "GIT_CONFIG_GLOBAL": gitconfig,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
    }.items():
        monkeypatch.setenv(name, str(value))
    yield home
    shutil.rmtree(short, ignore_errors=True)


class TmuxServer:
    """A private tmux server; it starts with its first session."""

    def __init__(self, socket_path: str, environ: Mapping[str, str]) -> None:
        self.socket_path = socket_path
        self._environ = dict(environ)

    def run(self, *args: str, check: bool = True) -> str:
        """Run a tmux command and return what it printed, without the last newline."""
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", self.socket_path, *args],
            capture_output=True,
            text=True,
            check=False,
            timeout=TMUX_TIMEOUT_S,
            env=self._environ,
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {args} failed: {done.stderr.strip()}")
        return done.stdout.removesuffix("\n")

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self.run("display-message", "-p", "#{pid}"))

    def screen(self, target: str) -> str:
        """Return the visible text of a pane."""
        return self.run("capture-pane", "-p", "-t", target)

    def kill(self) -> None:
        """End the server and everything in it; nothing happens when it is gone already."""
        self.run("kill-server", check=False)


@pytest.fixture
def tmux_server(isolated_home: Path) -> Iterator[TmuxServer]:
    """A private tmux server on tmux's default socket of this test's TMUX_TMPDIR."""
    folder = Path(os.environ["TMUX_TMPDIR"]) / f"tmux-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    server = TmuxServer(str(folder / "default"), os.environ)
    yield server
    server.kill()


class MakeProject:
    """Makes git repositories below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self,
        name: str = "shop",
        *,
        files: Mapping[str, str] | None = None,
        branch: str = "main",
        commit: bool = True,
    ) -> Path:
        """Make a repository with `files`, committed on `branch` unless told otherwise."""
        project = self._folder / name
        project.mkdir(parents=True)
        run_git(project, "init", "-q", "-b", branch)
        for path, text in (files or {"README.md": f"# {name}\n"}).items():
            file = project / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        if commit:
            run_git(project, "add", "-A")
            run_git(project, "commit", "-q", "-m", "Begin")
        return project


def run_git(repository: Path, *args: str) -> str:
    """Run git in `repository` and return what it printed, stripped."""
    done = subprocess.run(
        ["git", "-C", str(repository), *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=TMUX_TIMEOUT_S,
    )
    assert done.returncode == 0, f"git {args} failed: {done.stderr.strip()}"
    return done.stdout.strip()


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Make git repositories."""
    return MakeProject(tmp_path / "projects")


@pytest.fixture
def git_project(make_project: MakeProject) -> Path:
    """A repository with one commit on `main`."""
    return make_project()


@pytest.fixture
def rig(tmux_server: TmuxServer, tmp_path: Path) -> Iterator[Rig]:
    """A whole tmorch whose agents are stand-ins; configured, nothing started."""
    from tests.rig import running_rig

    with running_rig(tmux_server, tmp_path / "rig") as made:
        made.configure()
        yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded as a report, also when they pass."""
    reports = [
        (name.removeprefix("report: "), text)
        for outcome in ("passed", "failed")
        for done in terminalreporter.getreports(outcome)
        for name, text in done.user_properties
        if name.startswith("report: ")
    ]
    for title in dict.fromkeys(title for title, _ in reports):
        terminalreporter.section(title)
        for _, text in (report for report in reports if report[0] == title):
            terminalreporter.write_line(str(text))
