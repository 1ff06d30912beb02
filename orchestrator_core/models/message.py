"""A message for one agent, and the states of its receipt."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.ids import AgentId, MessageId, PaneId


class MessageState(StrEnum):
    """How far a message has come. Only forward, and never twice into a pane."""

    QUEUED = "queued"
    DELIVERING = "delivering"
    """Claimed by the supervisor; from here on a crash makes it `unconfirmed`, never a second copy."""
    DELIVERED = "delivered"
    """The agent's prompt took it."""
    ACKNOWLEDGED = "acknowledged"
    """The agent itself said that it has it."""
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    """It was typed, and nobody can know whether the agent took it."""

    @property
    def is_final(self) -> bool:
        """Whether tmorch will do nothing more about it by itself."""
        return self not in (MessageState.QUEUED, MessageState.DELIVERING)


class DeliveryMode(StrEnum):
    """When a message may be typed."""

    WHEN_IDLE = "when-idle"
    NOW = "now"
    """While the agent works, into the agent's own queue; never into a dialog or a draft."""


class MessageKind(StrEnum):
    """What a message is for."""

    TEXT = "text"
    BRIEFING = "briefing"
    """The first prompt of an agent; delivered without the message header."""


class AgentMessage(Struct, frozen=True, kw_only=True):
    """Text for one agent, kept in the outbox until it is delivered. Times are seconds since the epoch."""

    id: MessageId
    target: AgentId
    sender: str
    """An agent id, or `you` for the person."""
    text: str
    state: MessageState = MessageState.QUEUED
    reason: str = ""
    """Why it is still queued, was refused, or is unconfirmed."""
    mode: DeliveryMode = DeliveryMode.WHEN_IDLE
    kind: MessageKind = MessageKind.TEXT
    pane: PaneId | None = None
    """Where it was typed; None until then."""
    suppressed: int = 0
    """How many equal messages were sent right after this one and not delivered."""
    created_at: float = 0.0
    delivered_at: float | None = None
    acknowledged_at: float | None = None
    """When the agent's own hook said that it has the message."""


PERSON = "you"
"""The sender of what a person wrote."""

CHECK_IN = "check-in"
"""The sender of a check-in that an agent set for itself, or that tmorch keeps for it."""
CHECK_IN_BY = "check-in by "
"""How the sender of a check-in begins that somebody else has set; the author follows."""
