"""`tmorch demo`: a team of its own, ended without a trace in anybody's project."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.launch import StartRequest
from tests.fakes.cli import FakeContext, FakeOrchestrator, make_agent, make_team
from tests.fakes.json_shape import faults


def asked_for(context: FakeContext) -> StartRequest:
    request: StartRequest = next(what[1] for what in context.facade.asked if what[0] == "propose")
    return request


def test_a_demo_is_a_team_on_a_new_repository() -> None:
    context = FakeContext("demo", "--seed", "7", "--speed", "5", "--json")
    assert context.run() == ExitCode.DONE, context.narrated
    folder = Paths.from_env().state / "demo"
    assert context.scratch == [(folder, 7)]
    assert asked_for(context).project == str(folder / "corner-shop")
    assert asked_for(context).driver == "demo"
    assert asked_for(context).roles == ("orchestrator", "developer", "tester", "testrunner")
    assert context.environ["TMORCH_DEMO__SPEED"] == "5.0"
    assert context.environ["TMORCH_DEMO__SEED"] == "7"
    assert faults(context.json, schema_of("demo")) == []


def test_without_a_seed_it_is_another_story_each_time_and_says_which() -> None:
    context = FakeContext("demo")
    assert context.run() == ExitCode.DONE
    ((_, seed),) = context.scratch
    assert f"--seed {seed}" in context.narrated


def test_on_a_terminal_it_becomes_the_screen() -> None:
    context = FakeContext("demo", terminal=True)
    with pytest.raises(SystemExit):
        context.run()
    assert "tui" in context.became[-1]
    assert "tmorch demo --stop" in context.narrated


@pytest.mark.parametrize("option", ["--no-tui", "--json"])
def test_on_request_it_does_not(option: str) -> None:
    context = FakeContext("demo", option, terminal=True)
    assert context.run() == ExitCode.DONE
    assert context.became == ()


def test_there_are_only_so_many_roles() -> None:
    assert FakeContext("demo", "--agents", "99").run() == ExitCode.USAGE
    context = FakeContext("demo", "--agents", "8")
    assert context.run() == ExitCode.DONE
    assert len(set(asked_for(context).roles)) == 8


@pytest.mark.parametrize(
    "words",
    [
        ["--speed", "0"],
        ["--speed", "x"],
        ["--speed", "nan"],
        ["--agents", "0"],
        ["--limit", "0"],
        ["--limit", "x"],
        ["x"],
    ],
)
def test_what_is_wrong_makes_nothing(words: list[str]) -> None:
    context = FakeContext("demo", *words)
    assert context.run() == ExitCode.USAGE
    assert context.scratch == []


def test_stop_ends_demos_and_nothing_else() -> None:
    scratch = (Paths.from_env().state / "demo").resolve()
    facade = FakeOrchestrator()
    facade.teams = [
        make_team("till-0001", agents=(make_agent("till-0001:tester"),), project=f"{scratch}/till", is_demo=True),
        make_team("mine-0002", project="/home/me/mine", is_demo=True),
        make_team("shop-0003", project=f"{scratch}/till"),
    ]
    facade.still_ending = 1
    context = FakeContext("demo", "--stop", "--json", orchestrator=facade)
    assert context.run() == ExitCode.DONE
    assert [what for what in facade.asked if what[0] in ("stop", "cleanup")] == [
        ("stop", "till-0001", False),
        ("cleanup", "till-0001", ("tester",)),
        ("cleanup", "till-0001", ("tester",)),
    ]
    assert faults(context.json, schema_of("demo")) == []
    assert [team["state"] for team in context.json["orchestrations"]] == ["cleaned"]


def test_stop_without_any() -> None:
    context = FakeContext("demo", "--stop")
    assert context.run() == ExitCode.DONE
    assert context.narrated == "no demo team runs\n"
    assert not Path(Paths.from_env().state / "demo").exists()


def test_the_screen_needs_a_terminal() -> None:
    context = FakeContext("tui")
    assert context.run() == ExitCode.REFUSED
    assert "tmorch status" in context.narrated


def test_the_screen_is_tmorch_tui() -> None:
    context = FakeContext("tui", terminal=True)
    with pytest.raises(SystemExit):
        context.run()
    assert context.became[-1].endswith(("/tmorch-tui", "tui"))
