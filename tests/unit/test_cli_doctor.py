"""`tmorch doctor`: each check is told, and the worst decides how it ends."""

from __future__ import annotations

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from orchestrator_core.services.doctor import Check, Result
from tests.fakes.cli import FakeContext
from tests.fakes.json_shape import faults

OK = Check(name="python", result=Result.OK, text="3.11")
WARN = Check(name="encoding", result=Result.WARN, text="no UTF-8", remedy="set LC_ALL")
FAIL = Check(name="database", result=Result.FAIL, text="damaged", remedy="start again")
NO_TMUX = Check(name="tmux", result=Result.FAIL, text="missing", remedy="install it", is_program=True)


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((OK, WARN), ExitCode.DONE),
        ((OK, WARN, FAIL), ExitCode.FAILED),
        ((FAIL, NO_TMUX), ExitCode.MISSING),
    ],
)
def test_the_worst_decides(checks: tuple[Check, ...], code: ExitCode) -> None:
    context = FakeContext("doctor", "--json")
    context.checks = checks
    assert context.run() == code
    assert faults(context.json, schema_of("doctor")) == []
    assert context.json["ok"] is (code is ExitCode.DONE)


def test_for_people() -> None:
    context = FakeContext("doctor")
    context.checks = (OK, NO_TMUX)
    assert context.run() == ExitCode.MISSING
    assert context.said.splitlines()[1:] == ["✔  python  3.11", "✘  tmux    missing"]
    assert context.narrated == "✘ tmux: install it\n"
