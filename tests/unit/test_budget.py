"""Budgets: what is added up, what follows from it, that it ends nothing, and that it lets go again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.config.paths import Paths
from orchestrator_core.config.settings import BudgetSettings
from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountId,
    AgentUse,
    Confidence,
    CreditReading,
    ReadingSource,
)
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.budget import (
    BudgetVerdict,
    Meter,
    Scope,
    Spender,
    Step,
    Use,
    WindowUse,
    day_of,
    has_caps,
    judge,
    needs,
    reasons,
)
from orchestrator_core.services.holding import why_held
from orchestrator_core.services.needs import reconcile_needs
from orchestrator_core.store import open_store
from orchestrator_core.store.spending import Cost
from orchestrator_core.supervisor.budget_duty import BudgetDuty, BudgetFile
from tests.unit.test_firing import a_check_in
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, path

__all__ = ["path"]

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC).timestamp()
HOUR = 3600.0
WORK = AccountId("/home/me/.claude")
API = OrchestrationId("api-77c1")
LEAD = AgentId(f"{API}:developer")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def cost(number: int, usd: float, agent: AgentId = DEVELOPER, conversation: str = "one") -> Cost:
    return Cost(id=number, agent=agent, conversation=conversation, cost_usd=usd)


def use(*spent: float, windows: tuple[WindowUse, ...] = ()) -> Use:
    """The developer and the tester of one team, and the developer of another one."""
    agents = (DEVELOPER, TESTER, LEAD)
    spenders = (
        Spender(agent=agent, team=OrchestrationId(agent.partition(":")[0]), usd=usd, account=WORK)
        for agent, usd in zip(agents, spent, strict=False)
    )
    return Use(day_ends_at=MIDNIGHT, spenders=tuple(spenders), windows=windows)


def window(percentage: float, resets_at: float | None = NOW + HOUR) -> WindowUse:
    return WindowUse(account=WORK, used_percentage=percentage, resets_at=resets_at)


def steps(verdicts: tuple[BudgetVerdict, ...]) -> dict[str, Step]:
    return {f"{verdict.scope}:{verdict.name}": verdict.step for verdict in verdicts}


# --- adding up


def test_only_what_came_since_counts_and_a_new_conversation_begins_at_nothing() -> None:
    meter = Meter(0.0, [cost(1, 5.0), cost(2, 1.0, TESTER)])
    meter.take([cost(3, 6.0), cost(4, 0.5, conversation="two"), cost(5, 6.5), cost(6, 1.0, TESTER), cost(7, 2.0, LEAD)])
    assert meter.spent == {DEVELOPER: 2.0, TESTER: 0.0, LEAD: 2.0}
    assert meter.newest == 7


def test_a_cost_that_fell_is_counted_anew() -> None:
    meter = Meter(0.0)
    meter.take([cost(1, 4.0), cost(2, 0.5), cost(3, 0.75)])
    assert meter.spent == {DEVELOPER: 4.75}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1000, allow_nan=False)), max_size=20), st.integers(0, 20))
def test_use_only_grows_and_comes_in_any_portions(told: list[tuple[str, float]], cut: int) -> None:
    costs = [cost(number, usd, conversation=name) for number, (name, usd) in enumerate(told, 1)]
    whole, parts = Meter(0.0), Meter(0.0)
    last = 0.0
    for one in costs:
        whole.take([one])
        assert whole.spent[DEVELOPER] >= last
        last = whole.spent[DEVELOPER]
    parts.take(costs[:cut])
    parts.take(costs[cut:])
    assert parts.spent == whole.spent


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (6, 1, 24)])
def test_a_day_is_the_persons_own(month: int, day: int, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    began, ends = day_of(datetime(2026, month, day, 13, tzinfo=berlin).timestamp(), berlin)
    assert datetime.fromtimestamp(began, berlin) == datetime(2026, month, day, tzinfo=berlin)
    assert ends - began == hours * HOUR


# --- what follows


@pytest.mark.parametrize(
    ("usd", "step"),
    [
        (7.99, None),
        (8.0, Step.WARN),
        (9.99, Step.WARN),
        (10.0, Step.PAUSE_CHECK_INS),
        (11.99, Step.PAUSE_CHECK_INS),
        (12.0, Step.HOLD_MESSAGES),
        (500.0, Step.HOLD_MESSAGES),
    ],
)
def test_one_step_after_the_other(usd: float, step: Step | None) -> None:
    verdicts = judge(BudgetSettings(agent_usd=10), use(usd, 1.0))
    assert steps(verdicts) == ({} if step is None else {f"agent:{DEVELOPER}": step})


def test_each_budget_speaks_for_its_own() -> None:
    spent = use(4.0, 7.0, 1.0, windows=(window(45),))
    assert steps(judge(BudgetSettings(agent_usd=7), spent)) == {f"agent:{TESTER}": Step.PAUSE_CHECK_INS}
    assert steps(judge(BudgetSettings(team_usd=10), spent)) == {f"team:{SHOP}": Step.PAUSE_CHECK_INS}
    assert steps(judge(BudgetSettings(day_usd=10), spent)) == {"day:": Step.HOLD_MESSAGES}
    assert steps(judge(BudgetSettings(window_percentage=50), spent)) == {f"window:{WORK}": Step.WARN}
    assert judge(BudgetSettings(), use(9999.0, windows=(window(100),))) == ()


def test_a_team_may_have_a_cap_of_its_own() -> None:
    spent = use(4.0, 7.0, 6.0)
    assert steps(judge(BudgetSettings(team_usd=5, teams={SHOP: 20}), spent)) == {f"team:{API}": Step.HOLD_MESSAGES}
    assert steps(judge(BudgetSettings(teams={SHOP: 11}), spent)) == {f"team:{SHOP}": Step.PAUSE_CHECK_INS}
    assert judge(BudgetSettings(team_usd=1, teams={SHOP: 0, API: 0}), spent) == (), "0 is no limit"
    assert has_caps(BudgetSettings(teams={SHOP: 11}))
    assert not has_caps(BudgetSettings(teams={SHOP: 0}))


def test_the_reason_says_what_was_used_and_what_follows() -> None:
    settings = BudgetSettings(agent_usd=10, window_percentage=50)
    told = {v.scope: v.reason for v in judge(settings, use(10.5, windows=(window(61),)))}
    assert told == {
        Scope.AGENT: f"$10.50 of $10.00 used today by {DEVELOPER}; check-ins wait until midnight",
        Scope.WINDOW: f"61 % of the five hours of {WORK} are used; teams may use 50 %; "
        "check-ins and messages wait until it resets",
    }


def test_it_is_for_the_agents_of_that_budget_only() -> None:
    verdicts = judge(BudgetSettings(agent_usd=10, team_usd=10), use(12.0, 0.0, 3.0))
    assert set(reasons(verdicts, Step.HOLD_MESSAGES)) == {DEVELOPER, TESTER}
    assert "team" not in reasons(judge(BudgetSettings(agent_usd=10), use(10.0, 9.0)), Step.PAUSE_CHECK_INS)
    others = replace(use(1.0, 1.0, 1.0, windows=(window(99),)).spenders[0], account="/elsewhere")
    elsewhere = replace(use(1.0, 1.0, windows=(window(99),)), spenders=(others,))
    assert reasons(judge(BudgetSettings(window_percentage=50), elsewhere), Step.WARN) == {}


def test_what_stopped_teams_have_used_counts_for_the_day() -> None:
    spent = use(6.0, 5.0, 0.0)
    stopped = tuple(replace(s, is_active=s.agent == LEAD) for s in spent.spenders)
    verdicts = judge(BudgetSettings(day_usd=10, team_usd=10, agent_usd=5), replace(spent, spenders=stopped))
    assert [(v.scope, v.agents) for v in verdicts] == [(Scope.DAY, (LEAD,))]


dollars = st.floats(0, 100, allow_nan=False)
budgets = st.builds(
    BudgetSettings,
    agent_usd=dollars,
    team_usd=dollars,
    day_usd=dollars,
    window_percentage=dollars,
    warn_percentage=st.floats(1, 100),
    hold_percentage=st.floats(100, 300),
)


@given(budgets, st.tuples(dollars, dollars, dollars), st.tuples(dollars, dollars, dollars), dollars, dollars)
def test_more_use_never_leads_to_less(
    settings: BudgetSettings, spent: tuple[float, ...], more: tuple[float, ...], share: float, further: float
) -> None:
    """And whatever was used, what follows is one of three steps, none of which ends an agent."""
    less = judge(settings, use(*spent, windows=(window(share),)))
    grown = tuple(a + b for a, b in zip(spent, more, strict=True))
    after = judge(settings, use(*grown, windows=(window(share + further),)))
    assert steps(less).keys() <= steps(after).keys()
    assert all(steps(after)[key] >= step for key, step in steps(less).items())
    assert {v.step for v in after} <= {Step.WARN, Step.PAUSE_CHECK_INS, Step.HOLD_MESSAGES}
    assert reasons(after, Step.HOLD_MESSAGES).keys() <= reasons(after, Step.PAUSE_CHECK_INS).keys()


@given(budgets, st.lists(st.tuples(dollars, dollars, dollars, dollars), min_size=1, max_size=6))
def test_within_a_day_and_window_nothing_is_taken_back(
    settings: BudgetSettings, told: list[tuple[float, float, float, float]]
) -> None:
    """Whatever the readings do, up or down: held once is held until the end."""
    before: tuple[BudgetVerdict, ...] = ()
    for *spent, share in told:
        after = judge(settings, use(*spent, windows=(window(share),)), before)
        assert all(steps(after)[key] >= step for key, step in steps(before).items())
        before = after


def test_it_ends_with_the_day_the_window_or_another_cap() -> None:
    settings = BudgetSettings(agent_usd=10, window_percentage=50)
    before = judge(settings, use(11.0, windows=(window(55),)))
    assert len(before) == 2
    low = use(0.0, windows=(window(3),))
    assert judge(settings, low, before) == before, "a reading that fell is no end"
    drifted = replace(low, windows=(window(3, NOW + HOUR + 60),))
    assert judge(settings, drifted, before) == before
    tomorrow = replace(low, day_ends_at=MIDNIGHT + 24 * HOUR, windows=(window(3, NOW + 6 * HOUR),))
    assert judge(settings, tomorrow, before) == ()
    assert judge(settings, replace(low, windows=()), before)[0].scope is Scope.AGENT
    raised = BudgetSettings(agent_usd=20, window_percentage=90)
    assert judge(raised, use(11.0, windows=(window(55),)), before) == ()


def test_the_reason_stays_while_the_step_does() -> None:
    """Else every cent would be written to every message that waits."""
    settings = BudgetSettings(agent_usd=10)
    before = judge(settings, use(10.5))
    assert judge(settings, use(10.9), before) == before
    assert judge(settings, use(12.5), before)[0].reason != before[0].reason


def test_the_person_is_told_once_for_each_step() -> None:
    settings = BudgetSettings(agent_usd=10)
    keys = set()
    before: tuple[BudgetVerdict, ...] = ()
    for usd in (8.0, 8.5, 10.0, 10.1, 11.0, 12.0, 40.0):
        before = judge(settings, use(usd), before)
        keys |= {need.key for need in needs(before, lambda agent: SHOP, NOW)}
    assert len(keys) == 3


# --- the supervisor's duty


class Desk:
    """A duty over a real store, with agents that tell what they cost."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.store = open_store(path)
        self.settings = BudgetSettings(**settings)
        self.now = NOW
        self.reports: list[str] = []
        self.duty = self.new_duty()

    def new_duty(self) -> BudgetDuty:
        return BudgetDuty(self.store, lambda: self.settings, lambda: self.now, self._report)

    def _report(self, text: str, details: str = "") -> None:
        self.reports.append(text)

    def costs(
        self, usd: float, agent: AgentId = DEVELOPER, *, at: float | None = None, conversation: str = "c"
    ) -> None:
        at = self.now if at is None else at
        self.store.agent_uses.add(AgentUse(agent=agent, at=at, conversation=conversation, cost_usd=usd))

    def reads(self, used: float | None, resets_at: float | None, **changes: Any) -> None:
        reading = CreditReading(
            account=WORK,
            window=FIVE_HOUR,
            at=self.now,
            source=ReadingSource.STATUS_LINE,
            confidence=Confidence.SURE,
            used_percentage=used,
            resets_at=resets_at,
        )
        self.store.readings.add(replace(reading, **changes))

    def round(self) -> tuple[Need, ...]:
        found = self.duty.round()
        assert self.reports == []
        return found

    def held(self) -> dict[str, str]:
        return {agent.role: agent.held_reason for agent in self.store.agents.of(SHOP) if agent.held_reason}

    def kinds(self) -> list[str]:
        return [event.kind for event in reversed(self.store.events.latest(50)) if event.kind.startswith("budget")]


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    made = Desk(path, agent_usd=10)
    with closing(made.store) as store:
        store.orchestrations.claim(an_orchestration())
        for number, agent in enumerate((DEVELOPER, TESTER), 1):
            store.agents.add(an_agent(agent, pane=PaneId(f"%{number}"), status=AgentStatus.WORKING, account=WORK))
        yield made


