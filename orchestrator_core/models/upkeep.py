"""How far tmorch is with an agent whose context is nearly full."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.models.ids import AgentId, MessageId


class Upkeep(Struct, frozen=True, kw_only=True):
    """An agent that was told to write its checkpoint: there is one until its context has room again."""

    agent: AgentId
    conversation: str
    checkpoint: MessageId
    """The message that tells it so."""
    compaction: MessageId | None = None
    """The command that shortens its conversation; None until it is sent."""
    at: float
    """When it was told, seconds since the epoch."""
