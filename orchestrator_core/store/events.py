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

    def latest(self, limit: int, *, orchestration: str = "", after: int = 0) -> tuple[Event, ...]:
        """Return the latest events, newest first: of one orchestration if one is named, with ids above `after`."""
        query = EventRow.select().where(EventRow.id > after).order_by(EventRow.id.desc()).limit(limit)
        if orchestration:
            query = query.where(EventRow.orchestration == orchestration)
        return self._db.models(Event, query)
