"""A person's way from nothing to a team that runs, on the screen; and the ways out, on which nothing is made."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.launch import ProposalId
from orchestrator_core.models.orchestration import OrchestrationState
from tests.conftest import MakeProject, run_git
from tests.e2e.terminal import Terminal
from tests.polling import eventually
from tests.rig import SPEC, Rig

BIN = Path(sys.executable).parent
FILES = {"pyproject.toml": '[project]\nname = "shop"\n', "src/shop.py": "", "SPEC.md": SPEC, "docs/till.md": SPEC}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    make_project("shoe-rack", files={"README.md": "# Another\n"})
    return make_project("shop", files=FILES)


@pytest.fixture
def rig(rig: Rig, project: Path) -> Rig:
    """A rig whose projects are where the form looks for them, and whose specs nobody but tmorch reads."""
    rig.configure(f'[projects]\nfolder = "{project.parent}"\n[team]\ndriver = "stand-in"\n[analysis]\nby = "offline"\n')
    return rig


class Desk:
    """Where a person sits: terminals one after the other."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._open: list[Terminal] = []

    def run(self, *argv: str) -> Terminal:
        """Run a command in a terminal of its own, which stays when it has ended, and says with which code."""
        socket = Path(os.environ["TMUX_TMPDIR"]) / f"person{len(self._open)}"
        command = shlex.join([str(BIN / argv[0]), *argv[1:]])
        self._open.append(Terminal(socket, f"{command}; echo exit $?; cat", width=140, cwd=self._rig.folder))
        return self._open[-1]

    def close(self) -> None:
        for terminal in self._open:
            terminal.close()


@pytest.fixture
def desk(rig: Rig) -> Iterator[Desk]:
    made = Desk(rig)
    yield made
    made.close()


def traces(rig: Rig, project: Path) -> dict[str, object]:
    """Return everything that a start could have made."""
    return {
        "branches": run_git(project, "branch", "--format=%(refname:short)").split(),
        "worktrees": len(run_git(project, "worktree", "list").splitlines()),
        "folders": sorted(each.name for each in rig.paths.worktrees.iterdir()) if rig.paths.worktrees.exists() else [],
        "sessions": rig.tmux.run("list-sessions", "-F", "#{session_name}", check=False),
        "status": run_git(project, "status", "--porcelain"),
        "orchestrations": [each.id for each in rig.store.orchestrations.list()],
        "saved": [each.id for each in rig.store.proposals.list()],
    }


def test_from_the_form_to_exactly_the_team_that_was_approved(rig: Rig, desk: Desk, project: Path) -> None:
    person = desk.run("tmorch-tui")
    person.sees("No team yet", "N new team")
    person.press("N")
    person.sees("New team", "shoe-rack", "repository")
    person.type("sho")
    person.sees("projects/shop ", "projects/shoe-rack ")
    person.type("p")
    person.sees_no("shoe-rack")
    person.press("Tab", "Tab")
    person.sees("SPEC.md", "docs/")
    person.type("docs/t")
    person.sees("till.md")
    person.press("Tab", "Enter")
    person.sees("Who would work", "orchestrator", "developer", "Sell things")
    assert traces(rig, project)["orchestrations"] == []
    change_the_team(person)
    assert traces(rig, project)["orchestrations"] == []
    person.press("y")
    person.sees("project_manager", "worktree")
    check_it_runs(rig, project)
    person.press("Enter")
    person.sees("Fleet", "researcher")


def change_the_team(person: Terminal) -> None:
    """Take the test runner out, take a researcher in, and have the developer checked in with every 12.5 minutes."""
    person.press("Down", "Down", "i")
    person.sees("Minutes between the check-ins of developer")
    person.press("C-u")
    person.type("12.5")
    person.press("Enter")
    person.sees("every 12.5 min")
    person.press("Down", "Down", "Space")
    person.sees("4 of 5 agents", "You took it out")
    person.press("Home", *["Down"] * 6)
    person.sees("Researcher", "fewer than 200 source files")
    person.press("Space")
    person.sees("5 of 5 agents", "You added it")


def check_it_runs(rig: Rig, project: Path) -> None:
    """See that exactly the approved team is there: windows, worktrees, branches, intervals."""
    roles = ["developer", "orchestrator", "project_manager", "researcher", "tester"]
    eventually(
        lambda: any(each.state is OrchestrationState.RUNNING for each in rig.store.orchestrations.list()),
        what="the team runs",
    )
    (team,) = rig.store.orchestrations.list()
    assert sorted(agent.role for agent in rig.store.agents.of(team.id)) == roles
    assert sorted(rig.tmux.run("list-windows", "-t", f"={team.session}", "-F", "#{window_name}").split()) == roles
    assert sorted(each.name for each in (rig.paths.worktrees / team.id).iterdir()) == roles
    branches = run_git(project, "branch", "--format=%(refname:short)").split()
    assert sorted(branches) == ["main", *(f"tmorch/{team.id}/{role}" for role in roles)]
    check_ins = rig.store.check_ins
    intervals = {agent: check_ins.get(number).interval_s for agent, (number,) in check_ins.standing().items()}
    assert intervals[AgentId(f"{team.id}:developer")] == 750
    assert intervals[AgentId(f"{team.id}:researcher")] == 25 * 60
    assert run_git(project, "status", "--porcelain") == ""


def test_a_start_in_a_terminal_that_is_not_approved_makes_nothing(rig: Rig, desk: Desk, project: Path) -> None:
    before = traces(rig, project)
    person = desk.run("tmorch", "start", "--project", str(project))
    person.sees("orchestrator", "developer", "Sell things")
    assert len(rig.store.proposals.list()) == 1
    person.press("Escape")
    person.sees("not approved; nothing was made", "exit 3")
    assert traces(rig, project) == before


def test_a_saved_proposal_is_opened_left_and_still_saved(rig: Rig, desk: Desk, project: Path) -> None:
    assert rig.tmorch("plan", "--project", str(project), "--save").code == 0
    before = traces(rig, project)
    assert before["saved"] == [ProposalId(1)]
    person = desk.run("tmorch-tui", "--proposal", "1")
    person.sees("orchestrator", "developer", "Sell things")
    person.press("Escape")
    person.sees("No team yet")
    person.press("N")
    person.sees("Saved proposals", "shop", "Sell things")
    person.press("Escape")
    person.sees("No team yet")
    person.press("q")
    person.sees("exit 0")
    assert traces(rig, project) == before
    wrong = desk.run("tmorch-tui", "--proposal", "7")
    wrong.sees("there is no saved proposal 7", "exit 4")
