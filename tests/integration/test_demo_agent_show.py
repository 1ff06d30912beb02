"""A team of demo agents at work on the scratch project, in a real tmux, with real git and real tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator_core.agents.screen import ScreenState
from orchestrator_core.services.demo import make_scratch_project
from tests.conftest import MakeProject, TmuxServer, run_git
from tests.fakes.claude_stand_in import StandInPane
from tests.polling import eventually

ORCHESTRATION = "demo-1234"
SPEED = "60"
SHOW_S = 80
POST = """\
#!/bin/bash
# send TARGET TEXT, without a supervisor: pastes into the pane of that role
[ "$1" = send ] || exit 2
n=$(wc -l < "{folder}/posted" 2>/dev/null || echo 0)
role=${{2##*:}}
echo "$TMORCH_AGENT>$role" >> "{folder}/posted"
pane=$(cat "{folder}/$role.pane") || exit 4
tmux -S "{socket}" capture-pane -p -t "$pane" | grep -q "Do you want to proceed" && {{ echo "queued"; exit 0; }}
printf '[tmorch %s from %s] %s' "$n" "$TMORCH_AGENT" "$3" | tmux -S "{socket}" load-buffer -b "$role$n" -
tmux -S "{socket}" paste-buffer -p -r -d -b "$role$n" -t "$pane"
sleep 0.05
tmux -S "{socket}" send-keys -t "$pane" Enter
echo "message $n to $role: delivered"
"""


class Troupe:
    """Demo agents with their worktrees."""

    def __init__(self, tmux: TmuxServer, folder: Path, project: Path) -> None:
        self.tmux = tmux
        self.folder = folder
        self.project = project
        self.agents: dict[str, StandInPane] = {}
        folder.mkdir()
        self.post = folder / "post"
        self.post.write_text(POST.format(folder=folder, socket=tmux.socket_path))
        self.post.chmod(0o755)

    def enter(self, *roles: str) -> None:
        """Start an agent for each role, the last one first."""
        for role in reversed(roles):
            worktree = self.folder / role
            run_git(self.project, "worktree", "add", "-q", "-b", f"tmorch/{ORCHESTRATION}/{role}", str(worktree))
            environ = (
                *("-e", f"TMORCH_COMMAND={self.post}"),
                *("-e", f"TMORCH_ORCHESTRATION={ORCHESTRATION}"),
                *("-e", f"TMORCH_AGENT={ORCHESTRATION}:{role}"),
            )
            self.agents[role] = StandInPane(
                self.tmux,
                self.folder / f"{role}-files",
                *("--role", role, "--team", ",".join(roles), "--seed", "3", "--speed", SPEED),
                *("--ready-after", "0", f"You are the {role} of this team."),
                environ=environ,
                cwd=worktree,
            )
            (self.folder / f"{role}.pane").write_text(self.agents[role].pane)

    def log(self, role: str) -> list[str]:
        """Return the subjects of a role's commits since the start, oldest first."""
        found = run_git(
            self.project, "log", "--no-merges", "--reverse", "--format=%s", f"main..tmorch/{ORCHESTRATION}/{role}"
        )
        return found.splitlines()

    def read(self, role: str, file: str) -> str:
        """Return a file of a role's worktree."""
        path = self.folder / role / file
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def posted(self) -> list[str]:
        """Return who wrote to whom, in order."""
        file = self.folder / "posted"
        return file.read_text().replace(f"{ORCHESTRATION}:", "").split() if file.exists() else []


@pytest.fixture
async def scratch(tmp_path: Path) -> Path:
    return await make_scratch_project(tmp_path / "demo", 3)


@pytest.fixture
def troupe(tmux_server: TmuxServer, tmp_path: Path) -> Callable[[Path], Troupe]:
    return lambda project: Troupe(tmux_server, tmp_path / "troupe", project)


def test_three_agents_carry_the_work_through(troupe: Callable[[Path], Troupe], scratch: Path) -> None:
    """Plan, implement, test, find two defects, mend them, tick off; then the round is over and nobody writes."""
    team = troupe(scratch)
    team.enter("orchestrator", "developer", "tester")
    tasks = "project_management/tasks.md"
    eventually(
        lambda: team.read("orchestrator", tasks).count("[x]") == 6,
        timeout=SHOW_S,
        what=team.read("orchestrator", tasks),
    )
    for role in ("orchestrator", "developer"):
        team.agents[role].wait(ScreenState.READY)
    assert team.agents["tester"].wait(ScreenState.DIALOG).detail == "rm -rf build"
    assert team.posted().count("orchestrator>developer") == 6
    assert team.posted().count("developer>tester") == 8
    assert team.posted().count("tester>developer") == 2
    assert team.posted().count("tester>orchestrator") == 6
    assert len(team.posted()) == 22
    assert "Refuse discounts that cannot be" in team.log("developer")
    done = subprocess.run(
        ["python3", "-m", "unittest"], cwd=team.folder / "tester", capture_output=True, text=True, check=False
    )
    assert "Ran 18 tests" in done.stderr
    assert done.returncode == 0
    assert run_git(scratch, "status", "--porcelain") == ""
    assert run_git(scratch, "log", "-1", "--format=%s", "main") == "Say what the till is to become"


def test_the_fourth_asks_and_everybody_else_goes_on(troupe: Callable[[Path], Troupe], scratch: Path) -> None:
    team = troupe(scratch)
    team.enter("orchestrator", "project_manager", "developer", "tester", "testrunner")
    runner = team.agents["testrunner"]
    reading = runner.wait(ScreenState.DIALOG)
    assert (reading.dialog, reading.detail) == ("permission", "rm -rf build")
    eventually(lambda: team.posted().count("orchestrator>developer") >= 3, timeout=SHOW_S)
    assert runner.reading().dialog == "permission"
    assert all(agent.reading().dialog == "" for role, agent in team.agents.items() if role != "testrunner")
    assert (team.folder / "testrunner/build").exists()
    runner.press("Enter")
    eventually(lambda: not (team.folder / "testrunner/build").exists())
    eventually(lambda: "project_manager>orchestrator" in team.posted(), timeout=SHOW_S)


def test_a_message_of_the_person_is_answered_and_worked_on(troupe: Callable[[Path], Troupe], scratch: Path) -> None:
    team = troupe(scratch)
    team.enter("developer")
    developer = team.agents["developer"]
    developer.sees("Ready for the first task.")
    developer.wait(ScreenState.READY)
    developer.submit("[tmorch 1 from the person] please add a clock")
    developer.sees("You wrote: please add a clock")
    eventually(lambda: "the person: please add a clock" in team.read("developer", "demo_notes/developer.md"))
    eventually(lambda: team.log("developer") == ["Note: the person: please add a clock"])
    assert team.posted() == []


def test_in_somebodys_own_project_only_notes_are_written(
    troupe: Callable[[Path], Troupe], make_project: MakeProject
) -> None:
    spec = "PROJECT: Shop\nGOAL: Sell\n\nDELIVERABLES:\n1. A till\n2. A door\n\nSUCCESS CRITERIA:\n- It sells\n"
    team = troupe(make_project(files={"SPEC.md": spec, "app.py": "print()\n"}))
    team.enter("orchestrator", "developer", "tester", "researcher")
    eventually(lambda: team.read("orchestrator", "project_management/tasks.md").count("[x]") == 2, timeout=SHOW_S)
    changed = run_git(team.project, "diff", "--name-only", "main", f"tmorch/{ORCHESTRATION}/developer")
    assert changed == "demo_notes/developer.md"
    assert team.read("developer", "app.py") == "print()\n"


def test_an_orchestrator_without_a_team_says_so(troupe: Callable[[Path], Troupe], scratch: Path) -> None:
    team = troupe(scratch)
    team.enter("orchestrator")
    agent = team.agents["orchestrator"]
    agent.sees("There is nobody to give a task to.")
    agent.wait(ScreenState.READY)
    agent.sees("6 deliverables")
