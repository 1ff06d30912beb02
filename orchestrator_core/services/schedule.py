"""The schedule: setting check-ins, changing them, and having them fire. Each call is one transaction."""

from __future__ import annotations

import math

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import RefusedError, UsageError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import (
    TMORCH,
    CheckIn,
    CheckInKind,
    CheckInRequest,
    CheckInState,
    Firing,
    FiringOutcome,
    Scheduled,
)
from orchestrator_core.models.ids import AgentId, CheckInId, FiringId, OrchestrationId
from orchestrator_core.models.message import CHECK_IN, CHECK_IN_BY, PERSON
from orchestrator_core.models.orchestration import Orchestration
from orchestrator_core.services import recurrence
from orchestrator_core.services.zones import local_zone, zone_of
from orchestrator_core.store import Store

A_MOMENT_S = 60.0
"""A time so little ago that a check-in is moved to was meant as now."""
SHOWN_CHARACTERS = 80
PREVIEWED = 3
"""How many due times of a request are told before it is set."""


def sender_of(check_in: CheckIn) -> str:
    """Return the sender of a check-in's message: who else has set it is named."""
    return CHECK_IN if check_in.author in (check_in.target, TMORCH) else CHECK_IN_BY + check_in.author


def record_firing(
    store: Store, check_in: CheckIn, *, due_at: float, now: float, outcome: FiringOutcome, reason: str = ""
) -> Firing | None:
    """Have a check-in fire for one of its due times; return None, with nothing done, when that one has fired before.

    When it is `sent`, its message is in the outbox. It covers the due times from there until now. The check-in itself
    is not changed: whoever calls this advances it in the same transaction.

    Raises:
        StoreError: nothing was written.

    """
    with store.transaction():
        if store.firings.has(check_in.id, due_at):
            return None
        is_sent = outcome is FiringOutcome.SENT
        message = store.messages.add(check_in.target, sender_of(check_in), check_in.note, at=now) if is_sent else None
        firing = store.firings.add(
            Firing(
                id=FiringId(0),
                check_in=check_in.id,
                target=check_in.target,
                due_at=due_at,
                fired_at=now,
                missed=recurrence.missed_between(check_in, due_at, now),
                outcome=outcome,
                message=message.id if message else None,
                reason=reason,
            )
        )
        if firing is not None:
            kind = "check-in.fired" if is_sent else "check-in.skipped"
            log(store, kind, check_in, _became(firing), now)
        return firing


def log(store: Store, kind: str, check_in: CheckIn, text: str, at: float) -> None:
    """Write an event about a check-in; `text` goes on after its number and target."""
    orchestration = store.agents.get(check_in.target).orchestration
    whole = f"check-in {check_in.id} for {check_in.target} {text}"
    store.events.add(kind, whole, at=at, orchestration=orchestration, agent=check_in.target)


def add(
    store: Store,
    settings: ScheduleSettings,
    request: CheckInRequest,
    agent: Agent,
    *,
    author: str,
    caller: Agent | None,
    now: float,
) -> Scheduled:
    """Set a check-in for `agent`, unless one that means the same is set; see the facade.

    Raises:
        UsageError: the note is empty, or a time, interval, cron expression or zone cannot be.
        RefusedError: the team has ended, or the caller is an agent that does not write to this one, or has set too
            many already.

    """
    _check_note(request.note)
    new = _new(settings, request, agent.id, author=_author(author, caller), now=now)
    with store.transaction():
        _active_team(store, agent.id)
        if caller is not None and caller.id != agent.id:
            store.routes.check(caller.id, agent.id)
        same = _same(store, settings, new, now)
        if same is not None:
            return Scheduled(check_in=same, is_new=False)
        if caller is not None:
            _check_number(store, settings, caller.id)
        check_in, note = store.check_ins.add(new), new.note
        log(store, "check-in.set", check_in, f"set by {check_in.author}, {_when(check_in, now)}: {_brief(note)}", now)
        return Scheduled(check_in=check_in, is_new=True)


def preview(settings: ScheduleSettings, request: CheckInRequest, now: float) -> tuple[float, ...]:
    """Return the first due times of a request, at most `PREVIEWED`.

    Raises:
        UsageError: a time, interval, cron expression or zone cannot be.

    """
    check_in = _new(settings, request, AgentId(""), author=PERSON, now=now)
    times = [check_in.due_at]
    while len(times) < PREVIEWED and (following := recurrence.next_due(check_in, times[-1])) is not None:
        times.append(following)
    return tuple(times)


