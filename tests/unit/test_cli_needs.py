"""`tmorch needs` and `tmorch answer`."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode, NotFoundError
from orchestrator_core.models.dialog import Choice
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId
from orchestrator_core.models.need import AnswerState, Need, NeedKind
from tests.fakes.cli import FakeContext, FakeOrchestrator
from tests.fakes.json_shape import faults

DEVELOPER = AgentId("shop-1a2b:developer")
TEAS = tuple(Choice(key=str(at + 1), label=label, selected=at == 0) for at, label in enumerate(("Black", "Green")))


def need(kind: NeedKind, detail: str, **changes: Any) -> Need:
    values: dict[str, Any] = {"key": f"{DEVELOPER}:{kind}", "since": 1000.0, **changes}
    return Need(kind=kind, orchestration=OrchestrationId("shop-1a2b"), agent=DEVELOPER, detail=detail, **values)


PERMISSION = need(NeedKind.PERMISSION, "rm -rf \x1b[31mbuild", fingerprint="f1", choices=TEAS)
QUESTION = need(NeedKind.QUESTION, "Which tea?", fingerprint="f2", choices=TEAS)
STUCK = need(NeedKind.STUCK, "no sign of progress since 13:31", key=f"stuck:{DEVELOPER}:1000")
MISSED = need(NeedKind.MISSED, "check-in 12 is not tried any more", key="check-in:12")
MESSAGE = need(NeedKind.UNCONFIRMED, "message 12: lost", key="message:12", message=MessageId(12))


def facade(*needs: Need) -> FakeOrchestrator:
    made = FakeOrchestrator()
    made.needs_now = list(needs)
    return made


def test_each_need_says_what_to_do() -> None:
    context = FakeContext("needs", orchestrator=facade(PERMISSION, QUESTION, MESSAGE))
    assert context.run() == ExitCode.DONE
    titles, permission, question, message = context.said.splitlines()
    assert titles.split() == ["AGE", "AGENT", "KIND", "WHAT", "TO", "DO"]
    assert "\x1b" not in permission
    assert permission.endswith(f"tmorch answer {DEVELOPER} approve|deny")
    assert "Which tea?  [1 Black  2 Green]" in question
    assert question.endswith(f"tmorch answer {DEVELOPER} CHOICE")
    assert message.endswith("tmorch needs --dismiss message:12")


def test_who_may_be_stuck_is_written_to_and_what_was_missed_is_seen() -> None:
    context = FakeContext("needs", orchestrator=facade(STUCK, MISSED))
    assert context.run() == ExitCode.DONE
    _, stuck, missed = context.said.splitlines()
    assert stuck.endswith(f"tmorch send {DEVELOPER} TEXT, or --dismiss {STUCK.key}")
    assert missed.endswith("tmorch needs --dismiss check-in:12")
    listed = FakeContext("needs", "--json", orchestrator=facade(STUCK, MISSED))
    assert listed.run() == ExitCode.DONE
    assert faults(listed.json, schema_of("needs")) == []


def test_nothing_to_do() -> None:
    context = FakeContext("needs", orchestrator=facade())
    assert (context.run(), context.said, context.narrated) == (ExitCode.DONE, "", "nothing needs you\n")


def test_json_is_as_the_schema_says() -> None:
    context = FakeContext("needs", "--json", orchestrator=facade(PERMISSION, MESSAGE))
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("needs")) == []
    assert [each["key"] for each in context.json["needs"]] == [PERMISSION.key, MESSAGE.key]


def test_dismissing() -> None:
    made = facade(PERMISSION, MESSAGE)
    context = FakeContext("needs", "--dismiss", "message:12", "--json", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert [each["key"] for each in context.json["needs"]] == [PERMISSION.key]
    again = FakeContext("needs", "--dismiss", "message:12", orchestrator=made)
    assert again.run() == ExitCode.NOT_FOUND
    assert PERMISSION.key in again.narrated


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (AnswerState.GIVEN, ExitCode.DONE),
        (AnswerState.REFUSED, ExitCode.REFUSED),
        (AnswerState.UNCONFIRMED, ExitCode.TIMED_OUT),
        (AnswerState.PENDING, ExitCode.TIMED_OUT),
    ],
)
def test_what_became_of_an_answer_is_the_exit_code(state: AnswerState, code: ExitCode) -> None:
    made = facade()
    made.answered = {"state": state, "reason": "" if state is AnswerState.GIVEN else "because"}
    context = FakeContext("answer", "developer", "approve", "--json", orchestrator=made)
    assert context.run() == code
    assert ("answer", "developer", "approve", "", 10.0) in made.asked
    assert faults(context.json, schema_of("answer")) == []
    assert context.json["state"] == state
    assert bool(context.json["reason"]) == (state is not AnswerState.GIVEN)


def test_an_answer_for_one_dialog_only() -> None:
    made = facade()
    context = FakeContext("answer", "developer", "2", "--fingerprint", "f2", "--wait", "1", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert ("answer", "developer", "2", "f2", 1.0) in made.asked
    assert context.said == f"given: “2” to {DEVELOPER}\n"


def test_nobody_of_that_name() -> None:
    made = facade()
    made.failure = NotFoundError("no agent is called 'nobody'")
    assert FakeContext("answer", "nobody", "approve", orchestrator=made).run() == ExitCode.NOT_FOUND
