"""Session files on disk: whose they are, and how cheaply a change is noticed. Real processes stand behind them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import psutil
import pytest

from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.agents.evidence import SessionEvidence, SessionOwner
from orchestrator_core.config.settings import ClaudeSettings
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.services import evidence
from orchestrator_core.services.evidence import Session, SessionFiles, session_runs
from tests.polling import eventually

AGENT = Agent(
    id=AgentId("shop-1:developer"),
    orchestration=OrchestrationId("shop-1"),
    role="developer",
    driver="claude",
    worktree="/w",
    branch="b",
    pane=PaneId("%4"),
    conversation="c-1",
)
PARENT = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*argv: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(argv or ("sleep", "60"), stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


class Folder:
    """A folder of session files, and who reads it."""

    def __init__(self, base: Path) -> None:
        self.path = base / "sessions"
        self.files = SessionFiles({"claude": ClaudeDriver(ClaudeSettings())}, {"CLAUDE_CONFIG_DIR": str(base)})

    def write(self, pid: int, status: str = "idle", **fields: object) -> Path:
        self.path.mkdir(exist_ok=True)
        file = self.path / f"{pid}.json"
        content = {
            "pid": pid,
            "sessionId": "c-1",
            "procStart": start_of(pid),
            "startedAt": int(time.time() * 1000),
            "status": status,
            "statusUpdatedAt": int(time.time() * 1000),
            "tmux": "s:@1.%4",
        }
        part = file.with_suffix(".part")
        part.write_text(json.dumps({**content, **fields}))
        part.replace(file)
        return file

    def look(self, agent: Agent) -> Session | None:
        self.files.refresh([agent])
        return self.files.of(agent.id)

    def says(self, agent: Agent) -> tuple[str, SessionOwner] | None:
        found = self.look(agent)
        return (found.says.status, found.owner) if found else None


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def start_of(pid: int) -> str:
    """Field 22 of the process's `stat`; where there is none, another way of telling a start."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.read_text().rpartition(") ")[2].split()[19] if stat.exists() else ""


def agent(pid: int, **changes: object) -> Agent:
    return msgspec.structs.replace(AGENT, pid=pid, **changes)


def test_by_its_pid(folder: Folder, start: Start) -> None:
    pid = start().pid
    folder.write(pid, "busy")
    assert folder.says(agent(pid)) == ("busy", SessionOwner.AGENT)
    folder.write(pid, sessionId="c-after-a-clear")
    assert folder.says(agent(pid)) == ("idle", SessionOwner.AGENT)


@pytest.mark.parametrize("fields", [{}, {"sessionId": "another"}], ids=["by its conversation", "by its pane"])
def test_a_wrapper_has_it_below(folder: Folder, start: Start, fields: dict[str, str]) -> None:
    """The pane's process is a script or a shell of the person's, the agent its child."""
    parent = start(sys.executable, "-c", PARENT)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    folder.write(child, **fields)
    assert folder.says(agent(parent.pid)) == ("idle", SessionOwner.AGENT)
    os.kill(child, 9)
    eventually(lambda: folder.says(agent(parent.pid)) in (None, ("idle", SessionOwner.ENDED)))


def test_the_same_conversation_open_elsewhere(folder: Folder, start: Start) -> None:
    """Claude Code lets a person resume a conversation that an agent still has."""
    own, other = start().pid, start().pid
    folder.write(other, "busy")
    assert folder.says(agent(own)) == ("busy", SessionOwner.STRANGER)
    folder.write(own, "idle")
    assert folder.says(agent(own)) == ("idle", SessionOwner.AGENT)


def test_the_same_pane_id_on_another_server_is_nothing(folder: Folder, start: Start) -> None:
    own, other = start().pid, start().pid
    folder.write(other, "busy", sessionId="another")
    assert folder.says(agent(own)) is None


def test_what_a_killed_one_left_behind(folder: Folder, start: Start) -> None:
    killed = start()
    folder.write(killed.pid, "busy")
    killed.kill()
    killed.wait()
    assert folder.says(agent(killed.pid)) == ("busy", SessionOwner.ENDED)


