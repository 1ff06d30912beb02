"""The way out of a usage limit: wait, look who goes on by themselves, tell the others once, see that they do. Pure.

Claude Code goes on by itself about 80 s after the reset, unless its user has switched that off: so it is looked first.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.config.settings import CreditSettings
from orchestrator_core.models.credit import AccountId, Continuation, ContinuationState
from orchestrator_core.models.ids import AgentId

GO_ON = (
    "The usage limit that stopped you is over. Look at the state of what you were doing - `git status`, your last "
    "messages - and go on with it. If you had finished, go on with what is next."
)
SAME_RESET_S = 120.0
"""By how much two tellings of one reset may differ."""
MINUTE_S = 60.0
WAITS_FOR_PERSON = "the limit is over; the settings leave it to you to tell the agents to go on"


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an account at one moment. Times are seconds since the epoch."""

    account: AccountId
    limited: tuple[AgentId, ...] = ()
    """Its agents that a limit holds, in the order of their windows."""
    held_until: float | None = None
    """When the limit ends that holds it now, as was told; None when nothing tells of any."""
    is_estimate: bool = False
    nudged: frozenset[AgentId] = frozenset()
    """Whom this attempt has told to go on."""
    is_on_the_way: bool = False
    """Such a message is still on its way to one of them."""


class Decision(Struct, frozen=True, kw_only=True):
    """What becomes of a way out, and who is to be told to go on."""

    continuation: Continuation
    nudge: tuple[AgentId, ...] = ()


def begun(facts: Facts, settings: CreditSettings, now: float) -> Continuation:
    """Return the way out of a limit that was met just now."""
    resets_at = facts.held_until if facts.held_until is not None else now
    return Continuation(
        id=0,
        account=facts.account,
        resets_at=resets_at,
        is_estimate=facts.is_estimate,
        next_at=resets_at + settings.margin_s,
        created_at=now,
    )


def decide(continuation: Continuation, facts: Facts, settings: CreditSettings, now: float) -> Decision | None:
    """Return what is to be done now; None when nothing is. Doing it twice is the same as doing it once."""
    match continuation.state:
        case ContinuationState.WAITING | ContinuationState.BACKING_OFF:
            return _wait(continuation, facts, settings, now)
        case ContinuationState.LOOKING:
            return _look(continuation, facts, settings, now)
        case ContinuationState.NUDGED:
            return _verify(continuation, facts, settings, now)
        case ContinuationState.OVER:
            return None


def _wait(continuation: Continuation, facts: Facts, settings: CreditSettings, now: float) -> Decision | None:
    if not facts.limited:
        return _over(continuation, now)
    told = facts.held_until
    if told is not None and _is_other(continuation, told):
        next_at = told + settings.margin_s
        if continuation.state is ContinuationState.BACKING_OFF:
            next_at = max(next_at, continuation.next_at)
        changed = replace(continuation, resets_at=told, is_estimate=facts.is_estimate, next_at=next_at)
        return Decision(continuation=changed)
    if now < continuation.next_at:
        return None
    return Decision(continuation=replace(continuation, state=ContinuationState.LOOKING, next_at=now))


def _is_other(continuation: Continuation, told: float) -> bool:
    """Whether another reset was told; while it is backed off, only a later one counts."""
    if continuation.state is ContinuationState.BACKING_OFF:
        return told - continuation.resets_at > SAME_RESET_S
    return abs(told - continuation.resets_at) > SAME_RESET_S


def _look(continuation: Continuation, facts: Facts, settings: CreditSettings, now: float) -> Decision | None:
    if not facts.limited:
        return _over(continuation, now)
    if facts.held_until is not None and facts.held_until > now:
        return _back_off(continuation, facts, settings, now)
    if not settings.resume:
        waits = replace(continuation, reason=WAITS_FOR_PERSON)
        return None if waits == continuation else Decision(continuation=waits)
    changed = replace(continuation, state=ContinuationState.NUDGED, next_at=now + settings.verify_s)
    return Decision(continuation=changed, nudge=tuple(agent for agent in facts.limited if agent not in facts.nudged))


def _verify(continuation: Continuation, facts: Facts, settings: CreditSettings, now: float) -> Decision | None:
    if now < continuation.next_at or (facts.limited and facts.is_on_the_way):
        return None
    return _back_off(continuation, facts, settings, now) if facts.limited else _over(continuation, now)


def _back_off(continuation: Continuation, facts: Facts, settings: CreditSettings, now: float) -> Decision:
    pause_s = min(settings.backoff_min * 2**continuation.attempts, settings.backoff_most_min) * MINUTE_S
    next_at, resets_at = now + pause_s, continuation.resets_at
    if facts.held_until is not None and facts.held_until > now:
        next_at, resets_at = max(next_at, facts.held_until + settings.margin_s), facts.held_until
    changed = replace(
        continuation,
        state=ContinuationState.BACKING_OFF,
        resets_at=resets_at,
        is_estimate=facts.is_estimate,
        next_at=next_at,
        attempts=continuation.attempts + 1,
        reason="it is still limited",
    )
    return Decision(continuation=changed)


def _over(continuation: Continuation, now: float) -> Decision:
    reason = "its agents go on"
    return Decision(continuation=replace(continuation, state=ContinuationState.OVER, reason=reason, ended_at=now))
