"""Who may write to whom in each orchestration: set when it is started, from its team's rules."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.store.admission import check_route
from orchestrator_core.store.database import Database
from orchestrator_core.store.tables import RouteRow


class Routes:
    """Pairs of roles. An orchestration without any has no rules: everybody writes to everybody."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def set(self, orchestration: OrchestrationId, pairs: Iterable[tuple[str, str]]) -> None:
        """Let exactly these senders write to these targets from now on.

        Raises:
            StoreError: the orchestration is not stored.

        """
        with self._db.transaction():
            self._db.write(RouteRow.delete().where(RouteRow.orchestration == orchestration))
            for sender, target in sorted(set(pairs)):
                self._db.write(RouteRow.insert(orchestration=orchestration, sender=sender, target=target))

    def of(self, orchestration: OrchestrationId) -> frozenset[tuple[str, str]]:
        """Return the allowed pairs of sender and target role."""
        rows = self._db.rows(RouteRow.select().where(RouteRow.orchestration == orchestration))
        return frozenset((str(row["sender"]), str(row["target"])) for row in rows)

    def check(self, sender: str, target: AgentId) -> None:
        """Refuse a sender that does not write to `target`; whoever is no agent writes to all.

        Raises:
            NotFoundError: there is no agent `target`.
            RefusedError: it has no route to it (code `route`).

        """
        check_route(self._db.execute, sender, target)
