"""The schedule as it is drawn: a lane per agent, a tick per moment."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.check_in import CheckIn
from orchestrator_core.models.ids import AgentId, CheckInId, FiringId, MessageId, OrchestrationId
from orchestrator_core.models.message import MessageState


class TickKind(StrEnum):
    """What a moment in a lane stands for."""

    SENT = "sent"
    """A check-in fired; its receipt tells the rest."""
    SKIPPED = "skipped"
    DUE = "due"
    """A check-in is going to fire then."""
    REPEAT = "repeat"
    """A later due time of a check-in that repeats; its next one is a `due` tick of its own."""
    OVERDUE = "overdue"
    """It is due since then and has not fired: it is held, tried again, or nobody is there to fire it."""
    DEAD = "dead"
    RESET = "reset"
    """The agent's usage limit ends."""


class Tick(Struct, frozen=True, kw_only=True):
    """One moment of a lane. Times are seconds since the epoch."""

    at: float
    kind: TickKind
    check_in: CheckInId | None = None
    """None for a reset."""
    note: str = ""
    firing: FiringId | None = None
    message: MessageId | None = None
    receipt: MessageState | None = None
    reason: str = ""
    """Why it was skipped, is overdue or dead, or what its receipt says."""
    missed: int = 0


class Lane(Struct, frozen=True, kw_only=True):
    """An agent's part of the schedule."""

    agent: AgentId
    role: str
    orchestration: OrchestrationId
    is_live: bool
    is_paused: bool
    """The check-ins of its team are paused: nothing fires."""
    ticks: tuple[Tick, ...] = ()
    """By time."""


class Timeline(Struct, frozen=True, kw_only=True):
    """What the schedule shows from `start` to `end`, read at one moment; overdue and dead ones at whatever time."""

    start: float
    end: float
    lanes: tuple[Lane, ...] = ()
    """The agents of the teams that are shown, in the tree's order."""
    check_ins: tuple[CheckIn, ...] = ()
    """Those that have a tick, each once."""

    def check_in(self, number: CheckInId) -> CheckIn | None:
        """Return the check-in with that number if it has a tick, or None."""
        return next((check_in for check_in in self.check_ins if check_in.id == number), None)
