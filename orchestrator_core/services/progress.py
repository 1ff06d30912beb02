"""Which agents are stuck: they wait for nobody, and nothing has come of them for long. Only said, never acted upon.

A sign of progress is something new on the agent's screen (a spinner that turns is none), a commit, a message from it or
to it, a hook, another status. What costs more is asked for only once the other signs are old.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.git.activity import last_commit_at
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.watch import Watch
from orchestrator_core.store import Store

LOOK_S = 5.0
"""How often it is looked after, at the most."""
AHEAD_S = 60.0
"""A sign that is this far in the future was given before the clock was set back."""
JUMP_S = 60.0
"""The clock was set, or the machine slept, if so much time lies between two rounds."""
UNREACHED = 2
"""So many of its standing check-ins must have failed to reach an idle agent."""


class Signs(Struct, frozen=True, kw_only=True):
    """When an agent gave each kind of sign last, seconds since the epoch; None when it never did or nobody knows."""

    status: float
    """Since when it has its status."""
    screen: float | None = None
    commit: float | None = None
    hook: float | None = None
    hook_event: str = ""
    message: float | None = None

    def last(self, now: float) -> float | None:
        """Return the latest of them; None when all were given before the clock was set back."""
        known = (at for at in (self.status, self.screen, self.commit, self.hook, self.message) if at is not None)
        return max((at for at in known if at <= now + AHEAD_S), default=None)


def patience_s(agent: Agent, stuck_s: float, nudged_every_s: float | None, *, is_readable: bool) -> float | None:
    """Return for how long an agent may give no sign; None when nothing is to be expected of it.

    `nudged_every_s` is how far apart its standing check-ins are, None when none are to come. An agent whose screen is
    not readable may be idle at any time.
    """
    if agent.dialog is not None or agent.pane is None:
        return None
    is_idle = agent.status is AgentStatus.IDLE or (agent.status is AgentStatus.UNKNOWN and not is_readable)
    if agent.status not in (AgentStatus.WORKING, AgentStatus.UNKNOWN) and not is_idle:
        return None
    if not is_idle:
        return stuck_s
    return None if nudged_every_s is None else max(stuck_s, UNREACHED * nudged_every_s)


def stuck_need(agent: Agent, signs: Signs, patience: float, now: float) -> Need | None:
    """Return that a person is to look after the agent; None while its last sign is not older than `patience`."""
    last = signs.last(now)
    if last is None or now - last <= patience:
        return None
    return Need(
        key=f"stuck:{agent.id}:{int(last)}",
        kind=NeedKind.STUCK,
        orchestration=agent.orchestration,
        agent=agent.id,
        detail=f"no sign of progress since {_when(last, last)}: it shows as {_state(agent)}{_told(signs, last)}",
        since=last,
    )


def _when(at: float, beside: float) -> str:
    """Return a time of day, with its day when that is not the one of `beside`."""
    moment, other = time.localtime(at), time.localtime(beside)
    return time.strftime("%H:%M" if moment[:3] == other[:3] else "%d %b %H:%M", moment)


def _state(agent: Agent) -> str:
    doing = " ".join(agent.doing.split())
    return f"{agent.status} ({doing})" if doing else str(agent.status)


def _told(signs: Signs, last: float) -> str:
    """Return what is known of each kind of sign, in words that stay the same as time goes on."""
    known = (
        ("its screen last changed", signs.screen),
        ("last commit", signs.commit),
        (f"last hook {signs.hook_event}", signs.hook),
        ("last message", signs.message),
    )
    return "".join(f", {what} {_when(at, last)}" for what, at in known if at is not None)


class _Facts(Struct, frozen=True, kw_only=True):
    """What the store knows of agents without near signs."""

    running: frozenset[str]
    messages: dict[AgentId, float]
    nudged_every_s: dict[AgentId, float]


class ProgressWatch:
    """Looks for agents that are stuck. `round` is cheap, and to be called often, after a round of the watch."""

    def __init__(
        self,
        store: Store,
        watch: Watch,
        stuck_min: float,
        clock: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        """Call agents stuck after `stuck_min` minutes; 0 is never."""
        self._store = store
        self._watch = watch
        self._stuck_s = stuck_min * 60
        self._clock = clock
        self._report = report
        self._looked_at = float("-inf")
        self._round_at: float | None = None
        self._jumped_at = float("-inf")
        self._stuck_at_jump: frozenset[AgentId] = frozenset()
        self._stuck: dict[str, Need] = {}
        self._known: dict[AgentId, float] | None = None
        """Since when agents were stuck as an earlier supervisor found."""
        self._asked: object = None
        self._facts = _Facts(running=frozenset(), messages={}, nudged_every_s={})

    def round(self) -> tuple[Need, ...]:
        """Return what the person should know of agents that are stuck; the same needs as long as they are."""
        now, monotonic = self._clock(), time.monotonic()
        self._mind_jumps(now)
        if self._stuck_s and monotonic - self._looked_at >= min(LOOK_S, self._stuck_s):
            self._looked_at = monotonic
            found = self._look(now)
            self._stuck = {need.key: self._stuck.get(need.key, need) for need in found}
        return tuple(self._stuck.values())

    def _mind_jumps(self, now: float) -> None:
        """Note that no time to give signs has passed when the clock was set or the machine slept."""
        if self._round_at is not None and abs(now - self._round_at) > JUMP_S:
            self._jumped_at = now
            self._stuck_at_jump = frozenset(need.agent for need in self._stuck.values())
        self._round_at = now

    def _look(self, now: float) -> list[Need]:
        if self._known is None:
            self._known = {need.agent: need.since for need in self._store.needs.all() if need.kind is NeedKind.STUCK}
        silent = [(agent, signs) for agent in self._watch.agents if (signs := self._silent(agent, now))]
        if not silent:
            return []
        self._ask(tuple(agent.id for agent, _ in silent))
        found = []
        for agent, signs in silent:
            try:
                need = self._judge(agent, signs, now)
            except (ValueError, LookupError, TypeError, OSError) as fault:  # one agent's fault leaves the others alone
                self._report(f"{agent.id}: {type(fault).__name__}: {fault}")
                need = None
            if need is not None:
                found.append(need)
        return found

    def _silent(self, agent: Agent, now: float) -> Signs | None:
        """Return the near signs of an agent if they are old, and something may be expected of it."""
        if patience_s(agent, self._stuck_s, self._stuck_s, is_readable=True) is None:
            return None
        fact = self._watch.fact(agent.id)
        is_excused = agent.id not in self._stuck_at_jump
        signs = Signs(
            status=max(agent.status_since, self._jumped_at) if is_excused else agent.status_since,
            screen=self._screen(agent.id),
            hook=fact.at if fact else None,
            hook_event=fact.event if fact else "",
        )
        last = signs.last(now)
        return None if last is None or now - last <= self._stuck_s else signs

    def _screen(self, agent: AgentId) -> float | None:
        shown, known = self._watch.shown(agent), (self._known or {}).get(agent)
        if known is not None and (shown is None or not shown.is_witnessed):
            return known
        return shown.at if shown else None

    def _ask(self, agents: tuple[AgentId, ...]) -> None:
        """Ask the store of these agents, unless it is known what it would say."""
        asked = (self._store.revision(), agents)
        if asked == self._asked:
            return
        active = self._store.orchestrations.list(active=True)
        running = {o.id for o in active if o.state is OrchestrationState.RUNNING}
        paused = {o.id for o in active if o.holds_check_ins}
        nudged = {agent.id for agent in self._watch.agents if agent.orchestration not in paused}
        standing = self._store.check_ins.standing()
        numbers = [number for agent in agents if agent in nudged for number in standing.get(agent, ())]
        self._facts = _Facts(
            running=frozenset(running),
            messages=self._store.messages.last_signs(agents),
            nudged_every_s={  # one that is held back, or about to fire after that, has not failed to reach anybody
                c.target: c.interval_s
                for c in self._store.check_ins.named(numbers)
                if c.interval_s and c.retry_at is None
            },
        )
        self._asked = asked

    def _judge(self, agent: Agent, near: Signs, now: float) -> Need | None:
        if agent.orchestration not in self._facts.running:
            return None
        reading = self._watch.reading(agent.id)
        nudged = self._facts.nudged_every_s.get(agent.id)
        patience = patience_s(agent, self._stuck_s, nudged, is_readable=reading is None or reading.readable)
        if patience is None:
            return None
        signs = replace(near, message=self._facts.messages.get(agent.id))
        if stuck_need(agent, signs, patience, now) is None:
            return None
        return stuck_need(agent, replace(signs, commit=last_commit_at(agent.worktree)), patience, now)
