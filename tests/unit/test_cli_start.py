"""`start` and `plan`: the wish, the question, the progress, the result."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode, RefusedError
from orchestrator_core.models.launch import StartRequest, StepProgress, StepState
from tests.fakes.cli import FakeContext, FakeOrchestrator
from tests.fakes.json_shape import faults


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


@pytest.mark.parametrize("words", [["shop", "--plan", "max6"], ["shop", "--team-type", "x"], ["shop", "--bogus"]])
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
    context = FakeContext("start", "shop", terminal=True, typed=typed)
    assert context.run() == code
    assert "Start this team? [y/N]" in context.narrated
    assert was_started(context) == (code == 0)
    assert context.facade.is_closed


def test_the_proposal_shows_what_one_would_want_to_know() -> None:
    context = FakeContext("start", "shop", "--yes")
    context.run()
    for words in (
        "/home/me/shop", "Sell things", "main at 0123456789", "code_project", "pyproject.toml", "1 of at most 3",
        "plan pro", "worktrees", "permissions", "manual", "trust: accept", "developer", "somebody must write it",
        "LEFT OUT", "the plan has no room", "! a small team", "! 2 uncommitted paths",
    ):  # fmt: skip
        assert words in context.narrated, words


def test_permissions_are_claudes_alone() -> None:
    context = FakeContext("plan", "shop", "--agent", "demo", "--json")
    assert context.run() == ExitCode.DONE
    assert context.json["permission_mode"] == ""
    assert context.json["gates"] == {}


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

    async def start(*_: Any) -> None:
        raise RefusedError("a team runs here", cause="shop-1a2b", remedy="stop it", code="already-running")

    facade.start = start  # type: ignore[method-assign,assignment]
    context = FakeContext("start", "shop", "--yes", "--json", orchestrator=facade)
    assert context.run() == ExitCode.REFUSED
    assert context.json["error"]["code"] == "already-running"


def test_plan_starts_nothing_and_asks_nothing() -> None:
    context = FakeContext("plan", "shop", "--json")
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("plan")) == []
    assert context.json["dropped"][0]["reason"] == "the plan has no room"
    assert not was_started(context)
    people = FakeContext("plan", "shop")
    assert people.run() == ExitCode.DONE
    assert "somebody must write it" in people.said
    assert people.narrated == ""
