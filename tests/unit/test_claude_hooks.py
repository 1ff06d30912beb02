"""What each hook says of an agent, by what the real CLI told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_core.agents.claude.agent_settings import EVENTS
from orchestrator_core.agents.claude.hooks import (
    DETAIL_LENGTH,
    claim_of,
    conversation_of,
    detail_of,
    has_background,
)
from orchestrator_core.models.hook import HookClaim

PAYLOADS = Path(__file__).parents[1] / "data/claude-payloads"
CLAIMS = {
    "Notification.idle_prompt": HookClaim.IDLE,
    "Notification.permission_prompt": HookClaim.WAITING,
    "Notification.quota_auto_resume_fired": HookClaim.WORKING,
    "PermissionRequest.AskUserQuestion": HookClaim.WAITING,
    "PermissionRequest.Bash": HookClaim.WAITING,
    "PermissionRequest.Write": HookClaim.WAITING,
    "PreCompact.manual": HookClaim.WORKING,
    "PostCompact.manual": HookClaim.IDLE,
    "SessionEnd.clear": None,
    "SessionEnd.other": HookClaim.ENDED,
    "SessionEnd.prompt_input_exit": HookClaim.ENDED,
    "SessionStart.clear": HookClaim.IDLE,
    "SessionStart.compact": None,
    "SessionStart.resume": HookClaim.STARTING,
    "SessionStart.startup": HookClaim.STARTING,
    "Stop": HookClaim.IDLE,
    "StopFailure.authentication_failed": HookClaim.FAILED,
    "StopFailure.billing_error": HookClaim.FAILED,
    "StopFailure.rate_limit": HookClaim.FAILED,
    "StopFailure.server_error": HookClaim.FAILED,
    "SubagentStart": None,
    "SubagentStop": None,
    "UserPromptSubmit": HookClaim.WORKING,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def captured(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"hook_{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", CLAIMS)
def test_what_was_captured_claims(name: str) -> None:
    payload = captured(name)
    assert claim_of(payload["hook_event_name"], payload) is CLAIMS[name]
    assert conversation_of(payload) == payload["session_id"]


def test_every_event_that_agents_tell_of_was_captured() -> None:
    assert {name.partition(".")[0] for name in CLAIMS} == set(EVENTS)


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("PermissionRequest.Bash", "echo hi > /home/user/claude_tmp/x; curl -s http://127.0.0.1:1/"),
        ("PermissionRequest.Write", "Write /home/user/claude_work/proj/a.txt"),
        ("PermissionRequest.AskUserQuestion", "Which color?"),
        ("SessionEnd.prompt_input_exit", "prompt_input_exit"),
        ("SessionStart.clear", "clear"),
        ("Notification.permission_prompt", ""),
        ("Stop", ""),
    ],
)
def test_what_it_is_about(name: str, detail: str) -> None:
    payload = captured(name)
    assert detail_of(payload["hook_event_name"], payload) == detail


def test_an_error_is_told_with_its_text() -> None:
    detail = detail_of("StopFailure", captured("StopFailure.rate_limit"))
    assert detail.startswith("rate_limit: API Error: Request rejected (429)")


def test_a_usage_limit_is_told_from_a_refused_request() -> None:
    limit = captured("StopFailure.rate_limit") | {"last_assistant_message": "You've hit your 5-hour limit"}
    assert claim_of("StopFailure", limit) is HookClaim.LIMITED


def test_an_unknown_tool_is_told_with_all_it_was_given() -> None:
    asked = {"tool_name": "mcp__db__drop", "tool_input": {"table": "kunden ü"}}
    assert detail_of("PermissionRequest", asked) == 'mcp__db__drop {"table": "kunden ü"}'


def test_what_an_mcp_server_asks_is_told() -> None:
    asked = {"notification_type": "elicitation_dialog", "message": "Which account?"}
    assert (claim_of("Notification", asked), detail_of("Notification", asked)) == (HookClaim.WAITING, "Which account?")


def test_a_tool_that_was_given_nothing_is_told_by_its_name() -> None:
    assert detail_of("PermissionRequest", {"tool_name": "ExitPlanMode", "tool_input": {}}) == "ExitPlanMode"


def test_a_cut_detail_says_how_much_is_missing() -> None:
    asked = {"tool_name": "Bash", "tool_input": {"command": "x" * (DETAIL_LENGTH + 7)}}
    assert detail_of("PermissionRequest", asked).endswith("xx… (7 more characters)")


def test_what_runs_on_in_the_background() -> None:
    assert not has_background(captured("Stop"))
    assert has_background(captured("SubagentStop"))


def test_an_automatic_compaction_does_not_end_the_turn() -> None:
    assert claim_of("PostCompact", {"trigger": "auto"}) is HookClaim.WORKING


@given(event=st.sampled_from(EVENTS) | st.text(max_size=8), payload=st.dictionaries(st.text(max_size=12), ANYTHING))
def test_nothing_told_is_too_odd(event: str, payload: dict[str, Any]) -> None:
    told = {**payload, "tool_input": payload.get("tool_input", {"questions": list(payload.values())})}
    assert claim_of(event, told) in (None, *HookClaim)
    detail_of(event, {**told, "tool_name": "AskUserQuestion"}).encode()
    detail_of(event, told).encode()
    conversation_of(told)
