"""What becomes of messages whose agent will never get them."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import MessageState
from orchestrator_core.store import Store


def refuse_waiting(store: Store, agent: AgentId, reason: str, at: float) -> None:
    """Refuse all queued messages of an agent. What is being typed is left to whoever types it."""
    while message := store.messages.claim_next(agent, at):
        store.messages.finish(message.id, MessageState.REFUSED, reason=reason, at=at)
