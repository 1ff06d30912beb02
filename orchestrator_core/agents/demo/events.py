"""What the agent tells its hooks, and when."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple, Protocol

from orchestrator_core.agents.demo import payload
from orchestrator_core.agents.demo.conversation import BASE_TOKENS, Conversation
from orchestrator_core.agents.demo.payload import Fields
from orchestrator_core.agents.demo.standing import Standing
from orchestrator_core.agents.demo.steps import Ask, Done, Inquire, Job, Outcome

PERMISSION_PROMPT_S = 6.0
IDLE_PROMPT_S = 60.0


class Hooks(Protocol):
    """What runs the hooks of the person's settings."""

    def has(self, event: str) -> bool:
        """Whether anybody wants to know of events of that name."""
        ...

    def fire(self, event: str, subject: str, payload: dict[str, Any]) -> Job:
        """Have the hooks run that match; their answers come as one JSON object."""
        ...

    def advance(self, now: float) -> None:
        """Do what can be done without waiting."""
        ...

    def deadline(self, now: float) -> float:
        """Return when to look again."""
        ...

    def finish(self, seconds: float) -> None:
        """Wait until everything was run, but no longer than that."""
        ...


class NoHooks:
    """Nobody wants to know."""

    def has(self, event: str) -> bool:
        """Return False."""
        return False

    def fire(self, event: str, subject: str, payload: dict[str, Any]) -> Job:
        """Do nothing."""
        return Done()

    def advance(self, now: float) -> None:
        """Do nothing."""

    def deadline(self, now: float) -> float:
        """Return infinity."""
        return math.inf

    def finish(self, seconds: float) -> None:
        """Do nothing."""


class Decision(NamedTuple):
    """What a hook decided on a permission prompt."""

    allowed: bool
    why: str = ""


class Events:
    """Tells the hooks what happens. A job that is returned may be waited for."""

    def __init__(self, hooks: Hooks, conversation: Conversation, mode: str, *, notify_scale: float = 1.0) -> None:
        self.hooks = hooks
        self.conversation = conversation
        self._mode = mode
        self._scale = notify_scale
        self._standing: Standing | None = None
        self._notify_at = math.inf

    def begun(self, source: str, title: str) -> Job:
        """Tell that a conversation begins."""
        return self._fire("SessionStart", source, payload.session_start(source, title))

    def ended(self, reason: str) -> Job:
        """Tell that a conversation ends."""
        return self._fire("SessionEnd", reason, {"reason": reason})

    def prompted(self, text: str) -> Job:
        """Tell of a prompt."""
        self.conversation.begin_prompt()
        return self._fire("UserPromptSubmit", "", {"prompt": text})

    def asked(self, step: Ask | Inquire) -> Job:
        """Tell that a dialog has opened; the answer may be a decision."""
        fields = payload.permission(step) if isinstance(step, Ask) else payload.inquiry(step)
        return self._fire("PermissionRequest", fields["tool_name"], fields)

    def stopped(self, said: str, *, again: bool, tasks: list[Fields]) -> Job:
        """Tell that a turn is over; the answer may be that it is not."""
        return self._fire("Stop", "", payload.stop(said, again=again, tasks=tasks))

    def failed(self, error: str, text: str) -> None:
        """Tell that an error ended a turn."""
        self._fire("StopFailure", error, {"error": error, "last_assistant_message": text})

    def notified(self, kind: str) -> None:
        """Tell what should catch the person's eye."""
        self._fire("Notification", kind, payload.notification(kind))

    def compacting(self) -> Job:
        """Tell that the conversation is about to be shortened."""
        self.conversation.begin_prompt()
        return self._fire("PreCompact", "manual", {"trigger": "manual", "custom_instructions": None})

    def compacted(self, summary: str) -> Job:
        """Tell that the conversation was shortened."""
        self.conversation.tokens = BASE_TOKENS
        self.begun("compact", "")
        return self._fire("PostCompact", "manual", {"trigger": "manual", "compact_summary": summary})

    def subagent_started(self, subagent: Fields) -> None:
        """Tell of a subagent."""
        self._fire("SubagentStart", subagent["agent_type"], subagent)

    def subagent_stopped(self, subagent: Fields, said: str, tasks: list[Fields]) -> None:
        """Tell of its end."""
        fields = payload.subagent_stop(subagent, self.conversation, said, tasks)
        self._fire("SubagentStop", subagent["agent_type"], fields)

    def _fire(self, event: str, subject: str, fields: Fields) -> Job:
        if not self.hooks.has(event):
            return Done()
        return self.hooks.fire(event, subject, payload.whole(event, self.conversation, self._mode, fields))

    # --- what nobody has seen to for some time ---------------------------------------------------------------

    def deadline(self, now: float) -> float:
        """Return when there is something to do."""
        return min(self.hooks.deadline(now), self._notify_at)

    def tick(self, standing: Standing, now: float) -> None:
        """Run what is due, and notify when the agent has stood like this for long."""
        if standing != self._standing:
            self._standing = standing
            self._notify_at = now + self._patience(standing) if self.hooks.has("Notification") else math.inf
        if now >= self._notify_at:
            self._notify_at = math.inf
            self.notified("idle_prompt" if standing.status == "idle" else "permission_prompt")
        self.hooks.advance(now)

    def _patience(self, standing: Standing) -> float:
        if standing.asks:
            return PERMISSION_PROMPT_S * self._scale
        if standing.status == "idle" and self.conversation.prompts:
            return IDLE_PROMPT_S * self._scale
        return math.inf


def continued(outcome: Outcome) -> str:
    """Return what a Stop hook wants to have done next; empty when it wants nothing."""
    answer = _decoded(outcome)
    return str(answer.get("reason") or "") if answer.get("decision") == "block" else ""


def decision(outcome: Outcome) -> Decision | None:
    """Return what a PermissionRequest hook decided, if it did."""
    specific = _decoded(outcome).get("hookSpecificOutput")
    found = specific.get("decision") if isinstance(specific, dict) else None
    if not isinstance(found, dict) or found.get("behavior") not in ("allow", "deny"):
        return None
    return Decision(found["behavior"] == "allow", str(found.get("message") or ""))


def _decoded(outcome: Outcome) -> Fields:
    found = json.loads(outcome.text) if outcome.text else {}
    return found if isinstance(found, dict) else {}