def test_a_day_of_a_busy_agent(desk: Desk) -> None:
    desk.costs(50.0, at=NOW - 24 * HOUR)
    assert (desk.round(), desk.held(), desk.duty.held(DEVELOPER)) == ((), {}, "")
    desk.costs(58.5)
    [warned] = desk.round()
    assert (warned.kind, warned.agent, warned.orchestration) == (NeedKind.BUDGET, DEVELOPER, SHOP)
    assert (desk.held(), desk.duty.held(DEVELOPER)) == ({}, "")
    desk.costs(61.0)
    desk.round()
    assert desk.held() == {}
    assert "check-ins wait until midnight" in desk.duty.held(DEVELOPER)
    desk.costs(3.0, conversation="another")
    desk.round()
    assert list(desk.held()) == ["developer"]
    assert why_held(desk.store, DEVELOPER) == desk.held()["developer"]
    assert "messages wait" in why_held(desk.store, DEVELOPER)
    assert (why_held(desk.store, TESTER), desk.duty.held(TESTER)) == ("", "")
    agents = desk.store.agents.of(SHOP)
    assert [agent.status for agent in agents] == [AgentStatus.WORKING] * 2, "nothing is ended"
    assert desk.store.orchestrations.get(SHOP).state is OrchestrationState.RUNNING
    desk.now = MIDNIGHT + 1
    assert (desk.round(), desk.held(), desk.duty.held(DEVELOPER)) == ((), {}, "")
    assert desk.kinds() == ["budget.warning", "budget.check-ins", "budget.messages", "budget.over"]


