"""`OverScreen`: what all screens over the main one have in common."""

from __future__ import annotations

from textual.screen import Screen

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.fleet import Fleet


class OverScreen(Screen[None]):
    """A screen that shows part of what the main one is about. It reads nothing and is told what is new."""

    def show_fleet(self, fleet: Fleet) -> None:
        """Take in what the fleet is now."""

    def store_changed(self) -> None:
        """Take in that something may have been written to the store."""

    def page_failed(self, before: int, error: TmorchError) -> None:
        """Take in that a page which was wanted cannot be read."""
