"""A step of a start fails: the person repeats it, or has everything undone. Real tmux and git."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_core.bootstrap import build
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import (
    Decide,
    Decision,
    Proposal,
    StartRequest,
    StepFailure,
    StepProgress,
    StepState,
)
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.orchestrator import Orchestrator
from tests.conftest import MakeProject, run_git
from tests.polling import eventually
from tests.rig import Rig, StandIn


def branches_of(project: Path) -> list[str]:
    return run_git(project, "for-each-ref", "--format=%(refname:short)", "refs/heads/tmorch").splitlines()


def make_commit_aside(project: Path) -> str:
    """Make a commit that no branch holds."""
    return run_git(project, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "mine").strip()


async def in_its_way(rig: Rig, make_project: MakeProject) -> tuple[Orchestrator, Proposal, Path, str]:
    """Give a proposal whose tester cannot get its branch: the person has one of that name."""
    rig.configure()
    project = make_project(branch="feature-x")
    orchestrator = build()
    request = StartRequest(project=str(project), spec=str(rig.spec), roles=("developer", "tester"), driver="stand-in")
    proposal = await orchestrator.proposals.propose(request)
    in_the_way = f"{proposal.branches}tester"
    run_git(project, "branch", in_the_way, make_commit_aside(project))
    return orchestrator, proposal, project, in_the_way


async def test_a_worktree_that_failed_is_made_when_the_person_repeats_it(rig: Rig, make_project: MakeProject) -> None:
    orchestrator, proposal, project, in_the_way = await in_its_way(rig, make_project)
    asked: list[StepFailure] = []
    steps: list[StepProgress] = []

    async def decide(failure: StepFailure) -> Decision:
        asked.append(failure)
        run_git(project, "branch", "-m", in_the_way, "mine")
        return Decision.RETRY

    started = await orchestrator.start(proposal, steps.append, decide)
    assert [(failure.step, failure.agent) for failure in asked] == [("worktrees", "tester")]
    assert len(branches_of(project)) == 2
    assert run_git(project, "log", "-1", "--format=%s", "mine").strip() == "mine"
    assert {agent.role for agent in rig.store.agents.of(started.id) if agent.status.is_live} == {"developer", "tester"}
    failed = [step for step in steps if step.state is StepState.FAILED]
    assert [(step.step, step.agent) for step in failed] == [("worktrees", "tester")]


async def test_a_start_that_is_rolled_back_keeps_what_was_in_its_way(rig: Rig, make_project: MakeProject) -> None:
    orchestrator, proposal, project, in_the_way = await in_its_way(rig, make_project)

    async def decide(failure: StepFailure) -> Decision:
        return Decision.ROLL_BACK

    with pytest.raises(TmorchError):
        await orchestrator.start(proposal, lambda _: None, decide)
    assert branches_of(project) == [in_the_way]
    assert run_git(project, "log", "-1", "--format=%s", in_the_way).strip() == "mine"


@pytest.mark.parametrize("thing", ["branch", "folder"])
async def test_what_the_start_did_not_make_is_kept_though_it_looks_like_it(
    rig: Rig, make_project: MakeProject, thing: str
) -> None:
    """A branch at the very commit that the start would have begun at, and an empty folder, are the person's."""
    rig.configure()
    project = make_project(branch="feature-x")
    orchestrator = build()
    request = StartRequest(project=str(project), spec=str(rig.spec), roles=("developer", "tester"), driver="stand-in")
    proposal = await orchestrator.proposals.save(await orchestrator.proposals.propose(request))
    branch, folder = f"{proposal.branches}tester", Path(proposal.worktrees) / "tester"
    if thing == "branch":
        run_git(project, "branch", branch)
    else:
        folder.mkdir(parents=True)
    with pytest.raises(TmorchError):
        await orchestrator.start(proposal, lambda _: None)
    assert branches_of(project) == ([branch] if thing == "branch" else [])
    assert folder.is_dir() == (thing == "folder")
    assert [each.id for each in rig.store.proposals.list()] == [proposal.saved]


@pytest.mark.parametrize("is_saved", [True, False])
async def test_a_start_that_fails_late_leaves_a_proposal_as_it_was(
    rig: Rig, make_project: MakeProject, is_saved: bool
) -> None:
    rig.configure('[drivers.broken]\ncommand = ["/bin/sh", "-c", "exit 3"]\n')
    orchestrator = build()
    request = StartRequest(project=str(make_project()), spec=str(rig.spec), roles=("developer",), driver="broken")
    proposal = await orchestrator.proposals.propose(request)
    if is_saved:
        proposal = await orchestrator.proposals.save(proposal)
    with pytest.raises(TmorchError):
        await orchestrator.start(proposal, lambda _: None)
    assert [each.id for each in rig.store.proposals.list()] == ([proposal.saved] if is_saved else [])


# --- an agent that ends at start -------------------------------------------------------------------------------------


LINGER = "sleep 0.3"
"""What a program writes in the very instant of its end may be lost by tmux; this one is not about that."""


