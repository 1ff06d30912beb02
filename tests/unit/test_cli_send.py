"""`tmorch send`: who it goes to, what becomes of it, and what the caller is told."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import ExitCode, RefusedError, TmorchError
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind, MessageState
from tests.fakes.cli import SERVER, FakeContext, FakeQuickStore, make_agent, pane_row
from tests.fakes.json_shape import faults

DEVELOPER, TESTER = make_agent(), make_agent("shop-1a2b:tester", "%3")
INSIDE = {"TMUX": f"{SERVER},4242,0", "TMUX_PANE": "%3"}
"""The tester's pane."""


def context_of(*arguments: str, **options: Any) -> FakeContext:
    return FakeContext("send", *arguments, store=FakeQuickStore([DEVELOPER, TESTER]), **options)


def outcome_of(context: FakeContext, **outcome: Any) -> FakeContext:
    assert context.store is not None
    context.store.outcomes = [outcome]
    return context


def added(context: FakeContext) -> AgentMessage:
    assert context.store is not None
    (message,) = context.store.added
    return message


def nothing_added(context: FakeContext) -> bool:
    return context.store is None or not context.store.added


def test_a_delivered_message() -> None:
    context = outcome_of(context_of("developer", "hello"), state=MessageState.DELIVERED, pane="%2")
    assert context.run() == ExitCode.DONE
    assert context.said == "delivered: message 7 to shop-1a2b:developer in %2\n"
    assert context.narrated == ""
    assert context.supervisor_wanted == 1
    assert added(context).target == DEVELOPER.id
    assert added(context).text == "hello"
    assert added(context).sender == "you"
    assert added(context).mode is DeliveryMode.WHEN_IDLE
    assert added(context).kind is MessageKind.TEXT
    assert context.store is not None
    assert context.store.is_closed


def test_an_acknowledged_message() -> None:
    context = outcome_of(context_of("developer", "hello", "--wait", "9"), state=MessageState.ACKNOWLEDGED, pane="%2")
    assert context.run() == ExitCode.DONE
    assert context.said == "acknowledged: message 7 to shop-1a2b:developer in %2\n"
    assert context.narrated == ""


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        (MessageState.DELIVERED, ExitCode.DONE, "delivered"),
        (MessageState.ACKNOWLEDGED, ExitCode.DONE, "acknowledged"),
        (MessageState.REFUSED, ExitCode.REFUSED, "refused"),
        (MessageState.UNCONFIRMED, ExitCode.TIMED_OUT, "unconfirmed"),
    ],
)
def test_the_receipt_as_json(state: MessageState, code: ExitCode, shown: str) -> None:
    context = outcome_of(context_of("developer", "hello", "--json"), state=state, reason="so it is")
    assert context.run() == code
    assert faults(context.json, schema_of("send")) == []
    assert context.json["state"] == shown
    assert context.json["target"] == {"agent": "shop-1a2b:developer", "pane": "%2"}
    assert context.json["reason"] == ("so it is" if code else "")
    assert context.narrated == ""


def test_still_queued_is_fine_and_says_why() -> None:
    context = context_of("developer", "hello")
    context.settings = waiting_for(0.05)
    outcome_of(context, reason="the agent is working; it will get it when idle")
    assert context.run() == ExitCode.DONE
    assert context.said.startswith("queued: message 7")
    assert context.narrated == "queued: the agent is working; it will get it when idle\n"


def test_still_queued_after_an_asked_wait_is_a_time_out() -> None:
    context = outcome_of(context_of("developer", "hello", "--wait", "0.05"), reason="a dialog is open")
    assert context.run() == ExitCode.TIMED_OUT
    assert "queued: a dialog is open" in context.narrated


def test_no_wait_does_not_look_again() -> None:
    context = outcome_of(context_of("developer", "hello", "--no-wait"), state=MessageState.REFUSED)
    assert context.run() == ExitCode.DONE
    assert context.said.startswith("queued:")
    assert context.supervisor_wanted == 1


@pytest.mark.parametrize("reason", ["", "it gets it when its turn ends: a draft is at its prompt"])
def test_what_is_on_its_way_is_shown_as_queued(reason: str) -> None:
    context = outcome_of(
        context_of("developer", "hi", "--wait", "0.05", "--json"), state=MessageState.DELIVERING, reason=reason
    )
    assert context.run() == ExitCode.TIMED_OUT
    assert context.json["state"] == "queued"
    assert context.json["reason"] == (reason or "it is being typed")


