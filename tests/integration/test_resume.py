"""Bringing teams back, whatever was killed and whatever they were at: they are whole again, and nothing is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import Struct

from orchestrator_core.bootstrap import build
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.check_in import TMORCH, CheckInState
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.launch import StartRequest
from orchestrator_core.models.message import PERSON, MessageKind
from orchestrator_core.models.need import NeedKind
from orchestrator_core.models.recovery import RecoveryOutcome, RecoveryPlan
from orchestrator_core.orchestrator import Orchestrator
from orchestrator_core.services import launch, recovery, restart
from orchestrator_core.services.envelope import REQUEST
from orchestrator_core.services.liveness import started_at
from orchestrator_core.supervisor.bell import ring
from orchestrator_core.supervisor.lock import is_held
from orchestrator_core.tmux import sessions
from tests.conftest import MakeProject, run_git
from tests.polling import eventually
from tests.rig import Rig, StandIn

T = TypeVar("T")
ROLES = ("orchestrator", "developer")
VICTIM, OTHER = "developer", "orchestrator"
AGAIN = "You are being started again"
NEVER_READY = ("--ready-after", "600")
TEXT = "look at the till"


class Team(Struct, frozen=True):
    """A team that something is done to."""

    rig: Rig
    id: OrchestrationId
    project: Path

    def agent(self, role: str) -> StandIn:
        return self.rig.agent({"id": self.id}, role)

    @property
    def agents(self) -> tuple[StandIn, ...]:
        return tuple(self.agent(role) for role in ROLES)


class Work(Struct, frozen=True):
    """What must be there afterwards as it was before."""

    branches: str
    worktrees: str
    uncommitted: tuple[str, ...]
    notes: tuple[str, ...]
    check_ins: tuple[tuple[object, ...], ...]
    panes: dict[str, tuple[object, ...]]
    prompts: dict[str, list[str]]


def work_of(team: Team) -> Work:
    rows = [team.rig.store.agents.get(agent.id) for agent in team.agents]
    return Work(
        branches=run_git(team.project, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"),
        worktrees=run_git(team.project, "worktree", "list", "--porcelain"),
        uncommitted=tuple(run_git(Path(row.worktree), "status", "--porcelain") for row in rows),
        notes=tuple(Path(row.worktree, "notes.txt").read_text() for row in rows),
        check_ins=tuple(
            (found.id, found.target, found.kind, found.interval_s, found.anchor_at, found.note)
            for found in sorted(team.rig.store.check_ins.active(), key=lambda found: found.id)
        ),
        panes={row.role: (row.pane, row.pid, row.conversation) for row in rows},
        prompts={agent.row.role: agent.prompts() for agent in team.agents},
    )


# --- what is done to it


def with_facade(what: Callable[[Orchestrator], Awaitable[T]]) -> T:
    """Do something as a front end of its own does."""

    async def run() -> T:
        tmorch = build(os.environ)
        try:
            return await what(tmorch)
        finally:
            await tmorch.close()

    return asyncio.run(run())


def resume(team: Team, **how: Any) -> RecoveryOutcome:
    """Plan and execute."""

    async def run(tmorch: Orchestrator) -> RecoveryOutcome:
        return await tmorch.recovery.execute(await tmorch.recovery.plan(team.id), **how)

    return with_facade(run)


def plan_of(team: Team) -> RecoveryPlan:
    return with_facade(lambda tmorch: tmorch.recovery.plan(team.id))


def kill_supervisor(rig: Rig) -> None:
    pid = rig.store.health.read().pid
    assert pid is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_held(rig.paths.lock))


def kill_agent(team: Team) -> None:
    pid = team.agent(VICTIM).row.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: pane_facts(team, VICTIM).get("dead") == "1")


def kill_window(team: Team) -> None:
    team.rig.tmux.run("kill-window", "-t", str(team.agent(VICTIM).row.window))


def kill_session(team: Team) -> None:
    team.rig.tmux.run("kill-session", "-t", f"={team.id}")


def kill_server(team: Team) -> None:
    pid = team.rig.tmux.pid
    team.rig.tmux.kill()
    eventually(lambda: started_at(pid) is None)


def kill_all(team: Team) -> None:
    kill_supervisor(team.rig)
    kill_server(team)


def kill_and_see(team: Team, kill: str) -> None:
    """Kill, and wait until the programs have ended that end by it: some say goodbye first."""
    pids = [team.agent(role).row.pid for role in GONE.get(kill, ())]
    KILLS[kill](team)
    eventually(lambda: not any(pid and started_at(pid) for pid in pids))


KILLS: dict[str, Callable[[Team], None]] = {
    "agent": kill_agent,
    "window": kill_window,
    "session": kill_session,
    "server": kill_server,
    "supervisor": lambda team: kill_supervisor(team.rig),
    "all": kill_all,
}
STATES = ("idle", "working", "mid-launch", "mid-delivery", "limited")
GONE = {"agent": {VICTIM}, "window": {VICTIM}, "session": {*ROLES}, "server": {*ROLES}, "all": {*ROLES}}
"""Whose program each kill ends."""


def pane_facts(team: Team, role: str) -> dict[str, str]:
    """Return what tmux says of the one pane that carries the agent's tag."""
    fields = ("@tmorch_agent", "pane_id", "pane_pid", "pane_dead", "@tmorch_orchestration", "session_name")
    rows = team.rig.tmux.run("list-panes", "-a", "-F", "\t".join(f"#{{{field}}}" for field in fields), check=False)
    found = [row.split("\t") for row in rows.splitlines() if row.startswith(f"{team.id}:{role}\t")]
    assert len(found) < 2, f"{role} is doubled: {found}"
    return dict(zip(("agent", "pane", "pid", "dead", "team", "session"), *found, strict=True)) if found else {}


