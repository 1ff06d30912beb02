"""`team` with a word: the roles and types there are, and what a project is."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.cli.tables import display_width
from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import ExitCode
from orchestrator_core.team.catalogue import builtin
from tests.fakes.cli import FakeContext
from tests.fakes.json_shape import faults

OWN = "[roles.developer]\nsummary = 'writes Haskell'\nmodel = 'opus'\n"


def ran(*words: str, terminal: bool = False) -> FakeContext:
    context = FakeContext("team", *words, terminal=terminal, environ={"NO_COLOR": "1"})
    assert context.run() == ExitCode.DONE, context.narrated
    return context


def flat(text: str) -> str:
    return " ".join(text.split())


def own_roles(folder: Path, text: str = OWN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "roles.toml"
    file.write_text(text)
    return file


def test_a_role_is_shown_with_all_that_is_known_of_it() -> None:
    said = flat(ran("show", "developer").said)
    role = builtin().roles["developer"]
    for words in (
        "developer: Developer", role.summary, f"every {role.check_in_min} min", "owns src/, tests/", "does - ",
        "first steps - ", *role.responsibilities, *role.first_steps, "code_project orchestrator, project_manager,",
    ):  # fmt: skip
        assert words in said, words
    assert "changed by" not in said
    assert "code_project everybody" in flat(ran("show", "orchestrator").said)


@pytest.mark.parametrize("role", builtin().roles)
def test_every_role_can_be_shown(role: str) -> None:
    found = ran("show", role, "--json").json
    assert faults(found, schema_of("team show")) == []
    assert set(found["writes_to"]) == set(builtin().templates.types)
    assert all(role not in partners for partners in found["writes_to"].values())
    assert max(display_width(line) for line in ran("show", role, terminal=True).said.splitlines()) <= 80


def test_a_role_may_be_named_as_people_name_it() -> None:
    assert ran("show", "PM", "--json").json["role"] == "project_manager"


def test_a_misspelt_role_lists_the_valid_ones() -> None:
    context = FakeContext("team", "show", "developr", "--json")
    assert context.run() == ExitCode.USAGE
    told = " ".join(map(str, context.json["error"].values()))
    assert all(role in told for role in builtin().roles)


def test_a_role_of_the_person_tells_which_file_made_it_so() -> None:
    file = own_roles(Paths.from_env().config_file.parent)
    found = ran("show", "developer", "--json").json
    assert (found["summary"], found["model"]) == ("writes Haskell", "opus")
    assert found["files"] == [str(file)]
    assert ran("show", "tester", "--json").json["files"] == []
    assert f"changed by {file}" in flat(ran("roles").said)


def test_a_projects_own_role_holds_there_alone(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    file = own_roles(project / ".tmorch")
    assert ran("show", "developer", "--project", str(project), "--json").json["files"] == [str(file)]
    assert ran("show", "developer", "--json").json["files"] == []


def test_a_wrong_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = own_roles(tmp_path / "shop/.tmorch", "[roles.developer]\nsumary = 'x'\n")
    context = FakeContext("team", "roles", "--project", str(tmp_path / "shop"), "--json")
    assert context.run() == ExitCode.USAGE
    told = " ".join(map(str, context.json["error"].values()))
    assert str(file) in told
    assert "sumary" in told
    assert "line 2" in told


def test_roles_and_types_are_listed() -> None:
    roles = ran("roles", "--json").json
    assert faults(roles, schema_of("team roles")) == []
    assert [role["role"] for role in roles["roles"]] == list(builtin().roles)
    types = ran("types", "--json").json
    assert faults(types, schema_of("team types")) == []
    assert [each["type"] for each in types["types"]] == list(builtin().templates.types)
    assert all("orchestrator" in each["required"] for each in types["types"])
    assert "system_deployment: " in ran("types").said


@pytest.mark.parametrize("words", [["roles"], ["types"]])
def test_lists_fit_80_columns(words: list[str]) -> None:
    assert max(display_width(line) for line in ran(*words, terminal=True).said.splitlines()) <= 80


# --- detection: scenario 11


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("names", "kind", "evidence"),
    [
        (("package.json", "src/app.js"), "code_project", "package.json"),
        (("pyproject.toml",), "code_project", "pyproject.toml"),
        (("package.json", *(f"data/{number}.csv" for number in range(500))), "code_project", "package.json"),
        (("main.tf", "modules/vpc/main.tf", "terraform.tfvars"), "infrastructure_as_code", "main.tf"),
        (("dags/load.py", "dbt_project.yml", "airflow.cfg"), "data_pipeline", "dbt_project.yml"),
        (("docker-compose.yml", "nginx/nginx.conf", "systemd/app.service"), "system_deployment", "app.service"),
    ],
)
def test_a_folder_is_known_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], kind: str, evidence: str
) -> None:
    project = tree(tmp_path / "project", *names)
    monkeypatch.chdir("/")
    found = ran("detect", str(project), "--json").json
    assert faults(found, schema_of("team detect")) == []
    assert found["type"] == kind
    assert 0.5 < found["confidence"] < 1
    assert any(evidence in name for name in found["evidence"])
    assert found["reason"] in flat(ran("detect", str(project)).said)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    found = ran("detect", str(tree(tmp_path / "empty")), "--json").json
    assert (found["type"], found["confidence"], found["evidence"]) == ("code_project", 0.5, [])


def test_without_a_path_it_is_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree(tmp_path / "here", "main.tf", "x.tf"))
    assert ran("detect", "--json").json["type"] == "infrastructure_as_code"


@pytest.mark.parametrize("name", ["gone", "file"])
def test_what_is_no_folder_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    context = FakeContext("team", "detect", str(tmp_path / name))
    assert context.run() == ExitCode.NOT_FOUND
    assert name in context.narrated


# --- words that make no sense


@pytest.mark.parametrize(
    "words",
    [["show"], ["show", "a", "b"], ["roles", "x"], ["detect", "a", "b"], ["detect", "--project", "p"], ["a-1", "b-2"]],
)
def test_what_is_wrong_shows_how_it_is_used(words: list[str]) -> None:
    context = FakeContext("team", *words)
    assert context.run() == ExitCode.USAGE
    assert "tmorch team" in context.narrated
    assert context.facade.asked == []
