"""Firing check-ins: what is due gets into the outbox, once for each due time, however often this ends half-way.

What a firing changes is one transaction: its row, its message, and when the check-in is due next.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import Struct

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import StoreError, TmorchError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.check_in import CheckIn, CheckInState, FiringOutcome
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.services.breaker import Breaker
from orchestrator_core.services.recurrence import next_due, set_right
from orchestrator_core.services.schedule import log, record_firing
from orchestrator_core.store import Store

BATCH = 50
TURN_S = 0.2
"""How long one round may take; the rest comes with the next one."""
STARTING_S = 10.0
"""How soon a check-in is looked at again whose agent is starting."""
LIMITED_S = 60.0
"""The same when its agent is limited, and nobody knows until when."""
HELD_S = 600.0
"""The same when something holds its agent: whoever lets go of it has it fire before that."""
BACK_S = 1.0
"""By how much the clock must have gone back for that to matter."""
FAULTS = 3
FAULT_S = 5.0
DEAD = "check-in.dead"
ITS_OWN_FAULT = ("bad-row", "constraint", "not-text")
"""The codes of what the store says of one row; all others are of the whole database."""


class Send(Struct, frozen=True):
    """Put it into the outbox."""


class Skip(Struct, frozen=True):
    """Leave this time out."""

    reason: str


class Hold(Struct, frozen=True):
    """Keep it until its agent can take it; that counts as no attempt."""

    reason: str
    until: float


class Retry(Struct, frozen=True):
    """Its agent is gone, and may come back."""

    reason: str
    until: float


class GiveUp(Struct, frozen=True):
    """Its agent has been gone for too long."""

    reason: str


Decision = Send | Skip | Hold | Retry | GiveUp


class Situation(Struct, frozen=True, kw_only=True):
    """What is known of a check-in that is due."""

    check_in: CheckIn
    agent: Agent
    orchestration: Orchestration
    is_waiting: bool = False
    """A message of an earlier firing of it has not got to the agent yet."""
    held: str = ""
    """Why nothing fires for the agent, such as a budget that is used up; empty: nothing holds it."""
    last_sent: float | None = None
    """When any check-in was last sent to the agent."""


def decide(situation: Situation, settings: ScheduleSettings, now: float) -> Decision:
    """Return what becomes of a check-in that is due. Pure."""
    agent = situation.agent
    if gone := _gone(situation):
        return _after_failing(situation.check_in, gone, settings, now)
    if agent.status is AgentStatus.LIMITED:
        until = agent.limited_until or 0.0
        return Hold("its usage limit is not over", until if until > now else now + LIMITED_S)
    if agent.status is AgentStatus.STARTING:
        return Hold("its agent is starting", now + STARTING_S)
    if situation.held:
        return Hold(situation.held, now + HELD_S)
    if reason := _reason_to_skip(situation, settings, now):
        return Skip(reason)
    return Send()


def _gone(situation: Situation) -> str:
    """Return why the agent can get nothing, now or perhaps ever; empty when it can."""
    agent, orchestration = situation.agent, situation.orchestration
    if not orchestration.state.is_active:
        return f"its team is {orchestration.state}"
    if not agent.status.is_live:
        return f"its agent has {'failed' if agent.status is AgentStatus.FAILED else 'ended'}: {agent.reason}"
    return "" if agent.pane else "its agent has no pane"


def _after_failing(check_in: CheckIn, reason: str, settings: ScheduleSettings, now: float) -> Decision:
    if check_in.attempts >= settings.retries:
        return GiveUp(reason)
    return Retry(reason, now + settings.retry_s * 2**check_in.attempts)


def _reason_to_skip(situation: Situation, settings: ScheduleSettings, now: float) -> str:
    check_in, last_sent = situation.check_in, situation.last_sent
    if check_in.repeats and situation.is_waiting:
        return "its message before still waits"
    if not check_in.is_standing:
        return ""
    if situation.agent.status is AgentStatus.WORKING and settings.when_working == "skip":
        return "its agent works"
    cooldown_s = min(settings.cooldown_min * 60, (check_in.interval_s or 0) / 2)  # its own last one never counts
    if last_sent is not None and 0 <= now - last_sent < cooldown_s:
        return "a check-in was sent to its agent a moment ago"
    return ""


class Report(Protocol):
    """Keeps what went wrong where the person finds it."""

    def __call__(self, text: str, details: str = "", /) -> None:
        """Keep `text` as the last error, and `details` in the log."""


class Scheduler:
    """Fires what is due. Two of them on one store fire nothing twice."""

    def __init__(
        self,
        store: Store,
        settings: ScheduleSettings,
        clock: Callable[[], float],
        report: Report,
        held: Callable[[AgentId], str] = lambda agent: "",
    ) -> None:
        """`held` tells why nothing fires for an agent, or nothing."""
        self._store = store
        self._held = held
        self._settings = settings
        self._clock = clock
        self._report = report
        self._breaker: Breaker[CheckInId] = Breaker(FAULTS, FAULT_S)
        self._looked_at: float | None = None

    def next_at(self) -> float | None:
        """Return when `round` must be called next; a time that has passed: at once. None: when the store changes."""
        now = self._clock()
        return now if self._has_gone_back(now) else self._store.check_ins.next_at()

    def round(self) -> tuple[AgentId, ...]:
        """Fire what is due, and return the agents that have got a message.

        Takes no longer than about `TURN_S`: of very much that is due, the rest comes with the next round, which
        `next_at` then wants at once. What cannot be fired is reported, and keeps nothing else from its turn.

        Raises:
            StoreError: the database as a whole cannot be read or written; what was due still is.

        """
        now, began = self._clock(), time.monotonic()
        if self._has_gone_back(now):
            self._set_right(now)
        self._looked_at = now
        self.bury_broken()
        told: dict[AgentId, None] = {}
        while due := self._store.check_ins.due(now, BATCH):
            for number in due:
                if (target := self._see_to(number)) is not None:
                    told[target] = None
                if time.monotonic() - began > TURN_S:
                    return tuple(told)
        return tuple(told)

    def release(self, agent: AgentId) -> None:
        """Have what was kept for an agent, or is tried again, fire at once: it can take messages now."""
        if any(check_in.retry_at is not None for check_in in self._store.check_ins.active(agent)):
            with self._store.transaction():
                for check_in in self._store.check_ins.active(agent):
                    self._store.check_ins.update(check_in.id, retry_at=None)

    def bury_broken(self) -> None:
        """Let those be dead that would never be due, because their times are none."""
        if self._store.check_ins.broken():
            with self._store.transaction():
                for number in self._store.check_ins.broken():
                    self._bury(number, "the time in its row is none", self._clock())

    # --- one check-in

    def _see_to(self, number: CheckInId) -> AgentId | None:
        """Do what is to be done about one that is due; return its agent if that got a message."""
        now = self._clock()
        try:
            with self._store.transaction():
                target = self._fire(number, now)
        except Exception as fault:  # one row must not hold up the others
            if not _is_its_own(fault):
                raise
            self._set_aside(number, fault, now)
            return None
        self._breaker.worked(number)
        return target

    def _fire(self, number: CheckInId, now: float) -> AgentId | None:
        check_in = self._store.check_ins.get(number)
        look_at = check_in.due_at if check_in.retry_at is None else check_in.retry_at
        if not check_in.is_active or look_at > now:  # somebody was quicker
            return None
        decision = decide(self._situation(check_in), self._settings, now)
        if isinstance(decision, Hold):
            self._store.check_ins.update(number, retry_at=decision.until, reason=decision.reason)
        elif isinstance(decision, Retry):
            attempts = check_in.attempts + 1
            self._store.check_ins.update(number, retry_at=decision.until, reason=decision.reason, attempts=attempts)
        elif isinstance(decision, GiveUp):
            self._bury(number, decision.reason, now)
        else:
            return self._record(check_in, decision, now)
        return None

    def _situation(self, check_in: CheckIn) -> Situation:
        agent = self._store.agents.get(check_in.target)
        return Situation(
            check_in=check_in,
            agent=agent,
            orchestration=self._store.orchestrations.get(agent.orchestration),
            held=self._held(agent.id),
            is_waiting=check_in.repeats and self._store.firings.is_waiting(check_in.id),
            last_sent=self._store.firings.last_sent(agent.id) if check_in.is_standing else None,
        )

    def _record(self, check_in: CheckIn, decision: Send | Skip, now: float) -> AgentId | None:
        is_sent = isinstance(decision, Send)
        firing = record_firing(
            self._store,
            check_in,
            due_at=check_in.due_at,
            now=now,
            outcome=FiringOutcome.SENT if is_sent else FiringOutcome.SKIPPED,
            reason="" if isinstance(decision, Send) else decision.reason,
        )
        # one that had fired before the clock went back covers nothing of what has come since
        due_at = next_due(check_in, now if firing else check_in.due_at)
        changes: dict[str, object] = {"attempts": 0, "retry_at": None, "reason": ""}
        if due_at is None:
            changes |= {"state": CheckInState.FIRED, "ended_at": now}
        else:
            changes |= {"due_at": due_at, "set_at": now}
        self._store.check_ins.update(check_in.id, **changes)
        return check_in.target if firing and is_sent else None

    # --- what cannot be fired

    def _set_aside(self, number: CheckInId, fault: Exception, now: float) -> None:
        """Have one that raised something unexpected rest for a while, or bury it when it does so again and again."""
        what = f"{type(fault).__name__}: {fault}"
        self._report(f"check-in {number}: {what}", "".join(traceback.format_exception(fault)))
        pause = self._breaker.failed(number)
        if pause is None or not self._rest(number, now + pause, f"it could not be fired: {what}"):
            self._breaker.worked(number)
            with self._store.transaction():
                self._bury(number, f"it cannot be fired: {_cause(fault)}", now)

    def _rest(self, number: CheckInId, until: float, reason: str) -> bool:
        """Have one tried again later; return False when its row cannot be read, and never will be."""
        try:
            self._store.check_ins.update(number, retry_at=until, reason=reason)
        except StoreError as fault:
            if not _is_its_own(fault):
                raise
            return False
        return True

    def _bury(self, number: CheckInId, reason: str, now: float) -> None:
        self._store.check_ins.bury(number, reason, now)
        text = f"is not tried any more: {reason}"
        try:
            log(self._store, DEAD, self._store.check_ins.get(number), text, now)
        except TmorchError as fault:
            if not _is_its_own(fault):
                raise
            self._store.events.add(DEAD, f"check-in {number} {text}", at=now)

    # --- a clock that went back

    def _has_gone_back(self, now: float) -> bool:
        """Whether the clock shows less than at the last look; nobody knows that before the first one."""
        return self._looked_at is None or now < self._looked_at - BACK_S

    def _set_right(self, now: float) -> None:
        """Bring nearer what the clock has moved away by going back."""
        moved = 0
        for check_in in self._store.check_ins.active():
            try:
                moved += self._correct(check_in, now)
            except TmorchError as fault:
                if not _is_its_own(fault):
                    raise
                self._report(f"check-in {check_in.id}: {fault.title}: {fault.cause}")
        if moved:
            text = f"the clock went back: {moved} check-ins are due sooner than they would be"
            self._store.events.add("schedule.clock", text, at=now)

    def _correct(self, check_in: CheckIn, now: float) -> bool:
        if self._correction(check_in, now) is None:
            return False
        with self._store.transaction():
            correction = self._correction(self._store.check_ins.get(check_in.id), now)
            if correction is not None:
                self._store.check_ins.update(check_in.id, **correction)
            return correction is not None

    def _correction(self, check_in: CheckIn, now: float) -> dict[str, object] | None:
        """Return what is to be changed of one that is active; None when nothing is."""
        right = set_right(check_in, now) if check_in.is_active else None
        if right is not None:
            return {**msgspec.structs.asdict(right), "retry_at": None}
        pause = self._settings.retry_s * 2 ** max(0, check_in.attempts - 1)
        if check_in.attempts and check_in.retry_at is not None and check_in.retry_at > now + pause:
            return {"retry_at": now + pause}
        return None


def _is_its_own(fault: Exception) -> bool:
    """Whether it is the fault of one row, not of the database as a whole."""
    return not isinstance(fault, StoreError) or fault.code in ITS_OWN_FAULT


def _cause(fault: Exception) -> str:
    return fault.cause if isinstance(fault, StoreError) and fault.cause else f"{type(fault).__name__}: {fault}"
