"""Advice on a team: what can be taken, and what the words of a spec give rise to."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.models.analysis import Action, AnalysisSource, Suggestion
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Plan, TeamProposal
from orchestrator_core.team.catalogue import DATA, builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names
from orchestrator_core.team.spec import EXAMPLE, parse_spec
from orchestrator_core.team.suggest import heuristic, judged, validated

CATALOGUE = builtin()
PYTHON = detect_names(["pyproject.toml", "src/app.py"])
README = """\
PROJECT: Shop
GOAL: Add user authentication
CONSTRAINTS:
- use the existing database schema
DELIVERABLES:
1. login and logout endpoints
2. session handling
SUCCESS CRITERIA:
- all tests pass
"""


def team_of(
    plan: str = "max20", roles: str = "", added: Sequence[str] = (), removed: Sequence[str] = ()
) -> TeamProposal:
    named = [roles] if roles else []
    return compose(PYTHON, plan=plan, roles=named, over_cap=bool(roles), added=added, removed=removed)


def advice(words: str, why: str = "because") -> Suggestion:
    """Make a suggestion of `+role` or `-role`."""
    action = Action.ADD if words[0] == "+" else Action.REMOVE
    return Suggestion(action=action, role=words[1:], why=why, source=AnalysisSource.CLAUDE)


def lines(found: tuple[Suggestion, ...]) -> list[str]:
    return [("+" if each.action is Action.ADD else "-") + each.role for each in found]


# --- what can be taken -----------------------------------------------------------------------------------------------


def test_advice_of_every_kind_at_once() -> None:
    given = [advice("+securityops"), advice("-developer"), advice("+wizard"), advice("-orchestrator")]
    add, remove, unknown, hub = validated(given, team_of("max5"), CATALOGUE)
    assert add.refused == ""
    assert "builds on the work of sysadmin, which is not in the team" in add.warning
    assert "6 agents are more than the plan max5 carries (5)" in add.warning
    assert (remove.refused, remove.warning) == ("", "a code project needs someone to write the code")
    assert unknown.refused.startswith("there is no role 'wizard'; the roles are orchestrator, project_manager")
    assert "keeps its orchestrator" in hub.refused


def test_roles_are_known_by_their_other_names_and_each_is_there_once() -> None:
    given = [advice("+Docs", "a guide"), advice("+documentation writer", "a guide"), advice("+docs", "an API")]
    (found,) = validated(given, team_of(), CATALOGUE)
    assert (found.role, found.why) == ("documentation_writer", "a guide; an API")


def test_advice_that_changes_nothing_is_left_out() -> None:
    given = [advice("+tester"), advice("-devops"), advice("+ "), advice("-testrunner")]
    assert lines(validated(given, team_of(), CATALOGUE)) == ["-testrunner"]


def test_contradicting_advice_comes_to_what_changes_something() -> None:
    assert lines(validated([advice("+devops"), advice("-devops")], team_of(), CATALOGUE)) == ["+devops"]


def test_a_misspelt_role_is_refused_with_near_ones() -> None:
    (found,) = validated([advice("+securtyops")], team_of(), CATALOGUE)
    assert found.refused == "there is no role 'securtyops'; near ones are securityops"


def test_a_role_that_others_need_stays_unless_they_go_too() -> None:
    (alone,) = validated([advice("-tester")], team_of(), CATALOGUE)
    assert alone.refused == "testrunner builds on its work"
    both = validated([advice("-tester"), advice("-testrunner")], team_of(), CATALOGUE)
    assert [each.refused for each in both] == ["", ""]
    assert both[0].warning.startswith("testrunner builds on its work")


def test_the_only_role_is_not_removed() -> None:
    (found,) = validated([advice("-developer")], team_of(roles="developer"), CATALOGUE)
    assert found.refused == "nobody would be left in the team"


def test_what_holds_of_advice_follows_the_team() -> None:
    given = validated([advice("+securityops"), advice("-tester")], team_of("max5"), CATALOGUE)
    later = team_of("max5", removed=["testrunner", "project_manager"], added=["sysadmin"])
    assert [(each.refused, each.warning) for each in judged(given, later, CATALOGUE)] == [
        ("", ""),
        ("", "a code project needs someone to find out whether the code does what the spec says"),
    ]


def test_advice_that_was_taken_is_kept_without_complaint() -> None:
    given = validated([advice("+securityops"), advice("-testrunner")], team_of("max5"), CATALOGUE)
    taken = judged(given, team_of("max5", added=["securityops"], removed=["testrunner"]), CATALOGUE)
    assert lines(taken) == ["+securityops", "-testrunner"]
    assert all(not each.refused and not each.warning for each in taken)


def test_what_was_said_is_one_plain_line() -> None:
    (found,) = validated([advice("+devops", "it says\n\x1b[31mDocker\t\u202ehere")], team_of(), CATALOGUE)
    assert found.why == "it says [31mDocker here"
    (silent,) = validated([advice("+devops", " ")], team_of(), CATALOGUE)
    assert silent.why == "no reason was given"


some_advice = st.builds(
    Suggestion,
    action=st.sampled_from(Action),
    role=st.sampled_from([*CATALOGUE.roles, *CATALOGUE.aliases, "wizard", "Code-Reviewer"]) | st.text(max_size=12),
    why=st.text(max_size=20),
    source=st.sampled_from(AnalysisSource),
)


@given(st.lists(some_advice, max_size=12), st.sampled_from(Plan), st.sets(st.sampled_from(list(CATALOGUE.roles))))
def test_any_advice_becomes_sound(given: list[Suggestion], plan: Plan, named: set[str]) -> None:
    team = team_of(plan, ",".join(sorted(named)))
    found = validated(given, team, CATALOGUE)
    keys = [(each.action, each.role) for each in found]
    assert len(set(keys)) == len(keys)
    assert validated(found, team, CATALOGUE) == found
    for each in found:
        assert each.why
        if each.role not in CATALOGUE.roles:
            assert each.refused
        elif each.action is Action.ADD:
            assert each.role not in team.roles
            assert each.warning or len(team.chosen) < team.cap
        else:
            assert each.role in team.roles
            assert each.refused or each.role != "orchestrator"


# --- what the words of a spec give rise to ---------------------------------------------------------------------------


def advised(text: str, team: TeamProposal | None = None) -> dict[str, str]:
    found = heuristic(parse_spec(dedent(text)), team or team_of("console"), CATALOGUE)
    return {line: each.why for line, each in zip(lines(found), found, strict=True)}


def test_the_spec_of_the_readme_gets_no_nonsense() -> None:
    assert advised(README) == {"+securityops": "the spec speaks of authentication (line 2)"}
    assert advised(EXAMPLE) == {}


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("Images for Docker", "devops"),
        ("Runs on kubernetes", "devops"),
        ("A CI/CD pipeline", "devops"),
        ("Docker-based builds", "devops"),
        ("Monitoring of the queue", "monitoringops"),
        ("Alerting by mail", "monitoringops"),
        ("A database for orders", "databaseops"),
        ("Move the data to PostgreSQL", "databaseops"),
        ("Migrations for the orders", "databaseops"),
        ("Two load balancers", "networkops"),
        ("A load-balancer", "networkops"),
        ("DNS records", "networkops"),
        ("Better security", "securityops"),
        ("TLS everywhere", "securityops"),
        ("GDPR compliance", "securityops"),
        ("A user guide", "documentation_writer"),
        ("Documentation of the API", "documentation_writer"),
        ("Ansible roles for the hosts", "sysadmin"),
        ("A benchmark of the search", "testrunner"),
    ],
)
def test_a_deliverable_speaks_for_a_role(said: str, role: str) -> None:
    team = team_of("console", "orchestrator,developer,tester")
    assert list(advised(f"GOAL: A shop\nDELIVERABLES:\n- {said}\n", team)) == [f"+{role}"]


@pytest.mark.parametrize(
    "said",
    [
        "no Docker",
        "without Docker, Podman or Kubernetes",
        "no Docker, Kubernetes",
        "don't use Docker",
        "Never deploy, test or build with Docker",
        "Podman instead of Docker",
        "Docker is out of scope",
        "TLS is not needed",
        "Use the existing database schema",
        "Keep the database schema as it is",
        "non-Docker builds",
        "Docker: no",
        "Authentication: none",
        "Not in this release: Docker",
        "Talk to the existing Kubernetes cluster",
        "undockered, dockering and thedocker",
        "see https://docs.docker.com/docker and src/docker/tls.py",
        "read docker.md",
        "a metrics page, a container component and a schema of the form",
    ],
)
def test_what_is_not_wanted_speaks_for_nobody(said: str) -> None:
    assert advised(f"GOAL: A shop\nDELIVERABLES:\n- {said}\n") == {}


@pytest.mark.parametrize(
    "said",
    [
        "No new packages, but build with Docker",
        "No new packages. Build with Docker",
        "Not only a script: build with Docker",
        "not only Podman or Docker",
        "Packages: no new ones; Docker",
        "Move the existing shop to Docker, but keep the till",
        "Podman is not enough, however Docker will do",
        "No new packages, and all of it is built with Docker",
    ],
)
def test_a_denial_ends_with_what_it_denies(said: str) -> None:
    assert list(advised(f"GOAL: A shop\nDELIVERABLES:\n- {said}\n")) == ["+devops"]


def test_a_denial_reaches_over_the_end_of_a_line_but_not_into_the_next_item() -> None:
    assert advised("# Goal\nA shop, built without\nDocker\n") == {}
    assert list(advised("# Goal\nA shop\n# Constraints\n- no new packages\n- Docker\n")) == ["+devops"]


@pytest.mark.parametrize("heading", ["## Out of scope", "NON-GOALS:", "**Future**:", "Ideas for later\n-------"])
def test_what_is_below_such_a_heading_is_not_wanted(heading: str) -> None:
    text = f"# Goal\nA shop\n\n{heading}\n- Kubernetes\n- TLS\n"
    assert advised(text) == {}
    assert list(advised(f"{text}\n# Deliverables\n- Terraform\n")) == ["+devops"]


def test_a_heading_ends_only_what_is_below_one_as_high() -> None:
    assert advised("# Goal\nA shop\n## Out of scope\n### Servers\n- TLS\nNote: Docker\n") == {}
    assert list(advised("# Goal\nA shop\n## Out of scope\n- TLS\n## Constraints\n- Docker\n")) == ["+devops"]


def test_a_rule_below_an_item_makes_no_heading_of_it() -> None:
    assert list(advised("# Goal\nA shop\n# Constraints\n- Docker, now or later\n---\n- Helm charts\n")) == ["+devops"]


@pytest.mark.parametrize("part", ["a", "a-", "a/", "a.", "no a, ", "a:", "~/", "no\n", "**a", "database "])
def test_a_long_spec_is_read_in_a_moment(part: str) -> None:
    assert set(advised(f"GOAL: A shop\n\n{part * 30_000}\n")) <= {"+databaseops"}


def test_a_weak_word_in_passing_is_not_enough_but_two_are() -> None:
    assert advised("GOAL: A shop\nCONSTRAINTS:\n- mind the security of it\n") == {}
    two = advised("GOAL: A shop\nCONSTRAINTS:\n- mind the security of it\n- HTTPS\n")
    assert two == {"+securityops": "the spec speaks of security (line 3) and HTTPS (line 4)"}


def test_a_word_counts_once_and_is_cited_where_it_counts_most() -> None:
    assert advised("GOAL: A shop\nCONSTRAINTS:\n- security\n- security\n- security\n") == {}
    text = "Notes on security\n\nGOAL: A shop\nDELIVERABLES:\n1. [ ] security of the till\n"
    assert advised(text) == {"+securityops": "the spec speaks of security (line 5)"}


def test_front_matter_and_the_project_s_name_are_no_wishes() -> None:
    text = "---\nroles: [devops]\nnote: Docker\n---\nPROJECT: Docker Registry\nGOAL: A shop\n"
    assert advised(text) == {}
    assert list(advised(f"{text}DELIVERABLES:\n- Docker images\n")) == ["+devops"]


def test_lines_are_those_of_the_file_however_they_end() -> None:
    text = "\ufeff---\r\nplan: pro\r\n---\r\nGOAL: A shop\r\n\r\nDELIVERABLES:\r\n- Kubernetes\r\n"
    assert advised(text) == {"+devops": "the spec speaks of Kubernetes (line 7)"}


def test_a_spec_without_its_file_is_read_too() -> None:
    spec = Spec(goal="A shop", deliverables=("Images for Docker",))
    (found,) = heuristic(spec, team_of(), CATALOGUE)
    assert (found.role, found.why) == ("devops", "the spec speaks of Docker")


MUCH = """\
GOAL: A shop
DELIVERABLES:
- A user guide
- DNS
- Docker images for Kubernetes by Terraform
- PostgreSQL with replication
- Prometheus, Grafana
- TLS
"""


def test_there_is_little_advice_and_the_best_founded_comes_first() -> None:
    assert list(advised(MUCH)) == ["+devops", "+databaseops", "+monitoringops"]


def test_a_full_team_gets_less_and_is_warned() -> None:
    found = heuristic(parse_spec(MUCH), team_of("max5"), CATALOGUE)
    assert lines(found) == ["+devops", "+databaseops"]
    assert all("more than the plan max5 carries" in each.warning for each in found)


def test_a_large_team_is_advised_to_let_some_go_and_never_to_grow() -> None:
    eight = "orchestrator,pm,developer,tester,testrunner,devops,sysadmin,securityops"
    assert advised(MUCH, team_of("console", eight)) == {}
    ten = f"{eight},researcher,code_reviewer"
    assert list(advised(MUCH, team_of("console", ten))) == ["-code_reviewer", "-researcher"]
    nine = f"{eight},docs"
    assert list(advised("GOAL: A shop", team_of("console", nine))) == ["-documentation_writer"]
    assert list(advised(MUCH, team_of("console", f"{nine},researcher"))) == ["-researcher"]


def test_the_words_of_the_data_are_words_of_known_roles() -> None:
    rules = tomllib.loads((DATA / "suggestions.toml").read_text(encoding="utf-8"))
    assert {each["role"] for each in rules["advice"]} | set(rules["spare"]) <= set(CATALOGUE.roles)
    for each in rules["advice"]:
        words = [word.casefold() for word in (*each["strong"], *each["weak"])]
        assert len(set(words)) == len(words), each["role"]


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    spec = parse_spec("GOAL: A shop\n" + text)
    for each in heuristic(spec, team_of(), CATALOGUE):
        assert each.role in CATALOGUE.roles
