"""The latest thing that each agent's own hooks told of its state."""

from __future__ import annotations

from orchestrator_core.models.hook import HookFact
from orchestrator_core.models.ids import AgentId
from orchestrator_core.store.database import Database
from orchestrator_core.store.rows import values_of
from orchestrator_core.store.tables import HookFactRow


class HookFacts:
    """One fact per agent."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, fact: HookFact) -> None:
        """Keep `fact` as the latest of its agent, unless a later one is known already.

        Raises:
            StoreError: the agent is not stored.

        """
        with self._db.transaction():
            known = self.of(fact.agent)
            if known is None or known.at <= fact.at:
                self._db.write(HookFactRow.delete().where(HookFactRow.agent == fact.agent))
                self._db.write(HookFactRow.insert(**values_of(fact)))

    def of(self, agent: AgentId) -> HookFact | None:
        """Return the latest fact of an agent, or None when its hooks never told anything."""
        found = self._db.models(HookFact, HookFactRow.select().where(HookFactRow.agent == agent))
        return found[0] if found else None

    def all(self) -> dict[AgentId, HookFact]:
        """Return the latest fact of each agent that has one."""
        return {fact.agent: fact for fact in self._db.models(HookFact, HookFactRow.select())}

    def forget(self, agent: AgentId) -> None:
        """Drop what is known of an agent: it was started anew."""
        self._db.write(HookFactRow.delete().where(HookFactRow.agent == agent))
