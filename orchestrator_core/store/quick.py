"""The quick road to the database, for `tmorch send` and `tmorch whoami`. Standard library and msgspec only.

It neither makes nor migrates a database; what it writes, it writes by the same SQL as the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator_core.errors import StoreError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, DeliveryMode, MessageKind
from orchestrator_core.store import queries
from orchestrator_core.store.admission import NO_LIMITS, Limits, NewMessage
from orchestrator_core.store.connection import Place, connect, transaction
from orchestrator_core.store.faults import explained, undecodable
from orchestrator_core.store.rows import Row, rows_of
from orchestrator_core.store.schema import APPLICATION_ID, VERSION


class QuickStore:
    """The outbox and the list of agents. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Connect to the database at `path`.

        Raises:
            StoreError: there is none (code `no-database`), or its version is not ours (code `version`).

        """
        self._path = path.resolve()
        if not self._path.exists():
            raise _no_database(self._path)
        with self._explaining():
            self._connection = connect(self._path)
        try:
            self._check_version()
        except BaseException:
            self._connection.close()
            raise
        self._place = Place(self._path)

    def agents(self) -> tuple[Agent, ...]:
        """Return the agents of all active orchestrations, team by team; rows that cannot be read are left out."""
        readable, _ = queries.active_agents(self._execute)
        return readable

    def agent_by_pane(self, server: str, pane: PaneId) -> Agent | None:
        """Return the agent of an active orchestration in `pane` of the tmux server at `server`, or None."""
        return queries.agent_by_pane(self._execute, server, pane)

    def orchestration_server(self, agent: Agent) -> str:
        """Return the socket path of the tmux server that an agent's orchestration is on."""
        rows = self._execute("SELECT server FROM orchestration WHERE id = ?", (agent.orchestration,))
        return str(rows[0]["server"]) if rows else ""

    def add_message(
        self,
        target: AgentId,
        sender: str,
        text: str,
        *,
        mode: DeliveryMode = DeliveryMode.WHEN_IDLE,
        kind: MessageKind = MessageKind.TEXT,
        at: float,
        limits: Limits = NO_LIMITS,
    ) -> AgentMessage:
        """Put a message into the outbox and return it as it is stored: as `Store.messages.add` does.

        Raises:
            NotFoundError: there is no such agent.
            RefusedError: see `admission.check`.

        """
        new = NewMessage(target=target, sender=sender, text=text, mode=mode, kind=kind, at=at, limits=limits)
        with self._explaining(), transaction(self._connection):
            return queries.add_message(self._execute, new)

    def message(self, message: MessageId) -> AgentMessage:
        """Return a message.

        Raises:
            NotFoundError: there is none with that number.

        """
        return queries.message(self._execute, message)

    def data_version(self) -> int:
        """Return a number that differs from that of the last call when another connection has committed since.

        Raises:
            StoreError: (code `replaced`) the file was removed, moved or replaced.

        """
        self._place.check()
        return int(self._execute("PRAGMA data_version")[0]["data_version"])

    def close(self) -> None:
        """Close the connection; closing it twice is harmless."""
        self._connection.close()

    def _execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        with self._explaining():
            return rows_of(self._connection.execute(sql, params))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self._path) from error
        except UnicodeEncodeError as error:
            raise undecodable(error) from error

    def _check_version(self) -> None:
        (application,) = self._execute("PRAGMA application_id")
        (version,) = self._execute("PRAGMA user_version")
        if application["application_id"] == APPLICATION_ID and version["user_version"] == VERSION:
            return
        raise StoreError(
            "the database is not of this version",
            cause=f"{self._path} has version {version['user_version']}, this tmorch needs {VERSION}",
            remedy="`tmorch setup` brings an older one up to date, and says what is wrong with any other",
            code="version",
        )


def _no_database(path: Path) -> StoreError:
    return StoreError(
        "there is no database yet",
        cause=f"{path} does not exist",
        remedy="`tmorch start` makes it with the first team, `tmorch setup` without one",
        code="no-database",
    )
