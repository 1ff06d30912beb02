"""What a start would do, proposed for real repositories."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import (
    ClaudeSettings,
    DriverSettings,
    ProjectsSettings,
    Settings,
    TeamSettings,
    WorktreesSettings,
)
from orchestrator_core.errors import MissingProgramError, NotFoundError, RefusedError, UsageError
from orchestrator_core.models.analysis import AnalysisSource, Size
from orchestrator_core.models.launch import Proposal, StartRequest
from orchestrator_core.models.team import CODE_PROJECT, Plan, ProjectType
from orchestrator_core.services import proposal as proposing
from orchestrator_core.services.proposal import detect_project, propose, require_program
from tests.conftest import MakeProject, run_git

SPEC = "PROJECT: Shop\nGOAL: Customers log in\nDELIVERABLES:\n- login\nSUCCESS CRITERIA:\n- tests pass\n"
PYTHON = {"pyproject.toml": "", "src/shop.py": "", "SPEC.md": SPEC}
DEMO = TeamSettings(driver="demo")


async def wish(settings: Settings | None = None, /, **wished: object) -> Proposal:
    used = settings or Settings(team=DEMO)
    request = StartRequest(**wished)  # type: ignore[arg-type]  # each test names the fields it is about
    return await propose(request, used, Paths.from_env(), drivers=drivers(used))


def content_of(folder: Path) -> Mapping[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def test_a_project_and_its_spec_become_a_proposal(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON, branch="feature-x")
    found = await wish(project=str(project))
    assert found.project.path == str(project)
    assert found.project.branch == "feature-x"
    assert found.project.head == run_git(project, "rev-parse", "HEAD")
    assert found.spec.goal == "Customers log in"
    assert found.spec.path == str(project / "SPEC.md")
    assert found.team.type == ProjectType("code_project")
    assert found.team.roles == ("orchestrator", "project_manager", "developer", "tester", "testrunner")
    assert (found.driver, found.warnings) == ("demo", ())
    assert found.request == StartRequest(project=str(project))


async def test_nothing_is_made_or_changed(make_project: MakeProject, isolated_home: Path) -> None:
    project = make_project(files=PYTHON)
    (project / "new.txt").write_text("mine")
    before = content_of(project.parent), content_of(isolated_home)
    await wish(project=str(project))
    assert (content_of(project.parent), content_of(isolated_home)) == before


async def test_uncommitted_work_stays_the_persons(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON, branch="feature-x")
    (project / "src/shop.py").write_text("changed")
    assert (await wish(project=str(project))).warnings == (
        "1 uncommitted file stays yours; agents start from the last commit",
    )
    (project / "new.txt").write_text("mine")
    assert "2 uncommitted files stay yours" in (await wish(project=str(project))).warnings[0]


async def test_the_request_goes_before_the_settings(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON)
    settings = Settings(team=TeamSettings(plan=Plan.PRO, driver="demo"))
    assert len((await wish(settings, project=str(project))).team.chosen) == 3
    found = await wish(
        settings, project=str(project), plan="max5", roles=("orchestrator,dev",), team_type="data_pipeline"
    )
    assert found.team.plan is Plan.MAX5
    assert found.team.roles == ("orchestrator", "developer")
    assert found.team.type == ProjectType("data_pipeline")


async def test_more_roles_than_the_plan_carries_need_an_override(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON)
    roles = ("orchestrator", "developer", "tester", "devops")
    with pytest.raises(RefusedError, match="more than the plan pro carries"):
        await wish(project=str(project), plan="pro", roles=roles)
    found = await wish(project=str(project), plan="pro", roles=roles, over_cap=True)
    assert found.team.warnings


# --- finding the project ---------------------------------------------------------------------------------------------


async def test_a_name_is_looked_up_in_the_projects_folder(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files=PYTHON)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = Settings(team=DEMO, projects=ProjectsSettings(folder=str(project.parent)))
    assert (await wish(settings, project="shop")).project.path == str(project)


async def test_the_projects_folder_is_in_the_home_by_default(make_project: MakeProject, isolated_home: Path) -> None:
    project = make_project(files=PYTHON)
    (isolated_home / "projects").symlink_to(project.parent)
    assert (await wish(project="shop")).project.path == str(project)


@pytest.mark.parametrize("given", ["shop", "./shop", "shop/", "../projects/shop"])
async def test_a_path_is_seen_from_where_we_are(
    given: str, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files=PYTHON)
    monkeypatch.chdir(project.parent)
    assert (await wish(project=given)).project.path == str(project)


@pytest.mark.parametrize("given", ["", "."])
async def test_no_project_is_the_one_we_are_in(
    given: str, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files=PYTHON)
    monkeypatch.chdir(project / "src")
    assert (await wish(project=given)).project.path == str(project)


async def test_a_repository_goes_before_a_mere_folder_of_the_same_name(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files=PYTHON)
    outer = make_project("outer", files={"shop/a.py": "", "SPEC.md": SPEC})
    monkeypatch.chdir(outer)
    settings = Settings(team=DEMO, projects=ProjectsSettings(folder=str(project.parent)))
    assert (await wish(settings, project="shop")).project.path == str(project)
    assert (await wish(settings, project="./shop")).project.path == str(outer)


async def test_an_unknown_project_is_not_found_with_near_ones(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON)
    make_project("api", files=PYTHON)
    settings = Settings(team=DEMO, projects=ProjectsSettings(folder=str(project.parent)))
    with pytest.raises(NotFoundError) as caught:
        await wish(settings, project="shopp")
    assert caught.value.candidates == ("shop",)
    assert "shopp" in caught.value.title
    with pytest.raises(NotFoundError) as caught:
        await wish(settings, project="zzz")
    assert caught.value.candidates == ("api", "shop")


async def test_an_unknown_path_without_a_projects_folder_is_not_found() -> None:
    with pytest.raises(NotFoundError) as caught:
        await wish(project="/nowhere/shop")
    assert "/nowhere/shop" in caught.value.cause
    assert caught.value.candidates == ()


@pytest.mark.parametrize("kind", ["plain folder", "file", "no commits", "detached"])
async def test_what_cannot_be_worked_on_is_refused(kind: str, make_project: MakeProject) -> None:
    project = make_project(files=PYTHON, commit=kind != "no commits")
    given = project
    if kind == "plain folder":
        given = project.parent.parent / "plain"
        given.mkdir()
    elif kind == "file":
        given = project / "SPEC.md"
    elif kind == "detached":
        run_git(project, "checkout", "-q", "--detach")
    with pytest.raises(RefusedError):
        await wish(project=str(given))


async def test_an_agents_worktree_is_no_project(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON)
    for settings in (
        Settings(team=DEMO),
        Settings(team=DEMO, worktrees=WorktreesSettings(folder=str(project.parent / "trees"))),
    ):
        worktree = settings.worktrees.path(Paths.from_env()) / "shop-3f2a" / "developer"
        run_git(project, "worktree", "add", "-q", "-b", f"tmorch/{len(str(worktree))}", str(worktree))
        with pytest.raises(RefusedError, match="agent's worktree"):
            await wish(settings, project=str(worktree))


@pytest.mark.parametrize("branch", ["main", "master", "trunk", "production", "release/2.1", "release-2", "Stable"])
async def test_starting_from_a_protected_branch_says_what_it_means(branch: str, make_project: MakeProject) -> None:
    (warning,) = (await wish(project=str(make_project(files=PYTHON, branch=branch)))).warnings
    assert warning == (
        f"you start from {branch}: agents branch from it, and nothing is merged into it unless you approve that later"
    )


@pytest.mark.parametrize("branch", ["develop", "mainline", "fix/main", "released", "product", "feature/release"])
async def test_other_branches_are_started_from_without_a_word(branch: str, make_project: MakeProject) -> None:
    assert (await wish(project=str(make_project(files=PYTHON, branch=branch)))).warnings == ()


async def test_starting_from_an_agents_branch_is_pointed_out(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON, branch="tmorch/shop-3f2a/developer")
    assert "is an agent's" in (await wish(project=str(project))).warnings[0]


# --- finding the spec ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SPEC.md", "spec.md", "project_spec.md", "docs/spec.md"])
async def test_the_projects_own_spec_is_found(name: str, make_project: MakeProject) -> None:
    project = make_project(files={"a.py": "", name: SPEC})
    assert (await wish(project=str(project))).spec.path == str(project / name)


async def test_a_named_spec_is_seen_from_where_we_are_and_then_from_the_project(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files={"plan.md": "GOAL: theirs"})
    monkeypatch.chdir(tmp_path)
    assert (await wish(project=str(project), spec="plan.md")).spec.goal == "theirs"
    (tmp_path / "plan.md").write_text("GOAL: ours")
    found = await wish(project=str(project), spec="plan.md")
    assert (found.spec.goal, found.spec.path) == ("ours", str(tmp_path / "plan.md"))
    assert any("neither deliverables nor" in warning for warning in found.warnings)


async def test_a_spec_in_the_home_is_found(make_project: MakeProject, isolated_home: Path) -> None:
    (isolated_home / "s.md").write_text(SPEC)
    assert (await wish(project=str(make_project()), spec="~/s.md")).spec.goal == "Customers log in"


async def test_without_any_spec_there_is_an_example_to_paste(git_project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        await wish(project=str(git_project))
    assert "GOAL:" in caught.value.remedy
    assert "project_spec.md" in caught.value.cause


async def test_a_missing_spec_is_not_found(make_project: MakeProject) -> None:
    with pytest.raises(NotFoundError):
        await wish(project=str(make_project(files=PYTHON)), spec="nope.md")


async def test_a_spec_without_a_goal_is_a_usage_error(make_project: MakeProject) -> None:
    project = make_project(files={"SPEC.md": "DELIVERABLES:\n- a\n"})
    with pytest.raises(UsageError, match="has no goal"):
        await wish(project=str(project))


async def test_what_the_spec_says_oddly_is_pointed_out_with_its_line(make_project: MakeProject) -> None:
    spec = "---\ncolour: red\n---\n# Goal\nlogin\n\n# Contraints\n- none\n"
    project = make_project(files={"a.py": "", "docs/spec.md": spec}, branch="feature-x")
    found = await wish(project=str(project))
    assert found.warnings == (
        "spec.md line 2: nothing reads 'colour' in the front matter: agents get it as it is",
        "spec.md line 7: CONTRAINTS heads no section: did you mean CONSTRAINTS?",
        "the spec names neither deliverables nor success criteria: agents will decide what is done",
    )
    assert [remark.line for remark in found.spec.remarks] == [2, 7]


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        ("GOAL: g\nDELIVERABLES:\n- a\n", "the spec names no success criteria: agents will decide what is done"),
        ("GOAL: g\nSUCCESS CRITERIA:\n- a\n", "the spec names no deliverables: agents will decide what to make"),
    ],
)
async def test_what_the_spec_leaves_open_is_pointed_out(spec: str, warning: str, make_project: MakeProject) -> None:
    project = make_project(files={"a.py": "", "spec.md": spec}, branch="feature-x")
    assert (await wish(project=str(project))).warnings == (warning,)


async def test_the_specs_wishes_hold_where_the_request_says_nothing(make_project: MakeProject) -> None:
    spec = f"---\nplan: max20\nroles: [orchestrator, dev, devops]\ntype: data\nagent: demo\n---\n{SPEC}"
    project = make_project(files={"a.py": "", "spec.md": spec})
    found = await wish(Settings(), project=str(project))
    assert (found.driver, found.team.plan, found.team.type) == ("demo", Plan.MAX20, ProjectType("data_pipeline"))
    assert found.team.roles == ("orchestrator", "developer", "devops")
    asked = await wish(Settings(), project=str(project), plan="pro", roles=("dev",), team_type="code")
    assert (asked.team.plan, asked.team.type, asked.team.roles) == (Plan.PRO, CODE_PROJECT, ("developer",))


# --- the offline reading ---------------------------------------------------------------------------------------------


async def test_the_spec_is_read_offline(make_project: MakeProject) -> None:
    spec = SPEC.replace("- login", "- login\n- a Helm chart for Kubernetes")
    found = await wish(project=str(make_project(files={**PYTHON, "SPEC.md": spec})))
    assert found.analysis.source is AnalysisSource.OFFLINE
    assert found.analysis.because == ""
    assert [phase.name for phase in found.analysis.phases[1:-1]] == ["login", "a Helm chart for Kubernetes"]
    assert (found.analysis.size, found.analysis.size_basis) == (Size.SMALL, "2 deliverables, 1 source file")
    assert "devops" in [each.role for each in found.analysis.suggestions]
    assert "devops" not in found.team.roles


# --- the driver ------------------------------------------------------------------------------------------------------


async def test_an_unknown_driver_is_not_found(make_project: MakeProject) -> None:
    with pytest.raises(NotFoundError) as caught:
        await wish(project=str(make_project(files=PYTHON)), driver="cloude")
    assert caught.value.candidates == ("claude",)


async def test_a_driver_whose_program_is_missing_can_be_looked_at_and_not_started(make_project: MakeProject) -> None:
    project = make_project(files=PYTHON)
    settings = Settings(claude=ClaudeSettings(command=("no-such-claude",)))
    found = await wish(settings, project=str(project))
    assert "cannot be started without it" in found.warnings[0]
    with pytest.raises(MissingProgramError) as caught:
        require_program("claude", drivers(settings)["claude"])
    assert "no-such-claude" in caught.value.cause
    assert "--agent demo" in caught.value.remedy
    assert not any("started without" in each for each in (await wish(project=str(project), driver="demo")).warnings)


async def test_a_driver_of_the_settings_can_be_taken(make_project: MakeProject) -> None:
    settings = Settings(drivers={"mine": DriverSettings(command=("cat",))})
    assert (await wish(settings, project=str(make_project(files=PYTHON)), driver="mine")).driver == "mine"


# --- the type of the project -----------------------------------------------------------------------------------------

TYPES = {
    "code": ({"package.json": "{}", "src/a.js": ""}, ProjectType("code_project"), "package.json"),
    "system": (
        {"web.service": "", "ansible/site.yml": "", "deployment/up.sh": ""},
        ProjectType("system_deployment"),
        "ansible/",
    ),
    "data": ({"etl/load.py": "", "data/a.csv": "", "airflow.cfg": ""}, ProjectType("data_pipeline"), "airflow.cfg"),
    "infrastructure": ({"main.tf": "", "prod.tfvars": ""}, ProjectType("infrastructure_as_code"), "main.tf"),
    "500 csv": (
        {"package.json": "{}", **{f"data/{n}.csv": "" for n in range(500)}},
        ProjectType("code_project"),
        "package.json",
    ),
    "pyproject only": ({"pyproject.toml": ""}, ProjectType("code_project"), "pyproject.toml"),
}


@pytest.mark.parametrize("name", TYPES)
async def test_types_are_detected_from_another_working_directory(
    name: str, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, type, evidence = TYPES[name]
    project = make_project(files=files)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    found = await detect_project(project)
    assert found.type == type
    assert evidence in found.evidence
    assert 0.5 < found.confidence <= 1


async def test_an_empty_repository_is_taken_for_code(make_project: MakeProject) -> None:
    found = await detect_project(make_project(files={".gitkeep": ""}))
    assert (found.type, found.confidence, found.evidence) == (ProjectType("code_project"), 0.5, ())
    assert found.reason


async def test_untracked_files_count_and_ignored_ones_do_not(make_project: MakeProject) -> None:
    project = make_project(files={".gitignore": "build/\n"})
    (project / "go.mod").write_text("")
    (project / "build").mkdir()
    (project / "build" / "main.tf").write_text("")
    (project / os.fsdecode(b"caf\xe9 \n.go")).write_text("")
    found = await detect_project(project)
    assert found.type == ProjectType("code_project")
    assert found.evidence[0] == "go.mod"
    assert all(name.isprintable() for name in found.evidence)


async def test_without_an_answer_of_git_the_folder_is_looked_at(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(files={"main.tf": ""})
    monkeypatch.setattr(proposing, "LISTING_TIMEOUT_S", 0.0)
    assert (await detect_project(project)).type == ProjectType("infrastructure_as_code")
    plain = project.parent / "plain"
    plain.mkdir()
    (plain / "Cargo.toml").write_text("")
    assert (await detect_project(plain)).evidence == ("Cargo.toml",)