# --- getting a team into a state


def start(rig: Rig, project: Path, driver: str = "claude") -> Team:
    async def run(tmorch: Orchestrator) -> OrchestrationId:
        request = StartRequest(project=str(project), spec=str(rig.spec), roles=ROLES, driver=driver)
        return (await tmorch.start(await tmorch.proposals.propose(request), lambda step: None)).id

    return Team(rig, with_facade(run), project)


def do_some_work(team: Team) -> None:
    for agent in team.agents:
        worktree = Path(agent.row.worktree)
        (worktree / "done.txt").write_text("done\n")
        run_git(worktree, "add", "done.txt")
        run_git(worktree, "commit", "-q", "-m", "Do `it` & more")
        (worktree / "notes.txt").write_text(f"not committed by {agent.id}\n")


@contextlib.contextmanager
def cut_short(rig: Rig, project: Path) -> Iterator[Team]:
    """Give a team whose start is under way, and kill the start when the block ends."""
    command = [
        sys.executable, "-m", "orchestrator_core.cli.main", "start", "--project", str(project), "--spec", str(rig.spec),
        "--roles", ",".join(ROLES), "--agent", "claude", "--yes", "--json",
    ]  # fmt: skip
    launcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        eventually(lambda: rig.store.orchestrations.list(active=True) and is_held(rig.paths.lock))
        (run,) = rig.store.orchestrations.list(active=True)
        team = Team(rig, run.id, project)
        eventually(lambda: all(agent.row.pane for agent in team.agents) and rig.store.health.read().pid)
        yield team
    finally:
        launcher.kill()
        launcher.wait()


@contextlib.contextmanager
def in_state(rig: Rig, project: Path, state: str) -> Iterator[Team]:
    """Give a team in a state; what is killed in the block is killed in that very state."""
    rig.configure(as_driver="claude", stand_in_args=NEVER_READY if state == "mid-launch" else ("--think", "0.05"))
    if state == "mid-launch":
        with cut_short(rig, project) as team:
            do_some_work(team)
            yield team
        return
    team = start(rig, project)
    victim = team.agent(VICTIM)
    for agent in team.agents:
        agent.wait_status("idle")
    do_some_work(team)
    if state == "working":
        victim.do("busy")
        victim.wait_status("working")
    elif state == "limited":
        victim.do("limit", until=time.time() + 3600)
        victim.wait_status("limited")
    elif state == "mid-delivery":
        victim.do("swallow-enter", count=1000)
        victim.do("print", text="armed")
        eventually(lambda: "armed" in victim.screen())
        sent = rig.store.messages.add(victim.id, PERSON, TEXT, at=time.time())
        ring(rig.paths.state)
        eventually(lambda: TEXT in victim.screen())
        rig.wait_message(sent.id, "delivering")
    yield team


