"""The edge of the command line: every way a command can end has its exit code and its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator_core.cli.commands import SUMMARIES, load
from orchestrator_core.cli.diagnostics import INTERRUPTED, READER_GONE
from orchestrator_core.cli.parsing import Parser
from orchestrator_core.config.paths import Paths
from orchestrator_core.errors import (
    ExitCode,
    GitCommandError,
    MissingProgramError,
    NotFoundError,
    RefusedError,
    StoreError,
    TimedOutError,
    TmorchError,
    TmuxGoneError,
)
from tests.fakes.cli import FakeContext, FakeOrchestrator


def failing(failure: BaseException, *arguments: str) -> FakeContext:
    facade = FakeOrchestrator()
    facade.failure = failure
    return FakeContext(*(arguments or ("list",)), orchestrator=facade)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (TmorchError("x"), 1),
        (StoreError("x"), 1),
        (GitCommandError(("git", "status"), 128, "fatal"), 1),
        (RefusedError("x"), 3),
        (NotFoundError("x"), 4),
        (TimedOutError("x"), 5),
        (MissingProgramError("x"), 6),
        (TmuxGoneError("x"), 6),
    ],
)
def test_an_error_of_ours_ends_with_its_exit_code(failure: TmorchError, code: int) -> None:
    assert failing(failure).run() == code


def test_an_error_is_title_cause_and_remedy_on_stderr() -> None:
    context = failing(RefusedError("a team runs", cause="shop-1a2b\nsince noon", remedy="stop it"))
    assert context.run() == ExitCode.REFUSED
    assert context.narrated.splitlines() == [
        "tmorch: a team runs",
        "  why:  shop-1a2b",
        "        since noon",
        "  do:   stop it",
    ]
    assert context.said == ""


def test_an_error_as_json_is_on_stdout_alone() -> None:
    context = failing(RefusedError("a", cause="b", remedy="c", code="d"), "list", "--json")
    assert context.run() == ExitCode.REFUSED
    assert context.json == {"error": {"title": "a", "cause": "b", "remedy": "c", "code": "d"}}
    assert context.narrated == ""


def test_an_error_within_a_group_of_errors_is_found() -> None:
    group = ExceptionGroup("two tasks", [ExceptionGroup("inner", [RefusedError("no")]), ValueError("x")])
    context = failing(group)
    assert context.run() == ExitCode.REFUSED
    assert "tmorch: no" in context.narrated


def test_an_unforeseen_error_leaves_a_traceback_in_a_private_file(isolated_home: Path) -> None:
    context = failing(ValueError("odd"))
    assert context.run() == ExitCode.FAILED
    assert "ValueError: odd" in context.narrated
    assert "Traceback" not in context.narrated
    (file,) = Paths.from_env().logs.glob("fault-*.txt")
    assert str(file) in context.narrated
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert Paths.from_env().state.stat().st_mode & 0o777 == 0o700


def test_an_unforeseen_error_is_told_where_no_log_can_be_written(isolated_home: Path) -> None:
    (isolated_home / ".local").write_text("in the way")
    context = failing(ValueError("odd"))
    assert context.run() == ExitCode.FAILED
    (line,) = [line for line in context.narrated.splitlines() if "traceback is in" in line]
    Path(line.split("traceback is in ")[1].split(";")[0]).unlink()


def test_an_unforeseen_error_as_json() -> None:
    context = failing(ValueError("odd"), "list", "--json")
    assert context.run() == ExitCode.FAILED
    assert context.json["error"]["code"] == "fault"


def test_ctrl_c_is_quiet() -> None:
    context = failing(KeyboardInterrupt())
    assert context.run() == INTERRUPTED
    assert context.narrated == ""


def test_a_reader_that_left_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    context = failing(BrokenPipeError())
    monkeypatch.setattr(context.out, "give_up", lambda: None)
    assert context.run() == READER_GONE
    assert context.narrated == ""


def test_the_facade_is_closed_whatever_happens() -> None:
    context = failing(RefusedError("x"))
    context.run()
    assert context.facade.is_closed


@pytest.mark.parametrize("typed", [["sned"], ["sned", "--json"]])
def test_an_unknown_command_names_the_nearest(typed: list[str]) -> None:
    context = FakeContext(*typed)
    assert context.run() == ExitCode.USAGE
    assert "did you mean 'send'?" in context.narrated + context.said


def test_an_unknown_command_with_nothing_near_lists_all() -> None:
    context = FakeContext("xyzzy")
    assert context.run() == ExitCode.USAGE
    assert "start" in context.narrated
    assert "tmorch --help" in context.narrated


def test_an_option_before_the_command() -> None:
    context = FakeContext("--watch")
    assert context.run() == ExitCode.USAGE
    assert "the command comes first" in context.narrated


def test_no_command_is_a_usage_error_that_shows_the_commands() -> None:
    context = FakeContext()
    assert context.run() == ExitCode.USAGE
    assert "usage: tmorch COMMAND" in context.narrated
    assert context.said == ""


@pytest.mark.parametrize("asked", ["-h", "--help", "help"])
def test_the_overview_lists_every_command_and_the_exit_codes(asked: str) -> None:
    context = FakeContext(asked)
    assert context.run() == ExitCode.DONE
    assert all(f"  {name:<12}{summary}" in context.said for name, summary in SUMMARIES.items())
    assert "6 a needed program or the tmux server is missing" in context.said


def test_version() -> None:
    context = FakeContext("--version")
    assert context.run() == ExitCode.DONE
    assert context.said == "tmorch 0.1.0\n"


def test_help_for_an_unknown_command() -> None:
    assert FakeContext("help", "sned").run() == ExitCode.USAGE


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_command_has_help_that_mentions_exit_codes(name: str) -> None:
    asked, helped = FakeContext(name, "--help"), FakeContext("help", name)
    assert (asked.run(), helped.run()) == (0, 0)
    assert asked.said == helped.said
    assert f"usage: tmorch {name}" in asked.said
    assert "exit codes: 0 done" in asked.said
    assert load(name).HELP.splitlines()[0] in asked.said


@pytest.mark.parametrize("name", sorted(SUMMARIES.keys() - {"tui", "hook"}))
def test_every_command_but_the_screen_prints_json(name: str) -> None:
    parser = Parser(name, "")
    load(name).add_arguments(parser)
    assert "--json" in parser.format_help()


def test_help_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in SUMMARIES:
        context = FakeContext("help", name)
        context.run()
        assert max(len(line) for line in context.said.splitlines()) <= 80, name


def test_colour_only_on_a_terminal_whose_user_wants_it() -> None:
    painted = FakeContext("sned", terminal=True)
    plain = FakeContext("sned", terminal=True, environ={"NO_COLOR": "1"})
    dumb = FakeContext("sned", terminal=True, environ={"TERM": "dumb"})
    for context in (painted, plain, dumb):
        context.run()
    assert "\x1b[" in painted.narrated
    assert "\x1b[" not in plain.narrated + dumb.narrated
