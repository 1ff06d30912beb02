"""What hooks are told, in the shape in which Claude Code tells it. Pure."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from orchestrator_core.agents.demo.conversation import MODEL, Conversation
from orchestrator_core.agents.demo.steps import Ask, Inquire, Question

WITH_MODE = ("UserPromptSubmit", "PermissionRequest", "Stop", "SubagentStop")
WITH_EFFORT = ("PermissionRequest", "Stop", "StopFailure", "SubagentStop")
EFFORT = {"level": "medium"}
MESSAGES = {
    "permission_prompt": "Claude needs your permission",
    "idle_prompt": "Claude is waiting for your input",
    "quota_auto_resume_fired": "Usage limit reset — Claude is continuing your task",
}

Fields = dict[str, Any]


def whole(event: str, conversation: Conversation, mode: str, fields: Fields) -> Fields:
    """Return the payload of an event: what it has in common with others, and `fields`."""
    found: Fields = {
        "session_id": conversation.id,
        "transcript_path": conversation.path,
        "cwd": conversation.project,
    }
    if conversation.prompt_id:
        found["prompt_id"] = conversation.prompt_id
    if event in WITH_MODE:
        found["permission_mode"] = "default" if mode == "manual" else mode
    if event in WITH_EFFORT:
        found["effort"] = EFFORT
    return {**found, "hook_event_name": event, **fields}


def session_start(source: str, title: str) -> Fields:
    """Return what is told of a beginning."""
    match source:
        case "clear":
            return {"source": source}
        case "resume":
            cost = {"context_tokens": 21241, "prompt_cache_likely_expired": False, "estimated_cache_write_usd": 0.1062}
            return {"source": source, "session_title": title, "seconds_since_last_response": 24, **cost}
    return {"source": source, "model": MODEL}


def permission(step: Ask) -> Fields:
    """Return what is told of a command that needs permission."""
    rule = {"toolName": "Bash", "ruleContent": f"{step.command.split(' ')[0]} *"}
    suggestion = {"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "localSettings"}
    return {
        "tool_name": "Bash",
        "tool_input": {"command": step.command, "description": step.purpose},
        "permission_suggestions": [suggestion],
    }


def inquiry(step: Inquire) -> Fields:
    """Return what is told of questions."""
    return {"tool_name": "AskUserQuestion", "tool_input": {"questions": [_question(each) for each in step.questions]}}


def _question(asked: Question) -> Fields:
    pairs = zip_longest(asked.choices, asked.descriptions, fillvalue="")
    options = [{"label": label, "description": description} for label, description in pairs]
    return {"question": asked.question, "header": asked.header, "options": options, "multiSelect": asked.multiple}


def notification(kind: str) -> Fields:
    """Return what is told to catch the person's eye."""
    return {"message": MESSAGES[kind], "notification_type": kind}


def stop(said: str, *, again: bool, tasks: list[Fields]) -> Fields:
    """Return what is told of the end of a turn; `again` when it was made longer by a hook."""
    return {"stop_hook_active": again, "last_assistant_message": said, "background_tasks": tasks, "session_crons": []}


def subagent_stop(start: Fields, conversation: Conversation, said: str, tasks: list[Fields]) -> Fields:
    """Return what is told of the end of a subagent; `start` is what was told of its beginning."""
    file = f"{conversation.path.removesuffix('.jsonl')}/subagents/agent-{start['agent_id']}.jsonl"
    return {**start, "agent_transcript_path": file, **stop(said, again=False, tasks=tasks)}
