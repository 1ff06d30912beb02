"""Planning to bring teams back, over a real tmux and git: what is missing is found, and looking changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import TimedOutError
from orchestrator_core.models.credit import AccountId, Confidence, CreditReading, ReadingSource
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.recovery import Orphan, OrphanKind, Part, RecoveryPlan, Verb
from orchestrator_core.services import recovery_picture
from orchestrator_core.services.boot import boot_id
from orchestrator_core.services.recovery_picture import Looker, Picture
from tests.conftest import MakeProject, run_git
from tests.integration.test_resume import Team, kill_and_see, kill_supervisor, start, with_facade
from tests.polling import eventually
from tests.rig import Rig

VICTIM = "developer"


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> Team:
    """A team whose agents are idle, with nobody else who would write anything."""
    rig.configure(as_driver="claude", stand_in_args=("--think", "0.05"))
    made = start(rig, make_project())
    for agent in made.agents:
        agent.wait_status("idle")
    kill_supervisor(rig)
    return made


def plan_of(team: Team) -> RecoveryPlan:
    return with_facade(lambda tmorch: tmorch.recovery.plan(team.id))


def steps(plan: RecoveryPlan, role: str = VICTIM) -> dict[Part, Verb]:
    return {step.part: step.verb for step in plan.steps if step.agent.rpartition(":")[2] == role}


def missing(plan: RecoveryPlan, *, of_team: bool = False) -> list[tuple[Verb, Part]]:
    """What is not as it should be; nothing here needs a supervisor, so none runs."""
    wrong = [step for step in plan.steps if step.verb is not Verb.KEEP and step.part is not Part.SUPERVISOR]
    return [(step.verb, step.part) for step in wrong if not (of_team and step.agent)]


def status_only(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "orchestrator_core.cli.main", "resume", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def digest(*folders: Path) -> dict[str, tuple[int, int, str]]:
    """Return the mode, the time and the content of everything in the folders."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, _content(path))
        for folder in folders
        for path in (folder, *folder.rglob("*"))
    }


def _content(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(path.stat().st_mode) else ""


def test_a_team_that_runs_is_whole(team: Team) -> None:
    plan = plan_of(team)
    assert [step.part for step in plan.steps if step.verb is not Verb.KEEP] == [Part.SUPERVISOR], plan
    assert [(each.is_alive, each.window) for each in plan.agents] == [(True, a.row.window) for a in team.agents]


def test_only_the_agent_of_a_closed_window_is_brought_back(team: Team) -> None:
    """Scenario 48."""
    team.rig.tmux.run("kill-window", "-t", str(team.agent(VICTIM).row.window))
    plan = plan_of(team)
    assert steps(plan)[Part.WINDOW] is Verb.REBUILD
    assert steps(plan)[Part.PROGRAM] in (Verb.CONTINUE, Verb.START_ANEW)
    assert set(steps(plan, "orchestrator").values()) == {Verb.KEEP}
    assert [each.is_alive for each in plan.agents] == [True, False]


def test_nobody_is_started_beside_who_has_its_conversation(team: Team) -> None:
    row = team.agent(VICTIM).row
    folder = drivers(Settings())["claude"].session_folder(os.environ)
    assert folder is not None
    own = folder / f"{row.pid}.json"
    says = json.loads(own.read_text())
    kill_and_see(team, "window")
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            facts = Path(f"/proc/{other.pid}/stat")
            is_linux = facts.exists()
            says |= {"pid": other.pid, "startedAt": int(time.time() * 1000)}
            says["procStart"] = facts.read_text().rpartition(") ")[2].split()[19] if is_linux else "now"
            (folder / f"{other.pid}.json").write_text(json.dumps(says))
            plan = plan_of(team)
            assert steps(plan)[Part.PROGRAM] is Verb.REFUSE
            assert Part.WINDOW not in steps(plan), "no window is made for it either"
            assert any(f"process {other.pid}" in step.reason for step in plan.steps)
        finally:
            other.kill()
    assert steps(plan_of(team))[Part.PROGRAM] in (Verb.CONTINUE, Verb.START_ANEW)


def test_an_own_program_in_a_pane_that_lost_its_mark_is_not_started_twice(team: Team) -> None:
    row = team.agent(VICTIM).row
    team.rig.tmux.run("set-option", "-p", "-u", "-t", str(row.pane), "@tmorch_agent")
    plan = plan_of(team)
    assert steps(plan)[Part.PROGRAM] is Verb.REFUSE
    assert any(f"process {row.pid}" in step.reason for step in plan.steps)


def test_without_a_server_everybody_is(team: Team) -> None:
    """Scenario 49."""
    team.rig.tmux.kill()
    plan = plan_of(team)
    assert missing(plan, of_team=True) == [(Verb.REBUILD, Part.SESSION)]
    assert {steps(plan, agent.row.role)[Part.WINDOW] for agent in team.agents} == {Verb.REBUILD}


def test_a_session_of_the_persons_with_its_name_is_left_alone(team: Team) -> None:
    kill_and_see(team, "server")
    team.rig.tmux.run("new-session", "-d", "-s", team.id, "sleep 600")
    before = team.rig.tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_pid}")
    (session,) = [step for step in plan_of(team).steps if step.part is Part.SESSION]
    assert session.verb is Verb.REBUILD
    assert "another session has its name" in session.reason
    done = team.rig.tmorch("resume", "--yes")
    assert done.code == 0, done
    after = team.rig.tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_pid}")
    assert before in after
    assert len(after.splitlines()) == 3