def move(store: Store, number: CheckInId, to: float, caller: Agent | None, now: float) -> CheckIn:
    """Have a check-in fire at another time, also one that has ended; one that repeats goes on from there.

    Raises:
        NotFoundError: there is none with that number.
        UsageError: the time cannot be.
        RefusedError: its team has ended, the caller is an agent whose it is not, or tmorch keeps another one instead.

    """
    to = now if now - A_MOMENT_S <= to < now else to
    recurrence.check_time(to, now)
    with store.transaction():
        before = _owned(store, number, caller)
        _active_team(store, before.target)
        if before.is_standing and not before.is_active:
            raise _replaced(before)
        while store.firings.has(number, to):  # the clock went back; one that is said to be due must fire
            to += 0.001
        after = store.check_ins.update(
            number,
            state=CheckInState.ACTIVE,
            due_at=to,
            anchor_at=to if before.kind is CheckInKind.EVERY else before.anchor_at,
            set_at=now,
            reason="",
            attempts=0,
            retry_at=None,
            ended_at=None,
        )
        log(store, "check-in.moved", after, f"moved by {_who(caller)}: {_when(after, now)}", now)
        return after


def reword(store: Store, number: CheckInId, note: str, caller: Agent | None, now: float) -> CheckIn:
    """Change the note of an active check-in.

    Raises:
        NotFoundError: there is none with that number.
        UsageError: the note is empty.
        RefusedError: it has ended, or the caller is an agent whose it is not.

    """
    _check_note(note)
    with store.transaction():
        before = _active(_owned(store, number, caller))
        if caller is not None and caller.id != before.author:
            raise _not_theirs(before, caller)  # the header names the author
        after = store.check_ins.update(number, note=note)
        if after != before:
            log(store, "check-in.reworded", after, f"reworded by {_who(caller)}: {_brief(note)}", now)
        return after


def cancel(store: Store, number: CheckInId, caller: Agent | None, now: float) -> CheckIn:
    """Have a check-in never fire again; one that has ended is returned as it is.

    Raises:
        NotFoundError: there is none with that number.
        RefusedError: the caller is an agent whose it is not.

    """
    with store.transaction():
        before = _owned(store, number, caller)
        if not before.is_active:
            return before
        by = f"by {_who(caller)}"
        ended = {"state": CheckInState.CANCELLED, "reason": by, "ended_at": now, "retry_at": None}
        after = store.check_ins.update(number, **ended)
        log(store, "check-in.cancelled", after, f"cancelled {by}", now)
        return after


def fire(store: Store, number: CheckInId, caller: Agent | None, now: float) -> Firing:
    """Have an active check-in fire now: one that fires once is done, one that repeats keeps its own times.

    Raises:
        NotFoundError: there is none with that number.
        RefusedError: it has ended, its team has, or the caller is an agent whose it is not.

    """
    with store.transaction():
        check_in = _active(_owned(store, number, caller))
        _active_team(store, check_in.target)
        due_at = now
        while store.firings.has(number, due_at):  # asked for twice in one moment
            due_at = math.nextafter(due_at, math.inf)
        reason = f"asked for by {_who(caller)}"
        firing = record_firing(store, check_in, due_at=due_at, now=now, outcome=FiringOutcome.SENT, reason=reason)
        assert firing is not None
        if not check_in.repeats:
            done = {"state": CheckInState.FIRED, "due_at": due_at, "ended_at": now}
            store.check_ins.update(number, **done, reason="", attempts=0, retry_at=None)
        return firing


def pause(
    store: Store, orchestration: OrchestrationId, paused: bool, now: float, *, caller: Agent | None = None
) -> bool:
    """Let nothing fire for a team, or let it fire again; return False when that is so already.

    Raises:
        NotFoundError: there is no such team.
        RefusedError: it has ended, or the caller is an agent.

    """
    if caller is not None:
        raise RefusedError(
            f"{caller.role} does not pause check-ins",
            cause="whether a team is reminded is for the person to say",
            remedy="cancel your own: `tmorch schedule list` shows them",
            code="persons-only",
        )
    with store.transaction():
        before = store.orchestrations.get(orchestration)
        _check_running(before)
        if paused == (before.check_ins_paused_at is not None):
            return False
        store.orchestrations.update(orchestration, check_ins_paused_at=now if paused else None)
        kind, text = ("schedule.paused", "paused") if paused else ("schedule.resumed", "fire again")
        store.events.add(kind, f"the check-ins of {orchestration} {text}", at=now, orchestration=orchestration)
        return True


def _new(settings: ScheduleSettings, request: CheckInRequest, target: AgentId, *, author: str, now: float) -> CheckIn:
    kind = recurrence.kind_of(request)
    zone = zone_of(request.zone).key if request.zone else local_zone()
    due_at = recurrence.first_due(request, now, zone)
    recurrence.check_interval(request, zone, now, settings.min_interval_min * 60)
    return CheckIn(
        id=CheckInId(0),
        target=target,
        author=author,
        note=request.note,
        kind=kind,
        due_at=due_at,
        interval_s=request.delay_s if kind is CheckInKind.EVERY else None,
        anchor_at=due_at,
        cron=" ".join(request.cron.split()),
        zone=zone,
        set_at=now,
        created_at=now,
    )


