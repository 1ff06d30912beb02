"""`TeamList`: the rows of a proposed team; headings are passed over."""

from __future__ import annotations

from tui.team_rows import HEADING
from tui.widgets.row_list import RowList


class TeamList(RowList):
    """The list."""

    def move_to(self, index: int) -> None:
        """Select the row at `index`, or the nearest in the direction of the move that is no heading."""
        step = -1 if self.cursor is not None and index < self.cursor else 1
        index = max(0, min(index, len(self.rows) - 1))
        at = self._role_from(index, step)
        if at is None:
            at = self._role_from(index, -step)
        if at is not None:
            super().move_to(at)
            if at <= 1:
                self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def _role_from(self, index: int, step: int) -> int | None:
        while 0 <= index < len(self.rows):
            if not self.rows[index].id.startswith(HEADING):
                return index
            index += step
        return None
