"""Reading panes: the formats asked for, and the values made of what tmux prints. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from orchestrator_core.models.ids import PaneId, SessionId, WindowId
from orchestrator_core.models.pane import Cursor, Pane, PaneFrame
from orchestrator_core.tmux.attachment import SURVIVES
from orchestrator_core.tmux.formats import number, parse_rows, row_format

AGENT_TAG = "@tmorch_agent"
ORCHESTRATION_TAG = "@tmorch_orchestration"

_PANE_FIELDS = (
    "session_id",
    "session_name",
    "window_id",
    "window_index",
    "window_name",
    "pane_id",
    "pane_index",
    "pane_pid",
    "pane_current_command",
    "pane_dead",
    "pane_dead_status",
    "pane_in_mode",
    "pane_width",
    "pane_height",
    "pane_title",
    "pane_current_path",
    "window_activity",
    "window_active",
    "pane_active",
    AGENT_TAG,
    ORCHESTRATION_TAG,
)
LIST_PANES = ("list-panes", "-a", "-F", row_format(_PANE_FIELDS))

_FACT_FIELDS = (
    "pane_id",
    "session_id",
    "destroy-unattached",
    "pid",
    "pane_width",
    "pane_height",
    "cursor_x",
    "cursor_y",
    "cursor_flag",
    "history_size",
    "alternate_on",
    "pane_in_mode",
    "pane_dead",
    "pane_current_command",
    "pane_pid",
)
_FACTS = row_format(_FACT_FIELDS)
_STYLES = re.compile(r"\x1b\[[0-9;:]*m|[\x0e\x0f]")
_DEAD_LINE = "Pane is dead"


class Picture(Struct, frozen=True, kw_only=True):
    """A frame, with where it was taken."""

    frame: PaneFrame
    session_id: SessionId
    survives: bool
    """The session outlives its last client, so it may be attached to."""
    server_pid: int


def parse_panes(lines: Sequence[str]) -> tuple[Pane, ...]:
    """Return the panes that `LIST_PANES` printed, each once.

    tmux prints a window once for each session it is linked to; the row of a session with an orchestration wins.
    """
    panes: dict[PaneId, Pane] = {}
    for row in parse_rows(lines):
        pane = _pane(dict(zip(_PANE_FIELDS, row, strict=True)))
        known = panes.get(pane.pane_id)
        if known is None or (pane.orchestration_tag and not known.orchestration_tag):
            panes[pane.pane_id] = pane
    return tuple(panes.values())


def _pane(row: dict[str, str]) -> Pane:
    status = row["pane_dead_status"]
    return Pane(
        session_id=SessionId(row["session_id"]),
        session=row["session_name"],
        window_id=WindowId(row["window_id"]),
        window_index=number(row["window_index"]),
        window=row["window_name"],
        pane_id=PaneId(row["pane_id"]),
        pane_index=number(row["pane_index"]),
        pid=number(row["pane_pid"]),
        command=row["pane_current_command"],
        dead=_flag(row["pane_dead"]),
        exit_status=int(status) if status.isdecimal() else None,
        in_mode=_flag(row["pane_in_mode"]),
        width=number(row["pane_width"]),
        height=number(row["pane_height"]),
        title=row["pane_title"],
        path=row["pane_current_path"],
        activity=number(row["window_activity"]),
        active=_flag(row["window_active"]) and _flag(row["pane_active"]),
        agent_tag=row[AGENT_TAG],
        orchestration_tag=row[ORCHESTRATION_TAG],
    )


def picture_commands(pane: PaneId, history: int = 0) -> tuple[tuple[str, ...], ...]:
    """Return the two commands that take a picture of `pane`, to be written together.

    `-N` keeps the spaces at the ends of lines: in a status bar they are painted, and without them it would end with
    its last letter. From tmux 3.4 on it also keeps what was erased to a background colour. One row of scrollback
    comes along in any case: see `_rows_of`.
    """
    facts = ("display-message", "-p", "-t", pane, _FACTS)
    return facts, ("capture-pane", "-p", "-e", "-N", "-S", str(-max(history, 1)), "-t", pane)


def parse_picture(pane: PaneId, facts: Sequence[str], lines: Sequence[str], history: int = 0) -> Picture | None:
    """Return what the `picture_commands` for `history` rows printed; None when there was no such pane."""
    rows = parse_rows(facts)
    if not rows or rows[0][0] != pane:
        return None
    row = dict(zip(_FACT_FIELDS, rows[0], strict=True))
    height = number(row["pane_height"])
    rows_shown = _rows_of(lines, height, history, dead=_flag(row["pane_dead"]))
    frame = PaneFrame(
        pane=pane,
        lines=rows_shown,
        width=number(row["pane_width"]),
        height=height,
        cursor=Cursor(x=number(row["cursor_x"]), y=number(row["cursor_y"]), visible=_flag(row["cursor_flag"])),
        history=len(rows_shown) - height,
        history_size=number(row["history_size"]),
        alternate=_flag(row["alternate_on"]),
        in_mode=_flag(row["pane_in_mode"]),
        dead=_flag(row["pane_dead"]),
        command=row["pane_current_command"],
        pid=number(row["pane_pid"]),
    )
    return Picture(
        frame=frame,
        session_id=SessionId(row["session_id"]),
        survives=row["destroy-unattached"] in SURVIVES,
        server_pid=number(row["pid"]),
    )


def _rows_of(lines: Sequence[str], height: int, history: int, *, dead: bool) -> tuple[str, ...]:
    """Return the screen with up to `history` rows above it: of a dead pane, as its program left it.

    tmux moves that screen up by one row to write below it how the program ended, which is told elsewhere.
    """
    if dead and lines and _DEAD_LINE in lines[-1]:
        lines = lines[:-1]
    first = max(0, len(lines) - height - history)
    shown = list(lines[first:])
    if shown:
        shown[0] = _style_after(lines[:first]) + shown[0]
    return (*shown, *[""] * (height - len(shown)))


def _style_after(lines: Sequence[str]) -> str:
    """Return what sets the style that `lines` end in: tmux does not repeat it in the next one."""
    return "".join(_STYLES.findall("".join(lines)))


def _flag(text: str) -> bool:
    return text not in ("", "0")
