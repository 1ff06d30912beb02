"""How a row of the fleet tree is laid out in a given width: pieces of text with the name of their look. Pure."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len

from orchestrator_core.models.agent import AgentStatus
from tui.widgets.fleet_rows import Row, RowKind
from tui.wording import GLYPHS, fit

Piece = tuple[str, str]
"""Text, and the name of its look."""

MARK = "▌"
"""Stands before the selected row: the selection is never a colour alone."""
INDENT = 2
LOOKS: dict[str, str] = {
    "text": "",
    "team": "bold",
    "quiet": "dim",
    "detail": "dim",
    "ask": "bold $status-waiting",
    "queued": "$text-primary",
    "unconfirmed": "bold $text-warning",
    "context": "$text-warning",
    **{status.value: f"$status-{status}" for status in AgentStatus},
}
"""The style of each look, over that of the row it stands in."""


@lru_cache(maxsize=4096)
def lay_out(row: Row, width: int, role_width: int, selected: bool) -> tuple[Piece, ...]:
    """Return the pieces of `row`, exactly `width` cells together; `role_width` is what agents' names get."""
    start = [(MARK if selected else " ", "text"), *_head(row, role_width)]
    used = sum(cell_len(text) for text, _ in start)
    badges = _badges(row, width - used - 1)
    room = width - used - sum(cell_len(text) for text, _ in badges) - 1
    detail = _detail(row, room)
    fill = room - sum(cell_len(text) for text, _ in detail)
    due = [(f" {row.due}", "quiet")] if row.due and cell_len(row.due) < fill else []
    fill -= sum(cell_len(text) for text, _ in due)
    context = [(f" {row.context}", "quiet")] if row.context and cell_len(row.context) < fill else []
    fill -= sum(cell_len(text) for text, _ in context)
    pieces = [*start, *detail, (" " * max(0, fill), "text"), *context, *due, *badges, (" ", "text")]
    return cut(pieces, width)


def arrow_width(row: Row) -> int:
    """Return how many cells at the left open and close the row when they are clicked."""
    return 0 if row.is_open is None else row.depth * INDENT + 3


def _head(row: Row, role_width: int) -> list[Piece]:
    indent = " " * (row.depth * INDENT)
    look = "quiet" if row.is_quiet else "text"
    if row.kind is RowKind.AGENT:
        status = row.status or AgentStatus.UNKNOWN
        name = fit(row.label, role_width)
        pad = " " * (role_width - cell_len(name) + 1)
        return [(indent, "text"), (GLYPHS[status] + " ", status.value), (name + pad, look)]
    arrow = "" if row.is_open is None else "▾ " if row.is_open else "▸ "
    name_look = "team" if row.kind is RowKind.TEAM and not row.is_quiet else look
    return [(indent + arrow, "quiet"), (row.label + "  ", name_look)]


def _badges(row: Row, room: int) -> list[Piece]:
    """Return the marks at the right edge; those that do not fit are left out, the most important ones last."""
    kept: list[Piece] = []
    for look, text in reversed(row.badges):
        width = cell_len(text) + 1
        if width > room:
            break
        room -= width
        kept[:0] = [(" ", "text"), (text, str(look))]
    return kept


def _detail(row: Row, room: int) -> list[Piece]:
    text = fit(row.detail, room)
    if not text:
        return []
    if row.status is AgentStatus.WAITING and not row.is_quiet:
        return [(text, "ask")]
    if row.status is AgentStatus.FAILED and not row.is_quiet:
        return [(text, "failed")]
    return [(text, "detail")]


def cut(pieces: list[Piece], width: int, filler: str = "text") -> tuple[Piece, ...]:
    """Return the pieces without what lies beyond `width`, filled up to it with the look `filler`."""
    kept: list[Piece] = []
    for text, look in pieces:
        piece = fit(text, width)
        width -= cell_len(piece)
        if piece:
            kept.append((piece, look))
    if width > 0:
        kept.append((" " * width, filler))
    return tuple(kept)
