"""A step of a start fails: the person repeats it, or has everything undone. Real tmux and git."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.bootstrap import build
from orchestrator_core.errors import TmorchError
from orchestrator_core.models.launch import Decision, StartRequest, StepFailure, StepProgress, StepState
from tests.conftest import MakeProject, run_git
from tests.rig import Rig


def branches_of(project: Path) -> list[str]:
    return run_git(project, "for-each-ref", "--format=%(refname:short)", "refs/heads/tmorch").splitlines()


def make_commit_aside(project: Path) -> str:
    """Make a commit that no branch holds."""
    return run_git(project, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "mine").strip()


async def test_a_worktree_that_failed_is_made_when_the_person_repeats_it(rig: Rig, make_project: MakeProject) -> None:
    rig.configure()
    project = make_project(branch="feature-x")
    orchestrator = build()
    request = StartRequest(project=str(project), spec=str(rig.spec), roles=("developer", "tester"), driver="stand-in")
    proposal = await orchestrator.proposals.propose(request)
    in_the_way = f"{proposal.branches}tester"
    run_git(project, "branch", in_the_way, make_commit_aside(project))
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
    rig.configure()
    project = make_project(branch="feature-x")
    orchestrator = build()
    request = StartRequest(project=str(project), spec=str(rig.spec), roles=("developer", "tester"), driver="stand-in")
    proposal = await orchestrator.proposals.propose(request)
    in_the_way = f"{proposal.branches}tester"
    run_git(project, "branch", in_the_way, make_commit_aside(project))

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