def test_suppressed_duplicates_are_refused_with_their_number() -> None:
    context = context_of("developer", "hello")
    assert context.store is not None
    context.store.first = {"state": MessageState.REFUSED, "reason": "sent 5 times within 60 s", "suppressed": 45}
    assert context.run() == ExitCode.REFUSED
    assert "(46 so far)" in context.narrated
    assert context.supervisor_wanted == 0


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.UNCONFIRMED, MessageState.REFUSED])
def test_without_its_tmux_server_it_is_never_delivered(state: MessageState) -> None:
    """Scenario 32."""
    context = outcome_of(context_of("developer", "hello", "--json"), state=state)
    context.listening = False
    assert context.run() == ExitCode.MISSING
    assert context.json["state"] != "delivered"
    assert "tmux server" in context.json["reason"]


def test_what_may_not_be_sent_is_refused_with_the_remedy() -> None:
    context = context_of("developer", "hello", environ=INSIDE)
    assert context.store is not None
    context.store.refusal = RefusedError("no", remedy="send it to orchestrator", code="route")
    assert context.run() == ExitCode.REFUSED
    assert "send it to orchestrator" in context.narrated
    assert context.supervisor_wanted == 0


def test_an_agent_goes_by_its_own_name() -> None:
    """Scenario 31: it is known by its pane, and no other name hides that."""
    context = context_of("developer", "hello", "--from", "somebody", environ=INSIDE)
    assert context.run() == ExitCode.REFUSED
    assert "leave --from out" in context.narrated
    assert nothing_added(context)


def test_the_sender_is_the_agent_of_the_pane() -> None:
    context = outcome_of(context_of("developer", "hello", environ=INSIDE), state=MessageState.DELIVERED)
    assert context.run() == ExitCode.DONE
    assert added(context).sender == "shop-1a2b:tester"


def test_the_same_pane_id_on_another_server_is_somebody_else() -> None:
    elsewhere = {"TMUX": "/tmp/tmux-1/other,4242,0", "TMUX_PANE": "%3"}
    context = outcome_of(context_of("tester", "hello", environ=elsewhere), state=MessageState.DELIVERED)
    assert context.run() == ExitCode.DONE
    assert added(context).sender == "you"


def test_from_names_the_sender() -> None:
    context = context_of("developer", "hello", "--from", "ci", "--no-wait", "--now")
    assert context.run() == ExitCode.DONE
    assert added(context).sender == "ci"
    assert added(context).mode is DeliveryMode.NOW


@pytest.mark.parametrize("text", ["fix;", "Enter", "$(date) `id` #{pane_id}", "a\nb\nc", "🙂", "/compact", "%1"])
def test_any_text_is_stored_as_it_is(text: str) -> None:
    context = context_of("developer", text, "--no-wait")
    assert context.run() == ExitCode.DONE
    assert added(context).text == text


@pytest.mark.parametrize("text", ["-x", "--", "--now", "--json"])
def test_a_text_like_an_option_goes_after_two_dashes(text: str) -> None:
    context = context_of("--no-wait", "developer", "--", text)
    assert context.run() == ExitCode.DONE, context.narrated
    assert added(context).text == text
    assert not context.out.as_json


def test_a_text_from_stdin_loses_its_last_line_ends_only() -> None:
    context = context_of("developer", "-", "--no-wait", typed="\n  one\n\ntwo  \n\n")
    assert context.run() == ExitCode.DONE
    assert added(context).text == "\n  one\n\ntwo  "


def test_typing_at_a_terminal_is_announced() -> None:
    context = context_of("developer", "-", "--no-wait", typed="hello\n", terminal=True)
    assert context.run() == ExitCode.DONE
    assert "Ctrl-D" in context.narrated


def test_a_text_that_is_no_text() -> None:
    context = context_of("developer", "a\udcff")
    assert context.run() == ExitCode.USAGE
    assert nothing_added(context)


def test_stdin_that_is_no_text() -> None:
    context = context_of("developer", "-")
    context.stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8")
    assert context.run() == ExitCode.USAGE
    assert "UTF-8" in context.narrated


