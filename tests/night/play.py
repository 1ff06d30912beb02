"""A night of a fleet whose time is not real: the store, the scheduler and the use cases are.

Time goes on to what happens next: a scripted act, a turn in an agent's life, or the moment that the scheduler itself
asks for. Nothing looks in between, so that a moment it did not ask for is missed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.check_in import CheckInRequest
from orchestrator_core.models.ids import AgentId, CheckInId, MessageId, OrchestrationId, PaneId, agent_id
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.services import schedule
from orchestrator_core.services.firing import Scheduler
from orchestrator_core.services.needs import reconcile_needs
from orchestrator_core.services.standing import keep_standing
from orchestrator_core.store import Store, open_store
from tests.night import due_times
from tests.night.clock import NightClock
from tests.night.ledger import UNABLE, Ledger
from tests.night.lives import GRAIN, MIN, Life, moment
from tests.night.mortal import Killed, MortalDatabase

ROLES = (
    "orchestrator", "project_manager", "developer", "tester",
    "code_reviewer", "researcher", "devops", "logtracker",
)  # fmt: skip
ADOPTED = ("helper-1", "helper-2")
TEAM, GUESTS = OrchestrationId("shop-1"), OrchestrationId("adopted-1")
HOUR = 3600.0
NEEDS_S = 600.0
ROUNDS_AT_MOST = 30
CRONS = (
    ("30 2 * * *", "Europe/Berlin"),
    ("15 1-4 * * *", "Europe/Berlin"),
    ("*/20 * * * *", "Europe/Berlin"),
    ("5 * * * *", "Europe/Berlin"),
    ("45 5 * * *", "Asia/Kathmandu"),
)


class Plan(Struct, frozen=True, kw_only=True):
    """What is going to happen."""

    seed: int
    start: str
    """In Berlin."""
    jump_s: float
    """By how much the clock is set, once."""
    hours: float = 12
    agents: int = 8
    acts: int = 70
    crashes: int = 2
    sleep_h: float = 3


class Supervisor(Struct):
    """What of the supervisor matters here, over a connection of its own."""

    database: MortalDatabase
    store: Store
    scheduler: Scheduler
    needs_at: float = -math.inf
    has_settled: bool = False
    """Whether it has settled what another one was killed over."""


class Night:
    """Everything in it; `ledger` tells what happened."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.settings = ScheduleSettings()
        self.start = datetime.fromisoformat(plan.start).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
        self.end = plan.hours * HOUR
        self.clock = NightClock(self.start)
        self.reports: list[str] = []
        self.faults: list[str] = []
        self.database = folder / "night.sqlite"
        self.store = open_store(self.database)
        """What people and agents use."""
        self._chance = Random(plan.seed)
        self.team_of: dict[str, str] = {}
        self.lives = self._populate()
        self.ledger = Ledger(self.database, self.clock)
        for life in self.lives.values():
            self.ledger.statuses[life.agent].append((0.0, AgentStatus.IDLE))
        self._panes = {life.agent: PaneId(f"%{number}") for number, life in enumerate(self.lives.values())}
        self._script: list[tuple[float, int, Callable[[], None]]] = []
        self._is_awake = True
        self.supervisor: Supervisor | None = None
        self._write_script()

    def close(self) -> None:
        self.ledger.close()
        self.store.close()
        if self.supervisor is not None:
            self.supervisor.store.close()

    def _populate(self) -> dict[AgentId, Life]:
        lives = {}
        for team, roles, is_adopted in ((TEAM, ROLES[: self.plan.agents], False), (GUESTS, ADOPTED, True)):
            self.store.orchestrations.claim(
                Orchestration(
                    id=team, project=f"/{team}", project_name=team, session=team, starting_branch="main",
                    base_commit="0" * 40, state=OrchestrationState.RUNNING, is_adopted=is_adopted,
                    created_at=self.start,
                )
            )  # fmt: skip
            for role in roles:
                agent = agent_id(team, role)
                lives[agent] = Life(agent, Random(f"{self.plan.seed}-{agent}"))
                self.team_of[agent] = team
                self.store.agents.add(
                    Agent(
                        id=agent, orchestration=team, role=role, driver="claude", worktree="", branch="",
                        status=AgentStatus.IDLE, pane=PaneId(f"%{len(lives) - 1}"), is_adopted=is_adopted,
                        created_at=self.start,
                    )
                )  # fmt: skip
        others = ROLES[1 : self.plan.agents]
        self.store.routes.set(TEAM, [("orchestrator", o) for o in others] + [(o, "orchestrator") for o in others])
        return lives

    # --- the script

    def _write_script(self) -> None:
        chance, plan = self._chance, self.plan
        self._at(0.0, self._start_supervisor)
        for number, (cron, zone) in enumerate(CRONS):
            agent = list(self.lives)[number % len(self.lives)]
            self._at(1.0 + number, partial(self._set_cron, agent, cron, zone))
        for number in range(plan.crashes):
            share = (number + 0.2 + 0.6 * chance.random()) / plan.crashes
            self._at(share * 0.9 * self.end, lambda: self._arm(self._chance.randint(1, 25)))
        asleep = chance.uniform(0.2, 0.4) * self.end
        if plan.sleep_h:
            self._at(asleep, self._fall_asleep)
            self._at(asleep + plan.sleep_h * HOUR, self._wake_up)
        self._at(chance.uniform(0.7, 0.8) * self.end, lambda: self._jump(plan.jump_s))
        for _ in range(plan.acts):
            self._at(chance.uniform(0.002, 0.97) * self.end, lambda: chance.choice(ACTS)(self))

    def _at(self, at: float, do: Callable[[], None]) -> None:
        self._script.append((round(at * GRAIN) / GRAIN, len(self._script), do))
        self._script.sort(key=lambda entry: entry[:2])

    def run(self) -> None:
        """Live through it."""
        while (at := self._next()) <= self.end:
            self.clock.at = max(at, self.clock.at)
            while self._script and self._script[0][0] <= self.clock.at:
                self._script.pop(0)[2]()
            if self._is_awake:
                for life in self.lives.values():
                    if life.until <= self.clock.at:
                        life.go_on(self.clock.at, self.clock())
                self._tend()
        self.clock.at = self.end
        self._arm(None)
        self._tend()
        if self.supervisor is not None:
            reconcile_needs(self.supervisor.store, self.clock())
            self.ledger.end_up()

    def _next(self) -> float:
        moments = [self._script[0][0]] if self._script else []
        if self._is_awake:
            moments += [life.until for life in self.lives.values()]
            if self.supervisor is not None and (due := self.supervisor.scheduler.next_at()) is not None:
                moments.append(self.clock.until(due))
        return min(moments, default=math.inf)

    # --- incidents

    def _arm(self, statements: int | None) -> None:
        if self.supervisor is not None:
            self.supervisor.database.arm(statements if statements is not None else 1 << 60)

    def _start_supervisor(self) -> None:
        if self.supervisor is None and self._is_awake:
            database = MortalDatabase(self.database)
            store = Store(database)
            scheduler = Scheduler(store, self.settings, self.clock, lambda text, _="": self.reports.append(text))
            self.supervisor = Supervisor(database, store, scheduler)
            self.ledger.begin_up()

    def _die(self, doing: str) -> None:
        assert self.supervisor is not None
        self.ledger.end_up()
        self.supervisor.store.close()
        self.supervisor = None
        pause = moment(self._chance, 30, 15 * MIN)
        self.ledger.incident(f"the supervisor is killed while {doing}; back after {pause / MIN:.1f} min")
        self._at(self.clock.at + pause, self._start_supervisor)

    def _fall_asleep(self) -> None:
        self._is_awake = False
        if self.supervisor is not None:
            self.ledger.end_up()
        self.ledger.incident(f"the machine sleeps for {self.plan.sleep_h:g} h")

    def _wake_up(self) -> None:
        self._is_awake = True
        self.ledger.incident("the machine wakes up")
        if self.supervisor is not None:
            self.ledger.begin_up()
        else:
            self._start_supervisor()

    def _jump(self, seconds: float) -> None:
        self.clock.jump(seconds)
        self.ledger.incident(f"the clock jumps by {seconds / MIN:+g} min")

    # --- the supervisor's work

    def _tend(self) -> None:
        """Do what the supervisor's loop does when something has happened."""
        doing = "it looks at the agents"
        supervisor = self.supervisor
        if supervisor is None:
            return
        try:
            self._watch(supervisor)
            doing = "it keeps standing check-ins"
            keep_standing(supervisor.store, self.settings, self.clock())
            self._look("standing")
            doing = "it fires"
            self._fire(supervisor.scheduler)
            doing = "it reconciles needs"
            if self.clock.at - supervisor.needs_at > NEEDS_S:
                supervisor.needs_at = self.clock.at
                supervisor.scheduler.bury_broken()
                reconcile_needs(supervisor.store, self.clock())
            self._check_order()
            doing = "it delivers"
            self._deliver(supervisor)
        except Killed:
            self._look("round")
            self._die(doing)

    def _watch(self, supervisor: Supervisor) -> None:
        for life in self.lives.values():
            before, verdict = self.ledger.statuses[life.agent][-1][1], life.verdict()
            if before == verdict.status:
                continue
            pane = self._panes[life.agent] if verdict.status.is_live else None
            try:
                with supervisor.store.transaction():
                    supervisor.store.agents.set_verdict(life.agent, verdict, self.clock())
                    supervisor.store.agents.update(life.agent, pane=pane)
            finally:
                self._note_status(life.agent)
            if before in UNABLE and verdict.status not in UNABLE:
                supervisor.scheduler.release(life.agent)

    def _note_status(self, agent: AgentId) -> None:
        row = self.ledger.query("SELECT status FROM agent WHERE id = ?", agent)[0]
        if self.ledger.statuses[agent][-1][1] != row["status"]:
            self.ledger.statuses[agent].append((self.clock.at, row["status"]))

    def _fire(self, scheduler: Scheduler) -> None:
        for _ in range(ROUNDS_AT_MOST):
            due = scheduler.next_at()
            if due is None or due > self.clock():
                return
            scheduler.round()
            self._look("round")
        self.faults.append(f"at {self.clock.at:.0f} s: rounds without an end")

    def _deliver(self, supervisor: Supervisor) -> None:
        store, now = supervisor.store, self.clock()
        if not supervisor.has_settled:
            for message in store.messages.interrupted():
                store.messages.finish(message.id, MessageState.UNCONFIRMED, reason="nobody knows", at=now)
            supervisor.has_settled = True
        for row in self.ledger.query("SELECT DISTINCT target FROM message WHERE state = 'queued' ORDER BY id"):
            life = self.lives[row["target"]]
            claimed = store.messages.claim_next(life.agent, now) if life.status is AgentStatus.IDLE else None
            if claimed is not None:
                self._type(store, claimed.id, life)

    def _type(self, store: Store, message: MessageId, life: Life) -> None:
        lot, now = self._chance.random(), self.clock()
        if lot < 0.03:
            store.messages.finish(message, MessageState.UNCONFIRMED, reason="nobody knows", at=now)
            return
        life.take(self.clock.at)
        store.messages.finish(message, MessageState.DELIVERED, pane=self._panes[life.agent], at=now)
        if lot < 0.9:
            store.messages.finish(message, MessageState.ACKNOWLEDGED, at=now)

    def _look(self, cause: str) -> None:
        self.ledger.look(cause, {agent: states[-1][1] for agent, states in self.ledger.statuses.items()})

    def _check_order(self) -> None:
        """After a round nothing is due that could fire, and everyone who lives is going to be woken."""
        now = self.clock()
        standing: dict[str, int] = dict.fromkeys(self.lives, 0)
        for row in self.ledger.rows.values():
            if row["state"] != "active":
                continue
            standing[row["target"]] += row["is_standing"]
            if now < row["set_at"] - due_times.BACK_S and row["due_at"] > due_times.latest(row, now):
                self.faults.append(f"at {self.clock.at:.0f} s: check-in {row['id']} waits for a time long gone")
            if row["due_at"] <= now and self._is_able(row["target"]):
                self.faults.append(f"at {self.clock.at:.0f} s: check-in {row['id']} is due and has not fired")
        for agent, number in standing.items():
            lives = self.ledger.statuses[agent][-1][1] not in ("exited", "failed")
            wanted = int(lives and self.team_of[agent] == TEAM)
            if number > 1 or (lives and number != wanted):
                self.faults.append(f"at {self.clock.at:.0f} s: {agent} has {number} standing check-ins, not {wanted}")

    def _is_able(self, target: str) -> bool:
        able = self.ledger.able(target, self.team_of[target], self.clock.at, self.clock.at + 1)
        return bool(able) and able[0][0] == self.clock.at

    # --- what people and agents do

    def _living(self) -> Agent | None:
        living = [life for life in self.lives.values() if life.status in (AgentStatus.IDLE, AgentStatus.WORKING)]
        return self.store.agents.get(self._chance.choice(living).agent) if living and self._is_awake else None

    def _acted(self, kind: str, number: int = 0) -> None:
        self.ledger.acts.append((self.clock.at, kind, number))
        self._look(kind)

    def add(self, request: CheckInRequest, target: AgentId, caller: Agent | None, *, expect_new: bool | None) -> None:
        now, agent = self.clock(), self.store.agents.get(target)
        try:
            made = schedule.add(self.store, self.settings, request, agent, author="", caller=caller, now=now)
        except RefusedError:
            self.ledger.refusals += 1
            self._acted("refused")
            return
        if expect_new is not None and made.is_new != expect_new:
            self.faults.append(f"at {self.clock.at:.0f} s: {request} for {target} is_new {made.is_new}")
        self._acted("set" if made.is_new else "same", made.check_in.id)

    def _set_cron(self, agent: AgentId, cron: str, zone: str) -> None:
        self.add(CheckInRequest(note=f"by cron {cron}", cron=cron, zone=zone), agent, None, expect_new=True)

    def set_once(self) -> None:
        """An agent sets one, and says the same again in other words."""
        caller = self._living()
        if caller is None:
            return
        own = self._chance.random() < 0.5
        target = caller.id if own else self._chance.choice(list(self.lives))
        delay = self._chance.choice((0.0, 0.5, 1.0, 5.0, 20.0, 90.0)) * MIN
        note = f"look at {self._chance.randrange(10**9)}"
        before = self.ledger.refusals
        self.add(CheckInRequest(note=note, delay_s=delay), target, caller, expect_new=True)
        if self._chance.random() < 0.4 and self.ledger.refusals == before:
            again = CheckInRequest(note=f"  {note.upper()} ", delay_s=delay)
            self.add(again, target, caller, expect_new=False)

    def set_every(self) -> None:
        caller = self._living()
        if caller is None:
            return
        interval = self._chance.choice((2.0, 7.5, 15.0, 45.0, 120.0)) * MIN
        note = f"again {self._chance.randrange(10**9)}"
        request = CheckInRequest(note=note, delay_s=interval, repeats=True)
        self.add(request, caller.id, caller, expect_new=True)
        if self._chance.random() < 0.5:
            self.add(request, caller.id, caller, expect_new=False)

    def _one(self, *, ended: bool = False) -> int | None:
        ids = [n for n, row in self.ledger.rows.items() if (row["state"] != "active") == ended]
        return self._chance.choice(ids) if ids and self._is_awake else None

    def move(self) -> None:
        number = self._one(ended=self._chance.random() < 0.2)
        if number is not None:
            to = self.clock() + self._chance.choice((0, 30, 600, 3600))
            with suppress(RefusedError):
                schedule.move(self.store, CheckInId(number), to, None, self.clock())
                self._acted("moved", number)

    def reword(self) -> None:
        if (number := self._one()) is not None:
            note = f"in other words {self._chance.random()}"
            schedule.reword(self.store, CheckInId(number), note, None, self.clock())
            self._acted("reworded", number)

    def cancel(self) -> None:
        if (number := self._one()) is not None:
            schedule.cancel(self.store, CheckInId(number), None, self.clock())
            self._acted("cancelled", number)

    def fire(self) -> None:
        if (number := self._one()) is not None:
            schedule.fire(self.store, CheckInId(number), None, self.clock())
            self._acted("fired by hand", number)

    def pause(self) -> None:
        team = self._chance.choice((TEAM, GUESTS))
        if self._is_awake and schedule.pause(self.store, team, True, self.clock()):
            self.ledger.paused[team].append((self.clock.at, True))
            self._acted("paused")
            self._at(self.clock.at + self._chance.uniform(60, 0.08 * self.end), lambda: self.resume(team))

    def resume(self, team: OrchestrationId) -> None:
        schedule.pause(self.store, team, False, self.clock())
        self.ledger.paused[team].append((self.clock.at, False))
        self._acted("resumed")


ACTS = (
    *(Night.set_once,) * 5, Night.set_every, Night.move, Night.move,
    Night.reword, Night.cancel, Night.fire, Night.pause,
)  # fmt: skip
