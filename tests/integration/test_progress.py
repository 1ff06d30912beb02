"""The progress watch with a real supervisor: who hangs is named, and nothing is done about it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.supervisor.lock import last_beat
from tests.conftest import run_git
from tests.polling import eventually
from tests.rig import Rig, StandIn

QUICK = "[supervisor]\ntick_s = 0.2\n[progress]\nstuck_min = 0.05\n"
STUCK_S = 3.0
STUCK_AND_SEEN_S = 20.0


def stuck(rig: Rig) -> dict[AgentId, Need]:
    return {need.agent: need for need in rig.store.needs.open() if need.kind is NeedKind.STUCK}


def wait_stuck(rig: Rig, agent: StandIn) -> Need:
    eventually(lambda: agent.id in stuck(rig), timeout=STUCK_AND_SEEN_S, what=f"it is not named:\n{agent.screen()}")
    return stuck(rig)[agent.id]


def wait_over(rig: Rig, need: Need) -> None:
    """Wait until a need has ended; the agent may be stuck anew by then."""
    eventually(lambda: need.key not in {n.key for n in rig.store.needs.all()}, timeout=STUCK_AND_SEEN_S)


def is_untouched(agent: StandIn, pid: int | None) -> bool:
    """Whether the very program runs that was started, and was given nothing but its briefing."""
    is_same = pid is not None and psutil.pid_exists(pid) and agent.row.pid == pid
    return is_same and len(agent.prompts()) <= 1 and agent.row.status.is_live


def test_who_hangs_with_a_turning_spinner_is_named_until_it_goes_on(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK)
    orchestration = rig.start(git_project, roles="developer,tester")
    hangs, goes_on = rig.agent(orchestration), rig.agent(orchestration, "tester")
    for agent in (hangs, goes_on):
        agent.do("busy")
        agent.wait_status("working")
    printed_at, pid = 0.0, hangs.row.pid

    def is_named() -> bool:
        nonlocal printed_at
        if time.monotonic() - printed_at > 0.5:
            printed_at = time.monotonic()
            goes_on.do("print", text=f"line {printed_at}")
        return hangs.id in stuck(rig)

    eventually(is_named, timeout=STUCK_AND_SEEN_S, what=f"it is not named:\n{hangs.screen()}")
    need = stuck(rig)[hangs.id]
    assert goes_on.id not in stuck(rig)
    assert "it shows as working" in need.detail
    assert "last commit" in need.detail
    assert time.time() - need.since > STUCK_S
    hangs.do("print", text="I have it")
    wait_over(rig, need)
    again = wait_stuck(rig, hangs)
    run_git(Path(hangs.row.worktree), "commit", "--allow-empty", "-m", "a step")
    wait_over(rig, again)
    assert is_untouched(hangs, pid)


def test_a_long_quiet_tool_call_is_named_and_goes_on(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK, as_driver="claude")
    agent = rig.agent(rig.start(git_project, agent="claude"))
    agent.wait_status("idle")
    agent_pid = agent.row.pid
    agent.do("tool", title="Bash(make test)")
    agent.wait_status("working")
    need = wait_stuck(rig, agent)
    assert "Bash(make test)" in need.detail
    assert rig.tmorch("needs", "--dismiss", need.key).code == 0
    pid = rig.tmorch("supervisor", "status", "--json").json["supervisor"]["pid"]
    os.kill(pid, signal.SIGKILL)
    rig.tmorch("supervisor", "start")
    first = eventually(lambda: last_beat(rig.paths.lock))
    eventually(lambda: last_beat(rig.paths.lock) != first, what="the new one has looked at everything once")
    assert [each.key for each in rig.store.needs.all()] == [need.key]
    assert stuck(rig) == {}, "it was dismissed, and nothing has happened since"
    assert is_untouched(agent, agent_pid)
    assert agent.row.status == "working"
    agent.do("idle")
    wait_over(rig, need)
    agent.wait_status("idle")


def test_an_agent_that_rests_is_not_named(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK)
    orchestration = rig.start(git_project, roles="developer,tester")
    rests, hangs = rig.agent(orchestration), rig.agent(orchestration, "tester")
    rests.wait_status("idle")
    hangs.do("busy")
    wait_stuck(rig, hangs)
    assert time.time() - rests.row.status_since > STUCK_S
    assert rests.id not in stuck(rig)


def test_until_when_a_limit_holds_an_agent(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK, as_driver="claude")
    agent = rig.agent(rig.start(git_project, agent="claude"))
    agent.wait_status("idle")
    end = int(time.time()) + 7217
    agent.do("limit", until=end)
    agent.wait_status("limited")
    eventually(lambda: agent.row.limited_until == end, what=f"{agent.row}")  # to the second: the status line says so
    agent.do("idle")
    agent.wait_status("idle", "working")
    assert agent.row.limited_until is None


def test_until_when_a_limit_holds_an_agent_without_a_status_line(rig: Rig, git_project: Path) -> None:
    rig.configure(QUICK)
    agent = rig.agent(rig.start(git_project))
    agent.wait_status("idle")
    end = int(time.time()) + 7217
    agent.do("limit", until=end)
    agent.wait_status("limited")
    assert agent.row.limited_until == end - end % 60
