"""Credit as lines for people, and as the document of `credits --json`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator_core.cli.documents import Json
from orchestrator_core.cli.output import Look, paint, printable
from orchestrator_core.cli.tables import Cell, Column, table
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.credit import AccountStatus, AgentUse, WindowStatus
from orchestrator_core.models.credit_words import (
    Level,
    Thresholds,
    context_left,
    cost,
    gauge_of,
    has_reset,
    level_of,
    level_of_account,
    origin,
    percentage,
    projection_words,
    reset_words,
    source_words,
    tokens,
    used_now,
    window_name,
)
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId

BAR_CELLS = 12
STYLES = {Level.OK: "good", Level.WARNING: "warn", Level.ALARM: "bad", Level.EXHAUSTED: "bad", Level.UNKNOWN: "dim"}
Use = Mapping[AgentId, AgentUse]


def credit_lines(
    accounts: Sequence[AccountStatus], use: Use, fleet: Fleet, now: float, thresholds: Thresholds, look: Look
) -> list[str]:
    """Return each account with its windows, and then what its agents used."""
    lines: list[str] = []
    for account in accounts:
        if lines:
            lines.append("")
        level = level_of_account(account, now, thresholds)
        name = paint(printable(account.name), "strong", color=look.color)
        lines.append(f"{name}  {paint(level.state, STYLES[level], color=look.color)}{_plans(account, fleet)}")
        lines.extend(_window_table(account, now, thresholds, look))
        agents = _agents_of(account, fleet)
        lines.extend(["", *_agent_table(agents, use, look)] if agents else [])
    return lines


def _plans(account: AccountStatus, fleet: Fleet) -> str:
    teams = {agent.orchestration for agent in _agents_of(account, fleet)}
    plans = {team.orchestration.plan for team in fleet.teams if team.orchestration.id in teams}
    names = ", ".join(sorted(printable(plan) for plan in plans if plan))
    return f"  plan {names}" if names else ""


def _agents_of(account: AccountStatus, fleet: Fleet) -> list[Agent]:
    return [view.agent for team in fleet.teams for view in team.agents if view.agent.id in account.agents]


def _window_table(account: AccountStatus, now: float, thresholds: Thresholds, look: Look) -> list[str]:
    if not account.windows:
        return ["nothing told yet: its agents tell when they have answered once"]
    columns = (
        Column("WINDOW"),
        Column("USED", right=True),
        Column(""),
        Column("STATE"),
        Column("RESET", elastic=True),
        Column("USED UP", elastic=True),
        Column("TOLD BY", elastic=True),
    )
    rows = [_window_row(window, now, thresholds) for window in account.windows]
    return table(columns, rows, width=look.width, color=look.color)


def _window_row(window: WindowStatus, now: float, thresholds: Thresholds) -> tuple[str | Cell, ...]:
    reading = window.reading
    level = level_of(reading, now, thresholds)
    return (
        window_name(reading.window),
        percentage(reading, now),
        Cell(gauge_of(reading, now, BAR_CELLS), STYLES[level]),
        Cell(level.state, STYLES[level]),
        reset_words(reading, now),
        projection_words(window, now),
        source_words(reading, now),
    )


def _agent_table(agents: Sequence[Agent], use: Use, look: Look) -> list[str]:
    columns = (
        Column("AGENT", elastic=True),
        Column("MODEL", elastic=True),
        Column("TOKENS IN", right=True),
        Column("OUT", right=True),
        Column("COST (AS BY THE API)", right=True),
        Column("CONTEXT LEFT", right=True),
    )
    return table(columns, (_agent_row(agent, use) for agent in agents), width=look.width, color=look.color)


def _agent_row(agent: Agent, use: Use) -> tuple[str, ...]:
    told = use.get(agent.id) or AgentUse(agent=agent.id, at=0.0)
    left = context_left(_first(agent.context_used, told.context_used))
    return (
        agent.id,
        told.model or "?",
        tokens(told.input_tokens),
        tokens(told.output_tokens),
        cost(_first(told.cost_usd, agent.cost_usd)),
        "?" if left is None else f"{int(left)} %",
    )


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def credit_document(
    accounts: Sequence[AccountStatus], use: Use, fleet: Fleet, now: float, thresholds: Thresholds
) -> Json:
    """Return the document of `credits`; times are seconds since the epoch, null is not known."""
    return {
        "accounts": [
            {
                "account": account.account,
                "name": account.name,
                "state": level_of_account(account, now, thresholds).state,
                "limited_until": account.limited_until,
                "limit_is_estimate": account.limit_is_estimate,
                "windows": [_window_document(window, now, thresholds) for window in account.windows],
                "agents": [_agent_document(agent, use) for agent in _agents_of(account, fleet)],
            }
            for account in accounts
        ]
    }


def _window_document(window: WindowStatus, now: float, thresholds: Thresholds) -> Json:
    reading, projection = window.reading, window.projection
    return {
        "window": reading.window,
        "state": level_of(reading, now, thresholds).state,
        "used_percentage": used_now(reading, now),
        "resets_at": None if has_reset(reading, now) else reading.resets_at,
        "is_limit": reading.is_limit and not has_reset(reading, now),
        "source": reading.source,
        "origin": origin(reading),
        "confidence": reading.confidence,
        "told_at": reading.at,
        "projection": None if projection is None else {"at": projection.at, "basis": projection.basis},
    }


def _agent_document(agent: Agent, use: Use) -> Json:
    told = use.get(agent.id) or AgentUse(agent=agent.id, at=0.0)
    return {
        "id": agent.id,
        "model": told.model,
        "input_tokens": told.input_tokens,
        "output_tokens": told.output_tokens,
        "cost_usd": _first(told.cost_usd, agent.cost_usd),
        "context_left_percentage": context_left(_first(agent.context_used, told.context_used)),
    }
