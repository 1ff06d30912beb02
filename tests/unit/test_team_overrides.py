"""What a person's and a project's own files change of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from orchestrator_core.errors import ExitCode, UsageError
from orchestrator_core.models.team import Plan, ProjectType
from orchestrator_core.team.catalogue import BRIEFINGS, Catalogue, builtin
from orchestrator_core.team.check_ins import standing_note
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names
from orchestrator_core.team.overrides import overridden
from orchestrator_core.team.routing import allowed_routes, may_address

POET = {"title": "Poet", "summary": "writes verse", "check_in_min": 12, "responsibilities": ["find the rhyme"]}
SCIENCE = {"title": "science", "phrase": "a science project", "required": {"poet": "verse", "developer": "code"}}


class Folders:
    """A person's and a project's folder of files."""

    def __init__(self, root: Path) -> None:
        self.person = root / "config"
        self.project = root / "shop" / ".tmorch"

    def person_has(self, name: str, content: dict[str, object] | str) -> Path:
        return written(self.person / name, content)

    def project_has(self, name: str, content: dict[str, object] | str) -> Path:
        return written(self.project / name, content)

    def read(self) -> Catalogue:
        return overridden(self.person, self.project)

    def error(self) -> UsageError:
        with pytest.raises(UsageError) as caught:
            self.read()
        assert caught.value.exit_code is ExitCode.USAGE
        assert caught.value.remedy
        return caught.value


def written(file: Path, content: dict[str, object] | str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else tomli_w.dumps(content), encoding="utf-8")
    return file


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_without_files_it_is_the_packages_own(folders: Folders) -> None:
    assert folders.read() is builtin()
    folders.person_has("config.toml", "[tui]\n")
    folders.project_has("notes.md", "mine")
    assert folders.read() is builtin()
    assert overridden(folders.person, None) is builtin()


def test_one_value_of_a_role_changes_and_the_rest_stays(folders: Folders) -> None:
    folders.person_has("roles.toml", "[roles.developer]\ncheck_in_min = 7\nmodel = 'opus'\n")
    before, after = builtin().roles["developer"], folders.read().roles["developer"]
    assert (after.check_in_min, after.model) == (7, "opus")
    assert (after.title, after.responsibilities) == (before.title, before.responsibilities)
    assert folders.read().roles["tester"] == builtin().roles["tester"]


def test_the_project_goes_over_the_person_and_lists_replace(folders: Folders) -> None:
    mine = folders.person_has("roles.toml", "[roles.developer]\ncheck_in_min = 7\nowns = ['a/']\n")
    its = folders.project_has("roles.toml", "[roles.developer]\ncheck_in_min = 9\n")
    found = folders.read()
    assert found.roles["developer"].check_in_min == 9
    assert found.roles["developer"].owns == ("a/",)
    assert found.files == (mine, its)
    assert overridden(folders.person, None).roles["developer"].check_in_min == 7


def test_a_new_role_goes_last_everywhere_and_answers_to_its_names(folders: Folders) -> None:
    folders.person_has("roles.toml", {"roles": {"poet": POET}, "aliases": {"Verse-Smith": "poet"}})
    found = folders.read()
    assert tuple(found.roles)[-1] == "poet"
    assert all(order[-1] == "poet" for order in found.plans.order.values())
    for name in ("poet", "Poet", "verse smith"):
        assert found.role_named(name).key == "poet"
    team = compose(detect_names(["go.mod"]), plan="max20", added=("poet",), catalogue=found)
    assert team.roles[-1] == "poet"


def test_a_role_that_is_called_as_another_is_called_for_short_is_found(folders: Folders) -> None:
    folders.person_has("roles.toml", {"roles": {"docs": POET}})
    assert folders.read().role_named("docs").key == "docs"
    assert builtin().role_named("docs").key == "documentation_writer"


def test_a_new_type_gets_an_order_and_routes_and_can_be_detected(folders: Folders) -> None:
    folders.person_has("roles.toml", {"roles": {"poet": POET}})
    indicator = {"kind": "verse", "weight": 60, "names": ["*.verse"]}
    folders.project_has("templates.toml", {"types": {"science": {**SCIENCE, "indicators": [indicator]}}})
    found = folders.read()
    assert found.plans.order[ProjectType("science")][:4] == ("orchestrator", "poet", "developer", "project_manager")
    assert sorted(found.plans.order[ProjectType("science")]) == sorted(found.roles)
    assert found.routes.types[ProjectType("science")] == ("standard", "operations")
    detection = detect_names(["a.verse", "README.md"], found.templates)
    assert detection.type == "science"
    team = compose(detection, plan="pro", catalogue=found)
    assert team.roles == ("orchestrator", "developer", "poet")
    assert may_address("developer", "tester", ("orchestrator", "developer", "tester"), team.type, found).allowed


def test_the_first_word_of_a_type_keeps_its_meaning(folders: Folders) -> None:
    folders.person_has(
        "templates.toml", {"types": {"data": SCIENCE | {"required": {}}, "system_x": SCIENCE | {"required": {}}}}
    )
    found = folders.read()
    assert found.type_named("system") == "system_deployment"
    assert found.type_named("data") == "data"
    assert found.type_named("data pipeline") == "data_pipeline"


def test_an_order_may_name_only_those_who_go_first(folders: Folders) -> None:
    folders.person_has("plans.toml", {"caps": {"pro": 2}, "order": {"code_project": ["orchestrator", "tester"]}})
    team = compose(detect_names(["go.mod"]), plan="pro", catalogue=folders.read())
    assert team.roles == ("orchestrator", "tester")
    assert folders.read().plans.caps[Plan.MAX5] == 5


def test_an_empty_reason_takes_a_role_out_of_what_is_required(folders: Folders) -> None:
    folders.project_has(
        "templates.toml", {"types": {"code_project": {"required": {"testrunner": "", "devops": "we ship"}}}}
    )
    template = folders.read().templates.types[ProjectType("code_project")]
    assert set(template.required) == {"developer", "tester", "devops"}
    assert "devops" not in template.optional


def test_routes_and_notes_are_the_projects_too(folders: Folders) -> None:
    folders.project_has(
        "routing.toml",
        {"hub": "developer", "lateral": {"verse": [["tester", "devops"]]}, "types": {"code_project": ["verse"]}},
    )
    folders.project_has(
        "check_ins.toml", {"roles": {"tester": "Count the {braces}."}, "default": "Go on. {role}Tell {hub}."}
    )
    found = folders.read()
    team = ("developer", "tester", "devops", "testrunner")
    assert ("tester", "devops") in allowed_routes(team, ProjectType("code_project"), found)
    assert ("tester", "testrunner") not in allowed_routes(team, ProjectType("code_project"), found)
    assert standing_note("tester", team, found) == "Go on. Count the {braces}. Tell the developer."


def test_rules_of_both_come_as_they_are(folders: Folders) -> None:
    folders.person_has("rules.md", "\ufeffBe *kind*.\n")
    assert folders.read().rules == ("Be *kind*.\n",)
    folders.project_has("rules.md", "{{ as it is }}\n")
    assert folders.read().rules == ("Be *kind*.\n", "{{ as it is }}\n")
    folders.project_has("rules.md", " \n")
    assert folders.read().rules == ("Be *kind*.\n",)


def test_templates_of_the_project_come_before_the_persons(folders: Folders) -> None:
    mine = folders.person_has("briefings/goal.md.j2", "mine")
    its = folders.project_has("briefings/job.md.j2", "its")
    folders.project_has("briefings/.job.md.j2.swp", "left by an editor")
    folders.project_has("briefings/job.md.j2~", "left by an editor")
    found = folders.read()
    assert found.briefings == (its.parent, mine.parent, BRIEFINGS)
    assert found.files == (mine, its)


def test_it_is_read_again_only_when_something_has_changed(folders: Folders) -> None:
    file = folders.person_has("roles.toml", "[roles.developer]\ncheck_in_min = 7\n")
    first = folders.read()
    assert folders.read() is first
    file.write_text("[roles.developer]\ncheck_in_min = 8\n")
    assert folders.read().roles["developer"].check_in_min == 8
    file.unlink()
    assert folders.read() is builtin()


def test_a_persons_files_may_be_links(folders: Folders, tmp_path: Path) -> None:
    kept = written(tmp_path / "dotfiles" / "roles.toml", "[roles.developer]\ncheck_in_min = 7\n")
    folders.person.mkdir()
    (folders.person / "roles.toml").symlink_to(kept)
    assert folders.read().roles["developer"].check_in_min == 7
