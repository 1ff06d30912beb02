"""Agents, in the order of their windows."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.agent import Agent, Verdict
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId
from orchestrator_core.store.database import Database, changed_values
from orchestrator_core.store.queries import active_agents, agent_by_pane
from orchestrator_core.store.rows import model_of, split_readable, values_of
from orchestrator_core.store.tables import AgentRow

ONE = "SELECT * FROM agent WHERE id = ?"
OF = "SELECT * FROM agent WHERE orchestration = ? ORDER BY seq"
"""Asked for every team every few seconds: building it anew costs ten times what SQLite needs for it."""


class Agents:
    """The agents of all orchestrations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, agent: Agent) -> None:
        """Store a new agent, as the last one of its orchestration.

        Raises:
            RefusedError: the id is taken (code `id-taken`).
            StoreError: its orchestration is not stored.

        """
        with self._db.transaction():
            if self.find(agent.id) is not None:
                raise RefusedError(
                    f"the agent {agent.id} exists already",
                    cause="an orchestration has one agent per role",
                    remedy="choose another role",
                    code="id-taken",
                )
            self._db.write(AgentRow.insert(**values_of(agent)))

    def get(self, agent: AgentId) -> Agent:
        """Return an agent.

        Raises:
            NotFoundError: there is none with that id.

        """
        found = self.find(agent)
        if found is None:
            raise NotFoundError(
                f"there is no agent {agent}",
                cause="no agent with that id was ever made",
                remedy="`tmorch list` shows the agents there are",
            )
        return found

    def find(self, agent: AgentId) -> Agent | None:
        """Return an agent, or None."""
        rows = self._db.execute(ONE, (agent,))
        return model_of(Agent, rows[0]) if rows else None

    def of(self, orchestration: OrchestrationId) -> tuple[Agent, ...]:
        """Return the agents of an orchestration in the order of their windows, which is the order of `add`."""
        return self._db.readable(split_readable(Agent, self._db.execute(OF, (orchestration,))))

    def active(self) -> tuple[Agent, ...]:
        """Return the agents of all active orchestrations, team by team."""
        return self._db.readable(active_agents(self._db.execute))

    def by_pane(self, server: str, pane: PaneId) -> Agent | None:
        """Return the agent of an active orchestration in `pane` of the tmux server at `server`, or None."""
        return agent_by_pane(self._db.execute, server, pane)

    def update(self, agent: AgentId, **changes: object) -> Agent:
        """Change fields of an agent and return it. Nothing is written when they have those values.

        Raises:
            NotFoundError: there is none with that id.
            TypeError: there is no such field.

        """
        with self._db.transaction():
            before = self.get(agent)
            changed = changed_values(before, changes)
            if not changed:
                return before
            after = replace(before, **changed)
            values = {name: values_of(after)[name] for name in changed}
            self._db.write(AgentRow.update(**values).where(AgentRow.id == agent))
            return after

    def set_verdict(self, agent: AgentId, verdict: Verdict, at: float) -> bool:
        """Store what an agent is doing; return whether that is anything new. Nothing is written when it is not.

        `status_since` moves to `at` only when the status itself changes.

        Raises:
            NotFoundError: there is none with that id.

        """
        changes: dict[str, object] = {name: getattr(verdict, name) for name in verdict.__struct_fields__}
        with self._db.transaction():
            before = self.get(agent)
            if not changed_values(before, changes):
                return False
            if verdict.status is not before.status:
                changes["status_since"] = at
            self.update(agent, **changes)
            return True
