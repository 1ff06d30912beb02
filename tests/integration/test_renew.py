"""A saved proposal, seen with its project as it is by then."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.launch import Proposal, StartRequest
from orchestrator_core.services.proposal import propose
from orchestrator_core.services.renew import renewed
from tests.conftest import MakeProject, run_git

SPEC = "GOAL: Customers log in\nDELIVERABLES:\n- login\n"
FILES = {"pyproject.toml": "", "src/shop.py": "", "SPEC.md": SPEC}
SETTINGS = Settings()


async def proposed(project: Path, **wished: object) -> Proposal:
    request = StartRequest(project=str(project), driver="demo", **wished)  # type: ignore[arg-type]
    return await propose(request, SETTINGS, Paths.from_env(), drivers=drivers(SETTINGS))


async def seen_again(proposal: Proposal) -> Proposal:
    return await renewed(proposal, SETTINGS, Paths.from_env(), drivers=drivers(SETTINGS))


def commit(project: Path) -> str:
    run_git(project, "commit", "--allow-empty", "-m", "more")
    return run_git(project, "rev-parse", "HEAD")


async def test_where_nothing_has_changed_nothing_does(make_project: MakeProject) -> None:
    proposal = await proposed(make_project(files=FILES), removed=("tester",))
    assert await seen_again(proposal) == proposal


async def test_new_commits_are_said_and_the_last_one_counts(make_project: MakeProject) -> None:
    project = make_project(files=FILES)
    proposal = await proposed(project, roles=("developer", "tester"))
    head = commit(project)
    found = await seen_again(proposal)
    assert found.project.head == head
    assert "has moved on since" in found.warnings[0]
    assert head[:10] in found.warnings[0]
    assert found.team == proposal.team
    assert found.orchestration == proposal.orchestration


async def test_another_branch_is_said_and_taken(make_project: MakeProject) -> None:
    project = make_project(files=FILES, branch="main")
    proposal = await proposed(project)
    run_git(project, "checkout", "-b", "feature")
    found = await seen_again(proposal)
    assert found.project.branch == "feature"
    assert "another branch now" in found.warnings[0]
    assert "not from main" in found.warnings[0]


async def test_a_branch_that_is_gone_is_refused(make_project: MakeProject) -> None:
    project = make_project(files=FILES, branch="main")
    proposal = await proposed(project)
    run_git(project, "branch", "-m", "trunk")
    with pytest.raises(RefusedError, match="the branch main is gone") as caught:
        await seen_again(proposal)
    assert caught.value.code == "branch-gone"


async def test_a_project_that_is_gone_is_not_found(make_project: MakeProject) -> None:
    project = make_project(files=FILES)
    proposal = await proposed(project)
    project.rename(project.with_name("elsewhere"))
    with pytest.raises(NotFoundError, match="no project"):
        await seen_again(proposal)


async def test_the_spec_stays_as_it_was_and_its_change_is_said(make_project: MakeProject) -> None:
    project = make_project(files=FILES)
    proposal = await proposed(project)
    (project / "SPEC.md").write_text("GOAL: Something else\n")
    found = await seen_again(proposal)
    assert found.spec == proposal.spec
    assert "has changed since" in found.warnings[0]


async def test_a_spec_that_is_gone_is_not_found(make_project: MakeProject) -> None:
    project = make_project(files=FILES)
    proposal = await proposed(project)
    (project / "SPEC.md").unlink()
    with pytest.raises(NotFoundError):
        await seen_again(proposal)


async def test_what_was_wished_from_another_folder_is_found_again(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files=FILES)
    monkeypatch.chdir(project)
    request = StartRequest(project="", spec="SPEC.md", driver="demo")
    proposal = await propose(request, SETTINGS, Paths.from_env(), drivers=drivers(SETTINGS))
    monkeypatch.chdir(tmp_path)
    assert (await seen_again(proposal)).project == proposal.project


async def test_uncommitted_changes_are_those_of_today(make_project: MakeProject) -> None:
    project = make_project(files=FILES)
    (project / "src/shop.py").write_text("x = 1\n")
    proposal = await proposed(project)
    assert any("uncommitted" in warning for warning in proposal.warnings)
    run_git(project, "checkout", "--", "src/shop.py")
    assert not any("uncommitted" in warning for warning in (await seen_again(proposal)).warnings)


async def test_a_driver_that_is_gone_is_named(make_project: MakeProject) -> None:
    proposal = replace(await proposed(make_project(files=FILES)), driver="mine")
    with pytest.raises(NotFoundError, match="no agent driver 'mine'"):
        await seen_again(proposal)
