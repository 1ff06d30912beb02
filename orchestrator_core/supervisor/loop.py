"""The loop of the supervisor: it watches, delivers, has check-ins fire and shows signs of life until told to stop.

A fault in one item is written down and that item is tried again later; the loop goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping

from orchestrator_core.agents.driver import Driver
from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import Settings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Need
from orchestrator_core.services.answer import recover_answers
from orchestrator_core.services.connections import Connections
from orchestrator_core.services.crash_loop import crash_needs
from orchestrator_core.services.hooks import HookInbox
from orchestrator_core.services.liveness import started_at
from orchestrator_core.services.needs import reconcile_needs
from orchestrator_core.services.notify import Notifier
from orchestrator_core.services.progress import ProgressWatch
from orchestrator_core.services.serve import Server
from orchestrator_core.services.settle import RESUMES, settle_starts
from orchestrator_core.services.watch import Change, Watch
from orchestrator_core.store import Store
from orchestrator_core.supervisor.bell import Bell
from orchestrator_core.supervisor.budget_duty import BudgetDuty, BudgetFile
from orchestrator_core.supervisor.context_duty import ContextDuty
from orchestrator_core.supervisor.continuation_duty import ContinuationDuty
from orchestrator_core.supervisor.credit_duty import CreditDuty
from orchestrator_core.supervisor.firing_duty import FiringDuty

log = logging.getLogger(__name__)

OUTBOX_STEP_S = 0.25
"""How often another process's commit is looked for when nobody rings; one `stat` each."""
CALM_S, CALM_STEP_S = 10.0, 1.0
"""After how long without one it is looked for less often, and how often: whoever wants something rings."""
CHORES_S = 5.0
"""How often what depends on time alone is looked after."""
BEAT_S = 5.0
RETRY_S = 0.25
"""How soon an agent that could not get its message is looked at again, at first."""
RETRY_MOST_S = 2.0
FIRST_LOOK_S = 5.0
"""How long the first look at the agents may take before check-ins fire without it."""
PASSING_S = 0.2
"""How soon an agent that goes from one state to the next is looked at again."""
FAULT_S = 5.0
"""How long an agent whose serving failed unexpectedly is left alone."""
REPLACED = "replaced"
"""The code of the error that says that the database was taken away."""
FAREWELL_S = 3.0
"""How long typing that is under way may take to end when the supervisor stops."""


