"""What is said of a person's and a project's files when they are wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.errors import UsageError
from orchestrator_core.team.catalogue import BRIEFINGS, PARTS, builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names
from orchestrator_core.team.override_files import MAX_BYTES, MAX_RULES_BYTES
from tests.unit.test_team_overrides import POET, Folders, folders, written

__all__ = ["folders"]


class Wrong(NamedTuple):
    test_id: str
    name: str
    text: str
    line: int
    title: str
    cause: str = ""


ROLES_ARE = "the roles are: orchestrator, project_manager"
WRONG = [
    Wrong(
        "a key",
        "roles",
        "[roles.developer]\ntitel = 'x'\n",
        2,
        "roles.developer.titel is no key; did you mean roles.developer.title?",
        "[roles.developer] has title",
    ),
    Wrong(
        "a table", "roles", "\n[rols.x]\n", 2, "rols is no key; did you mean roles?", "roles.toml has roles, aliases"
    ),
    Wrong(
        "a misspelt role",
        "roles",
        "[roles.develloper]\ncheck_in_min = 3\n",
        1,
        "roles.develloper.title is missing; did you mean roles.developer?",
        "roles.develloper.summary",
    ),
    Wrong(
        "a role's name",
        "roles",
        tomli_w.dumps({"roles": {"Web Dev": POET}}),
        1,
        "roles.Web Dev cannot be called that",
        "lower-case letters",
    ),
    Wrong("the person's name", "roles", tomli_w.dumps({"roles": {"you": POET}}), 1, "roles.you cannot be called that"),
    Wrong(
        "a twin",
        "roles",
        tomli_w.dumps({"roles": {"test_runner": POET}}),
        1,
        "roles.test_runner cannot be told apart from testrunner",
    ),
    Wrong(
        "no interval",
        "roles",
        "[roles.developer]\ncheck_in_min = 0\n",
        2,
        "check_in_min is 0",
        "a whole number above 0",
    ),
    Wrong(
        "a table for a list", "roles", "[roles.developer]\nowns = 'src/'\n", 2, 'owns is "src/"', "a list, in brackets"
    ),
    Wrong(
        "two lines",
        "roles",
        "[roles.developer]\n\nfirst_steps = [\n 'a',\n 'b\\tc',\n \"d\\n# e\"]\n",
        6,
        "first_steps.3 is",
        "one line of text",
    ),
    Wrong(
        "an option for a model",
        "roles",
        "[roles.developer]\nmodel = '--resume'\n",
        2,
        'model is "--resume"',
        "the name of a model",
    ),
    Wrong(
        "permissions",
        "roles",
        "[roles.developer]\npermission_mode = 'bypassPermissions'\n",
        2,
        "permission_mode is no key",
        "is not for these files to say: it is chosen when a team is approved",
    ),
    Wrong(
        "an unknown need",
        "roles",
        "[roles.developer]\nneeds = [\n  'devops',\n  'testerr',\n]\n",
        4,
        "names 'testerr', which is no role; did you mean 'tester'?",
        ROLES_ARE,
    ),
    Wrong(
        "a circle",
        "roles",
        "[roles.tester]\nowns = []\nneeds = ['testrunner']\n",
        3,
        "roles.tester.needs.1 goes round in a circle: testrunner needs tester",
    ),
    Wrong("oneself", "roles", "[roles.tester]\nneeds = ['tester']\n", 2, "roles.tester.needs.1 is the role itself"),
    Wrong("an alias to nobody", "roles", "[aliases]\nx = 'y'\n", 2, "aliases.x names 'y', which is no role", ROLES_ARE),
    Wrong(
        "an alias that hides", "roles", "[aliases]\nDevOps = 'sysadmin'\n", 2, "aliases.DevOps cannot be another name"
    ),
    Wrong("an alias of nothing", "roles", "[aliases]\n'-' = 'sysadmin'\n", 2, "aliases.- cannot be another name"),
    Wrong(
        "required",
        "templates",
        "[types.code_project.required]\ndevelopper = 'x'\n",
        2,
        "is no role; did you mean types.code_project.required.developer?",
        ROLES_ARE,
    ),
    Wrong("always", "templates", "[always]\npoet = 'x'\n", 2, "always.poet is no role", ROLES_ARE),
    Wrong(
        "a sign",
        "templates",
        "[types.code_project.optional.devops]\nsigns = ['container']\n",
        2,
        "names 'container', which is no sign; did you mean 'containers'?",
        "the signs are: containers",
    ),
    Wrong(
        "a place",
        "templates",
        "[types.code_project.optional.devops]\nfound = 'x {what}'\n",
        2,
        "found has {what}, for which there is nothing to put",
        "in braces may stand {found}",
    ),
    Wrong(
        "what is in a place",
        "templates",
        "[types.code_project.optional.devops]\nfound = '{found.__class__}'\n",
        2,
        "has {found.__class__}",
    ),
    Wrong(
        "a width", "templates", "[types.code_project.optional.devops]\nfound = '{found:>999999999}'\n", 2, "has {found}"
    ),
    Wrong(
        "braces",
        "templates",
        "[types.code_project.optional.devops]\nfound = '{found'\n",
        2,
        "has braces that do not match",
    ),
    Wrong("half a type", "templates", "[types.science]\ntitle = 'x'\n", 1, "types.science.phrase is missing"),
    Wrong("auto", "templates", "[types.auto]\ntitle = 'x'\nphrase = 'y'\n", 1, "types.auto cannot be called that"),
    Wrong(
        "a weight",
        "templates",
        "[[types.code_project.indicators]]\nkind = 'a'\nweight = 9999\nnames = ['x']\n",
        3,
        "indicators.1.weight is 9999",
        "at most 100",
    ),
    Wrong(
        "half an indicator",
        "templates",
        "[[types.code_project.indicators]]\nkind = 'a'\nnames = []\n",
        1,
        "types.code_project.indicators.1.weight is missing",
        "a whole number above 0",
    ),
    Wrong(
        "kinds twice",
        "templates",
        "\n[[types.code_project.indicators]]\nkind = 'a'\nweight = 9\nnames = []\n" * 2,
        8,
        "indicators.2.kind is there already",
    ),
    Wrong(
        "a plan",
        "plans",
        "[caps]\nmax50 = 3\n",
        2,
        "caps.max50 is no key; did you mean caps.max5?",
        "[caps] has pro, max5",
    ),
    Wrong("no room", "plans", "[caps]\npro = 0\n", 2, "caps.pro is 0", "a whole number above 0"),
    Wrong(
        "an order of nobody",
        "plans",
        "[order]\ncode_project = ['orchestrator', 'dev']\n",
        2,
        "order.code_project.2 names 'dev'",
        ROLES_ARE,
    ),
    Wrong(
        "an order for nothing",
        "plans",
        "[order]\ncode = []\n",
        2,
        "order.code is no type of project",
        "the types of project are: code_project",
    ),
    Wrong("tokens", "plans", "tokens_per_check_in = [1]\n", 1, "tokens_per_check_in is [1]", "two whole numbers"),
    Wrong("the hub", "routing", "hub = 'boss'\n", 1, "hub names 'boss', which is no role", ROLES_ARE),
    Wrong(
        "half a pair",
        "routing",
        "[lateral]\nx = [['developer']]\n",
        2,
        'lateral.x.1 is ["developer"]',
        "two roles, as in",
    ),
    Wrong(
        "a pair",
        "routing",
        "[lateral]\nx = [\n['developer', 'tester'],\n['developer', 'tstr'],\n]\n",
        4,
        "names 'tstr', which is no role; did you mean 'tester'?",
    ),
    Wrong(
        "a set",
        "routing",
        "[types]\ncode_project = ['standrad']\n",
        2,
        "which is no set of lateral routes; did you mean 'standard'?",
        "the sets of lateral routes are: standard, operations",
    ),
    Wrong(
        "who works together", "collaboration", "[developer]\ntestr = 'x'\n", 2, "developer.testr is no role", ROLES_ARE
    ),
    Wrong(
        "who works",
        "collaboration",
        "[develper]\ntester = 'x'\n",
        1,
        "develper is no role; did you mean developer?",
        ROLES_ARE,
    ),
    Wrong("no table", "collaboration", "developer = 'x'\n", 1, 'developer is "x"', "a table of names"),
    Wrong("a note's place", "check_ins", "default = 'a {who}'\n", 1, "default has {who}", "may stand {hub} and {role}"),
    Wrong(
        "the hub where there is none",
        "check_ins",
        "alone = 'ask {hub}'\n",
        1,
        "alone has {hub}",
        "may stand {role}, and",
    ),
    Wrong(
        "paragraphs",
        "check_ins",
        "hub = '''\na\n\nb'''\n",
        1,
        "hub has more than one paragraph",
        "one paragraph of at most 750 characters",
    ),
    Wrong("a long note", "check_ins", f"hub = '{'x' * 740}'\n", 1, "hub has 740 characters", "at most 750"),
    Wrong("a note to nobody", "check_ins", "[roles]\npoet = 'x'\n", 2, "roles.poet is no role", ROLES_ARE),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.test_id for wrong in WRONG])
def test_what_is_wrong_is_named_with_its_file_and_line(folders: Folders, wrong: Wrong) -> None:
    file = folders.project_has(f"{wrong.name}.toml", wrong.text)
    error = folders.error()
    assert error.title.startswith(f"{file}, line {wrong.line}: "), error.title
    assert wrong.title in error.title
    assert wrong.cause in error.cause
    assert str(file) in error.remedy


def test_the_file_that_is_wrong_is_named_and_not_one_that_was_right(folders: Folders) -> None:
    folders.person_has("roles.toml", "[roles.tester]\nneeds = ['devops']\n")
    folders.person_has("plans.toml", "[caps]\npro = 4\n")
    folders.read()
    wrong = folders.project_has("roles.toml", "[roles.tester]\nowns = []\n[roles.devops]\nneeds = ['testrunner']\n")
    assert folders.error().title.startswith(f"{wrong}, line 4: roles.devops.needs.1 goes round in a circle")


def test_all_that_is_wrong_in_a_file_is_named_at_once(folders: Folders) -> None:
    folders.person_has("plans.toml", "basis = ''\n[caps]\npro = -1\nx = 3\n")
    error = folders.error()
    assert "basis" in error.title
    assert error.cause.endswith("; wrong as well: caps.pro in plans.toml, caps.x in plans.toml")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[roles.x\n", "line 1, column 9"),
        ("[roles.x]\na = 1\na = 2\n", "line 3"),
        (f"a = {'[' * 60_000}", "is not TOML"),
        (f"a = {'9' * 5_000}", "is not TOML"),
    ],
    ids=["a header", "a key twice", "lists in lists", "a long number"],
)
def test_what_is_not_toml_is_named_with_its_line(folders: Folders, text: str, what: str) -> None:
    file = folders.person_has("roles.toml", text)
    error = folders.error()
    assert f"{file} is not TOML" in error.title
    assert what in error.title


@pytest.mark.parametrize("name", ["roles.toml", "rules.md", "briefings/job.md.j2"])
@pytest.mark.parametrize(
    "case", ["a folder", "a link to nowhere", "a link out of the project", "a pipe", "too large", "not UTF-8"]
)
def test_what_is_no_proper_file_is_named(folders: Folders, tmp_path: Path, name: str, case: str) -> None:
    file = folders.project / name
    file.parent.mkdir(parents=True)
    match case:
        case "a folder":
            file.mkdir()
            words = "is not a file"
        case "a link to nowhere":
            file.symlink_to(tmp_path / "nowhere")
            words = "cannot be read"
        case "a link out of the project":
            file.symlink_to(written(tmp_path / "secret", "a = 1"))
            words = "leads out of the project"
        case "a pipe":
            os.mkfifo(file)
            words = "is not a file"
        case "too large":
            file.write_text("#" * (1 + (MAX_RULES_BYTES if name == "rules.md" else MAX_BYTES)))
            words = "is too large"
        case _:
            file.write_bytes(b"# fine\n# \xff\n")
            words = "line 2: this is not UTF-8 text"
    error = folders.error()
    assert str(file) in error.title
    assert words in error.title
    assert error.cause


def test_a_folder_that_is_a_link_out_of_the_project_is_refused(folders: Folders, tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "rules.md", "secret").parent
    folders.project.parent.mkdir()
    folders.project.symlink_to(outside)
    assert "leads out of the project" in folders.error().title


def test_a_file_in_place_of_a_folder_is_named(folders: Folders) -> None:
    folders.project.parent.mkdir()
    folders.project.write_text("")
    error = folders.error()
    assert error.title == f"{folders.project} cannot be read"
    assert "directory" in error.cause


def test_a_link_that_a_template_could_include_is_no_template(folders: Folders, tmp_path: Path) -> None:
    folders.project_has("briefings/job.md.j2", "{% include '.secret' %}")
    (folders.project / "briefings" / ".secret").symlink_to(written(tmp_path / "key", "secret"))
    assert "a briefing has no such part" in folders.error().title


def test_a_template_without_a_place_in_briefings_is_named_with_the_valid_ones(folders: Folders) -> None:
    folders.person_has("briefings/goals.md.j2", "x")
    error = folders.error()
    assert "goals.md.j2" in error.title
    assert all(each.name in error.cause for each in BRIEFINGS.iterdir())


# --- whatever is written there


def error_of(folders: Folders) -> UsageError | None:
    try:
        folders.read()
    except UsageError as error:
        return error
    return None


KEYS = st.sampled_from(
    [
        "roles",
        "developer",
        "poet",
        "needs",
        "types",
        "code_project",
        "required",
        "order",
        "lateral",
        "default",
        "x",
        "pro",
    ]
)
LEAVES = st.none() | st.integers(-1, 3) | st.sampled_from(["", "x", "developer", "{", "{found}", "a\nb"]) | st.dates()
VALUES = st.recursive(
    LEAVES.filter(lambda value: value is not None),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(PARTS)), table=st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_any_file_is_taken_or_refused_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, table: dict[str, object]
) -> None:
    folders = Folders(tmp_path_factory.mktemp("any"))
    file = folders.person_has(f"{name}.toml", table)
    error = error_of(folders)
    if error:
        assert error.title.startswith(f"{file}, line ")
        assert error.cause
    else:
        assert folders.read().files == (file,)


@given(st.text())
def test_any_text_is_taken_or_refused_with_its_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folders = Folders(tmp_path_factory.mktemp("any"))
    file = folders.person_has("roles.toml", text)
    error = error_of(folders)
    assert error is None or str(file) in error.title


@given(
    needs=st.dictionaries(
        st.sampled_from(sorted(builtin().roles)), st.sets(st.sampled_from(sorted(builtin().roles)), max_size=2)
    )
)
def test_whatever_needs_are_written_a_team_can_be_made_or_they_are_refused(
    tmp_path_factory: pytest.TempPathFactory, needs: dict[str, set[str]]
) -> None:
    folders = Folders(tmp_path_factory.mktemp("any"))
    folders.project_has("roles.toml", {"roles": {role: {"needs": sorted(others)} for role, others in needs.items()}})
    error = error_of(folders)
    if error:
        assert "circle" in error.title or "itself" in error.title
        return
    found = folders.read()
    for type in found.templates.types:
        team = compose(detect_names([]), plan="max5", team_type=type, catalogue=found)
        assert len(team.chosen) <= 5
