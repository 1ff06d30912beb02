"""What is done for an agent whose context is nearly full: it writes its checkpoint, then its conversation is shortened.

Each of the two once, until its context has room again or it is another conversation. Pure.
"""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.config.settings import ContextSettings
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.upkeep import Upkeep

COMPACT = "/compact"
QUIET_S = 15.0
"""For how long an agent must have been idle since it got its message: a turn may take a moment to show."""
ROOM = 10.0
"""By how much a context must have emptied to count as having room again: readings go up and down a little."""
GOT = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)
LISTENING = (AgentStatus.IDLE, AgentStatus.WORKING)


class Tell(Struct, frozen=True):
    """Tell it to write its checkpoint."""


class Compact(Struct, frozen=True):
    """Have it shorten its conversation."""


class Rearm(Struct, frozen=True):
    """Forget what it was told: its context has room again."""


class Situation(Struct, frozen=True, kw_only=True):
    """What is known of an agent."""

    agent: Agent
    told_of: str = ""
    """The conversation of which it has told last how full it is; empty when it has told of none."""
    upkeep: Upkeep | None = None
    checkpoint: AgentMessage | None = None
    """The message that has told it to write its checkpoint."""
    is_held: bool = False
    """Nothing is sent to it for now."""
    can_compact: bool = False
    """Its kind of agent takes the command, and the settings let it."""


def decide(situation: Situation, settings: ContextSettings, now: float) -> Tell | Compact | Rearm | None:
    """Return what is to be done now, or None."""
    agent, upkeep = situation.agent, situation.upkeep
    if upkeep is not None and _has_room(situation, upkeep, settings):
        return Rearm()
    if situation.is_held or agent.is_adopted or not _is_full(situation, settings):
        return None
    if upkeep is None:
        return Tell() if agent.status in LISTENING else None
    is_wanted = settings.compact == "after-checkpoint" and situation.can_compact
    return Compact() if is_wanted and upkeep.compaction is None and _is_done(situation, now) else None


def _is_full(situation: Situation, settings: ContextSettings) -> bool:
    used, told_of = situation.agent.context_used, situation.told_of
    if not settings.checkpoint_percentage or used is None:
        return False
    return used >= settings.checkpoint_percentage and told_of in ("", situation.agent.conversation)


def _has_room(situation: Situation, upkeep: Upkeep, settings: ContextSettings) -> bool:
    if situation.agent.conversation != upkeep.conversation:
        return True
    used, limit = situation.agent.context_used, settings.checkpoint_percentage
    return used is not None and used < limit - min(ROOM, limit / 2)


def _is_done(situation: Situation, now: float) -> bool:
    """Whether it has got the message, and its turn is over since."""
    agent, message = situation.agent, situation.checkpoint
    if agent.status is not AgentStatus.IDLE or message is None or message.state not in GOT:
        return False
    got_at = max(message.delivered_at or 0.0, message.acknowledged_at or 0.0)
    return now - max(agent.status_since, got_at) >= QUIET_S
