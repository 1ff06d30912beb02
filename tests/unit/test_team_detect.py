"""The type of a project, from evidence only."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.team import Detection, ProjectType
from orchestrator_core.team import detect as detecting
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.detect import detect, detect_names, walk

CODE, SYSTEM = ProjectType("code_project"), ProjectType("system_deployment")
DATA, INFRA = ProjectType("data_pipeline"), ProjectType("infrastructure_as_code")


class Case(NamedTuple):
    name: str
    files: tuple[str, ...]
    type: ProjectType
    evidence: str


CASES = (
    Case("javascript", ("package.json", "src/index.js"), CODE, "package.json"),
    Case("pyproject only", ("pyproject.toml",), CODE, "pyproject.toml"),
    Case("setup.py only", ("setup.py",), CODE, "setup.py"),
    Case("cmake", ("CMakeLists.txt", "src/main.cpp"), CODE, "CMakeLists.txt"),
    Case("only sources", ("tool.py",), CODE, "tool.py"),
    Case("500 csv", ("package.json", *(f"data/{n}.csv" for n in range(500))), CODE, "package.json"),
    Case("500 csv on top", ("package.json", *(f"{n}.csv" for n in range(500))), CODE, "package.json"),
    Case("code with a unit file", ("pyproject.toml", "src/app.py", "app.service"), CODE, "pyproject.toml"),
    Case("scripts with a unit file", ("orchestrate.py", "scheduler.py", "scheduler.service"), CODE, "scheduler.py"),
    Case("ansible", ("web.service", "ansible/playbook.yml", "shop_deployment_plan.md"), SYSTEM, "ansible/"),
    Case("deployment folder", ("deployment/run.sh", "web.service"), SYSTEM, "web.service"),
    Case("one unit file", ("web.service",), SYSTEM, "web.service"),
    Case("airflow", ("airflow.cfg", "dags/load.py", "requirements.txt"), DATA, "airflow.cfg"),
    Case("etl", ("etl/load.py", "data/a.parquet", "requirements.txt"), DATA, "etl/"),
    Case("dbt", ("dbt_project.yml", "models/a.sql"), DATA, "dbt_project.yml"),
    Case("terraform", ("main.tf", "prod.tfvars"), INFRA, "main.tf"),
    Case("terraform folder", ("terraform/main.tf", "terraform/vars.tf"), INFRA, "terraform/"),
    Case("cloudformation", ("cloudformation.yaml",), INFRA, "cloudformation.yaml"),
    Case("pulumi program", ("Pulumi.yaml", "index.ts", "package.json"), INFRA, "Pulumi.yaml"),
    Case(
        "an app with a terraform folder",
        ("pyproject.toml", "src/app.py", "tests/test_app.py", "terraform/main.tf"),
        CODE,
        "pyproject.toml",
    ),
    Case("test data", ("pyproject.toml", "tests/data/a.csv", "tests/etl/a.parquet"), CODE, "pyproject.toml"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_names_speak_for_a_type(case: Case) -> None:
    found = detect_names(case.files)
    assert found.type == case.type
    assert case.evidence in found.evidence
    assert 0.5 < found.confidence <= 1
    assert len(set(found.evidence)) == len(found.evidence)
    assert found.reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_folder_gives_the_same_from_another_working_directory(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    elsewhere.mkdir()
    make(project, dict.fromkeys(case.files, ""))
    monkeypatch.chdir(elsewhere)
    assert detect(project) == detect_names(case.files)
    monkeypatch.chdir(tmp_path)
    assert detect(Path("project")) == detect_names(case.files)


TREES = tomllib.loads((Path(__file__).parent.parent / "data" / "project-trees.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TREES)
def test_projects_as_one_finds_them_are_recognised(name: str) -> None:
    tree = TREES[name]
    found = detect_names(tree["files"].split())
    assert found.type == tree["type"], found.reason
    assert 0.5 <= found.confidence < 1 or not tree.get("mixed")


def test_there_are_trees_of_every_type_and_mixed_ones() -> None:
    assert {tree["type"] for tree in TREES.values()} == set(builtin().templates.types)
    assert sum(tree.get("mixed", False) for tree in TREES.values()) >= 10


def test_what_deploys_a_project_does_not_make_it_a_deployment() -> None:
    app = ["package.json", "src/index.js", "src/app.js"]
    beside = ["terraform/main.tf", "terraform/prod.tfvars", "ansible/site.yml", "deploy/app.service", "k8s/app.yaml"]
    assert detect_names([*app, *beside]).type == CODE
    assert detect_names(beside).type in (INFRA, SYSTEM)
    aside, at_the_top = detect_names([*app, "infra/main.tf"]), detect_names([*app, "main.tf"])
    assert aside.confidence > at_the_top.confidence


def make(project: Path, files: Mapping[str, str]) -> Path:
    project.mkdir(exist_ok=True)
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def test_an_empty_project_is_taken_for_code_and_says_why(tmp_path: Path) -> None:
    found = detect(tmp_path)
    assert (found.type, found.confidence, found.evidence) == (CODE, 0.5, ())
    assert "nothing in it speaks for any type" in found.reason


def test_prose_alone_says_nothing() -> None:
    assert detect_names(["README.md", "LICENSE"]).confidence == 0.5


def test_evidence_for_two_types_is_less_sure() -> None:
    plain = detect_names(["pyproject.toml", "app.py"])
    mixed = detect_names(["pyproject.toml", "app.py", "ansible/site.yml"])
    assert mixed.confidence < plain.confidence
    assert "a system deployment would have" in detect_names(["pyproject.toml", "app.py", "a.service"]).reason


def test_more_of_a_kind_adds_next_to_nothing() -> None:
    few = detect_names(["package.json", *(f"{n}.csv" for n in range(20))])
    many = detect_names(["package.json", *(f"{n}.csv" for n in range(1500))])
    assert few.confidence == many.confidence
    assert len(many.evidence) < 10


@pytest.mark.parametrize("folder", ["node_modules", ".git", "venv", ".venv", "__pycache__", ".terraform"])
def test_what_is_not_the_projects_own_does_not_count(tmp_path: Path, folder: str) -> None:
    make(tmp_path, {f"{folder}/main.tf": "", f"{folder}/package.json": "", f"sub/{folder}/airflow.cfg": ""})
    assert detect(tmp_path).evidence == ()
    assert detect_names([f"{folder}/main.tf", f"sub/{folder}/airflow.cfg"]).evidence == ()


def test_links_are_not_followed(tmp_path: Path) -> None:
    project = make(tmp_path / "project", {"a/go.mod": ""})
    (project / "a" / "up").symlink_to(project)
    (project / "self").symlink_to("self")
    assert sorted(walk(project)) == ["a/", "a/go.mod", "a/up", "self"]
    assert detect(project).evidence == ("a/go.mod",)


def test_unreadable_folders_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"locked/main.tf": "", "go.mod": ""})
    scandir = os.scandir

    def refusing(path: Path) -> Iterator[os.DirEntry[str]]:
        if path.name == "locked":  # file modes stop nobody where tests run as root
            raise PermissionError(path)
        return scandir(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refusing)
        found = detect(tmp_path)
    assert found.evidence == ("go.mod",)


def test_a_huge_folder_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detecting, "MAX_PER_FOLDER", 10)
    monkeypatch.setattr(detecting, "MAX_ENTRIES", 60)
    files = [*(f"a/{n}.csv" for n in range(200)), "src/main.rs"]
    make(tmp_path, dict.fromkeys(files, ""))
    assert detect(tmp_path).source_files == 1
    assert detect_names(files).source_files == 1
    assert len(list(walk(tmp_path))) <= 60


def test_names_below_the_deepest_level_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detecting, "MAX_DEPTH", 1)
    project = make(tmp_path / "project", {"a/b/c/go.mod": ""})
    assert list(walk(project)) == ["a/", "a/b/"]


def test_no_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        detect(tmp_path / "nowhere")


def test_odd_names_are_made_fit_to_be_shown(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff\x1b[31m.py")).write_text("")
    evidence = detect(tmp_path).evidence
    assert len(evidence) == 1
    assert evidence[0].isprintable()
    evidence[0].encode()


def test_signs_for_optional_roles_are_reported() -> None:
    found = detect_names(["pyproject.toml", "Dockerfile", "docs/index.md", "deploy/nginx.conf"])
    assert {"Dockerfile", "docs/", "deploy/nginx.conf"} <= set(found.signs)


names = st.lists(
    st.lists(st.sampled_from(["src", "tests", "etl", "terraform", "a", "b", "node_modules"]), max_size=4).flatmap(
        lambda folders: st.sampled_from(
            ["a.py", "b.csv", "main.tf", "x.service", "go.mod", "README.md", "site.yml"]
        ).map(lambda file: "/".join([*folders, file]))
    ),
    max_size=40,
)


@settings(deadline=None)
@given(names)
def test_whatever_lies_there_the_answer_is_bounded_and_lasting(files: list[str]) -> None:
    found = detect_names(files)
    assert 0.5 <= found.confidence <= 1
    assert (found.confidence == 0.5) or found.evidence
    assert len(set(found.evidence)) == len(found.evidence)
    assert found == detect_names(list(reversed(files)))


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_no_name_breaks_it(files: list[str]) -> None:
    assert isinstance(detect_names(files), Detection)


def test_every_type_can_be_detected() -> None:
    assert {case.type for case in CASES} == set(builtin().templates.types)