def test_a_worktree_is_written_again_and_a_deleted_branch_is_for_the_person(team: Team) -> None:
    """Scenario 52."""
    row = team.agent(VICTIM).row
    before = run_git(team.project, "rev-parse", row.branch)
    shutil.rmtree(row.worktree)
    assert steps(plan_of(team))[Part.WORKTREE] is Verb.REBUILD
    Path(row.worktree).mkdir()
    (Path(row.worktree) / "mine.txt").write_text("of the person's\n")
    assert steps(plan_of(team))[Part.WORKTREE] is Verb.REFUSE
    shutil.rmtree(row.worktree)
    run_git(team.project, "update-ref", "-d", f"refs/heads/{row.branch}")
    (branch,) = [step for step in plan_of(team).steps if step.part is Part.BRANCH and step.verb is Verb.REFUSE]
    assert before in branch.reason
    subprocess.run(shlex.split(branch.reason.split("`")[1]), check=True)
    assert run_git(team.project, "rev-parse", row.branch) == before
    assert steps(plan_of(team))[Part.WORKTREE] is Verb.REBUILD


def test_how_far_each_branch_is_and_what_is_not_committed_is_told(team: Team) -> None:
    worktree = Path(team.agent(VICTIM).row.worktree)
    (worktree / "done.txt").write_text("done\n")
    run_git(worktree, "add", ".")
    run_git(worktree, "commit", "-q", "-m", "Do it")
    (worktree / "notes.txt").write_text("not committed\n")
    for name in ("one", "two"):
        run_git(team.project, "commit", "-q", "--allow-empty", "-m", name)
    standing = next(each for each in plan_of(team).agents if each.agent == team.agent(VICTIM).id)
    assert (standing.ahead, standing.behind, standing.changed) == (1, 2, 1)


def test_an_account_that_a_limit_holds_is_warned_of(team: Team) -> None:
    now = time.time()
    held = CreditReading(
        account=AccountId(team.agent(VICTIM).row.account),
        window="five_hour",
        at=now,
        source=ReadingSource.STATUS_LINE,
        confidence=Confidence.ESTIMATE,
        resets_at=now + 3600,
        is_limit=True,
    )
    team.rig.store.readings.add(held)
    (warning,) = plan_of(team).warnings
    assert "is limited until about " in warning
    assert Path(held.account).name in warning
    assert time.strftime("%H:%M", time.localtime(now + 3600)) in warning


