"""Who may write to whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_core.models.team import ProjectType
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.routing import allowed_routes, hub_of, may_address

CODE = ProjectType("code_project")
DEFAULT = ("orchestrator", "project_manager", "developer", "tester", "testrunner")
OPERATIONS = (
    "orchestrator",
    "developer",
    "sysadmin",
    "devops",
    "securityops",
    "networkops",
    "monitoringops",
    "databaseops",
)
some_roles = st.sets(st.sampled_from(sorted(builtin().roles)), min_size=1)


@pytest.mark.parametrize("role", DEFAULT[1:])
def test_the_orchestrator_is_the_hub(role: str) -> None:
    assert may_address(role, "orchestrator", DEFAULT, CODE).allowed
    assert may_address("orchestrator", role, DEFAULT, CODE).allowed


@pytest.mark.parametrize("pair", [("developer", "tester"), ("developer", "testrunner"), ("tester", "testrunner")])
def test_lateral_routes_work_both_ways(pair: tuple[str, str]) -> None:
    assert may_address(*pair, DEFAULT, CODE).allowed
    assert may_address(pair[1], pair[0], DEFAULT, CODE).allowed


def test_the_project_manager_is_open_to_all() -> None:
    assert all(may_address(role, "project_manager", DEFAULT, CODE).allowed for role in ("developer", "tester"))


def test_others_talk_through_the_hub() -> None:
    team = (*DEFAULT, "researcher")
    route = may_address("researcher", "developer", team, CODE)
    assert (route.allowed, route.instead) == (False, "orchestrator")
    assert "through orchestrator" in route.why


def test_without_an_orchestrator_the_project_manager_is_the_hub() -> None:
    team = ("project_manager", "researcher", "developer")
    assert hub_of(team) == "project_manager"
    assert may_address("researcher", "developer", team, CODE).instead == "project_manager"


def test_without_either_all_write_to_each_other() -> None:
    assert hub_of(("developer", "researcher")) == ""
    assert may_address("developer", "researcher", ("developer", "researcher"), CODE).allowed


def test_nobody_writes_to_itself_or_to_who_is_not_there() -> None:
    assert not may_address("developer", "developer", DEFAULT, CODE).allowed
    missing = may_address("developer", "sysadmin", DEFAULT, CODE)
    assert (missing.allowed, missing.instead) == (False, "orchestrator")
    assert may_address("orchestrator", "sysadmin", DEFAULT, CODE).instead == ""


@pytest.mark.parametrize(
    ("sender", "target", "allowed"),
    [
        ("sysadmin", "securityops", True),
        ("devops", "developer", True),
        ("devops", "securityops", False),
        ("securityops", "networkops", True),
        ("databaseops", "networkops", False),
        ("monitoringops", "databaseops", True),
    ],
)
def test_operations_have_their_own_routes(sender: str, target: str, allowed: bool) -> None:
    assert may_address(sender, target, OPERATIONS, ProjectType("system_deployment")).allowed is allowed


@settings(deadline=None)
@given(some_roles, st.sampled_from(sorted(builtin().templates.types)))
def test_everybody_reaches_everybody_in_two_steps_and_routes_go_both_ways(team: set[str], type: ProjectType) -> None:
    for sender in team:
        for target in team - {sender}:
            route = may_address(sender, target, team, type)
            assert route.allowed == may_address(target, sender, team, type).allowed
            assert route.why
            assert route.allowed == (route.instead == "")
            assert route.allowed or may_address(sender, route.instead, team, type).allowed
            assert route.allowed or may_address(route.instead, target, team, type).allowed


def test_the_routes_of_a_team_are_its_rules_pair_by_pair() -> None:
    pairs = allowed_routes((*DEFAULT, "researcher"), CODE)
    assert ("researcher", "orchestrator") in pairs
    assert ("researcher", "developer") not in pairs
    assert ("developer", "developer") not in pairs
    assert allowed_routes(("developer",), CODE) == frozenset()


def test_roles_and_types_that_the_catalogue_does_not_know_talk_through_the_hub() -> None:
    team, type = ("orchestrator", "poet", "painter"), ProjectType("gallery")
    assert may_address("poet", "orchestrator", team, type).allowed
    assert may_address("poet", "painter", team, type).instead == "orchestrator"
