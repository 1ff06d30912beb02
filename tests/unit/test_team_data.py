"""The data files agree with each other and with what is documented."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations

import pytest

from orchestrator_core.errors import UsageError
from orchestrator_core.models.team import Plan
from orchestrator_core.team.catalogue import DATA, Indicator, builtin, plan_named

CATALOGUE = builtin()
ALL_ROLES = (
    "orchestrator",
    "project_manager",
    "developer",
    "tester",
    "testrunner",
    "logtracker",
    "devops",
    "code_reviewer",
    "researcher",
    "documentation_writer",
    "sysadmin",
    "securityops",
    "networkops",
    "monitoringops",
    "databaseops",
)
CHECK_INS = (20, 25, 30, 30, 30, 15, 45, 40, 25, 60, 30, 30, 30, 20, 30)


def test_the_catalogue_has_every_role_with_its_interval() -> None:
    roles = CATALOGUE.roles
    assert tuple(roles) == ALL_ROLES
    assert tuple(role.check_in_min for role in roles.values()) == CHECK_INS
    assert all(role.responsibilities and role.first_steps and role.owns for role in roles.values())


def test_roles_need_what_is_documented() -> None:
    needs = {key: role.needs for key, role in CATALOGUE.roles.items() if role.needs}
    operations = dict.fromkeys(("securityops", "networkops", "monitoringops", "databaseops"), ("sysadmin",))
    assert needs == {"testrunner": ("tester",)} | operations


def test_a_role_text_names_no_other_role() -> None:
    roles = CATALOGUE.roles
    for key, role in roles.items():
        text = " ".join((role.summary, *role.responsibilities, *role.first_steps))
        for other in roles.values():
            words = rf"\b({other.key}|{other.title})s?\b"
            assert other.key == key or not re.search(words, text, re.IGNORECASE), (key, other.key)


def test_every_table_speaks_of_known_roles_only() -> None:
    templates, routes = CATALOGUE.templates, CATALOGUE.routes
    spoken_of = {*templates.always, routes.hub, routes.gate, *CATALOGUE.collaboration}
    for template in templates.types.values():
        spoken_of |= {*template.required, *template.optional}
    spoken_of |= {role for lines in CATALOGUE.collaboration.values() for role in lines}
    spoken_of |= {role for pairs in routes.lateral.values() for pair in pairs for role in pair}
    assert spoken_of <= set(ALL_ROLES)


def test_every_type_has_a_template_an_order_and_routes() -> None:
    types = set(CATALOGUE.templates.types)
    assert types == set(CATALOGUE.plans.order) == set(CATALOGUE.routes.types)
    assert types == {"code_project", "system_deployment", "data_pipeline", "infrastructure_as_code"}
    for order in CATALOGUE.plans.order.values():
        assert sorted(order) == sorted(ALL_ROLES)
        assert order[0] == "orchestrator"


def test_plans_carry_what_is_documented() -> None:
    assert CATALOGUE.plans.caps == {Plan.PRO: 3, Plan.MAX5: 5, Plan.MAX20: 8, Plan.CONSOLE: 10}


def test_optional_roles_look_for_signs_that_exist() -> None:
    templates = CATALOGUE.templates
    for template in templates.types.values():
        for rule in template.optional.values():
            assert set(rule.signs) <= set(templates.signs)
            assert rule.signs or rule.min_source_files


def test_an_unknown_key_in_a_data_file_is_an_error() -> None:
    import msgspec

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "x", "weight": 1, "names": [], "wieght": 2}, Indicator)


def test_data_files_define_no_indicator_twice() -> None:
    for template in CATALOGUE.templates.types.values():
        for one, other in combinations(template.indicators, 2):
            assert one.kind != other.kind
            assert not set(one.names) & set(other.names)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("developer", "developer"),
        ("Developer", "developer"),
        ("pm", "project_manager"),
        ("PM", "project_manager"),
        ("project manager", "project_manager"),
        ("Project-Manager", "project_manager"),
        ("test runner", "testrunner"),
        ("TestRunner", "testrunner"),
        ("test_runner", "testrunner"),
        ("sys-admin", "sysadmin"),
        ("dba", "databaseops"),
        ("docs", "documentation_writer"),
    ],
)
def test_people_may_call_roles_as_they_do(name: str, key: str) -> None:
    assert CATALOGUE.role_named(name).key == key


def test_aliases_lead_to_roles_and_hide_none() -> None:
    content = tomllib.loads((DATA / "roles.toml").read_text(encoding="utf-8"))
    assert set(content["aliases"].values()) <= set(ALL_ROLES)
    assert not set(content["aliases"]) & {key.replace("_", "") for key in ALL_ROLES}


def test_a_misspelt_role_is_told_apart_with_the_nearest_and_all_valid_ones() -> None:
    with pytest.raises(UsageError) as caught:
        CATALOGUE.role_named("develloper")
    assert "develloper" in caught.value.title
    assert "'developer'" in caught.value.remedy
    assert all(role in caught.value.cause for role in ALL_ROLES)


@pytest.mark.parametrize(("name", "plan"), [("max5", Plan.MAX5), ("Max-20", Plan.MAX20), ("PRO", Plan.PRO)])
def test_plans_are_found_by_name(name: str, plan: Plan) -> None:
    assert plan_named(name) is plan


@pytest.mark.parametrize("name", ["system_deployment", "System Deployment", "system"])
def test_types_are_found_by_name(name: str) -> None:
    assert CATALOGUE.type_named(name) == "system_deployment"


def test_unknown_plans_and_types_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="max500"):
        plan_named("max500")
    with pytest.raises(UsageError) as caught:
        CATALOGUE.type_named("web_application")
    assert "infrastructure_as_code" in caught.value.cause
