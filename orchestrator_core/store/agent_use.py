"""What agents have used, as their status lines told it."""

from __future__ import annotations

from orchestrator_core.models.credit import AgentUse
from orchestrator_core.models.ids import AgentId
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import split_readable, values_of
from orchestrator_core.store.tables import AgentUseRow

LATEST = "SELECT * FROM agentuse WHERE id IN (SELECT MAX(id) FROM agentuse GROUP BY agent) ORDER BY agent"


class AgentUses:
    """The history, of which the latest of each agent counts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, use: AgentUse) -> None:
        """Store what an agent has told."""
        self._db.write(AgentUseRow.insert(**values_of(use)))

    def latest(self) -> dict[AgentId, AgentUse]:
        """Return the latest of each agent."""
        found = self._db.readable(split_readable(AgentUse, self._db.execute(LATEST)))
        return {use.agent: use for use in found}

    def since(self, moment: float) -> tuple[AgentUse, ...]:
        """Return what was told from `moment` on, oldest first."""
        query = AgentUseRow.select().where(AgentUseRow.at >= moment).order_by(AgentUseRow.id)
        return self._db.models(AgentUse, query)

    def prune(self, before: float) -> int:
        """Forget what is older than `before`, but never the latest of an agent's conversation; return how many."""
        latest = "SELECT MAX(id) FROM agentuse GROUP BY agent, conversation"
        rows = self._db.execute(f"SELECT id FROM agentuse WHERE at < ? AND id NOT IN ({latest})", (before,))
        return self._db.write(AgentUseRow.delete().where(AgentUseRow.id << [row["id"] for row in rows])) if rows else 0
