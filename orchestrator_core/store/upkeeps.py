"""Agents whose context is nearly full, and what they were told of it: at most one row each."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.upkeep import Upkeep
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import values_of
from orchestrator_core.store.tables import UpkeepRow

TOLD_OF = """
    SELECT conversation FROM agentuse WHERE agent = ? AND context_used IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1
"""


class Upkeeps:
    """What was done for agents whose context is nearly full."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[AgentId, Upkeep]:
        """Return them by their agents."""
        return {found.agent: found for found in self._db.models(Upkeep, UpkeepRow.select())}

    def put(self, upkeep: Upkeep) -> None:
        """Store one in the place of its agent's before."""
        with self._db.transaction():
            self.end(upkeep.agent)
            self._db.write(UpkeepRow.insert(**values_of(upkeep)))

    def end(self, agent: AgentId) -> None:
        """Forget what an agent was told."""
        self._db.write(UpkeepRow.delete().where(UpkeepRow.agent == agent))

    def told_of(self, agent: AgentId) -> str:
        """Return the conversation of which the agent has told last how full it is; empty when it never has."""
        rows = self._db.execute(TOLD_OF, (agent,))
        return str(rows[0]["conversation"]) if rows else ""
