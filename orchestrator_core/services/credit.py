"""Which readings are worth keeping, and what they say of an account together.

Within one window use only grows, so what says less is old news: every agent of an account tells of it in its own time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from orchestrator_core.agents.limits import USED_UP, UsageWindow
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountId,
    AccountStatus,
    AgentUse,
    Confidence,
    CreditReading,
    ReadingSource,
    WindowStatus,
)
from orchestrator_core.store import Store

OLD_S = 600.0
"""A reading that is older gives way to any other."""
SAME_RESET_S = 120.0
"""By how much two tellings of one reset may differ: words have no seconds."""
STEP_PERCENTAGE = 1.0
"""By how much use must differ to be news."""
STEP_USD = 0.01
FIVE_HOURS_S = 5 * 3600.0
RANK = {source: rank for rank, source in enumerate(ReadingSource)}
ORDER = (FIVE_HOUR, SEVEN_DAY)


def is_news(reading: CreditReading, last: CreditReading | None) -> bool:
    """Whether a reading is to be kept and counts from now on; `last` is the one that counts of its window."""
    if last is None or reading.at < last.at:
        return last is None
    if _has_reset(reading, last):
        return True
    if last.source is ReadingSource.GUESS and reading.source is not ReadingSource.GUESS:
        return True
    if reading.is_limit is not last.is_limit:
        return reading.is_limit
    is_old = reading.at - last.at >= OLD_S
    if not is_old and (RANK[reading.source] > RANK[last.source] or _says_less(reading, last)):
        return False
    return is_old or _differs(reading, last)


def keep_told(store: Store, account: str, windows: Mapping[str, UsageWindow], at: float) -> None:
    """Store what `claude -p` has told of an account, as far as it is news."""
    current = {each.window: each for each in store.readings.current() if each.account == account}
    for name, window in windows.items() if account else ():
        reading = CreditReading(
            account=AccountId(account),
            window=name,
            at=at,
            source=ReadingSource.PRINT,
            confidence=Confidence.SURE,
            used_percentage=window.used_percentage,
            resets_at=window.resets_at,
            is_limit=window.used_percentage >= USED_UP,
        )
        if is_news(reading, current.get(name)):
            store.readings.add(reading)


def _has_reset(reading: CreditReading, last: CreditReading) -> bool:
    """Whether it is about the next window, not about the one that `last` is about."""
    if reading.resets_at is None or last.resets_at is None:
        return False
    return reading.resets_at - last.resets_at > SAME_RESET_S and reading.at >= last.resets_at - SAME_RESET_S


def _says_less(reading: CreditReading, last: CreditReading) -> bool:
    return (reading.used_percentage or 0.0) < (last.used_percentage or 0.0)


def _differs(reading: CreditReading, last: CreditReading) -> bool:
    used, before = reading.used_percentage, last.used_percentage
    if used is None or before is None:
        return used is not before
    reset = abs((reading.resets_at or 0.0) - (last.resets_at or 0.0))
    return abs(used - before) >= STEP_PERCENTAGE or reset > SAME_RESET_S


def is_use_news(use: AgentUse, last: AgentUse | None) -> bool:
    """Whether what an agent has told of its use is to be kept; `last` is what was kept last."""
    if last is None:
        return True
    if (use.conversation, use.model) != (last.conversation, last.model):
        return True
    costs = abs((use.cost_usd or 0.0) - (last.cost_usd or 0.0)) >= STEP_USD
    fills = abs((use.context_used or 0.0) - (last.context_used or 0.0)) >= STEP_PERCENTAGE
    return costs or fills or (use.at - last.at >= OLD_S and _without_time(use) != _without_time(last))


def _without_time(use: AgentUse) -> tuple[object, ...]:
    return (use.cost_usd, use.context_used, use.input_tokens, use.output_tokens)


def guessed(
    account: AccountId, window: str, met_at: float, at: float, last: CreditReading | None, agent: Agent
) -> CreditReading:
    """Return a limit whose end nobody has told: five hours after the last known reset, or after it was met."""
    known = last.resets_at if last else None
    if known is None:
        resets_at = met_at + FIVE_HOURS_S
    else:
        resets_at = known + FIVE_HOURS_S * max(0, math.floor((met_at - known) / FIVE_HOURS_S) + 1)
    return CreditReading(
        account=account,
        window=window,
        at=at,
        source=ReadingSource.GUESS,
        confidence=Confidence.ESTIMATE,
        resets_at=resets_at,
        is_limit=True,
        agent=agent.id,
    )


def limits_of(readings: Iterable[CreditReading], now: float) -> tuple[CreditReading, ...]:
    """Return the readings that hold their account at `now`, the one that lasts longest first."""
    held = [reading for reading in readings if reading.is_limit and (reading.resets_at or math.inf) > now]
    return tuple(sorted(held, key=lambda reading: -(reading.resets_at or math.inf)))


def accounts_of(
    readings: Iterable[CreditReading], agents: Iterable[Agent], now: float, home: str
) -> tuple[AccountStatus, ...]:
    """Return what is known of each account that agents use or that was told of, by name."""
    by_account: dict[AccountId, list[CreditReading]] = {}
    for reading in readings:
        by_account.setdefault(reading.account, []).append(reading)
    users: dict[AccountId, list[Agent]] = {}
    for agent in agents:
        if agent.account:
            users.setdefault(AccountId(agent.account), []).append(agent)
    return tuple(
        _status(account, by_account.get(account, []), users.get(account, []), now, home)
        for account in sorted({*by_account, *users})
    )


def _status(
    account: AccountId, readings: list[CreditReading], agents: list[Agent], now: float, home: str
) -> AccountStatus:
    held = limits_of(readings, now)
    return AccountStatus(
        account=account,
        name=_name(account, home),
        windows=tuple(WindowStatus(reading=reading) for reading in sorted(readings, key=_order)),
        agents=tuple(agent.id for agent in agents),
        limited_until=held[0].resets_at if held else None,
        limit_is_estimate=bool(held) and held[0].confidence is Confidence.ESTIMATE,
    )


def _order(reading: CreditReading) -> tuple[int, str]:
    return ORDER.index(reading.window) if reading.window in ORDER else len(ORDER), reading.window


def _name(account: AccountId, home: str) -> str:
    return f"~{account[len(home) :]}" if home and account.startswith(f"{home}/") else str(account)
