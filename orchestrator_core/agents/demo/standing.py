"""How the agent stands, in Claude Code's own words."""

from __future__ import annotations

from typing import NamedTuple


class Standing(NamedTuple):
    """What the agent says of itself."""

    status: str
    """`idle`, `busy`, `waiting` or `shell` (idle, but a command of its own still runs)."""
    waiting_for: str = ""

    @property
    def asks(self) -> bool:
        """Whether it cannot go on without an answer."""
        return self.waiting_for in ("permission prompt", "input needed")


WAITS_FOR = {"permission": "permission prompt", "question": "input needed"}
IDLE = Standing("idle")
BUSY = Standing("busy")
SHELL = Standing("shell")


def waiting(dialog: str) -> Standing:
    """Return how it stands while the dialog of that name is open."""
    return Standing("waiting", WAITS_FOR.get(dialog, "dialog open"))
