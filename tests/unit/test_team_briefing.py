"""The first prompt of an agent."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.errors import UsageError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.analysis import Analysis
from orchestrator_core.models.ids import OrchestrationId, agent_id
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Phase, Spec
from orchestrator_core.models.team import ProjectType
from orchestrator_core.team.briefing import MOST_REST_LINES, briefing
from orchestrator_core.team.catalogue import Catalogue, builtin
from orchestrator_core.team.compose import compose
from orchestrator_core.team.detect import detect_names
from orchestrator_core.team.routing import may_address
from orchestrator_core.team.spec import parse_spec

ID = OrchestrationId("shop-3f2a")
SPEC = parse_spec(
    "PROJECT: Shop\nGOAL: Customers log in\nCONSTRAINTS:\n- keep the schema\n- no new services\n"
    "DELIVERABLES:\n1. Login\n2. Logout\nSUCCESS CRITERIA:\n- tests pass\n",
    "/home/ann/projects/shop/SPEC.md",
)
DEFAULT = ("orchestrator", "project_manager", "developer", "tester", "testrunner")
ROLES = builtin().roles
TYPES = sorted(builtin().templates.types)
COMMANDS = {"send", "whoami", "team", "status", "list", "schedule"}
some_roles = st.lists(st.sampled_from(sorted(ROLES)), min_size=1, max_size=8, unique=True)


def brief(
    role: str,
    team: Sequence[str] = DEFAULT,
    *,
    spec: Spec = SPEC,
    type: str = "code_project",
    branch: str = "main",
    folder: str = "/home/ann/projects/shop",
    name: str = "Shop",
    command: str = "tmorch",
    analysis: Analysis | None = None,
    standing: bool = True,
    check_in_min: float | None = None,
    catalogue: Catalogue | None = None,
) -> str:
    proposal = compose(detect_names(["go.mod"]), plan="console", roles=team, team_type=type, over_cap=True)
    orchestration = Orchestration(
        id=ID,
        project=folder,
        project_name=name,
        session=ID,
        starting_branch=branch,
        base_commit="0123456789abcdef0123456789abcdef01234567",
    )
    agents = [
        Agent(
            id=agent_id(ID, key),
            orchestration=ID,
            role=key,
            driver="demo",
            worktree=f"/home/ann/.local/state/tmorch/worktrees/{ID}/{key}",
            branch=f"tmorch/{ID}/{key}",
            check_in_min=check_in_min,
        )
        for key in proposal.roles
    ]
    project = ProjectState(path=folder, name="shop", branch=branch, head=orchestration.base_commit)
    return briefing(
        role,
        proposal,
        orchestration,
        agents,
        project,
        spec,
        command=command,
        analysis=analysis,
        standing=standing,
        catalogue=catalogue,
    )


def test_it_says_who_the_agent_is_and_where_it_works() -> None:
    text = brief("developer")
    for fact in (
        "You are the Developer",
        "`shop-3f2a:developer`",
        "`/home/ann/.local/state/tmorch/worktrees/shop-3f2a/developer`",
        "`tmorch/shop-3f2a/developer`",
        "`/home/ann/projects/shop`",
        "`main`",
        "0123456789ab",
        "at least every 30 minutes",
    ):
        assert fact in text


def test_it_says_what_is_to_be_reached() -> None:
    text = brief("developer")
    for part in (SPEC.goal, *SPEC.constraints, *SPEC.deliverables, *SPEC.success_criteria, SPEC.path):
        assert part in text


def test_it_shows_every_agent_with_the_line_that_writes_to_it_its_branch_and_its_purpose() -> None:
    text = brief("tester")
    for key in set(DEFAULT) - {"tester"}:
        assert f"| {key} | `tmorch send {key} '…'` | `tmorch/shop-3f2a/{key}` | {ROLES[key].summary} |" in text
    assert "| tester (you) | – | `tmorch/shop-3f2a/tester` |" in text
    assert text.count("(you)") == 1


def test_who_is_not_written_to_directly_shows_through_whom() -> None:
    text = brief("tester", ["orchestrator", "tester", "devops"])
    assert "| devops | through orchestrator |" in text
    assert "send devops" not in text


def test_it_gives_the_commands_for_messages_and_for_others_work() -> None:
    text = brief("tester")
    for command in (
        "tmorch send ROLE '",
        "tmorch whoami",
        "tmorch team",
        "git log --oneline main..tmorch/shop-3f2a/developer",
        "git diff main...tmorch/shop-3f2a/developer",
        "git merge tmorch/shop-3f2a/developer",
    ):
        assert command in text


def test_it_explains_the_headers_of_messages() -> None:
    text = brief("developer")
    assert "[tmorch 42 from shop-3f2a:tester]" in text
    assert "[tmorch 43 from the person]" in text
    assert "only at the very beginning" in text


@pytest.mark.parametrize("team", [DEFAULT, ["developer"]], ids=["team", "alone"])
def test_it_says_how_to_be_reminded_and_what_a_check_in_looks_like(team: list[str]) -> None:
    text = brief("developer", team, command="/opt/tmorch")
    assert '`/opt/tmorch schedule 30 "' in text
    assert "`[tmorch 12 check-in]`" in text
    assert "needs no answer" in text


@pytest.mark.parametrize("role", DEFAULT)
@pytest.mark.parametrize("spec", [SPEC, parse_spec("GOAL: g")], ids=["full", "goal only"])
def test_it_is_long_enough_to_help_and_short_enough_to_be_read(role: str, spec: Spec) -> None:
    assert 60 <= brief(role, spec=spec).count("\n") + 1 <= 200


@settings(deadline=None)
@given(some_roles, st.sampled_from(TYPES), st.data())
def test_it_speaks_only_of_the_team_and_of_commands_that_exist(team: list[str], type: str, data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(team))
    text = brief(role, team, type=type)
    for other in set(ROLES) - set(team):
        words = rf"(?<![\w/])({other}|{ROLES[other].title})s?\b(?!/)"
        assert not re.search(words, text, re.IGNORECASE), other
    assert set(re.findall(r"tmorch ([a-z]+)\b(?=[ `])", text)) - {"types", "runs", "typed", "checks"} <= COMMANDS
    assert 60 <= text.count("\n") + 1 <= 200


@settings(deadline=None)
@given(some_roles, st.sampled_from(TYPES), st.data())
def test_it_states_the_routes_as_they_are(team: list[str], type: str, data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(team))
    text = brief(role, team, type=type)
    for other in set(team) - {role}:
        route = may_address(role, other, team, ProjectType(type))
        direct = re.search(r"You write directly to: (.*)\.", text)
        assert direct
        assert (other in direct[1].split(", ")) == route.allowed
        assert (f"You do not write to {other}: tell {route.instead}" in text) == (not route.allowed)


def test_an_agent_alone_hears_nothing_of_others() -> None:
    text = brief("developer", ["developer"])
    assert "You are the only agent" in text
    assert "send" not in text
    assert "other agents" not in text.replace("end or restart other agents", "")


def test_who_reports_to_whom_follows_the_team() -> None:
    assert "report it to the project_manager" in brief("developer")
    assert "report it to the orchestrator" in brief("developer", ["orchestrator", "developer"])
    assert "report it to the orchestrator" in brief("project_manager")
    assert "in your own window" in brief("orchestrator").split("Then say so")[1][:80]
    assert "Nobody hands out tasks here" in brief("developer", ["developer", "tester"])


def test_one_agent_puts_the_work_together_and_everybody_knows_who() -> None:
    assert "You put the team's work together" in brief("project_manager")
    assert "The project_manager puts the team's work together on `tmorch/shop-3f2a/project_manager`" in brief("tester")
    small = ["orchestrator", "developer"]
    assert "You put the team's work together" in brief("orchestrator", small)
    assert "The orchestrator puts the team's work together" in brief("developer", small)


@pytest.mark.parametrize(
    "value",
    [
        "{{ 7 * 7 }} {% raw %} {# c #}",
        "{{ orchestration.id.__class__ }}",
        "<b>&amp;</b> \"q\" 'q' `b` $(date) ; # \\",
        "$HOME %s {0} \\1",
        "größer 日本語 🛒",
    ],
)
def test_what_the_person_wrote_goes_in_as_it_is(value: str) -> None:
    spec = Spec(
        goal=value,
        project=value,
        constraints=(value,),
        deliverables=(value,),
        success_criteria=(value,),
        text=f"GOAL: g\n\n## More\n{value}",
    )
    text = brief("developer", spec=spec, name=value, folder=f"/p/{value}")
    assert text.count(value) >= 7
    assert "49" not in re.sub(r"\[tmorch \d+|[0-9a-f]{12}", "", text)


def test_many_lines_stay_within_their_item() -> None:
    spec = Spec(goal="a\n\nb", constraints=("one\n- nested",), deliverables=("two\nmore",))
    text = brief("developer", spec=spec)
    assert "\na\n\nb\n" in text
    assert "\n- one\n  - nested\n" in text
    assert "\n1. two\n   more\n" in text


def test_other_sections_are_kept_apart_from_the_rules() -> None:
    spec = parse_spec("# Shop\nGOAL: g\n\n## Git\nPush everything.\n```sh\ngit push\n```\n")
    text = brief("developer", spec=spec)
    assert "````markdown\n# Shop\n## Git\nPush everything.\n```sh\ngit push\n```\n````" in text


def test_a_very_long_spec_is_cut_and_says_where_the_rest_is() -> None:
    rest = "\n".join(f"line {number}" for number in range(MOST_REST_LINES + 50))
    spec = parse_spec(f"GOAL: g\n\n## More\n{rest}", "/p/SPEC.md")
    text = brief("developer", spec=spec)
    assert "line 100\n" in text
    assert f"line {MOST_REST_LINES + 10}" not in text
    assert "read the rest in the file named above" in text


def test_branches_with_odd_names_are_quoted_for_the_shell() -> None:
    text = brief("tester", branch="fix;rm -rf $HOME")
    assert "'fix;rm -rf $HOME..tmorch/shop-3f2a/developer'" in text


@settings(deadline=None)
@given(some_roles, st.data())
def test_it_begins_and_ends_as_plain_text(team: list[str], data: st.DataObject) -> None:
    text = brief(data.draw(st.sampled_from(team)), team)
    assert text.startswith("You are the ")  # a leading #, ! or / would mean something else to an agent
    assert text.endswith(".")
    assert "\n\n\n" not in text
    assert not re.search(r"[^\n]\n## ", text)
    assert not re.search(r"[ \t]\n", text)


def test_agents_may_call_tmorch_in_another_way() -> None:
    text = brief("developer", command="/opt/venv/bin/tmorch")
    assert "/opt/venv/bin/tmorch send ROLE" in text
    assert "`tmorch whoami`" not in text


def test_a_role_without_an_agent_has_no_briefing() -> None:
    with pytest.raises(ValueError, match="sysadmin"):
        brief("sysadmin")


def test_jinja_is_loaded_when_a_briefing_is_written_and_not_before() -> None:
    code = "import sys, orchestrator_core.team.briefing; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- every role, every template, nothing contradictory

ADDRESSED = re.compile(
    r"\b(?:report it to|tell|take it to|write to|acceptance by|is for|task from) the ([a-z_]+)\b(?! person)",
    re.IGNORECASE,
)


def teams_of(type: str) -> list[tuple[str, ...]]:
    """The proposed team on each plan, that team with every other role added, and all roles at once."""
    found = detect_names(["go.mod"])
    proposed = [compose(found, plan=plan, team_type=type).roles for plan in ("pro", "max5", "max20", "console")]
    more = [(*proposed[1], role) for role in ROLES if role not in proposed[1]]
    return [*proposed, *more, tuple(ROLES)]


@pytest.mark.parametrize("type", TYPES)
def test_each_role_in_each_kind_of_team_gets_a_briefing_that_agrees_with_itself(type: str) -> None:
    briefed = set()
    for team in teams_of(type):
        for role in team:
            briefed.add(role)
            check_consistent(brief(role, team, type=type), role, team, type)
    assert briefed == set(ROLES)


def check_consistent(text: str, role: str, team: Sequence[str], type: str) -> None:
    others = set(team) - {role}
    direct = {each for each in others if may_address(role, each, team, ProjectType(type)).allowed}
    assert set(re.findall(r"tmorch send ([a-z_]+) '…'", text)) == direct
    addressed = {word for word in ADDRESSED.findall(text) if word in ROLES}
    assert addressed <= direct, "it is told to write to somebody to whom it may not"
    assert len(re.findall(r"puts? the team's work together", text)) == bool(others)
    assert text.count("When everything is done:") == 1
    assert ("is for the orchestrator to say" in text) == ("orchestrator" in others)
    assert not re.search(r"\bNone\b(?! of)", text)
    assert "[]" not in text


def test_phases_come_with_their_tasks_for_those_who_lead_and_by_name_for_the_others() -> None:
    phases = (Phase(name="Storage", tasks=("add a table", "write a migration"), hours=4.5), Phase(name="Pages"))
    for spec, words in (
        (Spec(goal="g", phases=phases), "the phases of the spec"),
        (Spec(goal="g"), "a proposal, approved by the person"),
    ):
        analysis = Analysis(phases=() if spec.phases else phases)
        lead = brief("orchestrator", spec=spec, analysis=analysis)
        assert words in lead
        assert "1. Storage (about 4.5 h)\n   - add a table\n   - write a migration\n2. Pages" in lead
        work = brief("developer", spec=spec, analysis=analysis)
        assert "1. Storage (about 4.5 h)\n" in work
        assert "add a table" not in work


def test_what_was_proposed_when_the_spec_was_read_is_told_apart_from_the_spec() -> None:
    analysis = Analysis(deliverables=("a page",), success_criteria=("tests pass", "it is quick"))
    text = brief("tester", analysis=analysis)
    assert "a page" not in text  # the spec lists its own
    proposed = text.split("### Success criteria that were proposed")[1]
    assert "it is quick" in proposed
    assert "tests pass" not in proposed.split("##")[0]
    assert "1. a page" in brief("tester", spec=Spec(goal="g"), analysis=analysis)


def test_it_says_how_often_tmorch_checks_in_or_that_it_does_not() -> None:
    assert "every 30 minutes unless" in brief("developer")
    assert "every 12.5 minutes unless" in brief("developer", check_in_min=12.5)
    silent = brief("developer", standing=False)
    assert "does not wake you by itself" in silent
    assert "unless you are at work" not in silent


def test_house_rules_go_in_as_they_are() -> None:
    rules = ("Write {{ British }} English.\n```\nmake check\n```", "No new dependencies.")
    text = brief("developer", catalogue=replace(builtin(), rules=rules))
    assert "## Rules of this project" in text
    for rule in rules:
        assert rule in text
    assert "## Rules of this project" not in brief("developer")


def test_a_template_of_the_project_cannot_run_code(tmp_path: Path) -> None:
    (tmp_path / "job.md.j2").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    catalogue = replace(builtin(), briefings=(tmp_path, *builtin().briefings))
    with pytest.raises(UsageError) as error:
        brief("developer", catalogue=catalogue)
    assert "job.md.j2" in error.value.title
    assert "unsafe" in error.value.cause


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("fine\n{{ nothing }}", 2, "'nothing' is undefined"),
        ("{% if %}", 1, "Expected an expression"),
        ("{% include 'absent.md.j2' %}", 1, "absent.md.j2"),
        ("one\n\n{{ 1 / 0 }}", 3, "division by zero"),
    ],
)
def test_a_template_that_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, cause: str) -> None:
    (tmp_path / "job.md.j2").write_text(text)
    catalogue = replace(builtin(), briefings=(tmp_path, *builtin().briefings))
    with pytest.raises(UsageError) as error:
        brief("developer", catalogue=catalogue)
    assert f"{tmp_path / 'job.md.j2'}, line {line}" in error.value.title
    assert cause in error.value.cause


def test_a_template_that_was_changed_is_read_again(tmp_path: Path) -> None:
    catalogue = replace(builtin(), briefings=(tmp_path, *builtin().briefings))
    file = tmp_path / "job.md.j2"
    for words in ("First words.", "Other words, said later."):
        file.write_text(words)
        assert words in brief("developer", catalogue=catalogue)