def _author(name: str, caller: Agent | None) -> str:
    """Return who a check-in is from: an agent is always itself, and nobody else is tmorch."""
    if caller is not None:
        return caller.id
    if name == TMORCH:
        raise UsageError(
            f"a check-in of yours is not from {TMORCH}",
            cause="its own are told from others by that name",
            remedy="choose another name, or none",
        )
    return name or PERSON


def _same(store: Store, settings: ScheduleSettings, new: CheckIn, now: float) -> CheckIn | None:
    """Return the active check-in that means the same as `new`."""
    window = min(settings.duplicate_window_min * 60, (new.due_at - now) / 2)
    return next((old for old in store.check_ins.active(new.target) if _means_same(old, new, window)), None)


def _means_same(old: CheckIn, new: CheckIn, window_s: float) -> bool:
    if old.is_standing or old.kind is not new.kind or _folded(old.note) != _folded(new.note):
        return False
    match new.kind:
        case CheckInKind.ONCE:
            return abs(old.due_at - new.due_at) <= window_s
        case CheckInKind.EVERY:
            return math.isclose(old.interval_s or 0.0, new.interval_s or 0.0)
        case CheckInKind.CRON:
            return (_folded(old.cron), old.zone) == (_folded(new.cron), new.zone)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _owned(store: Store, number: CheckInId, caller: Agent | None) -> CheckIn:
    """Return a check-in that the caller may change."""
    check_in = store.check_ins.get(number)
    if caller is None:
        return check_in
    if check_in.is_standing:
        raise RefusedError(
            f"check-in {number} is one that tmorch keeps",
            cause="every live agent has one, and agents do not change it",
            remedy='set one of your own: tmorch schedule 30 "…"',
            code="standing",
        )
    if caller.id not in (check_in.author, check_in.target):
        raise _not_theirs(check_in, caller)
    return check_in


def _not_theirs(check_in: CheckIn, caller: Agent) -> RefusedError:
    return RefusedError(
        f"check-in {check_in.id} is not {caller.role}'s",
        cause=f"{check_in.author} has set it for {check_in.target}",
        remedy="`tmorch schedule list` shows your own",
        code="not-yours",
    )


def _active(check_in: CheckIn) -> CheckIn:
    if check_in.is_active:
        return check_in
    why = f": {check_in.reason}" if check_in.reason else ""
    raise RefusedError(
        f"check-in {check_in.id} has ended",
        cause=f"it is {check_in.state}{why}",
        remedy=f"`tmorch schedule move {check_in.id} now` has it fire again",
        code="ended",
    )


def _active_team(store: Store, target: AgentId) -> None:
    _check_running(store.orchestrations.get(store.agents.get(target).orchestration))


def _check_running(orchestration: Orchestration) -> None:
    if not orchestration.state.is_active:
        raise RefusedError(
            f"the team {orchestration.id} does not run",
            cause=f"it is {orchestration.state}, and nobody is there to be reminded",
            remedy="`tmorch list` shows the teams that run",
            code="team-ended",
        )


def _check_number(store: Store, settings: ScheduleSettings, author: AgentId) -> None:
    if settings.limit and store.check_ins.count_active(author) >= settings.limit:
        raise RefusedError(
            f"{author} has set {settings.limit} check-ins that are still to fire",
            cause="an agent sets no more than schedule.limit in the settings",
            remedy="cancel some: `tmorch schedule list` shows them",
            code="limit",
        )


def _check_note(note: str) -> None:
    if not note.strip():
        raise UsageError(
            "the note is empty",
            cause="there is nothing to remind of",
            remedy='put it in quotes: tmorch schedule 30 "look at the tests"',
            code="empty",
        )


def _replaced(check_in: CheckIn) -> RefusedError:
    return RefusedError(
        f"check-in {check_in.id} is not set again",
        cause="tmorch keeps one for every live agent, and makes another when that has ended",
        remedy=f"`tmorch schedule list {check_in.target}` shows the one there is",
        code="standing",
    )


def _became(firing: Firing) -> str:
    outcome = f"fired: message {firing.message}" if firing.message is not None else "was skipped"
    missed = f", for {firing.missed} more that it missed" if firing.missed else ""
    return f"{outcome}{missed}" + (f", {firing.reason}" if firing.reason else "")


def _who(caller: Agent | None) -> str:
    return caller.id if caller is not None else PERSON


def _brief(note: str) -> str:
    line = " ".join(note.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _when(check_in: CheckIn, now: float) -> str:
    due = f"due in {_minutes(check_in.due_at - now)}"
    match check_in.kind:
        case CheckInKind.ONCE:
            return due
        case CheckInKind.EVERY:
            return f"every {_minutes(check_in.interval_s or 0.0)}, {due}"
        case CheckInKind.CRON:
            return f"at {check_in.cron} in {check_in.zone}, {due}"


def _minutes(seconds: float) -> str:
    return f"{round(seconds / 60, 1):g} min"
