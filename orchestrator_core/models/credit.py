"""What is known of a subscription's use, and of what agents use: readings, never guesses without saying so."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from msgspec import Struct

from orchestrator_core.models.ids import AgentId

AccountId = NewType("AccountId", str)
"""The folder that holds an account's configuration, absolute: `CLAUDE_CONFIG_DIR`, else `~/.claude`."""

FIVE_HOUR, SEVEN_DAY = "five_hour", "seven_day"
"""The windows that Claude Code tells of; a limit may name others, such as one of a model's own."""


class ReadingSource(StrEnum):
    """Where a reading comes from, the most trustworthy first."""

    STATUS_LINE = "status-line"
    """Claude Code's own numbers, as it tells them to an agent's status line."""
    RECORD = "record"
    """The limit that Claude Code has written into a conversation, with its moment."""
    PRINT = "print"
    """What `claude -p` has told of the limits."""
    SCREEN = "screen"
    """The words on an agent's screen."""
    GUESS = "guess"
    """Nobody has told a time: five hours after the last known reset, or after the limit was met."""


class Confidence(StrEnum):
    """How far a reading can be relied on."""

    SURE = "sure"
    LIKELY = "likely"
    ESTIMATE = "estimate"


class CreditReading(Struct, frozen=True, kw_only=True):
    """How much of one window of an account is used, as somebody told it. Times are seconds since the epoch."""

    account: AccountId
    window: str
    """`five_hour`, `seven_day`, or what a limit calls itself."""
    at: float
    source: ReadingSource
    confidence: Confidence
    used_percentage: float | None = None
    """From 0 to 100 and, rarely, more; None when only the reset was told."""
    resets_at: float | None = None
    is_limit: bool = False
    """The account is held by this window until it resets."""
    agent: AgentId = AgentId("")
    """Through whom it was told; empty when it was not an agent."""


class AgentUse(Struct, frozen=True, kw_only=True):
    """What an agent has used, by its own status line. Counted from the beginning of its conversation."""

    agent: AgentId
    at: float
    conversation: str = ""
    cost_usd: float | None = None
    """As Claude Code counts it: what it would cost by the API; a subscription pays otherwise."""
    context_used: float | None = None
    """From 0 to 100: how full its context is."""
    context_size: int | None = None
    """In tokens."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""


class Projection(Struct, frozen=True, kw_only=True):
    """When a window would be used up at the pace of late. An estimate, and called one."""

    at: float | None
    """None: not before it resets."""
    basis: str
    """Such as `12 % an hour over the last 45 min`."""


class WindowStatus(Struct, frozen=True, kw_only=True):
    """One window of an account, now."""

    reading: CreditReading
    projection: Projection | None = None
    """None when there are too few readings for one."""


class AccountStatus(Struct, frozen=True, kw_only=True):
    """An account with what is known of it."""

    account: AccountId
    name: str
    """How it is shown: the folder, with `~` for home."""
    windows: tuple[WindowStatus, ...] = ()
    """The five hours first, then the week, then others."""
    agents: tuple[AgentId, ...] = ()
    limited_until: float | None = None
    """When its limit ends; None when none holds it."""
    limit_is_estimate: bool = False


class ContinuationState(StrEnum):
    """How far one account's way out of one limit is."""

    WAITING = "waiting"
    """For the reset."""
    LOOKING = "looking"
    """The reset is past: do its agents go on by themselves?"""
    NUDGED = "nudged"
    """Those that did not were told to go on, once."""
    BACKING_OFF = "backing-off"
    """It is still limited: looked at again later."""
    OVER = "over"


class Continuation(Struct, frozen=True, kw_only=True):
    """One way out of one limit: there is one for each account and reset, whatever happens in between."""

    id: int
    account: AccountId
    resets_at: float
    is_estimate: bool = False
    state: ContinuationState = ContinuationState.WAITING
    next_at: float = 0.0
    """When it is seen to next."""
    attempts: int = 0
    """How many times it was found still limited."""
    reason: str = ""
    created_at: float = 0.0
    ended_at: float | None = None