# --- the matrix


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kill", list(KILLS))
def test_whatever_is_killed_the_team_comes_back_once(
    kill: str, state: str, rig: Rig, make_project: MakeProject
) -> None:
    """Scenarios 48, 49 and 54."""
    with in_state(rig, make_project(), state) as team:
        before = work_of(team)
        kill_and_see(team, kill)
    for agent in team.agents:
        agent.control.unlink(missing_ok=True)  # it would be obeyed once more
    rig.configure(as_driver="claude", stand_in_args=("--think", "0.05"))

    outcome = resume(team)

    assert outcome.failed == ()
    check_whole(team, before, restarted=GONE.get(kill, set()), state=state)
    after = everything_of(team)
    again = plan_of(team)
    assert again.is_whole, again
    assert resume(team).done == ()
    assert everything_of(team) == after


def everything_of(team: Team) -> tuple[object, ...]:
    """Return all that a second run could have doubled."""
    messages = [(message.id, message.text) for message in team.rig.store.messages.latest(limit=500)]
    return work_of(team), messages, team.rig.tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_pid}")


def check_whole(team: Team, before: Work, *, restarted: set[str], state: str) -> None:
    for agent in team.agents:
        agent.wait_status(*(("idle", "working", "limited") if agent.row.role in restarted else LIVE[state]))
        eventually(partial(has_its_briefings, team, agent), what=f"{agent.id} has no briefing")
    now = work_of(team)
    for field in ("branches", "worktrees", "uncommitted", "notes", "check_ins"):
        assert getattr(now, field) == getattr(before, field), field
    assert is_held(team.rig.paths.lock)
    sessions = team.rig.tmux.run("list-sessions", "-F", "#{@tmorch_orchestration}").splitlines()
    assert Counter(sessions) == {team.id: 1}
    for role in ROLES:
        check_agent(team, role, before, now, is_restarted=role in restarted, state=state)
    texts = [text for agent in team.agents for text in agent.texts()]
    assert texts.count(TEXT) <= 1


LIVE = {
    "idle": ("idle",),
    "working": ("idle", "working"),
    "mid-launch": ("starting",),
    "mid-delivery": ("idle", "working"),
    "limited": ("idle", "limited"),
}


def check_agent(team: Team, role: str, before: Work, now: Work, *, is_restarted: bool, state: str) -> None:
    facts, row = pane_facts(team, role), team.agent(role).row
    assert (facts["pane"], facts["pid"], facts["dead"], facts["team"]) == (row.pane, str(row.pid), "0", team.id)
    news = now.prompts[role][len(before.prompts[role]) :]
    assert now.prompts[role][: len(before.prompts[role])] == before.prompts[role]
    own = [text for text in news if not text.endswith(TEXT)]
    if not is_restarted:
        assert now.panes[role] == before.panes[role]
        assert own == []
    elif state == "mid-launch":
        assert len(own) == 1
    else:
        assert now.panes[role][2] == before.panes[role][2], "it goes on in its own conversation"
        assert [text.startswith(AGAIN) for text in own] == [True]
        assert "`Do" not in own[0]
        assert "`` Do `it` & more ``" in own[0]
        assert "`notes.txt`" in own[0]


def has_its_briefings(team: Team, agent: StandIn) -> bool:
    messages = team.rig.store.messages.latest(agent.id)
    is_starting = agent.row.status == "starting"
    return is_starting or all(m.state.is_final for m in messages if m.kind is MessageKind.BRIEFING)


# --- a resume that is killed itself


class Killed(BaseException):
    """Ends a resume as SIGKILL does: nothing of it runs on."""


MOMENTS = ("files", "intent", "tmux", "worktree", "end")


