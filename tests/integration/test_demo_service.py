"""The project that `tmorch demo` works on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from orchestrator_core.agents.demo.show.scenario import Change, Task, scenario
from orchestrator_core.services.demo import make_scratch_project
from orchestrator_core.team.spec import parse_spec
from tests.conftest import run_git


def run_tests(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unittest"], cwd=project, capture_output=True, text=True, check=False, timeout=60
    )


def make(project: Path, change: Change) -> None:
    file = project / change.file
    before = file.read_text() if file.exists() else ""
    after = change.applied(before)
    assert after != before
    file.write_text(after)


async def test_it_is_a_real_project(tmp_path: Path) -> None:
    project = await make_scratch_project(tmp_path / "state/demo", 5)
    assert project.parent == tmp_path / "state/demo"
    assert run_git(project, "branch", "--show-current") == "main"
    assert run_git(project, "status", "--porcelain") == ""
    assert len(run_git(project, "log", "--format=%s").splitlines()) == 4
    assert run_tests(project).returncode == 0
    assert run_git(project, "status", "--porcelain") == ""


async def test_its_spec_is_one(tmp_path: Path) -> None:
    project = await make_scratch_project(tmp_path, 5)
    spec = parse_spec((project / "SPEC.md").read_text(), "SPEC.md")
    assert spec.project == project.name
    assert "till" in spec.goal
    assert sorted(spec.deliverables) == sorted(task.deliverable for task in scenario().tasks)
    assert spec.constraints == scenario().constraints
    assert spec.success_criteria == scenario().success_criteria


async def test_each_call_makes_another_folder(tmp_path: Path) -> None:
    made = [await make_scratch_project(tmp_path, 5) for _ in range(3)]
    assert len(set(made)) == 3


async def test_the_same_seed_gives_the_same_commits(tmp_path: Path) -> None:
    heads = [
        run_git(await make_scratch_project(tmp_path / str(n), seed), "rev-parse", "HEAD")
        for n, seed in enumerate((5, 5, 6))
    ]
    assert heads[0] == heads[1] != heads[2]


async def test_the_persons_git_is_left_out_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is asked for, no hook of theirs runs, and their name is not used."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Me\nemail = me@example.invalid\nsigningkey = 0\n[commit]\ngpgsign = true\n"
        f"[core]\nhooksPath = {hooks}\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    project = await make_scratch_project(tmp_path / "demo", 5)
    assert set(run_git(project, "log", "--format=%an <%ae>").splitlines()) == {"tmorch demo <demo@tmorch.invalid>"}
    (project / "README.md").write_text("changed by an agent\n")
    run_git(project, "commit", "-q", "-a", "-m", "As an agent does")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_the_demo_agents_do_to_it_is_right_in_any_order(tmp_path: Path, seed: int) -> None:
    """Each task leaves the project green, and the tests find the defects that are meant to be found."""
    project = await make_scratch_project(tmp_path, seed)
    tasks = Random(seed).sample(scenario().tasks, len(scenario().tasks))
    for task in tasks:
        carry_out(project, task)
    assert "Ran 18 tests" in run_tests(project).stderr


def carry_out(project: Path, task: Task) -> None:
    for change in task.steps:
        make(project, change)
        assert run_tests(project).returncode == 0, change.message
    (project / task.test_file).write_text(task.test)
    found = run_tests(project)
    assert (found.returncode != 0) == (task.defect is not None), (task.key, found.stderr)
    if task.defect:
        make(project, task.defect.change)
        assert run_tests(project).returncode == 0, task.key
