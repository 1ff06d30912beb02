"""`start`: the wish, the question or the screen, the progress, the result."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator_core.cli.commands import start
from orchestrator_core.cli.diagnostics import INTERRUPTED
from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode, RefusedError
from orchestrator_core.models.analysis import Action, Analysis, AnalysisSource, Suggestion
from orchestrator_core.models.launch import StartRequest, StepProgress, StepState
from tests.fakes.cli import FakeContext, FakeOrchestrator, interrupted
from tests.fakes.json_shape import faults
from tests.fakes.proposals import a_proposal


def asked_for(context: FakeContext) -> StartRequest:
    request: StartRequest = next(what[1] for what in context.facade.asked if what[0] == "propose")
    return request


def was_started(context: FakeContext) -> bool:
    return any(what[0] == "start" for what in context.facade.asked)


def test_every_wish_is_passed_on() -> None:
    context = FakeContext(
        "start", "--project", "shop", "--spec", "s.md", "--plan", "pro", "--roles", "developer, tester", "--roles",
        "devops", "--team-type", "data_pipeline", "--agent", "demo", "--over-cap", "--yes",
    )  # fmt: skip
    assert context.run() == ExitCode.DONE, context.narrated
    assert asked_for(context) == StartRequest(
        project="shop",
        spec="s.md",
        plan="pro",
        roles=("developer", "tester", "devops"),
        team_type="data_pipeline",
        driver="demo",
        over_cap=True,
    )


def test_a_project_may_be_a_word() -> None:
    context = FakeContext("start", "shop", "--yes")
    assert context.run() == ExitCode.DONE
    assert asked_for(context) == StartRequest(project="shop")


def test_without_a_project_it_is_where_we_are() -> None:
    context = FakeContext("start", "--yes")
    assert context.run() == ExitCode.DONE
    assert asked_for(context).project == ""


@pytest.mark.parametrize("words", [["a", "b"], ["a", "--project", "b"]])
def test_several_projects_are_not_for_now(words: list[str]) -> None:
    context = FakeContext("start", *words, "--yes", "--json")
    assert context.run() == ExitCode.USAGE
    assert context.json["error"]["code"] == "several-projects"
    assert context.facade.asked == []


@pytest.mark.parametrize("words", [["shop", "--plan", "max6"], ["shop", "--proposal", "x"], ["shop", "--bogus"]])
def test_what_is_wrong_is_said_before_anything_is_asked(words: list[str]) -> None:
    context = FakeContext("start", *words, "--yes")
    assert context.run() == ExitCode.USAGE
    assert context.facade.asked == []


def test_without_a_terminal_and_without_yes_nothing_happens() -> None:
    """Scenario 7."""
    context = FakeContext("start", "shop", "--json")
    assert context.run() == ExitCode.REFUSED
    assert context.json["error"]["code"] == "needs-yes"
    assert "--yes" in context.json["error"]["remedy"]
    assert context.facade.asked == []


def test_yes_never_asks() -> None:
    context = FakeContext("start", "shop", "--yes", terminal=True)
    assert context.run() == ExitCode.DONE
    assert "[y/N]" not in context.narrated
    assert was_started(context)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 3), ("\n", 3), ("", 3), ("yep\n", 3)])
def test_only_a_yes_starts(typed: str, code: int) -> None:
    context = FakeContext("start", "shop", "--no-tui", terminal=True, typed=typed)
    assert context.run() == code
    assert "Start this team? [y/N]" in context.narrated
    assert was_started(context) == (code == 0)
    assert context.facade.is_closed


def test_the_proposal_shows_what_one_would_want_to_know() -> None:
    context = FakeContext("start", "shop", "--yes")
    context.run()
    for words in (
        "/home/me/shop", "Sell things", "main at 0123456789", "code_project", "pyproject.toml", "1 of at most 3",
        "plan pro", "/state/worktrees/shop-1a2b/ROLE", "trust: accept", "developer", "somebody must write it",
        "LEFT OUT", "the plan has no room", "! a small team", "! 2 uncommitted paths", "tmorch/shop-1a2b/ROLE",
    ):  # fmt: skip
        assert words in context.narrated, words


def test_steps_are_told_once_they_are_finished() -> None:
    facade = FakeOrchestrator()
    facade.steps = tuple(StepProgress(step="agents", state=state, text=f"it is {state}") for state in StepState)
    context = FakeContext("start", "shop", "--yes", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert "it is running" not in context.narrated
    assert "✔ it is done" in context.narrated
    assert "✘ it is failed" in context.narrated
    assert "↺ it is undone" in context.narrated


def test_the_result_is_the_team() -> None:
    context = FakeContext("start", "shop", "--yes", "--json")
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("start")) == []
    assert [team["id"] for team in context.json["orchestrations"]] == ["shop-1a2b"]
    people = FakeContext("start", "shop", "--yes")
    people.run()
    assert "shop-1a2b" in people.said
    assert "tmorch send shop-1a2b:developer" in people.narrated


def test_a_refused_start_tells_why() -> None:
    facade = FakeOrchestrator()

    async def refuse(*_: Any) -> None:
        raise RefusedError("a team runs here", cause="shop-1a2b", remedy="stop it", code="already-running")

    facade.start = refuse  # type: ignore[method-assign,assignment]
    context = FakeContext("start", "shop", "--yes", "--json", orchestrator=facade)
    assert context.run() == ExitCode.REFUSED
    assert context.json["error"]["code"] == "already-running"


# --- reading and refining


def readings(context: FakeContext) -> int:
    return context.facade.proposals.readings


def test_yes_takes_the_team_of_the_rules_and_asks_nobody() -> None:
    context = FakeContext("start", "shop", "--yes")
    assert context.run() == ExitCode.DONE
    assert readings(context) == 0


def advised(*suggestions: tuple[Action, str]) -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.proposals.proposal = a_proposal()
    facade.proposals.analysis = Analysis(
        source=AnalysisSource.CLAUDE,
        suggestions=tuple(
            Suggestion(action=action, role=role, why="the spec says so", source=AnalysisSource.CLAUDE)
            for action, role in suggestions
        ),
    )
    return facade


@pytest.mark.parametrize("options", [["--yes"], ["--no-tui"]])
def test_refine_has_claude_read_and_takes_what_it_advises(options: list[str]) -> None:
    facade = advised((Action.ADD, "devops"), (Action.REMOVE, "testrunner"))
    context = FakeContext("start", "shop", "--refine", *options, orchestrator=facade, terminal=True, typed="y\n")
    assert context.run() == ExitCode.DONE, context.narrated
    assert readings(context) == 1
    started = next(what[1] for what in facade.asked if what[0] == "start")
    assert "devops" in started.team.roles
    assert "testrunner" not in started.team.roles


def test_refine_offline_asks_nobody() -> None:
    context = FakeContext("start", "shop", "--refine", "--offline", "--yes", orchestrator=advised())
    assert context.run() == ExitCode.DONE
    assert readings(context) == 0


def test_ctrl_c_ends_a_start_that_asks_nothing() -> None:
    facade = interrupted(advised())
    context = FakeContext("start", "shop", "--refine", "--yes", orchestrator=facade)
    assert context.run() == INTERRUPTED
    assert not was_started(context)


def test_ctrl_c_in_the_reading_leads_to_the_question() -> None:
    facade = interrupted(advised())
    context = FakeContext("start", "shop", "--refine", "--no-tui", orchestrator=facade, terminal=True, typed="n\n")
    assert context.run() == ExitCode.REFUSED
    assert "offline: you ended the reading" in context.narrated
    assert not was_started(context)


# --- the screen


def test_in_a_terminal_it_becomes_the_screen_with_a_saved_proposal() -> None:
    context = FakeContext("start", "shop", terminal=True)
    with pytest.raises(SystemExit):
        context.run()
    assert context.became[-4:] == ("--proposal", "1", "--start", "--read")
    assert "tui" in context.became[-5]
    assert list(context.facade.proposals.kept) == [1]
    assert context.facade.is_closed
    assert readings(context) == 0
    assert not was_started(context)


@pytest.mark.parametrize("option", ["--offline", "--refine"])
def test_the_screen_reads_only_what_is_to_be_read_and_is_not(option: str) -> None:
    context = FakeContext("start", "shop", option, terminal=True, orchestrator=advised())
    with pytest.raises(SystemExit):
        context.run()
    assert context.became[-3:] == ("--proposal", "1", "--start")


def test_a_demo_is_not_read() -> None:
    context = FakeContext("start", "shop", "--agent", "demo", terminal=True)
    with pytest.raises(SystemExit):
        context.run()
    assert context.became[-1] == "--start"


def test_without_the_screen_installed_the_question_is_asked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "has_screen", lambda: False)
    context = FakeContext("start", "shop", terminal=True, typed="y\n")
    assert context.run() == ExitCode.DONE
    assert was_started(context)


def test_json_keeps_away_from_the_screen() -> None:
    context = FakeContext("start", "shop", "--json", terminal=True, typed="y\n")
    assert context.run() == ExitCode.DONE
    assert context.became == ()


# --- a saved proposal


def with_saved(*differences: str) -> FakeOrchestrator:
    facade = FakeOrchestrator()
    facade.proposals.keep(a_proposal())
    facade.proposals.differences = differences
    return facade


def test_a_saved_proposal_is_looked_at_anew_and_started() -> None:
    facade = with_saved("main has moved on")
    context = FakeContext("start", "--proposal", "1", "--yes", orchestrator=facade)
    assert context.run() == ExitCode.DONE, context.narrated
    assert [what[0] for what in facade.asked] == ["load", "renewed", "start", "fleet"]
    assert "! main has moved on" in context.narrated
    assert facade.asked[2][1].saved == 1


def test_a_saved_proposal_opens_on_the_screen_which_looks_at_it() -> None:
    context = FakeContext("start", "--proposal", "1", orchestrator=with_saved(), terminal=True)
    with pytest.raises(SystemExit):
        context.run()
    assert context.became[-2:] == ("--proposal", "1")
    assert context.facade.asked == []


def test_a_number_that_is_none_starts_nothing() -> None:
    context = FakeContext("start", "--proposal", "7", "--yes", "--json")
    assert context.run() == ExitCode.NOT_FOUND
    assert context.json["error"]["code"] == "no-proposal"
    assert not was_started(context)


@pytest.mark.parametrize(
    "words", [["shop"], ["--project", "x"], ["--roles", "tester"], ["--plan", "pro"], ["--offline"], ["--refine"]]
)
def test_a_saved_proposal_is_not_wished_otherwise(words: list[str]) -> None:
    context = FakeContext("start", "--proposal", "1", *words, "--yes", orchestrator=with_saved())
    assert context.run() == ExitCode.USAGE
    assert context.facade.asked == []