def use_moody(rig: Rig, *, briefing: str = "argument") -> Path:
    """Have testers end at once until a file is there; return that file."""
    allowed, program = rig.folder / "allowed", rig.folder / "bin" / "moody"
    rig.configure(
        f'[drivers.moody]\ncommand = ["{program}"]\nprocess_names = ["claude"]\nscreen = "claude"\n'
        f'briefing = "{briefing}"\n'
    )
    program.write_text(
        "#!/bin/sh\n"
        f'case $TMORCH_AGENT in *:tester) [ -e {allowed} ] || {{ echo "licence expired"; {LINGER}; exit 7; }};; esac\n'
        f'exec {rig.folder}/bin/claude "$@"\n'
    )
    program.chmod(0o755)
    return allowed


async def start_moody(rig: Rig, project: Path, decide: Decide, steps: list[StepProgress]) -> Orchestration:
    orchestrator = build()
    request = StartRequest(project=str(project), spec=str(rig.spec), roles=("developer", "tester"), driver="moody")
    return await orchestrator.start(await orchestrator.proposals.propose(request), steps.append, decide)


@pytest.mark.parametrize("road", ["argument", "paste"])
async def test_an_agent_that_ended_is_started_again_in_its_window_and_briefed_once(
    rig: Rig, make_project: MakeProject, road: str
) -> None:
    allowed = use_moody(rig, briefing=road)
    steps: list[StepProgress] = []

    async def decide(failure: StepFailure) -> Decision:
        assert (failure.step, failure.agent, failure.may_go_on) == ("ready", "tester", True)
        assert "licence expired" in failure.cause
        allowed.touch()
        return Decision.RETRY

    started = await start_moody(rig, make_project(), decide, steps)
    tester = StandIn(rig, f"{started.id}:tester")
    assert tester.row.status in ("idle", "working")
    assert rig.tmux.run("list-windows", "-t", f"={started.session}", "-F", "#{window_name}").split() == [
        "developer",
        "tester",
    ]
    assert len(tester.prompts()) == len(StandIn(rig, f"{started.id}:developer").prompts()) == 1
    ready = [(step.agent, step.state) for step in steps if step.step == "ready"]
    assert ready[-1] == ("", StepState.DONE)
    assert [state for role, state in ready if role == "tester"] == [
        StepState.FAILED, StepState.RUNNING, StepState.DONE,
    ]  # fmt: skip
    assert rig.tmorch("send", tester.id, "hello", "--wait", "20").code == 0


async def test_the_team_goes_on_without_an_agent_that_ended(rig: Rig, make_project: MakeProject) -> None:
    use_moody(rig)
    asked: list[StepFailure] = []

    async def decide(failure: StepFailure) -> Decision:
        asked.append(failure)
        return Decision.GO_ON

    started = await start_moody(rig, make_project(), decide, [])
    assert [failure.agent for failure in asked] == ["tester"]
    assert started.state is OrchestrationState.RUNNING
    assert StandIn(rig, f"{started.id}:tester").row.status == "failed"
    assert StandIn(rig, f"{started.id}:developer").row.status.is_live


@pytest.mark.parametrize("way", ["roll back", "cancel"])
async def test_everything_is_undone_when_the_person_does_not_want_it(
    rig: Rig, make_project: MakeProject, way: str
) -> None:
    use_moody(rig)
    project, is_asked = make_project(), asyncio.Event()

    async def decide(failure: StepFailure) -> Decision:
        is_asked.set()
        if way == "cancel":
            await asyncio.Event().wait()
        return Decision.ROLL_BACK

    start = asyncio.ensure_future(start_moody(rig, project, decide, []))
    await asyncio.wait_for(is_asked.wait(), 60)
    if way == "cancel":
        start.cancel()
    with pytest.raises(TmorchError if way == "roll back" else asyncio.CancelledError):
        await start
    assert branches_of(project) == []
    assert rig.tmux.run("list-sessions", "-F", "#{session_name}", check=False).strip() == ""
    assert [each.state for each in rig.store.orchestrations.list()] == [OrchestrationState.FAILED]


WAITS = """\
import asyncio, sys
from pathlib import Path
from orchestrator_core.bootstrap import build
from orchestrator_core.models.launch import StartRequest
async def decide(failure):
    Path(sys.argv[3]).touch()
    await asyncio.Event().wait()
async def main():
    orchestrator = build()
    request = StartRequest(project=sys.argv[1], spec=sys.argv[2], roles=("developer", "tester"), driver="moody")
    await orchestrator.start(await orchestrator.proposals.propose(request), lambda _: None, decide)
asyncio.run(main())
"""


def test_a_start_that_is_killed_while_it_asks_stands_in_nobodys_way(rig: Rig, make_project: MakeProject) -> None:
    allowed, project, asked = use_moody(rig), make_project(), rig.folder / "asked"
    launcher = subprocess.Popen([sys.executable, "-c", WAITS, str(project), str(rig.spec), str(asked)])
    try:
        eventually(asked.exists, timeout=60)
    finally:
        launcher.kill()
        launcher.wait()
    # every window had been made: the team counts as running then, and what ended in it is shown as failed
    eventually(lambda: [o.state for o in rig.store.orchestrations.list()] == [OrchestrationState.RUNNING])
    (team,) = rig.store.orchestrations.list()
    assert StandIn(rig, f"{team.id}:tester").row.status == "failed"
    assert StandIn(rig, f"{team.id}:developer").row.status.is_live
    assert not allowed.exists()
