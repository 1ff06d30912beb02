"""Budgets: what has been used, and what follows from it. Pure; nothing that follows ever ends anything.

A step that was reached stays until the day or the window is over, or the person sets other limits: what is held must
not come and go with every reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, time, timedelta, tzinfo
from enum import IntEnum, StrEnum
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from orchestrator_core.config.settings import BudgetSettings
from orchestrator_core.models.credit import FIVE_HOUR, AccountId, Confidence, CreditReading
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.store.spending import Cost

WINDOW_S = 5 * 3600.0
"""How long a window lasts whose reset nobody has told."""
DRIFT_S = 600.0
"""By how much two tellings of one reset may differ."""


class Step(IntEnum):
    """What follows from what was used; a later one includes those before it."""

    WARN = 1
    PAUSE_CHECK_INS = 2
    HOLD_MESSAGES = 3


class Scope(StrEnum):
    """Whose budget it is."""

    AGENT = "agent"
    TEAM = "team"
    DAY = "day"
    """That of all teams together."""
    WINDOW = "window"
    """The share of an account's five hours."""


class WindowUse(Struct, frozen=True, kw_only=True):
    """How much of the five hours of an account is used."""

    account: AccountId
    used_percentage: float
    resets_at: float | None = None
    """None when nobody has told."""


class Spender(Struct, frozen=True, kw_only=True):
    """An agent with what it has used today, one of a team that has stopped too."""

    agent: AgentId
    team: OrchestrationId
    usd: float = 0.0
    account: str = ""
    is_active: bool = True
    """What follows can apply to it."""


class Use(Struct, frozen=True, kw_only=True):
    """What has been used. Times are seconds since the epoch."""

    day_ends_at: float
    spenders: tuple[Spender, ...] = ()
    windows: tuple[WindowUse, ...] = ()
    """Those that have not reset since."""


class BudgetVerdict(Struct, frozen=True, kw_only=True):
    """What follows from a budget, for these agents, until its day or window is over."""

    step: Step
    scope: Scope
    name: str
    """The agent, team or account; empty for all teams."""
    agents: tuple[AgentId, ...]
    reason: str
    limits: tuple[float, float, float]
    """The budget, and the percentages from which on is warned and held."""
    until: float | None
    """When it ends; None when nobody has told."""

    @property
    def key(self) -> tuple[Scope, str]:
        """Which budget it is."""
        return self.scope, self.name


class Meter:
    """Adds up what each agent has used since `since`. A conversation's cost is counted from its beginning."""

    def __init__(self, since: float, before: Iterable[Cost] = ()) -> None:
        """`before` is what the conversations had cost at that moment."""
        self.since = since
        self.spent: dict[AgentId, float] = {}
        self.newest = 0
        self._costs: dict[tuple[AgentId, str], float] = {}
        for cost in before:
            self._costs[cost.agent, cost.conversation] = cost.cost_usd
            self.newest = max(self.newest, cost.id)

    def take(self, costs: Iterable[Cost]) -> None:
        """Take what was told next, oldest first. A cost that fell is counted anew from nothing."""
        for cost in costs:
            known = self._costs.get((cost.agent, cost.conversation), 0.0)
            used = cost.cost_usd - known if cost.cost_usd >= known else cost.cost_usd
            self.spent[cost.agent] = self.spent.get(cost.agent, 0.0) + max(0.0, used)
            self._costs[cost.agent, cost.conversation] = cost.cost_usd
            self.newest = max(self.newest, cost.id)


class _Budget(Struct, frozen=True, kw_only=True):
    scope: Scope
    name: str
    agents: tuple[AgentId, ...]
    used: float
    cap: float
    until: float | None
    words: str


def has_caps(settings: BudgetSettings) -> bool:
    """Return whether anything is limited."""
    of_teams = settings.team_usd or any(settings.teams.values())
    return bool(settings.agent_usd or of_teams or settings.day_usd or settings.window_percentage)


def judge(settings: BudgetSettings, use: Use, before: Collection[BudgetVerdict] = ()) -> tuple[BudgetVerdict, ...]:
    """Return what follows from `use`; `before` is what followed the last time. Pure."""
    known = {verdict.key: verdict for verdict in before}
    budgets = chain.from_iterable(of(settings, use) for of in (_of_agents, _of_teams, _of_day, _of_windows))
    verdicts = (_verdict(settings, budget, known.get((budget.scope, budget.name))) for budget in budgets)
    return tuple(verdict for verdict in verdicts if verdict is not None)


def reasons(verdicts: Iterable[BudgetVerdict], step: Step) -> dict[AgentId, str]:
    """Return the agents for whom `step` or a later one follows, each with the reason."""
    found: dict[AgentId, str] = {}
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.step):
        if verdict.step >= step:
            for agent in verdict.agents:
                found.setdefault(agent, verdict.reason)
    return found


