"""What tmux says of a pane, and a picture of its screen."""

from __future__ import annotations

from msgspec import Struct

from orchestrator_core.models.ids import PaneId, SessionId, WindowId


class Pane(Struct, frozen=True, kw_only=True):
    """One row of `list-panes -a`: a pane with its window and session."""

    session_id: SessionId
    session: str
    window_id: WindowId
    window_index: int
    window: str
    pane_id: PaneId
    pane_index: int
    pid: int
    command: str
    """The name of the foreground program."""
    dead: bool
    exit_status: int | None
    """Of a dead pane: its program's exit code; None when a signal ended it or tmux does not say."""
    in_mode: bool
    """Copy mode or another mode has the keys."""
    width: int
    height: int
    title: str
    path: str
    activity: int
    """When the window last put something out, whole seconds since the epoch."""
    active: bool
    """The active pane of the active window of its session."""
    agent_tag: str = ""
    """The pane option `@tmorch_agent`: an agent id, or empty."""
    orchestration_tag: str = ""
    """The session option `@tmorch_orchestration`, or empty."""


class Cursor(Struct, frozen=True, kw_only=True):
    """Where the cursor is, counted from 0 at the top left of the visible screen."""

    x: int
    y: int
    visible: bool


class PaneFrame(Struct, frozen=True, kw_only=True):
    """A picture of one pane at one moment.

    `lines` are the rows as `capture-pane -e` gives them: SGR state carries over from a line to the next, the
    first `history` of them lie above the visible screen.
    """

    pane: PaneId
    lines: tuple[str, ...]
    width: int
    height: int
    cursor: Cursor
    history: int = 0
    """How many of `lines` are scrollback."""
    history_size: int = 0
    """How many lines of scrollback tmux keeps for the pane in all."""
    alternate: bool = False
    in_mode: bool = False
    dead: bool = False
    command: str = ""
    pid: int = 0
