"""Accounts as they are in life, for the usual fleet."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from orchestrator_core.models.credit import (
    FIVE_HOUR,
    SEVEN_DAY,
    AccountId,
    AccountStatus,
    AgentUse,
    Confidence,
    CreditReading,
    Projection,
    ReadingSource,
    WindowStatus,
)
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tests.tui.samples import MINUTE, NOW, three_teams

HOUR = 60 * MINUTE
DAY = 24 * HOUR
OWN = AccountId("/home/dana/.claude")
WORK = AccountId("/home/dana/.claude-work")
RISING = (4, 9, 15, 22, 30, 36, 43, 51, 58, 63)
WEEKLY = (5, 8, 8, 14, 17, 17, 22, 26, 26, 31, 36, 41)


def reading(window: str, used: float | None, resets_h: float | None, **more: Any) -> CreditReading:
    """Return what was told two minutes ago of a window that resets in so many hours."""
    values: dict[str, Any] = {
        "account": OWN,
        "at": NOW - 2 * MINUTE,
        "source": ReadingSource.STATUS_LINE,
        "confidence": Confidence.SURE,
        **more,
    }
    resets_at = None if resets_h is None else NOW + resets_h * HOUR
    return CreditReading(window=window, used_percentage=used, resets_at=resets_at, **values)


def account(*readings: CreditReading, projection: Projection | None = None, team: str = "") -> AccountStatus:
    """Return the account of these readings, which the agents of `team`, by default all, use."""
    id_ = readings[0].account if readings else OWN
    held = [one.resets_at for one in readings if one.is_limit]
    agents = (view.agent.id for each in three_teams().teams for view in each.agents)
    return AccountStatus(
        account=id_,
        name=id_.replace("/home/dana", "~"),
        windows=tuple(
            WindowStatus(reading=one, projection=projection if one.window == FIVE_HOUR else None) for one in readings
        ),
        agents=tuple(agent for agent in agents if agent.startswith(team)),
        limited_until=held[0] if held else None,
        limit_is_estimate=any(one.is_limit and one.confidence is Confidence.ESTIMATE for one in readings),
    )


SOON = Projection(at=NOW + 0.8 * HOUR, basis="44.2 % an hour over the last 80 min")
WELL = account(reading(FIVE_HOUR, 63.4, 1.2), reading(SEVEN_DAY, 41, 76), projection=SOON)
NEARLY = account(reading(FIVE_HOUR, 94.9, 0.7), reading(SEVEN_DAY, 78, 76), projection=SOON)
LIMITED = account(
    reading(FIVE_HOUR, None, 1.2, source=ReadingSource.RECORD, is_limit=True),
    reading(SEVEN_DAY, 78, 76),
)
GUESSED = account(
    reading(FIVE_HOUR, None, 3.5, source=ReadingSource.GUESS, confidence=Confidence.ESTIMATE, is_limit=True)
)
UNTOLD = account()
SECOND = account(reading(FIVE_HOUR, 22, 4, account=WORK), reading(SEVEN_DAY, 9, 150, account=WORK), team="docs-09be")


def with_accounts(*accounts: AccountStatus, context: bool = True) -> Fleet:
    """Return the usual fleet with these accounts; its agents have told how full their context is."""
    fleet = replace(three_teams(), accounts=accounts)
    if not context:
        return fleet
    fills = iter((12.0, 34.5, 88.0, 91.0, 5.0, 55.0, 20.0, 81.0, 60.0, 70.0, 10.0, 66.0, None, 40.0))
    return replace(
        fleet,
        teams=tuple(
            replace(
                team,
                agents=tuple(
                    replace(view, agent=replace(view.agent, context_used=next(fills))) for view in team.agents
                ),
            )
            for team in fleet.teams
        ),
    )


def history(id_: AccountId = OWN) -> tuple[CreditReading, ...]:
    """Return what was told of both windows in the past."""
    five = (
        reading(FIVE_HOUR, used, 1.2, account=id_, at=NOW - (3.7 - 0.4 * i) * HOUR) for i, used in enumerate(RISING)
    )
    week = (reading(SEVEN_DAY, used, 76, account=id_, at=NOW - (3.8 - 0.33 * i) * DAY) for i, used in enumerate(WEEKLY))
    return (*five, *week)


def uses() -> tuple[AgentUse, ...]:
    """Return what some agents used."""
    return tuple(
        AgentUse(
            agent=AgentId(name),
            at=NOW - 5 * MINUTE,
            cost_usd=0.37 * (i + 1) ** 2,
            context_used=12.0 + 20 * i,
            context_size=200_000,
            input_tokens=81_234 * (i + 1) ** 3,
            output_tokens=9_120 * (i + 1),
            model="Opus 4.1" if i else "Sonnet 4.5",
        )
        for i, name in enumerate(("shop-3f2a:orchestrator", "shop-3f2a:project_manager", "shop-3f2a:developer"))
    )