def test_a_restart_knows_it_from_the_store_and_says_it_once(desk: Desk) -> None:
    desk.costs(12.0)
    reconcile_needs(desk.store, NOW, desk.round())
    told = desk.held()
    desk.duty = desk.new_duty()
    assert reconcile_needs(desk.store, NOW, desk.round()) == ()
    assert desk.held() == told
    assert desk.duty.held(DEVELOPER) == told["developer"]
    assert [need.kind for need in desk.store.needs.open()] == [NeedKind.BUDGET]


def test_what_a_supervisor_left_held_is_let_go_when_there_is_no_budget_any_more(desk: Desk) -> None:
    desk.costs(12.0)
    desk.round()
    desk.settings = BudgetSettings()
    desk.duty = desk.new_duty()
    assert (desk.round(), desk.held()) == ((), {})


def test_a_raised_cap_lets_all_go_at_once(desk: Desk) -> None:
    due = desk.store.check_ins.add(a_check_in(due_at=NOW - 60, set_at=NOW - 600))
    desk.store.check_ins.update(due.id, retry_at=NOW + 600, reason="held")
    desk.costs(12.0)
    desk.round()
    desk.settings = BudgetSettings(agent_usd=100)
    assert (desk.round(), desk.held(), desk.duty.held(DEVELOPER)) == ((), {}, "")
    assert desk.store.check_ins.get(due.id).retry_at == NOW


