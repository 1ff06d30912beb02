"""Teams: who is in, who is not, and why."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_core.errors import RefusedError, UsageError
from orchestrator_core.models.analysis import Action, AnalysisSource, Suggestion
from orchestrator_core.models.team import CODE_PROJECT, Detection, Plan, ProjectType, TeamProposal
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names

CATALOGUE = builtin()
TYPES = list(CATALOGUE.templates.types)
PYTHON = detect_names(["pyproject.toml", "src/app.py"])
RICH = detect_names(
    ["pyproject.toml", "src/app.py", "Dockerfile", "docs/a.md", "nginx.conf", "prometheus.yml", "migrations/1.sql"]
)
DEFAULT = ("orchestrator", "project_manager", "developer", "tester", "testrunner")


def reasons(team: TeamProposal) -> dict[str, str]:
    return {choice.role.key: choice.reason for choice in (*team.chosen, *team.dropped)}


def kinds(team: TeamProposal) -> dict[str, str]:
    return {choice.role.key: choice.kind for choice in (*team.chosen, *team.dropped)}


def test_a_code_project_gets_the_team_of_five() -> None:
    team = compose(PYTHON, plan="max5")
    assert team.roles == DEFAULT
    assert (team.type, team.plan, team.cap, team.warnings) == (ProjectType("code_project"), Plan.MAX5, 5, ())


@pytest.mark.parametrize(
    "given", [("orchestrator,developer,sysadmin,devops",), ("orchestrator", "developer", "sysadmin", "devops")]
)
def test_named_roles_start_exactly_as_named(given: tuple[str, ...]) -> None:
    team = compose(PYTHON, plan="max5", roles=given)
    assert team.roles == ("orchestrator", "developer", "sysadmin", "devops")
    assert team.warnings == ()
    assert {choice.reason for choice in team.chosen} == {"you named it"}


def test_named_roles_take_other_names_and_blanks() -> None:
    team = compose(PYTHON, plan="max5", roles=[" pm , TestRunner,", "orchestrator", "Tester"])
    assert team.roles == ("orchestrator", "project_manager", "testrunner", "tester")


def test_a_misspelt_role_names_the_valid_ones_and_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        compose(PYTHON, plan="max5", roles=["orchestrator,testr"])
    assert "'tester'" in caught.value.remedy
    assert all(key in caught.value.cause for key in CATALOGUE.roles)


def test_a_list_without_a_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no role"):
        compose(PYTHON, plan="max5", roles=[" , "])


def test_a_role_named_twice_is_there_once_with_a_warning() -> None:
    team = compose(PYTHON, plan="max5", roles=["orchestrator,dev,developer"])
    assert team.roles == ("orchestrator", "developer")
    assert any("developer is named more than once" in warning for warning in team.warnings)


def test_a_team_named_without_an_orchestrator_is_left_so_with_a_warning() -> None:
    team = compose(PYTHON, plan="max5", roles=["developer,tester"])
    assert team.roles == ("developer", "tester")
    assert team.warnings == ("this team has no orchestrator: nobody coordinates it",)
    assert "project_manager" in compose(PYTHON, plan="max5", roles=["pm,tester"]).warnings[0]


def test_a_named_role_without_what_it_needs_is_explained() -> None:
    team = compose(PYTHON, plan="max5", roles=["orchestrator,testrunner"])
    assert team.roles == ("orchestrator", "testrunner")
    assert team.warnings == ("testrunner builds on the work of tester, which is not in the team",)


def test_a_named_team_lists_what_was_left_out() -> None:
    team = compose(PYTHON, plan="max5", roles=["orchestrator,developer"])
    assert {choice.role.key for choice in team.dropped} == {"project_manager", "tester", "testrunner"}
    assert all("you named the team" in choice.reason for choice in team.dropped)


def test_more_named_roles_than_the_plan_carries_are_refused_with_a_way_out() -> None:
    with pytest.raises(RefusedError) as caught:
        compose(PYTHON, plan="pro", roles=["orchestrator,developer,tester,devops"])
    assert caught.value.code == "over-cap"
    assert "--over-cap" in caught.value.remedy
    assert "--plan max5" in caught.value.remedy


def test_more_than_any_plan_carries_offers_no_larger_plan() -> None:
    with pytest.raises(RefusedError) as caught:
        compose(PYTHON, plan="console", roles=list(CATALOGUE.roles))
    assert "--plan" not in caught.value.remedy


def test_an_accepted_overcap_warns() -> None:
    team = compose(PYTHON, plan="pro", roles=["orchestrator,developer,tester,devops"], over_cap=True)
    assert len(team.chosen) == 4
    assert team.warnings == ("4 agents are more than the plan pro carries (3): its usage limit will come sooner",)


def test_an_accepted_overcap_holds_for_a_proposed_team_too() -> None:
    team = compose(PYTHON, plan="pro", over_cap=True)
    assert team.roles == DEFAULT
    assert len(team.warnings) == 1
    assert compose(PYTHON, plan="max5", over_cap=True).warnings == ()


def test_a_team_type_overrides_the_detection() -> None:
    team = compose(PYTHON, plan="max5", team_type="system_deployment")
    assert team.type == ProjectType("system_deployment")
    assert team.detection.type == ProjectType("code_project")
    assert {"sysadmin", "devops", "securityops"} <= set(team.roles)


@pytest.mark.parametrize("name", ["", " ", "auto"])
def test_without_a_team_type_the_detection_decides(name: str) -> None:
    assert compose(PYTHON, plan="max5", team_type=name).type == ProjectType("code_project")


def test_unknown_plans_and_types_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="plan"):
        compose(PYTHON, plan="max7")
    with pytest.raises(UsageError, match="team type"):
        compose(PYTHON, plan="max5", team_type="web")


@pytest.mark.parametrize(
    ("type", "team"),
    [
        ("code_project", ("orchestrator", "developer", "tester")),
        ("system_deployment", ("orchestrator", "devops", "sysadmin")),
        ("data_pipeline", ("orchestrator", "developer", "devops")),
        ("infrastructure_as_code", ("orchestrator", "devops", "sysadmin")),
    ],
)
def test_pro_keeps_the_three_that_go_first(type: str, team: tuple[str, ...]) -> None:
    assert compose(RICH, plan="pro", team_type=type).roles == team


@pytest.mark.parametrize(("plan", "cap"), [("pro", 3), ("max5", 5), ("max20", 8), ("console", 10)])
@pytest.mark.parametrize("type", TYPES)
def test_sizes_are_bounded_and_trimming_follows_the_order(plan: str, cap: int, type: ProjectType) -> None:
    team = compose(RICH, plan=plan, team_type=type)
    assert len(team.chosen) <= cap
    order = CATALOGUE.plans.order[type]
    crowded = [choice.role for choice in team.dropped if choice.reason.startswith("no room")]
    for role in crowded:
        later = [key for key in team.roles if order.index(key) > order.index(role.key)]
        brings = [need for need in role.needs if need not in team.roles]
        assert brings or all(key in roles_needed_by(team) for key in later), (role.key, team.roles)


def roles_needed_by(team: TeamProposal) -> set[str]:
    return {need for choice in team.chosen for need in choice.role.needs}


def test_data_pipelines_bring_what_their_database_role_needs() -> None:
    team = compose(detect_names(["etl/a.py", "data/a.csv"]), plan="max5")
    assert team.roles == ("orchestrator", "developer", "devops", "sysadmin", "databaseops")
    assert reasons(team)["sysadmin"] == "databaseops builds on its work"


def test_a_role_whose_needs_do_not_fit_says_so() -> None:
    team = compose(detect_names(["etl/a.py", "data/a.csv"]), plan="pro")
    assert reasons(team)["databaseops"].endswith("it would have to come with sysadmin")


def test_what_the_plan_has_no_room_for_names_the_cap_and_who_goes_first() -> None:
    reason = reasons(compose(PYTHON, plan="pro"))["project_manager"]
    assert reason.startswith("no room: the plan pro carries 3 agents, and in a code project ")
    assert reason.endswith("it comes after orchestrator, developer and tester")


def test_every_reason_has_its_kind() -> None:
    docker = detect_names(["pyproject.toml", "Dockerfile"])
    assert kinds(compose(docker, plan="max5", added=["logtracker"], removed=["tester"])) == {
        "orchestrator": "always",
        "project_manager": "always",
        "developer": "required",
        "tester": "removed",
        "testrunner": "required",
        "logtracker": "added",
        "devops": "no-room",
        "researcher": "unneeded",
        "documentation_writer": "unneeded",
    }
    assert kinds(compose(docker, plan="max20"))["devops"] == "evidence"
    assert kinds(compose(detect_names(["etl/a.py", "data/a.csv"]), plan="max5"))["sysadmin"] == "dependency"
    assert kinds(compose(docker, plan="max5", roles=["orchestrator"])) == {
        "orchestrator": "named",
        **dict.fromkeys(("project_manager", "developer", "tester", "testrunner", "devops"), "not-named"),
    }


def test_optional_roles_come_with_evidence_or_stay_away_with_a_reason() -> None:
    with_docker = reasons(compose(detect_names(["pyproject.toml", "Dockerfile"]), plan="max20"))
    assert with_docker["devops"] == "it builds containers: Dockerfile"
    assert reasons(compose(PYTHON, plan="max20"))["devops"] == "no container or Kubernetes files"
    assert "devops" not in compose(PYTHON, plan="max20").roles


def test_a_large_code_base_gets_a_researcher() -> None:
    large = detect_names(["pyproject.toml", *(f"src/m{n}.py" for n in range(250))])
    assert reasons(compose(large, plan="max20"))["researcher"] == "a large code base: 250 source files"
    assert "researcher" not in compose(PYTHON, plan="max20").roles


def test_evidence_of_optional_roles_is_found_for_a_chosen_type_too() -> None:
    team = compose(RICH, plan="max20", team_type="system")
    assert {"networkops", "monitoringops", "databaseops"} <= set(team.roles)
    assert "nginx.conf" in reasons(team)["networkops"]


# --- what the person takes in and out ------------------------------------------------------------------------------


def test_an_added_role_has_its_window_where_the_catalogue_has_it_and_pushes_nobody_out() -> None:
    team = compose(PYTHON, plan="max5", added=["docs", "logtracker"])
    assert team.roles == (*DEFAULT, "logtracker", "documentation_writer")
    assert reasons(team)["documentation_writer"] == "you added it"
    assert team.warnings == ("7 agents are more than the plan max5 carries (5): its usage limit will come sooner",)


def test_what_is_added_to_named_roles_comes_behind_them() -> None:
    team = compose(PYTHON, plan="max5", roles=["tester,developer"], added=["devops", "pm", "orchestrator"])
    assert team.roles == ("orchestrator", "tester", "developer", "project_manager", "devops")


def test_named_roles_can_be_taken_out_again() -> None:
    team = compose(PYTHON, plan="max5", roles=["orchestrator,developer,devops"], removed=["devops"])
    assert team.roles == ("orchestrator", "developer")
    assert reasons(team)["devops"] == "you took it out"


def test_adding_what_is_there_and_removing_what_is_not_changes_nothing() -> None:
    assert compose(PYTHON, plan="max5", added=["tester"], removed=["devops"]) == compose(PYTHON, plan="max5")


def test_an_added_role_without_what_it_needs_is_warned_of() -> None:
    team = compose(PYTHON, plan="max20", added=["securityops"])
    assert team.warnings == ("securityops builds on the work of sysadmin, which is not in the team",)
    assert compose(PYTHON, plan="max20", added=["securityops", "sysadmin"]).warnings == ()


def test_a_removed_role_that_another_needs_is_warned_of() -> None:
    team = compose(PYTHON, plan="max5", removed=["tester"])
    assert team.warnings == ("testrunner builds on the work of tester, which is not in the team",)
    assert compose(PYTHON, plan="max5", removed=["tester", "testrunner"]).warnings == ()


def test_a_role_that_came_for_one_which_is_out_now_says_so() -> None:
    team = compose(detect_names(["etl/a.py", "data/a.csv"]), plan="max5", removed=["databaseops"])
    assert team.roles == ("orchestrator", "developer", "devops", "sysadmin")
    assert reasons(team)["sysadmin"] == "databaseops builds on its work, but is not in the team any more"
    assert team.warnings == ("sysadmin came for the sake of databaseops alone",)


def test_a_role_without_room_says_when_there_is_room_now() -> None:
    docker = detect_names(["pyproject.toml", "Dockerfile"])
    assert not reasons(compose(docker, plan="max5"))["devops"].endswith("room now")
    team = compose(docker, plan="max5", removed=["testrunner"])
    assert "devops" not in team.roles
    assert reasons(team)["devops"].endswith("; there is room now")


def test_the_last_role_cannot_be_taken_out() -> None:
    with pytest.raises(UsageError) as caught:
        compose(PYTHON, plan="max5", roles=["developer"], removed=["developer"])
    assert caught.value.code == "no-roles"


def test_unknown_roles_cannot_be_taken_in_or_out() -> None:
    with pytest.raises(UsageError, match="there is no role 'testr'"):
        compose(PYTHON, plan="max5", added=["testr"])
    with pytest.raises(UsageError, match="there is no role 'testr'"):
        compose(PYTHON, plan="max5", removed=["testr"])


def test_a_change_that_was_advised_has_the_advice_for_its_reason() -> None:
    advice = [
        Suggestion(action=Action.ADD, role="devops", why="it speaks of Docker", source=AnalysisSource.CLAUDE),
        Suggestion(action=Action.REMOVE, role="testrunner", why="it is small", source=AnalysisSource.CLAUDE),
    ]
    assert compose(PYTHON, plan="max5", suggestions=advice) == compose(PYTHON, plan="max5")
    team = compose(PYTHON, plan="max5", added=["devops"], removed=["testrunner", "tester"], suggestions=advice)
    assert (reasons(team)["devops"], kinds(team)["devops"]) == ("it speaks of Docker", "suggested")
    assert (reasons(team)["testrunner"], kinds(team)["testrunner"]) == ("it is small", "removed")
    assert reasons(team)["tester"] == "you took it out"


# --- a catalogue of one's own ----------------------------------------------------------------------------------------


def own_catalogue() -> Catalogue:
    """A catalogue with two roles and a type that no order of places names."""
    painter = msgspec.structs.replace(CATALOGUE.roles["developer"], key="painter")
    poet = msgspec.structs.replace(painter, key="poet", needs=("painter",))
    code = CATALOGUE.templates.types[CODE_PROJECT]
    types = {
        CODE_PROJECT: msgspec.structs.replace(code, required={"poet": "it rhymes", **code.required}),
        ProjectType("art"): msgspec.structs.replace(code, required={"poet": "it rhymes"}, optional={}),
    }
    return msgspec.structs.replace(
        CATALOGUE,
        roles={"poet": poet, **CATALOGUE.roles, "painter": painter},
        templates=msgspec.structs.replace(CATALOGUE.templates, types=types),
    )


def test_roles_that_no_order_names_go_last() -> None:
    assert compose(PYTHON, plan="max5", catalogue=own_catalogue()).roles == ("orchestrator", *DEFAULT[1:])
    team = compose(PYTHON, plan="max20", catalogue=own_catalogue())
    assert team.roles == ("orchestrator", "poet", *DEFAULT[1:], "painter")


def test_a_type_without_an_order_takes_its_roles_as_they_stand() -> None:
    team = compose(PYTHON, plan="pro", team_type="art", catalogue=own_catalogue())
    assert team.roles == ("orchestrator", "project_manager")
    assert reasons(team)["poet"].endswith("it would have to come with painter")


some_roles = st.lists(st.sampled_from(sorted(CATALOGUE.roles)), max_size=12)
some_names = st.sets(
    st.sampled_from(
        ["pyproject.toml", "Dockerfile", "docs/a.md", "nginx.conf", "main.tf", "etl/a.py", "a.sql", "prometheus.yml"]
    )
)


@settings(deadline=None)
@given(some_roles, st.sampled_from(Plan), st.sampled_from(("", *TYPES)), some_names, st.booleans())
def test_any_wish_gives_a_sound_team_or_is_refused(
    named: list[str], plan: Plan, type: str, names: set[str], over_cap: bool
) -> None:
    detection = detect_names(names)
    try:
        team = compose(detection, plan=plan, roles=named, team_type=type, over_cap=over_cap)
    except RefusedError:
        assert not over_cap
        assert len(set(named)) > CATALOGUE.plans.caps[plan]
        return
    check(team, detection, named, over_cap)


def check(team: TeamProposal, detection: Detection, named: list[str], over_cap: bool) -> None:
    keys = team.roles
    assert keys
    assert len(set(keys)) == len(keys)
    assert len(keys) <= team.cap or over_cap
    assert len(keys) <= team.cap or any("more than the plan" in warning for warning in team.warnings)
    assert "orchestrator" not in keys or keys[0] == "orchestrator"
    assert set(keys) == set(named) if named else keys[0] == "orchestrator"
    assert not set(keys) & {choice.role.key for choice in team.dropped}
    assert all(choice.reason for choice in (*team.chosen, *team.dropped))
    assert team.detection is detection
    for choice in team.chosen:
        for need in choice.role.needs:
            assert need in keys or any(need in warning for warning in team.warnings)


@settings(deadline=None)
@given(st.sampled_from(Plan), st.sampled_from(TYPES), some_names)
def test_every_role_a_type_requires_is_chosen_or_dropped(plan: Plan, type: ProjectType, names: set[str]) -> None:
    team = compose(detect_names(names), plan=plan, team_type=type)
    template = CATALOGUE.templates.types[type]
    assert {*CATALOGUE.templates.always, *template.required, *template.optional} <= set(reasons(team))