def needs(
    verdicts: Iterable[BudgetVerdict], team_of: Callable[[AgentId], OrchestrationId], since: float
) -> tuple[Need, ...]:
    """Return what the person is to be told, once for each step; the first of the agents stands for all."""
    return tuple(
        Need(
            key=":".join(("budget", *verdict.key, verdict.agents[0], verdict.step.name, _hour(verdict.until))),
            kind=NeedKind.BUDGET,
            orchestration=team_of(verdict.agents[0]),
            agent=verdict.agents[0],
            detail=verdict.reason,
            since=since,
        )
        for verdict in verdicts
        if verdict.agents
    )


def windows_of(readings: Iterable[CreditReading], now: float) -> tuple[WindowUse, ...]:
    """Return how much of the five hours of each account is used, by what counts of it; without estimates."""
    return tuple(
        WindowUse(account=reading.account, used_percentage=used, resets_at=reading.resets_at)
        for reading in readings
        if reading.window == FIVE_HOUR and reading.confidence is not Confidence.ESTIMATE
        if (used := 100.0 if reading.is_limit else reading.used_percentage) is not None
        if (reading.resets_at or reading.at + WINDOW_S) > now
    )


def day_of(now: float, zone: tzinfo) -> tuple[float, float]:
    """Return when the day of `now` began in `zone`, and when it ends: 23 and 25 hours are days, too."""
    today = datetime.fromtimestamp(now, zone).date()
    began, ends = (datetime.combine(day, time(), zone).timestamp() for day in (today, today + timedelta(days=1)))
    return began, ends


def _of_agents(settings: BudgetSettings, use: Use) -> Iterator[_Budget]:
    for spender in use.spenders if settings.agent_usd else ():
        if spender.is_active:
            yield _of_money(Scope.AGENT, spender.agent, [spender], settings.agent_usd, use.day_ends_at)


def _of_teams(settings: BudgetSettings, use: Use) -> Iterator[_Budget]:
    for team in dict.fromkeys(spender.team for spender in use.spenders if spender.is_active):
        if cap := settings.teams.get(team, settings.team_usd):
            members = [spender for spender in use.spenders if spender.team == team]
            yield _of_money(Scope.TEAM, team, members, cap, use.day_ends_at)


def _of_day(settings: BudgetSettings, use: Use) -> Iterator[_Budget]:
    if settings.day_usd:
        yield _of_money(Scope.DAY, "", use.spenders, settings.day_usd, use.day_ends_at)


def _of_money(scope: Scope, name: str, spenders: Collection[Spender], cap: float, until: float) -> _Budget:
    used = sum(spender.usd for spender in spenders)
    who = {Scope.DAY: "all teams", Scope.TEAM: f"the team {name}"}.get(scope, name)
    return _Budget(
        scope=scope,
        name=name,
        agents=tuple(spender.agent for spender in spenders if spender.is_active),
        used=used,
        cap=cap,
        until=until,
        words=f"${used:.2f} of ${cap:.2f} used today by {who}",
    )


def _of_windows(settings: BudgetSettings, use: Use) -> Iterator[_Budget]:
    for window in use.windows if settings.window_percentage else ():
        members = (spender for spender in use.spenders if spender.is_active and spender.account == window.account)
        yield _Budget(
            scope=Scope.WINDOW,
            name=window.account,
            agents=tuple(spender.agent for spender in members),
            used=window.used_percentage,
            cap=settings.window_percentage,
            until=window.resets_at,
            words=f"{window.used_percentage:.0f} % of the five hours of {window.account} are used; "
            f"teams may use {settings.window_percentage:g} %",
        )


def _verdict(settings: BudgetSettings, budget: _Budget, before: BudgetVerdict | None) -> BudgetVerdict | None:
    limits = (budget.cap, settings.warn_percentage, settings.hold_percentage)
    step = _step(100 * budget.used / budget.cap, settings)
    is_lasting = before is not None and before.limits == limits and _is_same_period(before.until, budget.until)
    if before is not None and is_lasting and (step is None or step <= before.step):
        return replace(before, agents=budget.agents)
    if step is None:
        return None
    return BudgetVerdict(
        step=step,
        scope=budget.scope,
        name=budget.name,
        agents=budget.agents,
        reason=f"{budget.words}{_consequence(step, budget.scope)}",
        limits=limits,
        until=budget.until,
    )


def _step(percentage: float, settings: BudgetSettings) -> Step | None:
    if percentage >= settings.hold_percentage:
        return Step.HOLD_MESSAGES
    if percentage >= 100:
        return Step.PAUSE_CHECK_INS
    return Step.WARN if percentage >= settings.warn_percentage else None


def _consequence(step: Step, scope: Scope) -> str:
    end = "it resets" if scope is Scope.WINDOW else "midnight"
    match step:
        case Step.WARN:
            return ""
        case Step.PAUSE_CHECK_INS:
            return f"; check-ins wait until {end}"
        case Step.HOLD_MESSAGES:
            return f"; check-ins and messages wait until {end}"


def _hour(moment: float | None) -> str:
    """Return a moment so that two tellings of it are mostly the same."""
    return "" if moment is None else f"{moment / 3600:.0f}"


def _is_same_period(before: float | None, now: float | None) -> bool:
    return before == now if before is None or now is None else abs(before - now) <= DRIFT_S
