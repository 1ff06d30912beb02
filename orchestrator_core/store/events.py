"""The log of what happened."""

from __future__ import annotations

from orchestrator_core.models.event import Event
from orchestrator_core.store.database import Database
from orchestrator_core.store.tables import EventRow


class Events:
    """The events of this state folder, in the order they were added."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, kind: str, text: str, *, at: float, orchestration: str = "", agent: str = "") -> Event:
        """Add an event and return it; its id is higher than that of every event before it."""
        values = {"at": at, "kind": kind, "text": text, "orchestration": orchestration, "agent": agent}
        number = self._db.write(EventRow.insert(**values))
        return Event(id=number, at=at, kind=kind, text=text, orchestration=orchestration, agent=agent)

    def latest(
        self,
        limit: int,
        *,
        orchestration: str = "",
        agent: str = "",
        text: str = "",
        after: int = 0,
        before: int = 0,
    ) -> tuple[Event, ...]:
        """Return the latest events, newest first: of one orchestration or agent if one is named.

        `text`: only those whose kind or text holds it, whatever the case of its letters. `after` and `before`: only
        those with ids above and below (0: all).
        """
        query = EventRow.select().where(EventRow.id > after).order_by(EventRow.id.desc()).limit(limit)
        query = query.where(EventRow.id < before) if before else query
        query = query.where(EventRow.orchestration == orchestration) if orchestration else query
        query = query.where(EventRow.agent == agent) if agent else query
        query = query.where(EventRow.text.contains(text) | EventRow.kind.contains(text)) if text else query
        return self._db.models(Event, query)
