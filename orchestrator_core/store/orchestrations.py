"""Orchestrations: one active one per project."""

from __future__ import annotations

import builtins

from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.store.database import Database, changed_values
from orchestrator_core.store.rows import model_of, split_readable, values_of
from orchestrator_core.store.tables import OrchestrationRow

ACTIVE = tuple(str(state) for state in OrchestrationState if state.is_active)
ONE = "SELECT * FROM orchestration WHERE id = ?"
ALL = "SELECT * FROM orchestration ORDER BY seq"
RUNNING = f"SELECT * FROM orchestration WHERE state IN ({', '.join('?' * len(ACTIVE))}) ORDER BY seq"


class Orchestrations:
    """The orchestrations of this state folder, cleaned and failed ones too."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def claim(self, orchestration: Orchestration) -> None:
        """Store a new orchestration. While it is active, it alone holds its project.

        Raises:
            RefusedError: another one is active on the project (code `already-running`), or the id is taken (code
                `id-taken`). Nothing was stored.

        """
        with self._db.transaction():
            self._check_free(orchestration)
            if self.id_taken(orchestration.id):
                raise RefusedError(
                    f"the id {orchestration.id} is taken",
                    cause="an orchestration has it, or had it",
                    remedy="choose another id",
                    code="id-taken",
                )
            self._db.write(OrchestrationRow.insert(**values_of(orchestration)))

    def get(self, orchestration: OrchestrationId) -> Orchestration:
        """Return an orchestration.

        Raises:
            NotFoundError: there is none with that id.

        """
        found = self.find(orchestration)
        if found is None:
            raise NotFoundError(
                f"there is no orchestration {orchestration}",
                cause="none with that id was ever started",
                remedy="`tmorch list` shows those there are",
            )
        return found

    def find(self, orchestration: OrchestrationId) -> Orchestration | None:
        """Return an orchestration, or None."""
        rows = self._db.execute(ONE, (orchestration,))
        return model_of(Orchestration, rows[0]) if rows else None

    def list(self, *, active: bool = False) -> tuple[Orchestration, ...]:
        """Return all orchestrations, or only active ones, in the order they were started."""
        rows = self._db.execute(RUNNING, ACTIVE) if active else self._db.execute(ALL)
        return self._db.readable(split_readable(Orchestration, rows))

    def update(self, orchestration: OrchestrationId, **changes: object) -> Orchestration:
        """Change fields of an orchestration and return it. Nothing is written when they have those values.

        Raises:
            NotFoundError: there is none with that id.
            RefusedError: it would become active while another one is active on its project.
            TypeError: there is no such field.

        """
        with self._db.transaction():
            before = self.get(orchestration)
            if changed := changed_values(before, changes):
                after = replace(before, **changed)
                if after.state.is_active and not before.state.is_active:
                    self._check_free(after)
                values = {name: values_of(after)[name] for name in changed}
                self._db.write(OrchestrationRow.update(**values).where(OrchestrationRow.id == orchestration))
                return after
            return before

    def id_taken(self, orchestration: OrchestrationId) -> bool:
        """Whether an orchestration has or had this id."""
        return bool(
            self._db.rows(OrchestrationRow.select(OrchestrationRow.id).where(OrchestrationRow.id == orchestration))
        )

    def _check_free(self, orchestration: Orchestration) -> None:
        if not orchestration.state.is_active:
            return
        others: builtins.list[dict[str, str]] = self._db.rows(
            OrchestrationRow.select(OrchestrationRow.id).where(
                (OrchestrationRow.project == orchestration.project)
                & OrchestrationRow.state.in_(ACTIVE)
                & (OrchestrationRow.id != orchestration.id)
            )
        )
        if others:
            raise RefusedError(
                f"{others[0]['id']} runs on this project already",
                cause=f"one orchestration at a time works on {orchestration.project}",
                remedy=f"`tmorch status {others[0]['id']}` shows it; `tmorch stop {others[0]['id']}` ends it",
                code="already-running",
            )