class Supervisor:
    """One per state folder; the caller holds the lock."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        drivers: Mapping[str, Driver],
        bell: Bell,
        paths: Paths,
        beat: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._paths = paths
        self._connections = Connections(settings, paths.scratch)
        self._watch = Watch(store, self._connections, drivers, clock, self._report, paths.agents)
        self._progress = ProgressWatch(store, self._watch, settings.progress.stuck_min, clock, self._report)
        self._server = Server(
            store,
            self._connections,
            drivers,
            clock,
            self._watch.leave_to_person,
            paths.agents,
            may_hand_over=settings.messages.hand_over,
        )
        self._lanes: dict[AgentId, asyncio.Task[None]] = {}
        self._due: dict[AgentId, tuple[float, float]] = {}
        self._inbox = HookInbox(paths.spool, store, clock, self._report)
        self._notifier = Notifier(store, settings.notify, self._connections, clock, self._report)
        accounts = {name: driver.account(os.environ) for name, driver in drivers.items()}
        self._credit = CreditDuty(store, settings.credit, accounts, paths.agents, clock, self._report)
        self._continuations = ContinuationDuty(store, settings.credit, clock, self._report)
        self._budgets = BudgetDuty(store, BudgetFile(paths, settings.budget), clock, self._report)
        self._contexts = ContextDuty(store, settings.context, drivers, clock, self._report)
        self._firing = FiringDuty(store, settings.schedule, clock, self._kick, self._report, self._budgets.held)
        self._look_now = asyncio.Event()
        self._has_plans = asyncio.Event()
        self._bell = bell
        self._beat = beat
        self._beat_at = 0.0
        self._stopping = asyncio.Event()
        self._busy_at = clock()
        self._is_abandoned = False

    def stop(self) -> None:
        """End the loop soon: what is being typed is finished first."""
        self._stopping.set()

    async def run(self) -> None:
        """Watch and deliver until `stop`, or until there was nothing to do for the configured time."""
        self._store.health.started(os.getpid(), started_at(os.getpid()) or self._clock(), self._clock())
        self._recover()
        asyncio.get_running_loop().add_reader(self._bell.descriptor, self._hear)
        asyncio.get_running_loop().call_later(FIRST_LOOK_S, self._firing.begin)
        tasks = [
            asyncio.create_task(self._forever(self._watch_round, self._settings.supervisor.tick_s, self._look_now)),
            asyncio.create_task(self._forever(self._look_for_news, 0.0)),
        ]
        await self._stopping.wait()
        self._firing.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=FAREWELL_S)
        for lane in self._lanes.values():
            lane.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)
        asyncio.get_running_loop().remove_reader(self._bell.descriptor)
        self._bell.close()
        await self._notifier.close()
        await self._connections.close()
        if not self._is_abandoned:
            self._store.health.stopped(self._clock())

    async def _forever(self, step: Callable[[], object], seconds: float, now: asyncio.Event | None = None) -> None:
        """Do `step` again and again, sooner on `now`; what it raises is reported and does not end the loop."""
        while True:
            try:
                result = step()
                if asyncio.iscoroutine(result):
                    await result
            except StoreError as fault:
                if fault.code == REPLACED:
                    self._abandon(fault)
                    return
                self._report(f"{fault.title}: {fault.cause}")
                await asyncio.sleep(1.0)
            except Exception as fault:  # the edge of the loop: nothing may stop it
                self._report(f"{type(fault).__name__}: {fault}", traceback.format_exc())
                await asyncio.sleep(1.0)
            await _pause(seconds, now)

    # --- watching

    _revision = (-1, -1)
    _chores_at = 0.0
    _has_open_briefings = True

    async def _watch_round(self) -> None:
        self._firing.tick()
        self._take_in_hooks()
        for change in await self._watch.round():
            self._after(change)
        self._credit.round(self._watch.agents)
        self._continuations.round(self._watch.agents)
        self._firing.begin()
        if self._watch.is_passing:
            asyncio.get_running_loop().call_later(PASSING_S, self._look_now.set)
        revision, now = self._store.revision(), time.monotonic()
        if now - self._beat_at > BEAT_S:  # here, so that it tells that rounds are made
            self._beat_at = now
            self._beat()
        is_news = revision != self._revision
        self._revision = revision
        if is_news or self._has_open_briefings:
            self._has_open_briefings = self._server.settle_briefings(self._has_prompted)
        if is_news or now - self._chores_at > CHORES_S:
            self._chores_at = now
            settle_starts(self._store, self._clock())
            await self._settle_resumes()
            self._contexts.round()
            reconcile_needs(self._store, self._clock(), self._troubles())
            self._firing.reconcile()
            self._firing.plan()
            self._end_when_idle()
            self._outbox_round()
        self._notifier.round()

    async def _settle_resumes(self) -> None:
        """Settle what killed resumes have left. What starts programs is loaded only when there is something."""
        if self._store.journal.open_of_kind(RESUMES):
            from orchestrator_core.services.restart import settle_left

            await settle_left(self._store, self._settings, self._paths, self._clock())

    def _troubles(self) -> tuple[Need, ...]:
        """Return the needs of which the store alone does not tell."""
        crashing = crash_needs(self._store.agents.active(), self._settings.resume, self._clock())
        return (*self._progress.round(), *self._budgets.round(), *self._continuations.needs, *crashing)

    def _take_in_hooks(self) -> None:
        """Take in what agents' hooks told, and look at once at those of whom it is news."""
        for fact in self._inbox.drain():
            self._watch.forget(fact.agent)
            self._look_now.set()

    def _recover(self) -> None:
        """Settle what an earlier supervisor left half typed: what the agents have said meanwhile goes first."""
        with contextlib.suppress(StoreError):  # it is met again, and reported, in the first round
            self._take_in_hooks()
            recover_answers(self._store, self._clock())
        self._budgets.round()  # before the first check-in may fire
        for message in self._store.messages.interrupted():
            self._kick(message.target)

    def _after(self, change: Change) -> None:
        self._firing.release(change)
        if change.verdict.status in (AgentStatus.IDLE, AgentStatus.WAITING, AgentStatus.STARTING):
            self._due.pop(change.agent.id, None)
            self._kick(change.agent.id)

    def _has_prompted(self, agent: AgentId) -> bool:
        reading = self._watch.reading(agent)
        return reading is not None and (bool(reading.last_prompt) or reading.turn_ended)

    def _end_when_idle(self) -> None:
        if self._lanes or self._store.orchestrations.list(active=True) or self._store.messages.open_targets():
            self._busy_at = self._clock()
        limit = self._settings.supervisor.idle_exit_min * 60
        if limit and self._clock() - self._busy_at > limit:
            self.stop()

    # --- delivering

    _stamp = (-1, -1)
    _news_at = 0.0

    def _hear(self) -> None:
        """Somebody rang: see to the hooks and the outbox at once."""
        self._bell.hush()
        self._firing.plan()
        with contextlib.suppress(StoreError):  # it is met again, and reported, in the next round
            self._take_in_hooks()
            self._outbox_round()

    async def _look_for_news(self) -> None:
        """See to the outbox when the database has changed, or an agent is due another look; then rest."""
        stamp = self._store.stamp()
        now = time.monotonic()
        if stamp != self._stamp or any(due <= now for due, _ in self._due.values()):
            self._stamp, self._news_at = stamp, now
            self._firing.plan()
            self._outbox_round()
        is_calm = not self._due and now - self._news_at > CALM_S
        await _pause(CALM_STEP_S if is_calm else OUTBOX_STEP_S, self._has_plans)

    def _outbox_round(self) -> None:
        now = time.monotonic()
        waiting, answered = self._store.messages.open_targets(), self._store.answers.pending_agents()
        self._due = {agent: due for agent, due in self._due.items() if agent in (*waiting, *answered)}
        for agent in (*answered, *waiting):
            due, _ = self._due.get(agent, (0.0, 0.0))
            if due <= now or agent in answered:
                self._kick(agent)

    def _kick(self, agent: AgentId) -> None:
        if agent not in self._lanes:
            self._lanes[agent] = asyncio.create_task(self._lane(agent))

    async def _lane(self, agent: AgentId) -> None:
        _, pause = self._due.get(agent, (0.0, 0.0))
        pause = min(RETRY_MOST_S, pause * 1.5) if pause else RETRY_S
        try:
            is_answered = agent in self._store.answers.pending_agents()
            await self._server.serve(agent)
            if is_answered:  # what it asks for next, or that it asks no more, is to be seen at once
                self._watch.forget(agent)
                self._look_now.set()
        except Exception as fault:  # one agent must not hold up the others
            pause = FAULT_S
            self._report(f"{agent}: {type(fault).__name__}: {fault}", traceback.format_exc())
        finally:
            del self._lanes[agent]
            self._plan_next(agent, pause)

    def _plan_next(self, agent: AgentId, pause: float) -> None:
        """Look at the agent again after `pause` seconds if it still has messages to get; else at the next one."""
        self._due.pop(agent, None)
        self._has_plans.set()
        with contextlib.suppress(StoreError):
            if agent in self._store.answers.pending_agents():  # it came while the agent was being served
                self._due[agent] = (time.monotonic(), RETRY_S)
            elif agent in self._store.messages.open_targets():
                self._due[agent] = (time.monotonic() + pause, pause)

    def _abandon(self, fault: StoreError) -> None:
        """End: the state folder was taken away, and what is written to it now nobody reads."""
        log.error("%s: %s", fault.title, fault.cause)
        self._is_abandoned = True
        self.stop()

    # --- signs of life

    def _report(self, text: str, details: str = "") -> None:
        """Keep `text` as the last error that every client shows, and all of it in the log."""
        log.error("%s", f"{text}\n{details}".rstrip())
        with contextlib.suppress(StoreError):  # it is in the log, and the loop must go on
            self._store.health.error(text, self._clock())


async def _pause(seconds: float, until: asyncio.Event | None) -> None:
    """Sleep, but no longer than `until` something happens."""
    if until is None:
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
    until.clear()
