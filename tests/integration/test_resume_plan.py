"""Planning to bring teams back, over a real tmux and git: what is missing is found, and looking changes nothing."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_core.models.recovery import OrphanKind, Part, RecoveryPlan, Verb
from orchestrator_core.services.boot import boot_id
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
    assert plan.is_whole, plan
    assert plan.warnings == ("the supervisor does not run: it is started",)


def test_only_the_agent_of_a_closed_window_is_brought_back(team: Team) -> None:
    """Scenario 48."""
    team.rig.tmux.run("kill-window", "-t", str(team.agent(VICTIM).row.window))
    plan = plan_of(team)
    assert steps(plan)[Part.WINDOW] is Verb.REBUILD
    assert steps(plan)[Part.PROGRAM] in (Verb.CONTINUE, Verb.START_ANEW)
    assert set(steps(plan, "orchestrator").values()) == {Verb.KEEP}


def test_without_a_server_everybody_is(team: Team) -> None:
    """Scenario 49."""
    team.rig.tmux.kill()
    plan = plan_of(team)
    assert [(s.verb, s.part) for s in plan.steps if not s.agent] == [(Verb.REBUILD, Part.SESSION)]
    assert {steps(plan, agent.row.role)[Part.WINDOW] for agent in team.agents} == {Verb.REBUILD}


def test_a_worktree_is_written_again_and_a_deleted_branch_is_for_the_person(team: Team) -> None:
    """Scenario 52."""
    row = team.agent(VICTIM).row
    before = run_git(team.project, "rev-parse", row.branch)
    shutil.rmtree(row.worktree)
    assert steps(plan_of(team))[Part.WORKTREE] is Verb.REBUILD
    run_git(team.project, "update-ref", "-d", f"refs/heads/{row.branch}")
    plan = plan_of(team)
    assert steps(plan)[Part.BRANCH] is Verb.REFUSE
    assert any(before in step.reason for step in plan.steps if step.part is Part.BRANCH)


def test_looking_writes_nothing_at_all(team: Team) -> None:
    """Scenario 50: neither beside the database nor in the repository, for a team of which much is missing."""
    row = team.agent(VICTIM).row
    kill_and_see(team, "server")
    (Path(row.worktree) / "notes.txt").write_text("not committed\n")
    shutil.rmtree(team.agent("orchestrator").row.worktree)
    places = (team.rig.paths.state, team.project)
    before = digest(*places)
    found = status_only("--status-only")
    assert found.returncode == 0, found.stderr
    assert status_only("--orphans", "--json").returncode == 0
    assert digest(*places) == before
    line = next(line for line in found.stdout.splitlines() if row.branch in line and "no" in line.split())
    assert line.split()[:2] == [VICTIM, "no"]


def test_looking_sees_what_is_only_in_the_write_ahead_log(team: Team) -> None:
    team.rig.store.agents.update(team.agent(VICTIM).row.id, limited_until=4_000_000_000.0)
    found = status_only("--status-only", "--json")
    assert "4000000000.0" in found.stdout


def test_without_a_database_looking_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMORCH_STATE", str(tmp_path / "none"))
    found = status_only("--status-only")
    assert (found.returncode, "no team is meant to run" in found.stderr) == (0, True), found.stderr
    assert not (tmp_path / "none").exists()


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


def test_what_is_left_over_is_listed_and_left_alone(team: Team) -> None:
    assert with_facade(lambda tmorch: tmorch.recovery.orphans()) == ()
    lost = team.rig.paths.state / "worktrees" / "shop-0000" / "developer"
    run_git(team.project, "worktree", "add", "-q", "-b", "tmorch/shop-0000/developer", str(lost))
    run_git(team.project, "branch", "tmorch/shop-0000/tester")
    team.rig.tmux.run("new-session", "-d", "-s", "till-0000", "sleep 600")
    team.rig.tmux.run("set-option", "-t", "=till-0000:", "@tmorch_orchestration", "till-0000")
    found = with_facade(lambda tmorch: tmorch.recovery.orphans())
    assert {(orphan.kind, orphan.name) for orphan in found} == {
        (OrphanKind.SESSION, "till-0000"),
        (OrphanKind.WORKTREE, "developer"),
        (OrphanKind.BRANCH, "tmorch/shop-0000/tester"),
    }
    assert lost.is_dir()
    assert "till-0000" in team.rig.tmux.run("list-sessions", "-F", "#{session_name}")


def test_a_team_of_which_nothing_is_there_is_listed(team: Team) -> None:
    team.rig.tmux.kill()
    for agent in team.agents:
        shutil.rmtree(agent.row.worktree)
    eventually(lambda: not any(Path(agent.row.worktree).exists() for agent in team.agents))
    found = with_facade(lambda tmorch: tmorch.recovery.orphans())
    assert [(o.kind, o.orchestration) for o in found if o.kind is OrphanKind.INTENT] == [(OrphanKind.INTENT, team.id)]
