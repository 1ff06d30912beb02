"""`tmorch resume`: the plan is shown before anything is done, and nothing is done without a yes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode, RefusedError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.recovery import AgentStanding, Part, RecoveryPlan, Step, Verb
from tests.fakes.cli import FakeContext, FakeOrchestrator, make_agent, make_team
from tests.fakes.json_shape import faults
from tests.tui.plans import ORPHANS

ID = "shop-1a2b"


def step(verb: Verb, part: Part, reason: str, role: str = "developer") -> Step:
    return Step(verb=verb, part=part, reason=reason, agent=AgentId(f"{ID}:{role}" if role else ""))


KEPT = (
    step(Verb.KEEP, Part.SESSION, "the tmux session is there", role=""),
    step(Verb.KEEP, Part.PROGRAM, "its program runs"),
    step(Verb.KEEP, Part.BRANCH, f"tmorch/{ID}/developer"),
)
CONTINUE = step(Verb.CONTINUE, Part.PROGRAM, "its window is gone: it goes on in its own conversation", "tester")
STANDING = (
    AgentStanding(
        agent=AgentId(f"{ID}:developer"),
        is_alive=True,
        status=AgentStatus.WORKING,
        branch=f"tmorch/{ID}/developer",
        has_branch=True,
        ahead=2,
        behind=1,
        changed=3,
        window="@2",
    ),
    AgentStanding(
        agent=AgentId(f"{ID}:tester"),
        is_alive=False,
        status=AgentStatus.WORKING,
        limited_until=2_000_000_000.0,
        branch="t",
    ),
    AgentStanding(
        agent=AgentId(f"{ID}:reviewer"),
        is_alive=True,
        status=AgentStatus.IDLE,
        branch="r",
        has_branch=True,
        ahead=0,
        behind=0,
        window="@3",
    ),
)
REFUSED = step(Verb.REFUSE, Part.PROGRAM, "it ended 4 times in 30 min, needs you", "reviewer")


def facade(*steps: Step, warnings: tuple[str, ...] = ()) -> FakeOrchestrator:
    made = FakeOrchestrator()
    roles = ("developer", "tester", "reviewer")
    made.teams = [make_team(ID, [make_agent(f"{ID}:{role}", limited_until=None) for role in roles])]
    plan = RecoveryPlan(orchestration=made.teams[0].orchestration.id, project="/p", steps=steps, warnings=warnings)
    made.recovery.found = (plan,)
    return made


def test_a_whole_team_is_shown_and_nothing_is_asked() -> None:
    context = FakeContext("resume", orchestrator=facade(*KEPT))
    assert context.run() == ExitCode.DONE
    assert "whole: nothing is missing" in context.said
    assert context.facade.recovery.executed == []


def test_the_plan_is_a_table_and_is_done_after_a_yes() -> None:
    made = facade(*KEPT, CONTINUE, warnings=("the account is limited until 14:30",))
    context = FakeContext("resume", ID, orchestrator=made, typed="y\n", terminal=True, environ={"NO_COLOR": "1"})
    assert context.run() == ExitCode.DONE
    title, heads, *rows = context.said.split("\n\n")[0].splitlines()
    assert "not whole" in title
    for row, words in zip(rows, [("(the team)", "keep"), ("developer", "keep"), ("tester", "continue")], strict=True):
        assert row[heads.index("AGENT") :].startswith(words[0])
        assert row[heads.index("STEP") :].startswith(words[1])
    assert rows[1].split() == ["✔", "developer", "keep", "all", "there"]
    assert "bring shop-1a2b back as shown? [y/N]" in context.narrated
    assert "limited until 14:30" in context.narrated
    assert [call.plan for call in made.recovery.executed] == list(made.recovery.found)
    done, last = context.said.splitlines()[-2:]
    assert done.split() == ["✔", "tester", "program", "continue"]
    assert last == "shop-1a2b: whole again"


@pytest.mark.parametrize("typed", ["\n", "n\n", "what\n", ""])
def test_anything_but_a_yes_is_a_no(typed: str) -> None:
    made = facade(*KEPT, CONTINUE)
    context = FakeContext("resume", orchestrator=made, typed=typed, terminal=True)
    assert context.run() == ExitCode.REFUSED
    assert made.recovery.executed == []


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_a_terminal_it_needs_yes(form: tuple[str, ...]) -> None:
    made = facade(*KEPT, CONTINUE)
    context = FakeContext("resume", *form, orchestrator=made)
    assert context.run() == ExitCode.REFUSED
    assert made.recovery.executed == []
    if form:
        assert context.json["error"]["code"] == "needs-yes"


def test_status_only_looks_at_a_copy_and_shows_each_agent() -> None:
    made = facade(*KEPT, CONTINUE)
    made.recovery.found = (replace(made.recovery.found[0], agents=STANDING),)
    context = FakeContext("resume", "--status-only", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert context.looked_only
    assert made.recovery.executed == []
    rows = [line.split() for line in context.said.splitlines()]
    assert ["AGENT", "ALIVE", "STATUS", "LIMITED", "BRANCH", "STATE", "WINDOW"] in rows
    state = ["2", "ahead,", "1", "behind,", "3", "not", "committed"]
    assert ["developer", "yes", "working", "no", f"tmorch/{ID}/developer", *state, "@2"] in rows
    assert any(row[:4] == ["tester", "no", "gone", "until"] and row[-2:] == ["t", "gone"] for row in rows)
    assert ["reviewer", "yes", "idle", "no", "r", "as", "it", "began", "@3"] in rows


def test_what_was_refused_makes_it_fail_and_the_rest_is_done() -> None:
    made = facade(*KEPT, CONTINUE, REFUSED)
    made.recovery.failing = ((REFUSED, REFUSED.reason),)
    context = FakeContext("resume", "--yes", orchestrator=made)
    assert context.run() == ExitCode.FAILED
    *_, done, failed, last = context.said.splitlines()
    assert done.split() == ["✔", "tester", "program", "continue"]
    assert failed.startswith("✖  reviewer")
    assert "needs you" in failed
    assert last == f"{ID}: 1 thing left to do; `tmorch resume {ID}` looks again"


def test_what_somebody_else_does_just_now_is_told_and_the_next_team_is_seen_to() -> None:
    made = facade(CONTINUE)
    other = replace(made.recovery.found[0], orchestration=OrchestrationId("till-0b0b"))
    made.recovery.found = (*made.recovery.found, other)
    made.recovery.refusing = {ID: RefusedError("it is being brought back already", code="already-resuming")}
    context = FakeContext("resume", "--yes", orchestrator=made)
    assert context.run() == ExitCode.FAILED
    assert "it is being brought back already" in context.said
    assert [call.plan for call in made.recovery.executed] == [other]


def test_what_the_person_can_do_about_a_refusal_is_never_cut() -> None:
    reason = f"tmorch/{ID}/developer was deleted; `git -C /p branch tmorch/{ID}/developer abc123` brings it back"
    made = facade(*KEPT[:2], step(Verb.REFUSE, Part.BRANCH, reason))
    context = FakeContext("resume", orchestrator=made, terminal=True, environ={"NO_COLOR": "1"})
    context.run()
    assert context.said.splitlines()[-1] == f"developer: {reason}"


def test_only_refusals_ask_nothing_and_do_nothing() -> None:
    made = facade(*KEPT, REFUSED)
    context = FakeContext("resume", orchestrator=made)
    assert context.run() == ExitCode.FAILED
    assert made.recovery.executed == []


def test_roles_that_are_named_are_started_once_more() -> None:
    made = facade(*KEPT, REFUSED)
    FakeContext("resume", ID, "--agent", "reviewer", "--agent", "tester", orchestrator=made).run()
    assert made.recovery.named == {"reviewer", "tester"}
    FakeContext("resume", "--agent", "reviewer", orchestrator=made).run()
    assert made.recovery.named == {"reviewer"}, "there is only one team"
    context = FakeContext("resume", ID, "--agent", "nobody", orchestrator=made)
    assert context.run() == ExitCode.NOT_FOUND
    assert "developer, tester, reviewer" in context.narrated


def test_the_teams_of_a_project_are_brought_back_also_from_a_folder_in_it(tmp_path: Path) -> None:
    made = facade(*KEPT, CONTINUE)
    (there,) = made.recovery.found
    (tmp_path / "shop/src").mkdir(parents=True)
    (tmp_path / "shop-2").mkdir()
    here = replace(there, orchestration=OrchestrationId("till-77aa"), project=str(tmp_path / "shop"))
    beside = replace(there, orchestration=OrchestrationId("till-88bb"), project=str(tmp_path / "shop-2"))
    made.recovery.found = (there, here, beside)
    context = FakeContext("resume", "--project", str(tmp_path / "shop/src"), "--yes", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert [call.plan for call in made.recovery.executed] == [here]


def test_a_project_without_a_team_that_is_meant_to_run_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    made = facade(*KEPT, CONTINUE)
    context = FakeContext("resume", "--project", str(tmp_path), "--yes", orchestrator=made)
    assert context.run() == ExitCode.NOT_FOUND
    assert f"no team is meant to run in {tmp_path}" in context.narrated
    assert "/p" in context.narrated
    assert made.recovery.executed == []


def test_everybody_is_told_where_they_stand_even_in_a_whole_team() -> None:
    made = facade(*KEPT)
    assert FakeContext("resume", "--rebrief-all", "--yes", orchestrator=made).run() == ExitCode.DONE
    assert [call.rebrief_all for call in made.recovery.executed] == [True]


def test_orphans_are_listed_with_what_to_do_and_never_cut() -> None:
    made = facade()
    made.recovery.left_over = ORPHANS
    context = FakeContext("resume", "--orphans", orchestrator=made, environ={"COLUMNS": "40"}, terminal=True)
    assert context.run() == ExitCode.DONE
    assert context.looked_only
    for orphan in ORPHANS:
        assert orphan.what_to_do in context.said
    assert "nothing was removed" in context.narrated


@pytest.mark.parametrize(
    "words",
    [
        ("--status-only", "--yes"),
        ("--orphans", "--rebrief-all"),
        (ID, "--orphans"),
        ("--orphans", "--agent", "tester"),
        ("--orphans", "--project", "/p"),
        (ID, "--project", "/p"),
        ("--project", "/p", "--agent", "tester"),
    ],
)
def test_what_does_not_go_together_is_said(words: tuple[str, ...]) -> None:
    context = FakeContext("resume", *words, orchestrator=facade(*KEPT))
    assert context.run() == ExitCode.USAGE
    assert "leave out" in context.narrated


@pytest.mark.parametrize("words", [("--yes",), ("--status-only",), ("--orphans",)])
def test_json_fits_the_schema(words: tuple[str, ...]) -> None:
    made = facade(*KEPT, CONTINUE, REFUSED)
    made.recovery.failing = ((REFUSED, REFUSED.reason),)
    made.recovery.left_over = ORPHANS
    made.recovery.found = (replace(made.recovery.found[0], agents=STANDING),)
    context = FakeContext("resume", *words, "--json", orchestrator=made)
    context.run()
    assert faults(context.json, schema_of("resume")) == []
    assert bool(context.json["outcomes"]) == (words == ("--yes",))
    assert bool(context.json["orphans"]) == (words == ("--orphans",))