def test_the_share_of_the_window_holds_until_it_resets(desk: Desk) -> None:
    desk.settings = BudgetSettings(window_percentage=50)
    desk.reads(90.0, NOW + HOUR, window=SEVEN_DAY)
    desk.reads(None, NOW + HOUR, confidence=Confidence.ESTIMATE, source=ReadingSource.GUESS)
    assert desk.round() == ()
    desk.reads(50.0, NOW + HOUR)
    assert len(desk.round()) == 1
    assert desk.duty.held(DEVELOPER) == desk.duty.held(TESTER) != ""
    desk.reads(None, NOW + HOUR, is_limit=True, source=ReadingSource.RECORD)
    desk.round()
    assert set(desk.held()) == {"developer", "tester"}
    desk.now = NOW + HOUR
    assert (desk.round(), desk.duty.held(DEVELOPER), desk.held()) == ((), "", {})


def test_a_window_whose_reset_nobody_told_is_over_after_its_length(desk: Desk) -> None:
    desk.settings = BudgetSettings(window_percentage=50)
    desk.reads(60.0, None)
    assert len(desk.round()) == 1
    desk.now = NOW + 5 * HOUR + 1
    assert desk.round() == ()


def test_rounds_without_news_write_nothing(desk: Desk) -> None:
    desk.costs(12.0)
    desk.round()
    before = desk.store.revision()
    for _ in range(5):
        desk.round()
    assert desk.store.revision() == before