def die(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Have the next resume die right before or after something."""

    def dying(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def do(*args: Any, **how: Any) -> Any:
            if after:
                real(*args, **how)
            raise Killed

        return do

    match moment:
        case "files":
            monkeypatch.setattr(restart, "write_files", dying(launch.write_files, after=True))
        case "worktree":
            monkeypatch.setattr(Path, "rename", dying(Path.rename, after=False))
        case "intent":
            for name in ("create_session", "create_window", "respawn"):
                monkeypatch.setattr(sessions, name, dying(getattr(sessions, name), after=False))
        case "tmux":
            for name in ("create_session", "create_window", "respawn"):
                monkeypatch.setattr(sessions, name, dying(getattr(sessions, name), after=True))
        case _:
            monkeypatch.setattr(recovery._Run, "_of_the_team", dying(recovery._Run._of_the_team, after=False))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kill", ["agent", "server"])
def test_a_resume_that_is_killed_is_completed_by_the_next_one(
    kill: str, moment: str, rig: Rig, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_state(rig, make_project(), "idle") as team:
        before = work_of(team)
        kill_and_see(team, kill)
    if moment == "worktree":
        stage(team.agent(VICTIM))
    with monkeypatch.context() as patched:
        die(patched, moment)
        with pytest.raises(Killed):
            resume(team)

    outcome = resume(team)

    assert outcome.failed == ()
    if moment == "worktree":
        assert run_git(Path(team.agent(VICTIM).row.worktree), "status", "--porcelain") == "A  staged.txt"
        return
    check_whole(team, before, restarted=GONE[kill], state="idle")


@pytest.mark.parametrize(("moment", "status"), [("tmux", "idle"), ("intent", "exited")])
def test_the_supervisor_settles_what_a_killed_resume_has_left(
    moment: str, status: str, rig: Rig, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to look again for an agent that runs to be known, and one that does not is not said to start."""
    with in_state(rig, make_project(), "idle") as team:
        kill_and_see(team, "agent")
    with monkeypatch.context() as patched:
        die(patched, moment)
        with pytest.raises(Killed):
            resume(team)
    team.agent(VICTIM).wait_status(status)
    assert resume(team).failed == ()
    eventually(partial(has_its_briefings, team, team.agent(VICTIM)))
    team.agent(VICTIM).wait_status("idle")
    assert len([text for text in team.agent(VICTIM).prompts() if text.startswith(AGAIN)]) == 1


def stage(agent: StandIn) -> None:
    """Leave something staged in the agent's worktree, and take its folder away."""
    worktree = Path(agent.row.worktree)
    (worktree / "notes.txt").unlink()
    (worktree / "staged.txt").write_text("kept in the index\n")
    run_git(worktree, "add", "staged.txt")
    shutil.rmtree(worktree)


def test_of_two_resumes_at_once_one_does_it(rig: Rig, make_project: MakeProject) -> None:
    with in_state(rig, make_project(), "idle") as team:
        before = work_of(team)
        kill_and_see(team, "server")

    async def both(tmorch: Orchestrator) -> tuple[object, object]:
        plan = await tmorch.recovery.plan(team.id)
        return await asyncio.gather(
            tmorch.recovery.execute(plan), tmorch.recovery.execute(plan), return_exceptions=True
        )

    won, lost = with_facade(both)
    assert isinstance(won, RecoveryOutcome)
    assert won.failed == ()
    assert isinstance(lost, RefusedError)
    assert lost.code == "already-resuming"
    check_whole(team, before, restarted={*ROLES}, state="idle")


# --- other kinds of agents


def test_any_command_is_started_anew_and_gets_its_whole_briefing(rig: Rig, make_project: MakeProject) -> None:
    team = start(rig, make_project(), "stand-in")
    victim = team.agent(VICTIM)
    eventually(partial(has_its_briefings, team, victim))
    kill_and_see(team, "window")
    assert resume(team).failed == ()
    eventually(lambda: len(victim.prompts()) == 2, what=str(victim.prompts()))
    first, again = victim.prompts()
    assert again.partition("briefing] ")[2].removeprefix(REQUEST).startswith(AGAIN)
    assert first.partition("You are the Developer")[2] in again
    assert len(team.agent(OTHER).prompts()) == 1


def test_a_demo_agent_goes_on_in_its_part(rig: Rig, make_project: MakeProject) -> None:
    team = start(rig, make_project(), "demo")
    kill_and_see(team, "agent")
    assert resume(team).failed == ()
    eventually(lambda: "again. I have read what was done before" in team.agent(VICTIM).screen())
    assert plan_of(team).is_whole
    kill_and_see(team, "server")  # they go on telling each other things, and would wake the supervisor for that


# --- worktrees, reminders, crash loops


def test_a_worktree_comes_back_from_its_branch_with_what_was_staged(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 52."""
    with in_state(rig, make_project(), "idle") as team:
        kill_agent(team)
    victim = team.agent(VICTIM)
    stage(victim)
    assert resume(team).failed == ()
    worktree = Path(victim.row.worktree)
    assert run_git(worktree, "status", "--porcelain") == "A  staged.txt"
    assert (worktree / "done.txt").read_text() == "done\n"
    assert run_git(team.project, "worktree", "list", "--porcelain").count("worktree ") == 3
    victim.wait_status("idle")


def test_a_worktree_that_git_forgot_is_checked_out_from_its_branch(rig: Rig, make_project: MakeProject) -> None:
    with in_state(rig, make_project(), "idle") as team:
        kill_agent(team)
    victim = team.agent(VICTIM)
    shutil.rmtree(victim.row.worktree)
    run_git(team.project, "worktree", "prune")
    assert resume(team).failed == ()
    assert run_git(Path(victim.row.worktree), "branch", "--show-current") == victim.row.branch
    assert Path(victim.row.worktree, "done.txt").exists()


def test_every_live_agent_is_told_once_where_it_stands(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 51."""
    with in_state(rig, make_project(), "idle") as team:
        worker, idler = team.agent(VICTIM), team.agent(OTHER)
        worker.do("busy")
        worker.wait_status("working")
    for _ in range(2):  # the second finds the first one's message waiting, or taken
        assert resume(team, rebrief_all=True).failed == ()
        waiting = [m for m in rig.store.messages.latest(worker.id) if m.sender == TMORCH and m.kind == "text"]
        assert len(waiting) == 1
        assert not any("reminder from tmorch" in text for text in worker.prompts())
    eventually(lambda: any("reminder from tmorch" in text for text in idler.texts()))
    worker.do("idle")
    eventually(lambda: sum("reminder from tmorch" in text for text in worker.texts()) == 1)


def test_who_ends_again_and_again_is_left_to_the_person(rig: Rig, make_project: MakeProject) -> None:
    """Scenario 53."""
    rig.configure("[resume]\ncrash_limit = 2\n", as_driver="claude", stand_in_args=("--think", "0.05"))
    team = start(rig, make_project())
    victim = team.agent(VICTIM)
    for _ in range(2):
        kill_agent(team)
        assert resume(team).failed == ()
        victim.wait_status("idle")
        eventually(partial(has_its_briefings, team, victim))
    kill_agent(team)
    victim.wait_status("failed")
    eventually(
        lambda: [need.kind for need in rig.store.needs.open() if need.agent == victim.id] == [NeedKind.FAILED],
        what=str(rig.store.needs.all()),
    )
    (need,) = [need for need in rig.store.needs.open() if need.agent == victim.id]
    assert "ended 3 times in 30 min, needs you" in need.detail
    outcome = resume(team)
    assert outcome.done == ()
    assert "ended 3 times" in outcome.failed[0][1]
    assert pane_facts(team, VICTIM)["dead"] == "1"


def test_check_ins_that_were_given_up_go_on_as_they_were(rig: Rig, make_project: MakeProject) -> None:
    with in_state(rig, make_project(), "idle") as team:
        kill_agent(team)
    victim = team.agent(VICTIM)
    victim.wait_status("failed")
    (standing,) = rig.store.check_ins.active(victim.id)
    rig.store.check_ins.update(
        standing.id, state=CheckInState.DEAD, attempts=5, reason="its agent has failed", ended_at=time.time()
    )
    assert resume(team).failed == ()
    (again,) = rig.store.check_ins.active(victim.id)
    assert (again.id, again.interval_s, again.anchor_at) == (standing.id, standing.interval_s, standing.anchor_at)
    assert again.due_at == standing.due_at