def test_looking_writes_nothing_at_all(team: Team) -> None:
    """Scenario 50: neither beside the database nor in the repository, for a team of which much is missing."""
    row = team.agent(VICTIM).row
    kill_and_see(team, "server")
    (Path(row.worktree) / "notes.txt").write_text("not committed\n")
    shutil.rmtree(team.agent("orchestrator").row.worktree)
    places = (team.rig.paths.state, team.rig.paths.config_file.parent, team.project)
    before = digest(*places)
    found = status_only("--status-only")
    assert found.returncode == 0, found.stderr
    assert status_only("--orphans", "--json").returncode == 0
    assert digest(*places) == before
    (line,) = [line.split() for line in found.stdout.splitlines() if row.branch in line.split()]
    assert line == [VICTIM, "no", "gone", "no", row.branch, "1", "not", "committed"]


def test_looking_writes_nothing_beside_a_supervisor_that_runs(team: Team) -> None:
    assert team.rig.tmorch("supervisor", "start").code == 0
    eventually(lambda: team.rig.store.health.read().pid is not None)
    with held_still(team.rig):
        before = digest(team.rig.paths.state, team.project)
        found = status_only("--status-only", "--json")
        assert digest(team.rig.paths.state, team.project) == before
    assert [plan["warnings"] for plan in json.loads(found.stdout)["plans"]] == [[]], found


@contextmanager
def held_still(rig: Rig) -> Iterator[None]:
    """Stop the supervisor's process for a moment: what is written meanwhile is not its doing."""
    pid = rig.store.health.read().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_command_brings_back_what_is_missing_and_then_finds_nothing(team: Team) -> None:
    kill_and_see(team, "window")
    refused = team.rig.tmorch("resume")
    assert refused.code == 3, refused
    assert "add --yes" in refused.err
    done = team.rig.tmorch("resume", team.id, "--yes")
    assert done.code == 0, done
    assert f"{team.id}: whole again" in done.out
    team.agent(VICTIM).wait_status("idle")
    again = team.rig.tmorch("resume")
    assert (again.code, "nothing is missing" in again.out) == (0, True), again


def test_looking_sees_what_is_only_in_the_write_ahead_log(team: Team) -> None:
    team.rig.store.agents.update(team.agent(VICTIM).row.id, limited_until=4_000_000_000.0)
    found = status_only("--status-only", "--json")
    assert "4000000000.0" in found.stdout


def test_without_a_database_looking_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMORCH_STATE", str(tmp_path / "none"))
    found = status_only("--status-only")
    assert (found.returncode, "no team is meant to run" in found.stderr) == (0, True), found.stderr
    assert not (tmp_path / "none").exists()


