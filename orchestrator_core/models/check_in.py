"""A check-in, a message that is sent at its time, and its firings."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.ids import AgentId, CheckInId, FiringId, MessageId
from orchestrator_core.models.message import MessageState

TMORCH = "tmorch"
"""The author of the check-ins that tmorch keeps for every live agent."""


class CheckInKind(StrEnum):
    """How often a check-in fires."""

    ONCE = "once"
    EVERY = "every"
    """Again and again, a fixed time apart."""
    CRON = "cron"
    """At the times of a cron expression, in its own time zone."""


class CheckInState(StrEnum):
    """Whether a check-in is going to fire again."""

    ACTIVE = "active"
    FIRED = "fired"
    """It was to fire once, and has."""
    CANCELLED = "cancelled"
    DEAD = "dead"
    """It could not fire, and is not tried any more; the reason says why."""


class CheckIn(Struct, frozen=True, kw_only=True):
    """A scheduled message for one agent. Times are seconds since the epoch, in UTC."""

    id: CheckInId
    target: AgentId
    author: str
    """An agent id, `you` for the person, or `tmorch`."""
    note: str
    kind: CheckInKind
    due_at: float
    """When it is due next; of one that is not active, when it was due last."""
    interval_s: float | None = None
    """For `every`: how far apart its due times are."""
    anchor_at: float = 0.0
    """For `every`: a due time from which all others are counted, so that none drifts."""
    cron: str = ""
    zone: str = ""
    """The IANA name of the author's time zone: for cron what its times mean, otherwise for display."""
    is_standing: bool = False
    """tmorch keeps it for a live agent by its role's interval; every live agent has one."""
    state: CheckInState = CheckInState.ACTIVE
    reason: str = ""
    """Why it waits although it is due, was cancelled, or is dead."""
    attempts: int = 0
    """How many times in a row it could not fire."""
    retry_at: float | None = None
    """When a due one is tried again; None: at `due_at`."""
    set_at: float = 0.0
    """When `due_at` was decided: a clock that shows less than this went back."""
    created_at: float = 0.0
    ended_at: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is going to fire."""
        return self.state is CheckInState.ACTIVE

    @property
    def repeats(self) -> bool:
        """Whether it fires more than once."""
        return self.kind is not CheckInKind.ONCE


class FiringOutcome(StrEnum):
    """What came of a check-in when it was due."""

    SENT = "sent"
    SKIPPED = "skipped"
    """By a rule: its agent works, or was nudged a moment ago."""


class Firing(Struct, frozen=True, kw_only=True):
    """One firing of a check-in: there is at most one for each of its due times."""

    id: FiringId
    check_in: CheckInId
    target: AgentId
    due_at: float
    """The due time it stands for: the first of those that had passed."""
    fired_at: float
    missed: int = 0
    """How many later due times had passed as well, and are covered by it."""
    outcome: FiringOutcome
    message: MessageId | None = None
    """What it has put into the outbox; None when it was skipped."""
    reason: str = ""
    receipt: MessageState | None = None
    """How far that message has come, as of the reading."""
    receipt_reason: str = ""


class CheckInRequest(Struct, frozen=True, kw_only=True):
    """What somebody wants to be reminded of, and when. Of `delay_s`, `at` and `cron` exactly one is given."""

    note: str
    delay_s: float | None = None
    """In how many seconds; with `repeats`, how far apart, the first time after as long."""
    at: float | None = None
    """At which moment, once."""
    repeats: bool = False
    cron: str = ""
    zone: str = ""
    """The zone that `cron` is meant in; empty: the machine's."""


class Scheduled(Struct, frozen=True, kw_only=True):
    """What became of a request."""

    check_in: CheckIn
    is_new: bool
    """False: one that means the same was there already, and nothing was added."""
