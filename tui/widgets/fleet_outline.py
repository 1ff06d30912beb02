"""What of the fleet is shown as rows, which of them is selected, and what is open. Pure: no widget, no painting."""

from __future__ import annotations

from orchestrator_core.models.fleet import Fleet
from tui.widgets.fleet_rows import GUESTS, Row, RowKind, Rows, build_rows


class Outline:
    """The rows of one fleet with a cursor. The cursor and what is open stay with things, not with line numbers."""

    def __init__(self, nearly_full: float = 0.0) -> None:
        """`nearly_full` is from how full a context on, in percent, an agent's row has a mark."""
        self._nearly_full = nearly_full
        self._fleet = Fleet()
        self._now = 0.0
        self._built = Rows()
        self._toggled: set[str] = set()
        self._query = ""
        self._chosen = ""
        """The row that the person was at last; a filter that hides it does not make them lose it."""
        self._cursor: int | None = None

    @property
    def cursor(self) -> int | None:
        """Where the selected row is; None when there are no rows."""
        return self._cursor

    def move_to(self, index: int) -> bool:
        """Select the row at `index`, or the nearest there is; return whether that is another one."""
        if self._cursor is None:
            return False
        before = self._cursor
        self._cursor = max(0, min(index, len(self.rows) - 1))
        self._chosen = self.rows[self._cursor].id
        return self._cursor != before

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, from top to bottom."""
        return self._built.rows

    @property
    def shown(self) -> int:
        """How many agents match the query."""
        return self._built.shown

    @property
    def total(self) -> int:
        """How many agents there are."""
        return self._built.total

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return None if self._cursor is None else self.rows[self._cursor]

    @property
    def query(self) -> str:
        """The words that rows must have."""
        return self._query

    def show(self, fleet: Fleet, now: float) -> None:
        """Take over another fleet, as it stands at `now`."""
        self._fleet, self._now = fleet, now
        self._rebuild()

    def ask(self, query: str) -> None:
        """Narrow the rows to those that have all words of `query`."""
        self._query = query
        self._rebuild()

    def toggle(self, index: int) -> bool:
        """Open or close a row; return whether it changed. While a query narrows the rows everything is open."""
        row = self.rows[index]
        if row.is_open is None or self._query.strip():
            return False
        self._toggled ^= {row.id}
        self._rebuild()
        return True

    def index(self, row_id: str) -> int | None:
        """Return where the row with that id is, or None."""
        return next((i for i, row in enumerate(self.rows) if row.id == row_id), None)

    def reveal(self, row_id: str) -> int | None:
        """Return where the row is, after opening what hides it; None when there is no such thing."""
        if (index := self.index(row_id)) is not None:
            return index
        everything = build_rows(self._fleet, is_open=lambda _id, _default: True).rows
        hidden = next((row for row in everything if row.id == row_id), None)
        if hidden is None:
            return None
        self.ask("")
        for above in self._above(hidden):
            index = self.index(above)
            if index is not None and not self.rows[index].is_open:
                self.toggle(index)
        return self.index(row_id)

    def parent(self, index: int) -> int:
        """Return where the row is that holds the row at `index`; `index` itself for a top row."""
        depth = self.rows[index].depth
        return next((i for i in range(index - 1, -1, -1) if self.rows[i].depth < depth), index)

    def _above(self, row: Row) -> tuple[str, ...]:
        if row.kind is RowKind.AGENT:
            return (f"team:{row.orchestration}",)
        return (GUESTS, f"session:{row.id.split(':')[1]}")

    def _rebuild(self) -> None:
        old, cursor = self.rows, self._cursor
        self._built = build_rows(
            self._fleet, is_open=self._is_open, query=self._query, now=self._now, nearly_full=self._nearly_full
        )
        chosen = self.index(self._chosen)
        self._cursor = follow(old, cursor, self.rows) if chosen is None else chosen
        if not self._query.strip() and self._cursor is not None:
            self._chosen = self.rows[self._cursor].id

    def _is_open(self, row_id: str, default: bool) -> bool:
        return default != (row_id in self._toggled)


def follow(old: tuple[Row, ...], cursor: int | None, new: tuple[Row, ...]) -> int | None:
    """Return where the selection is now: at the same thing, else at the nearest neighbour of its kind."""
    if not new:
        return None
    places = {row.id: i for i, row in enumerate(new)}
    if cursor is None:
        return next((i for i, row in enumerate(new) if row.kind is RowKind.AGENT), 0)
    gone = old[cursor]
    for row in (gone, *old[cursor + 1 :], *reversed(old[:cursor])):
        if row.kind is gone.kind and row.id in places:
            return places[row.id]
    return next((i for i, row in enumerate(new) if row.kind is RowKind.AGENT), 0)
