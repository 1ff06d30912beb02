"""What an agent's own hooks tell of it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.ids import AgentId


class HookClaim(StrEnum):
    """What the latest hook says that the agent is."""

    STARTING = "starting"
    WORKING = "working"
    IDLE = "idle"
    WAITING = "waiting"
    """A dialog has opened."""
    FAILED = "failed"
    """An error ended its turn; it takes text."""
    LIMITED = "limited"
    ENDED = "ended"
    """Its program is about to end."""


class HookFact(Struct, frozen=True, kw_only=True):
    """The latest hook of an agent that says anything of its state. Times are seconds since the epoch."""

    agent: AgentId
    event: str
    """As Claude Code calls it: `Stop`, `PermissionRequest` …"""
    claim: HookClaim
    at: float
    """When the hook ran."""
    conversation: str
    detail: str = ""
    """The command, question or error it is about; whole, not as wrapped on screen."""
    has_background: bool = False
    """Something of the agent's runs on although its turn has ended."""