def test_words_that_should_have_been_quoted() -> None:
    context = context_of("developer", "run", "the", "tests")
    assert context.run() == ExitCode.USAGE
    assert 'in quotes: tmorch send developer "run the tests again"' in context.narrated


def test_unknown_and_ambiguous_targets_name_the_candidates() -> None:
    other = make_agent("api-77c1:developer", "%9")
    context = FakeContext("send", "developer", "hi", store=FakeQuickStore([DEVELOPER, other]))
    assert context.run() == ExitCode.NOT_FOUND
    assert "shop-1a2b:developer, api-77c1:developer" in context.narrated
    unknown = context_of("dev", "hi", "--json")
    assert unknown.run() == ExitCode.NOT_FOUND
    assert "shop-1a2b:developer" in unknown.json["error"]["cause"]


def test_a_role_is_looked_for_in_the_callers_own_team_first() -> None:
    other = make_agent("api-77c1:developer", "%9")
    context = FakeContext(
        "send", "developer", "hi", "--no-wait", store=FakeQuickStore([DEVELOPER, TESTER, other]), environ=INSIDE
    )
    assert context.run() == ExitCode.DONE
    assert added(context).target == DEVELOPER.id


def test_before_anything_was_started_no_target_exists() -> None:
    context = FakeContext("send", "developer", "hi")
    assert context.run() == ExitCode.NOT_FOUND
    assert "no agent runs" in context.narrated


def test_tmux_is_asked_for_a_window_only() -> None:
    for target in ("developer", "shop-1a2b:developer", "%2"):
        context = context_of(target, "hi", "--no-wait")
        assert context.run() == ExitCode.DONE
        assert context.panes_asked == []


def test_a_window_is_named_exactly() -> None:
    """Scenario 22: `web` is not `web2`."""
    rows = (pane_row("%2", "web2", "main", index=1),)
    for target, code in (("web2:main", 0), ("web2:1", 0), ("web:main", 4), ("web2:ma", 4), ("web:1", 4)):
        context = context_of(target, "hi", "--no-wait")
        context.pane_rows = {SERVER: rows}
        assert context.run() == code, target
        assert nothing_added(context) == bool(code)


def test_a_window_on_two_servers_is_ambiguous() -> None:
    there = make_agent("api-77c1:developer", "%2")
    store = FakeQuickStore([DEVELOPER, there], {there.id: "/tmp/other"})
    context = FakeContext("send", "web:main", "hi", store=store)
    context.pane_rows = dict.fromkeys((SERVER, "/tmp/other"), (pane_row("%2", "web", "main"),))
    assert context.run() == ExitCode.NOT_FOUND
    assert "on different tmux servers" in context.narrated


def test_a_pane_id_means_the_callers_own_server() -> None:
    there = make_agent("api-77c1:developer", "%2")
    store = FakeQuickStore([there, DEVELOPER], {there.id: "/tmp/other"})
    inside = FakeContext("send", "%2", "hi", "--no-wait", store=store, environ=INSIDE)
    assert inside.run() == ExitCode.DONE
    assert added(inside).target == DEVELOPER.id
    outside = FakeContext("send", "%2", "hi", "--no-wait", store=FakeQuickStore([there, DEVELOPER]))
    assert outside.run() == ExitCode.NOT_FOUND


@pytest.mark.parametrize("failure", [OSError("no room"), TmorchError("no room")])
def test_a_supervisor_that_cannot_start_does_not_hide_the_receipt(failure: Exception) -> None:
    context = context_of("developer", "hello", "--no-wait", "--json")
    context.supervisor_failure = failure
    assert context.run() == ExitCode.DONE
    assert context.json["state"] == "queued"
    assert "no room" in context.narrated


@pytest.mark.parametrize("wait", ["x", "-1", "nan"])
def test_a_wait_that_is_no_time(wait: str) -> None:
    assert context_of("developer", "hello", "--wait", wait).run() == ExitCode.USAGE


def test_waiting_and_not_waiting_exclude_each_other() -> None:
    assert context_of("developer", "hello", "--wait", "1", "--no-wait").run() == ExitCode.USAGE


def waiting_for(wait_s: float) -> Settings:
    settings = Settings()
    return msgspec.structs.replace(settings, messages=msgspec.structs.replace(settings.messages, wait_s=wait_s))
