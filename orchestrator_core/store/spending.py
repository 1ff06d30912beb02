"""What agents' conversations have cost: what budgets are judged by."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.models.ids import AgentId
from orchestrator_core.store.database import Database

BEFORE = """
    SELECT MAX(id) AS id, agent, conversation, cost_usd FROM agentuse
    WHERE at < ? AND cost_usd IS NOT NULL GROUP BY agent, conversation ORDER BY id
"""
AFTER = """
    SELECT id, agent, conversation, cost_usd FROM agentuse
    WHERE id > ? AND at >= ? AND cost_usd IS NOT NULL ORDER BY id LIMIT ?
"""


class Cost(Struct, frozen=True, kw_only=True):
    """What a conversation of an agent had cost by a moment, counted from its beginning."""

    id: int
    agent: AgentId
    conversation: str
    cost_usd: float


class Spending:
    """What was told of costs, for adding up."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def before(self, moment: float) -> tuple[Cost, ...]:
        """Return what each conversation had cost when it was told last before `moment`. Reads all of the history."""
        return tuple(_cost(row) for row in self._db.execute(BEFORE, (moment,)))

    def after(self, known: int, since: float, limit: int) -> tuple[Cost, ...]:
        """Return what was told from `since` on and stored after the row `known`, oldest first."""
        return tuple(_cost(row) for row in self._db.execute(AFTER, (known, since, limit)))


def _cost(row: dict[str, object]) -> Cost:
    return Cost(
        id=int(str(row["id"])),
        agent=AgentId(str(row["agent"])),
        conversation=str(row["conversation"]),
        cost_usd=float(str(row["cost_usd"])),
    )
