"""The ids by which things are addressed; names are for display only."""

from __future__ import annotations

from typing import NewType

OrchestrationId = NewType("OrchestrationId", str)
"""Such as `shop-3f2a`; also the name of its tmux session."""

AgentId = NewType("AgentId", str)
"""`<orchestration>:<role>`, such as `shop-3f2a:developer`."""

MessageId = NewType("MessageId", int)
"""A message's number in the outbox, counted per state folder."""

CheckInId = NewType("CheckInId", int)
"""A check-in's number, counted per state folder."""

FiringId = NewType("FiringId", int)
"""A firing's number, counted per state folder."""

SessionId = NewType("SessionId", str)
"""tmux's `$N`."""

WindowId = NewType("WindowId", str)
"""tmux's `@N`."""

PaneId = NewType("PaneId", str)
"""tmux's `%N`."""


def agent_id(orchestration: OrchestrationId, role: str) -> AgentId:
    """Return the id of the agent with `role` in `orchestration`."""
    return AgentId(f"{orchestration}:{role}")
