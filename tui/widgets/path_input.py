"""`PathInput`: where a path is written, and below it how it may go on. It reads no folder: it is told."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from orchestrator_core.models.launch import PathKind
from tui.keys import bindings
from tui.widgets.consuming import writes
from tui.widgets.row_list import ListRow, RowList
from tui.wording import QUIET, clean_line

HOLD_S = 0.8
"""How long keys wait for a folder that takes its time."""
EDGES = 28
"""Cells of a line that a path does not have: labels, edges, what it is."""
KINDS = {PathKind.PROJECT: "repository", PathKind.SPEC: ""}
"""What is said of a path that is what was looked for; others are folders."""


class Candidates(RowList, can_focus=False):
    """How the path may go on; shown while its field has the focus."""

    DEFAULT_CSS = """
    Candidates { display: none; height: auto; max-height: 6; &.-open { display: block; } }
    """

    def offer(self, written: str, found: tuple[str, ...], kind: PathKind) -> None:
        """Show how `written` may go on, each without the folders that are written already."""
        folder = written[: written.rfind("/") + 1]
        room = self.app.size.width - EDGES
        self.unselect()
        self.show(tuple(_row(candidate, folder, kind, room) for candidate in found))

    @property
    def marked(self) -> str:
        """The path that the person has marked; empty when none is."""
        return self.selected_id


def _row(candidate: str, folder: str, kind: PathKind, room: int) -> ListRow:
    is_folder = candidate.endswith("/")
    word = "folder" if is_folder else KINDS[kind]
    return ListRow(
        id=candidate,
        text=_end_of(clean_line(candidate.removeprefix(folder)), room),
        style=QUIET if is_folder else "",
        right=((word, QUIET if is_folder else "$text-success"),) if word else (),
    )


def _end_of(text: str, room: int) -> str:
    """Return the end of a path, which tells more than its beginning, in so many cells."""
    if cell_len(text) <= room:
        return text
    while cell_len(text) >= max(room, 1):
        text = text[1:]
    return f"…{text}"


class PathInput(Input):
    """The field. It wants candidates whenever its text changes, and takes the one that the person accepts."""

    HELP = """\
A path, completed while it is written. ↓ and ↑ mark one of the paths below, tab or → takes it, or the first one.
What ends with / leads on to what is in it; hidden names are listed when you write a dot.

Project: a git repository, seen from where you are, or by its name in your projects folder; empty: where you are.
Spec: a Markdown file that says the goal, seen from where you are or from the project; empty: the project's own.
"""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("path")]
    DEFAULT_CSS = """
    PathInput {
        height: 1; padding: 0 1; background: $boost; width: 1fr;
        &, &:focus { border: none; }
    }
    """

    class Wanted(Message):
        """It is to be known how the text may go on."""

        def __init__(self, field: PathInput) -> None:
            super().__init__()
            self.field = field

    def __init__(self, kind: PathKind, *, placeholder: str, id: str) -> None:
        super().__init__(placeholder=placeholder, select_on_focus=False, id=id)
        self.kind = kind
        self.cursor_blink = False
        self.candidates = Candidates(id=f"{id}-candidates")
        self._found: tuple[str, ...] | None = None
        """How the text may go on; None while that is not known."""
        self._accepted_at: float | None = None
        """When the person has accepted before it was known what."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return writes(key, character)

    @property
    def holds_keys(self) -> bool:
        """Whether the next key is meant for after what the person has accepted, which is not known yet."""
        return self._accepted_at is not None and time.monotonic() - self._accepted_at < HOLD_S

    # -- what it may be ---------------------------------------------------------------------------

    def ask(self) -> None:
        """Have it found out anew how the text may go on."""
        self._found = None
        self.post_message(self.Wanted(self))

    def take(self, text: str, found: tuple[str, ...]) -> None:
        """Show how `text` may go on, unless something else is written by now."""
        if text != self.value:
            return
        self._found = found
        self.candidates.offer(text, found, self.kind)
        self._show_candidates()
        if self._accepted_at is not None:
            self._accepted_at = None
            self.action_accept()

    def _show_candidates(self) -> None:
        is_open = self.has_focus and bool(self._found) and self._found != (self.value,)
        self.candidates.set_class(is_open, "-open")

    def watch_value(self) -> None:
        self._accepted_at = None
        if self.is_mounted:
            self.ask()

    def on_focus(self) -> None:
        self.ask()

    def on_blur(self) -> None:
        self._accepted_at = None
        self.candidates.remove_class("-open")

    # -- taking one -------------------------------------------------------------------------------

    def _choice(self) -> str:
        """Return what would be taken: the marked one, else the first; empty when that is what is written already.

        An empty spec means something by itself: it is not completed unless the person marks one.
        """
        if self.candidates.marked or (not self.value and self.kind is PathKind.SPEC):
            return self.candidates.marked
        first = next(iter(self._found or ()), "")
        return "" if first == self.value else first

    def _put(self, path: str) -> None:
        self.value = path
        self.cursor_position = len(path)

    def action_accept(self) -> None:
        if self._found is None:
            self._accepted_at = time.monotonic()
        elif choice := self._choice():
            self._put(choice)
        else:
            self.screen.focus_next()

    def action_go_right(self) -> None:
        choice = self.candidates.marked or next(iter(self._found or ()), "")
        if self.cursor_position == len(self.value) and choice and choice != self.value:
            self._put(choice)
        else:
            self.action_cursor_right()

    def action_take(self) -> None:
        if self.candidates.marked:
            self._put(self.candidates.marked)
        else:
            self.post_message(self.Submitted(self, self.value))

    def action_move(self, lines: int) -> None:
        at = self.candidates.cursor
        if not self.candidates.has_class("-open") or (at is None and lines < 0):
            self.screen.focus_next() if lines > 0 else self.screen.focus_previous()
        elif at == 0 and lines < 0:
            self.candidates.unselect()
        else:
            self.candidates.action_move(lines)