def test_a_fault_is_reported_and_what_was_known_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.costs(12.0)
    known = desk.round()

    def broken(*_: object) -> tuple[Cost, ...]:
        raise StoreError("the disk is full", cause="it is", remedy="make room")

    monkeypatch.setattr(desk.store.spending, "after", broken)
    assert desk.duty.round() == known
    assert len(desk.reports) == 1
    assert desk.duty.held(DEVELOPER)


def test_the_settings_are_read_again_when_the_person_changes_them(isolated_home: Path) -> None:
    paths = Paths.from_env({"HOME": str(isolated_home)})
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    read = BudgetFile(paths, BudgetSettings(), {})
    assert read() == BudgetSettings()

    def write(text: str) -> BudgetSettings:
        paths.config_file.write_text(text)
        later = time.time() + len(text)
        os.utime(paths.config_file, (later, later))
        return read()

    assert write("[budget]\nday_usd = 5\n").day_usd == 5
    assert write("[budget]\nday_usd = five dollars\n").day_usd == 5
    assert write("[budget]\nday_usd = 50\nteam_usd = 20\n") == BudgetSettings(day_usd=50, team_usd=20)
    assert write('[budget]\nteams = { "shop-3f2a" = 7.5 }\n') == BudgetSettings(teams={"shop-3f2a": 7.5})
    assert write('[budget]\nteams = { "shop-3f2a" = -1 }\n') == BudgetSettings(teams={"shop-3f2a": 7.5})
    paths.config_file.unlink()
    assert read() == BudgetSettings()