def test_a_team_that_cannot_be_looked_at_says_so_and_the_others_are(
    team: Team, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(team.rig, make_project("till"))
    real = recovery_picture.look_at_team

    async def look(looker: Looker, orchestration: Orchestration, now: float, **how: Any) -> Picture:
        if orchestration.id == team.id:
            raise TimedOutError("the tmux server does not answer", cause="it was asked for 5 s")
        return await real(looker, orchestration, now, **how)

    monkeypatch.setattr(recovery_picture, "look_at_team", look)
    first, second = with_facade(lambda tmorch: tmorch.recovery.plans())
    assert [(s.verb, s.reason) for s in first.steps] == [
        (Verb.REFUSE, "the tmux server does not answer: it was asked for 5 s")
    ]
    assert (second.orchestration, second.is_whole) == (other.id, True)


def test_a_reboot_is_offered_once(team: Team) -> None:
    """Scenario 54."""
    if not boot_id():
        pytest.skip("this system does not tell its boots apart")
    team.rig.store.orchestrations.update(team.id, boot_id="of before")
    team.rig.tmux.kill()
    (offered,) = with_facade(lambda tmorch: tmorch.recovery.offer())
    assert offered.orchestration == team.id
    assert with_facade(lambda tmorch: tmorch.recovery.offer()) == ()


def test_a_team_of_this_boot_is_not_offered(team: Team) -> None:
    team.rig.tmux.kill()
    assert with_facade(lambda tmorch: tmorch.recovery.offer()) == ()


def test_what_is_left_over_is_listed_and_what_is_said_of_it_loses_nothing(team: Team) -> None:
    tmux, project = team.rig.tmux, team.project
    assert orphans() == {}
    lost, torn = (team.rig.paths.state / "worktrees" / "shop-0000" / role for role in ("developer", "tester"))
    run_git(project, "worktree", "add", "-q", "-b", "tmorch/shop-0000/developer", str(lost))
    run_git(project, "worktree", "add", "-q", "--detach", str(torn))
    run_git(torn, "commit", "-q", "--allow-empty", "-m", "On no branch")
    run_git(project, "branch", "tmorch/shop-0000/merged")
    run_git(project, "branch", "tmorch/shop-0000/ahead", run_git(torn, "rev-parse", "HEAD"))
    for name, command in (("till-0000", "sleep 600"), ("till-00001", "sleep 600")):
        tmux.run("new-session", "-d", "-s", name, command)
    tmux.run("set-option", "-t", "=till-0000:", "@tmorch_orchestration", "till-0000")
    tmux.run("set-option", "-p", "-t", "=till-00001:", "@tmorch_agent", "till-00001:developer")
    found = orphans()
    assert {(kind, name) for kind, name in found} == {
        (OrphanKind.SESSION, "till-0000"),
        (OrphanKind.WINDOW, "till-00001:developer"),
        (OrphanKind.WORKTREE, "developer"),
        (OrphanKind.WORKTREE, "tester"),
        (OrphanKind.BRANCH, "tmorch/shop-0000/merged"),
        (OrphanKind.BRANCH, "tmorch/shop-0000/ahead"),
    }
    (lost / "notes.txt").write_text("not committed\n")
    do_what_is_said(found)
    assert (lost / "notes.txt").exists(), "git refuses"
    assert not torn.exists()
    assert run_git(project, "log", "-1", "--format=%s", "kept/shop-0000-tester") == "On no branch"
    assert run_git(project, "branch", "--list", "tmorch/shop-0000/*", "--format=%(refname:lstrip=4)").split() == [
        "ahead",
        "developer",
    ]
    assert {"till-0000", "till-00001"} <= set(tmux.run("list-sessions", "-F", "#{session_name}").split())
    assert set(orphans()) == {
        (OrphanKind.SESSION, "till-0000"),
        (OrphanKind.WORKTREE, "developer"),
        (OrphanKind.BRANCH, "tmorch/shop-0000/ahead"),
    }
    assert missing(plan_of(team)) == []


def test_a_session_in_which_nothing_runs_any_more_can_be_ended(team: Team) -> None:
    tmux = team.rig.tmux
    tmux.run("new-session", "-d", "-s", "till-0000", "exec sleep 600")
    tmux.run("set-option", "-t", "=till-0000:", "@tmorch_orchestration", "till-0000")
    tmux.run("set-option", "-w", "-t", "=till-0000:", "remain-on-exit", "on")
    os.kill(int(tmux.run("display-message", "-p", "-t", "=till-0000:", "#{pane_pid}")), signal.SIGKILL)
    eventually(lambda: tmux.run("display-message", "-p", "-t", "=till-0000:", "#{pane_dead}").strip() == "1")
    tmux.run("new-session", "-d", "-s", "till-00001", "sleep 600")
    do_what_is_said(orphans())
    assert "till-0000" not in (left := tmux.run("list-sessions", "-F", "#{session_name}").split())
    assert {team.id, "till-00001"} <= set(left)


def orphans() -> dict[tuple[OrphanKind, str], Orphan]:
    found = with_facade(lambda tmorch: tmorch.recovery.orphans())
    return {(orphan.kind, orphan.name): orphan for orphan in found}


def do_what_is_said(found: dict[tuple[OrphanKind, str], Orphan]) -> None:
    """Type each command as it stands; some refuse."""
    for orphan in found.values():
        subprocess.run(["/bin/sh", "-c", orphan.what_to_do], check=False, capture_output=True, timeout=60)


def test_a_team_of_which_nothing_is_there_is_listed(team: Team) -> None:
    team.rig.tmux.kill()
    for agent in team.agents:
        shutil.rmtree(agent.row.worktree)
    eventually(lambda: not any(Path(agent.row.worktree).exists() for agent in team.agents))
    found = with_facade(lambda tmorch: tmorch.recovery.orphans())
    assert [(o.kind, o.orchestration) for o in found if o.kind is OrphanKind.INTENT] == [(OrphanKind.INTENT, team.id)]