def test_a_pid_that_is_somebody_elses_by_now(folder: Folder, start: Start) -> None:
    pid = start().pid
    folder.write(pid, "busy", procStart="1")
    assert folder.says(agent(pid)) == ("busy", SessionOwner.ENDED)


def test_a_start_in_other_terms_is_told_by_when_the_session_began(start: Start) -> None:
    """Systems without /proc."""
    pid = start().pid
    begun = psutil.Process(pid).create_time()
    now = SessionEvidence(pid=pid, process_start="Sun Nov 22 10:00:00 2026", started_at=begun + 1)
    assert session_runs(now)
    assert not session_runs(msgspec.structs.replace(now, started_at=begun - 60))


def test_a_change_is_told_once(folder: Folder, start: Start) -> None:
    pid = start().pid
    one = agent(pid)
    assert folder.files.refresh([one]) == frozenset()
    folder.write(pid, "idle")
    assert folder.files.refresh([one]) == {one.id}
    assert folder.files.refresh([one]) == frozenset()
    for status in ("busy", "idle", "busy"):  # within one tick of the file system, and of the same length
        folder.write(pid, status)
        assert folder.files.refresh([one]) == {one.id}
        assert folder.says(one) == (status, SessionOwner.AGENT)
    (folder.path / f"{pid}.json").unlink()
    assert folder.files.refresh([one]) == {one.id}
    assert folder.says(one) is None


def test_a_file_in_the_middle_of_being_written_says_what_it_said(folder: Folder, start: Start) -> None:
    pid = start().pid
    file = folder.write(pid, "busy")
    whole = file.read_bytes()
    assert folder.says(agent(pid)) == ("busy", SessionOwner.AGENT)
    file.write_bytes(whole[:40])
    assert folder.says(agent(pid)) == ("busy", SessionOwner.AGENT)
    file.write_bytes(whole.replace(b"busy", b"idle"))
    assert folder.says(agent(pid)) == ("idle", SessionOwner.AGENT)
    file.write_bytes(b"no session file any more")
    os.utime(file, (time.time() - 60, time.time() - 60))
    assert folder.says(agent(pid)) is None


def test_quiet_agents_cost_no_listing(folder: Folder, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those with a file nor those without one: only a `stat` each."""
    pid = start().pid
    folder.write(pid)
    with_file, without = agent(pid), agent(start().pid, id=AgentId("shop-1:tester"), conversation="c-2", pane=None)
    both = [with_file, without]
    eventually(lambda: not folder.files.refresh(both) and settled(folder, with_file))
    asked: list[str] = []
    monkeypatch.setattr(evidence, "_listed", lambda path: asked.append(f"listed {path}"))
    monkeypatch.setattr(evidence, "_decoded", lambda path: asked.append(f"read {path}"))
    monkeypatch.setattr(evidence, "_ancestors", lambda pid: asked.append(f"ancestors of {pid}"))
    for _ in range(3):
        assert folder.files.refresh(both) == frozenset()
    assert asked == []


def settled(folder: Folder, of: Agent) -> bool:
    """Whether its file is old enough not to be read again to be sure."""
    return folder.files._links[of.id].stamp != evidence.UNSETTLED


def test_a_folder_that_is_not_there_or_cannot_be_read(folder: Folder, start: Start) -> None:
    pid = start().pid
    assert folder.says(agent(pid)) is None
    folder.path.parent.joinpath("sessions").write_text("a file")
    assert folder.says(agent(pid)) is None
    folder.path.unlink()
    folder.write(pid)
    assert folder.says(agent(pid)) == ("idle", SessionOwner.AGENT)


def test_agents_that_are_gone_are_forgotten(folder: Folder, start: Start) -> None:
    pid = start().pid
    folder.write(pid)
    folder.look(agent(pid))
    folder.files.forget_others([])
    assert folder.files.of(AGENT.id) is None
