"""`tmorch hook`: what it refuses; what it keeps is in tests/integration/test_hook_program.py."""

from __future__ import annotations

from orchestrator_core.errors import ExitCode
from tests.fakes.cli import FakeContext


def test_outside_an_agent_it_must_be_told_whose_hook_it_is() -> None:
    context = FakeContext("hook", "Stop")
    assert context.run() == ExitCode.USAGE
    assert "tmorch hook Stop --agent" in context.stderr.getvalue()


def test_at_a_terminal_it_does_not_wait_for_what_nobody_will_type() -> None:
    context = FakeContext("hook", "Stop", environ={"TMORCH_AGENT": "shop-1a2b:developer"}, terminal=True)
    assert context.run() == ExitCode.USAGE
    assert "stdin is a terminal" in context.stderr.getvalue()


def test_it_explains_itself() -> None:
    context = FakeContext("hook", "--help")
    assert context.run() == ExitCode.DONE
    assert "your own settings are not written to" in context.said
