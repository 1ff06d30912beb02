"""`tmorch setup`: what it made, and what is missing."""

from __future__ import annotations

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from orchestrator_core.services.setup import Program, ProgramState, SetupReport, SetupStep
from tests.fakes.cli import FakeContext
from tests.fakes.json_shape import faults

STEP = SetupStep(name="database", path="/state/tmorch.db", changed=True, text="made")


def report(*programs: Program) -> SetupReport:
    return SetupReport(steps=(STEP,), programs=programs)


def program(state: ProgramState, *, is_needed: bool) -> Program:
    return Program(name="tmux", state=state, is_needed=is_needed, text="what is wrong", remedy="install it")


@pytest.mark.parametrize(
    ("state", "is_needed", "code"),
    [
        (ProgramState.FOUND, True, ExitCode.DONE),
        (ProgramState.MISSING, False, ExitCode.DONE),
        (ProgramState.MISSING, True, ExitCode.MISSING),
        (ProgramState.TOO_OLD, True, ExitCode.MISSING),
    ],
)
def test_only_what_is_needed_decides_the_exit_code(state: ProgramState, is_needed: bool, code: ExitCode) -> None:
    context = FakeContext("setup", "--json")
    context.setup_report = report(program(state, is_needed=is_needed))
    assert context.run() == code
    assert faults(context.json, schema_of("setup")) == []
    assert context.json["changed"] is True


def test_for_people_every_step_and_every_program_is_named() -> None:
    context = FakeContext("setup")
    context.setup_report = report(program(ProgramState.TOO_OLD, is_needed=True))
    assert context.run() == ExitCode.MISSING
    assert "/state/tmorch.db" in context.said
    assert "too old" in context.said
    assert context.narrated == "! tmux: install it\n"
