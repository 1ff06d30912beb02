"""The supervisor's duty to keep budgets: it warns, pauses check-ins, holds messages, and lets them go again."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import BudgetSettings, load_settings
from orchestrator_core.errors import SettingsError
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.need import Need
from orchestrator_core.services.budget import (
    WINDOW_S,
    BudgetVerdict,
    Meter,
    Spender,
    Step,
    Use,
    day_of,
    has_caps,
    judge,
    needs,
    reasons,
    windows_of,
)
from orchestrator_core.services.firing import Report
from orchestrator_core.services.holding import let_fire
from orchestrator_core.services.zones import local_zone
from orchestrator_core.store import Store

BATCH = 1000
KINDS = {
    Step.WARN: "budget.warning",
    Step.PAUSE_CHECK_INS: "budget.check-ins",
    Step.HOLD_MESSAGES: "budget.messages",
}


class BudgetFile:
    """The budgets as the person's settings have them now: a cap that is raised counts at once."""

    def __init__(self, paths: Paths, known: BudgetSettings, environ: Mapping[str, str] = os.environ) -> None:
        """`known` is what they are when the settings cannot be read, until they can."""
        self._paths = paths
        self._known = known
        self._environ = environ
        self._stamp = self._look()

    def __call__(self) -> BudgetSettings:
        """Return them. Costs one `stat` when nothing has changed."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            with contextlib.suppress(SettingsError):  # half written, or wrong: `tmorch doctor` says so
                self._known = load_settings(self._paths, self._environ).budget
        return self._known

    def _look(self) -> tuple[int, int]:
        try:
            found = self._paths.config_file.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size


class BudgetDuty:
    """Judges what was used, and holds back what follows from it. Ends nothing, and raises nothing."""

    def __init__(
        self, store: Store, settings: Callable[[], BudgetSettings], clock: Callable[[], float], report: Report
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._report = report
        self._meter: Meter | None = None
        self._verdicts: tuple[BudgetVerdict, ...] = ()
        self._paused: dict[AgentId, str] = {}
        self._needs: tuple[Need, ...] = ()
        self._has_looked = False

    def held(self, agent: AgentId) -> str:
        """Return why no check-in fires for an agent; empty when no budget holds it."""
        return self._paused.get(agent, "")

    def round(self) -> tuple[Need, ...]:
        """Judge anew, apply what follows, and return what the person is to be told. Costs nothing without budgets."""
        try:
            settings = self._settings()
            if has_caps(settings) or self._verdicts or not self._has_looked:
                self._judge(settings, self._clock())
                self._has_looked = True
        except Exception as fault:  # an edge of the loop: nothing may stop it
            self._report(f"judging budgets: {type(fault).__name__}: {fault}", traceback.format_exc())
        return self._needs

    def _judge(self, settings: BudgetSettings, now: float) -> None:
        verdicts = judge(settings, self._use(settings, now), self._verdicts) if has_caps(settings) else ()
        paused = reasons(verdicts, Step.PAUSE_CHECK_INS)
        freed = self._paused.keys() - paused.keys()
        self._tell(verdicts, now)
        self._verdicts, self._paused = verdicts, paused
        self._hold(reasons(verdicts, Step.HOLD_MESSAGES))
        if freed:
            let_fire(self._store, sorted(freed), now)
        teams = {agent.id: agent.orchestration for agent in self._store.agents.active()}
        self._needs = needs(verdicts, teams.__getitem__, now)

    # --- what was used

    def _use(self, settings: BudgetSettings, now: float) -> Use:
        began, ends = day_of(now, ZoneInfo(local_zone()))
        meter = self._metered(began)
        active = {agent.id: agent for agent in self._store.agents.active()}
        gone = (self._store.agents.find(agent) for agent in meter.spent.keys() - active.keys())
        spenders = (
            Spender(
                agent=agent.id,
                team=agent.orchestration,
                usd=meter.spent.get(agent.id, 0.0),
                account=agent.account,
                is_active=agent.id in active,
            )
            for agent in (*active.values(), *filter(None, gone))
        )
        readings = self._store.readings.current(now - WINDOW_S) if settings.window_percentage else ()
        return Use(
            day_ends_at=ends,
            spenders=tuple(spenders),
            windows=windows_of(readings, now),
        )

    def _metered(self, began: float) -> Meter:
        if self._meter is None or self._meter.since != began:
            self._meter = Meter(began, self._store.spending.before(began))
        while costs := self._store.spending.after(self._meter.newest, began, BATCH):
            self._meter.take(costs)
        return self._meter

    # --- what follows

    def _hold(self, held: dict[AgentId, str]) -> None:
        for agent in self._store.agents.active():
            reason = held.get(agent.id, "")
            if agent.held_reason != reason:
                self._store.agents.update(agent.id, held_reason=reason)

    def _tell(self, verdicts: tuple[BudgetVerdict, ...], now: float) -> None:
        """Write into the log what has begun to follow, and what has ended."""
        known = {verdict.key: verdict for verdict in self._verdicts}
        for verdict in verdicts:
            before = known.pop(verdict.key, None)
            if before is None or before.step is not verdict.step:
                self._store.events.add(KINDS[verdict.step], verdict.reason, at=now)
        for verdict in known.values():
            self._store.events.add("budget.over", f"is over: {verdict.reason}", at=now)
