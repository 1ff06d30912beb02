"""What Claude Code's hooks say of an agent. Pure; the facts are those of version 2.1.330."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator_core.models.hook import HookClaim

Payload = Mapping[str, Any]
DETAIL_LENGTH = 20_000
"""Longer ones are cut, and say so."""
SUBJECTS = {
    "Bash": "command",
    "Read": "file_path",
    "Write": "file_path",
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
    "WebFetch": "url",
    "WebSearch": "query",
    "Skill": "skill",
    "ExitPlanMode": "plan",
}
"""The tools of which one field says what they want to do."""
BARE = frozenset({"Bash", "ExitPlanMode"})
"""Those whose subject needs no name before it."""
SAID_BY_NOTIFICATION = {
    "permission_prompt": HookClaim.WAITING,
    "elicitation_dialog": HookClaim.WAITING,
    "idle_prompt": HookClaim.IDLE,
    "quota_auto_resume_fired": HookClaim.WORKING,
}
SAID_BY_SOURCE = {"startup": HookClaim.STARTING, "resume": HookClaim.STARTING, "clear": HookClaim.IDLE}
"""What the start of a conversation says; `compact` may come in the middle of a turn and says nothing."""
GOES_ON = frozenset({"clear", "resume"})
"""Reasons of a conversation's end after which the program goes on with another one."""
LIMIT_ERROR = "rate_limit"
"""A usage limit of a subscription, unless the text begins with `REJECTED`: then the API refused this one request."""
REJECTED = "API Error"


def claim_of(event: str, payload: Payload) -> HookClaim | None:
    """Return what the hook says that the agent is; None when it says nothing of that."""
    said = _SAYS.get(event)
    return said(payload) if said else None


def detail_of(event: str, payload: Payload) -> str:
    """Return the command, question or error that the hook is about, whole; empty when it is about none."""
    about = _ABOUT.get(event)
    text = about(payload) if about else ""
    if len(text) > DETAIL_LENGTH:
        text = f"{text[:DETAIL_LENGTH]}… ({len(text) - DETAIL_LENGTH} more characters)"
    return text


def has_background(payload: Payload) -> bool:
    """Whether something of the agent's runs on although its turn has ended."""
    return bool(payload.get("background_tasks"))


def conversation_of(payload: Payload) -> str:
    """Return the id of the conversation that the hook belongs to; empty when it names none."""
    return _text(payload, "session_id")


def _failure(payload: Payload) -> HookClaim:
    is_rejected = _text(payload, "last_assistant_message").startswith(REJECTED)
    return HookClaim.LIMITED if payload.get("error") == LIMIT_ERROR and not is_rejected else HookClaim.FAILED


def _compacted(payload: Payload) -> HookClaim:
    return HookClaim.IDLE if payload.get("trigger") == "manual" else HookClaim.WORKING


def _end(payload: Payload) -> HookClaim | None:
    return None if payload.get("reason") in GOES_ON else HookClaim.ENDED


_SAYS: Mapping[str, Callable[[Payload], HookClaim | None]] = {
    "SessionStart": lambda payload: SAID_BY_SOURCE.get(_text(payload, "source")),
    "UserPromptSubmit": lambda _: HookClaim.WORKING,
    "PermissionRequest": lambda _: HookClaim.WAITING,
    "Notification": lambda payload: SAID_BY_NOTIFICATION.get(_text(payload, "notification_type")),
    "Stop": lambda _: HookClaim.IDLE,
    "StopFailure": _failure,
    "PreCompact": lambda _: HookClaim.WORKING,
    "PostCompact": _compacted,
    "SessionEnd": _end,
}


def _request(payload: Payload) -> str:
    tool, given = _text(payload, "tool_name"), payload.get("tool_input")
    if not isinstance(given, Mapping) or not given:
        return tool
    if tool == "AskUserQuestion":
        return _questions(given)
    subject = _text(given, SUBJECTS.get(tool, ""))
    if not subject:
        return f"{tool} {json.dumps(given, ensure_ascii=False)}"
    return subject if tool in BARE else f"{tool} {subject}"


def _questions(given: Payload) -> str:
    asked = given.get("questions")
    questions = [each for each in asked if isinstance(each, Mapping)] if isinstance(asked, list) else []
    return "\n".join(filter(None, (_text(question, "question") for question in questions)))


def _notice(payload: Payload) -> str:
    """Return what it says unless a `PermissionRequest` has said more."""
    return _text(payload, "message") if payload.get("notification_type") == "elicitation_dialog" else ""


def _error(payload: Payload) -> str:
    return ": ".join(filter(None, (_text(payload, "error"), _text(payload, "last_assistant_message"))))


_ABOUT: Mapping[str, Callable[[Payload], str]] = {
    "PermissionRequest": _request,
    "StopFailure": _error,
    "Notification": _notice,
    "SessionEnd": lambda payload: _text(payload, "reason"),
    "SessionStart": lambda payload: _text(payload, "source"),
}


def _text(payload: Payload, name: str) -> str:
    found = payload.get(name)
    return found if isinstance(found, str) else ""
