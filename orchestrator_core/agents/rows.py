"""The rows of a screen, taken out of their colour codes only when somebody looks at them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator_core.agents.sgr import PLAIN, Look, has_reset, look_after, runs, strip

RULE = "────"
DIALOG_RULE = "▔▔▔▔"
COLOUR = re.compile(r"\x1b\[[0-9;:]*[34]8[;:]|\x1b\[(?:[0-9;:]*;)?(?:3[0-7]|9[0-7])[;:m]")


class Rows:
    """The visible rows, numbered from 0 at the top."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._texts: dict[int, str] = {}
        self._looks: dict[int, Look] = {0: PLAIN}

    def __len__(self) -> int:
        return len(self._lines)

    def raw(self, row: int) -> str:
        """Return the row with its codes."""
        return self._lines[row]

    def text(self, row: int) -> str:
        """Return the row without its codes and without spaces at its end."""
        text = self._texts.get(row)
        if text is None:
            text = self._texts[row] = strip(self._lines[row]).rstrip(" ")
        return text

    def last_rule(self, before: int) -> int | None:
        """Return the last row above `before` that is a full-width rule; a name may stand near its end."""
        for row in range(before - 1, -1, -1):
            line = self._lines[row]
            if (RULE in line or DIALOG_RULE in line) and self._is_rule(self.text(row)):
                return row
        return None

    @staticmethod
    def _is_rule(text: str) -> bool:
        return (text.startswith(RULE) and text.endswith("─")) or text.startswith(DIALOG_RULE)

    def _look(self, row: int) -> Look:
        """Return the look that `row` begins with: codes carry over from the rows above it.

        tmux drops an attribute only by resetting all of them, so the search ends at the last reset.
        """
        start = row
        while start not in self._looks and not has_reset(self._lines[start - 1]):
            start -= 1
        look = self._looks.get(start)
        if look is None:
            start -= 1
            look = PLAIN
        for at in range(start, row):
            look = self._looks[at + 1] = look_after(self._lines[at], look)
        return look

    def plain_and_dim(self, row: int) -> tuple[str, str]:
        """Return the row's typed text, and apart from it what is dim: placeholders and suggestions.

        The reversed cell of the cursor belongs to what follows it.
        """
        cells, _ = runs(self._lines[row], self._look(row))
        plain: list[str] = []
        faint: list[str] = []
        for at, run in enumerate(cells):
            follower = cells[at + 1].look if at + 1 < len(cells) else None
            is_faint = run.look.dim or (run.look.reverse and follower is not None and follower.dim)
            (faint if is_faint else plain).append(run.text)
        return "".join(plain), "".join(faint)

    def has_background(self, row: int) -> bool:
        """Return whether the row's first letter stands on a background colour."""
        cells, _ = runs(self._lines[row], self._look(row))
        return next((run.look.background for run in cells if not run.text.isspace()), False)

    def is_marked(self, row: int) -> bool:
        """Return whether the row's first letter has a colour of its own, and another than what follows it.

        True for every row of a screen without colours.
        """
        line = self._lines[row]
        if not any(map(COLOUR.search, self._lines)):
            return True
        cells, _ = runs(line, self._look(row))
        seen = [run for run in cells if not run.text.isspace()]
        return len(seen) > 1 and seen[0].look.coloured and len(seen[0].text.split()) == 1
