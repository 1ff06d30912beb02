"""What the strip of the timeline shows in a terminal, and when that has to be read again. Pure."""

from __future__ import annotations

import time
from itertools import chain

from msgspec import Struct
from rich.cells import cell_len

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.timeline import Lane, TickKind, Timeline
from tui.messages import Window
from tui.timeline_axis import RULE_LOOK, axis_pieces
from tui.timeline_plan import PAUSED, Plan, Scale, is_late
from tui.widgets.fleet_header import active_teams
from tui.widgets.fleet_line import Piece
from tui.widgets.timeline_lanes import filled, name_width
from tui.wording import HOUR_S, MINUTE_S, QUIET, clean

BACK_S = 15 * MINUTE_S
SPAN_S = BACK_S + 2 * HOUR_S
"""What is shown: so much of the past, and how much in all."""
AHEAD_S = 2 * MINUTE_S
"""How much more than is shown is read: it is read again once a minute at least."""
SETTLES_S = MINUTE_S
"""For how long after a delivery the agent's own word may still come."""
LANES = ((58, 8), (48, 6), (36, 4), (30, 3), (20, 1))
"""From how many rows of the terminal on how many lanes are shown; the preview is worth more than they are."""
WIDE = 76
"""With fewer columns the parts of the screen stand above each other: half the lanes are shown."""
CALM = 30
"""From how many rows on an empty timeline keeps its line."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What the person has selected in the tree."""

    agent: AgentId | None = None
    team: OrchestrationId | None = None


def room_for(width: int, height: int) -> int:
    """Return how many lanes a terminal has room for."""
    lanes = next((lanes for rows, lanes in LANES if height >= rows), 0)
    return lanes if width >= WIDE else lanes // 2


def chosen_lanes(lanes: tuple[Lane, ...], scale: Scale, room: int, chosen: Chosen) -> tuple[Lane, ...]:
    """Return the lanes that are shown: those with something in them, first the selected team's.

    The selected agent's is among them. None are when there is nothing in any.
    """
    busy = [lane for lane in lanes if any(_is_seen(tick.at, tick.kind, scale) for tick in lane.ticks)]
    if not busy:
        return ()
    wanted = {lane.agent for lane in busy} | {chosen.agent}
    own = [lane for lane in lanes if lane.orchestration == chosen.team and lane.agent in wanted]
    at = next((i for i, lane in enumerate(own) if lane.agent == chosen.agent), 0)
    others = [lane for lane in busy if lane.orchestration != chosen.team]
    return (*own[max(0, at - room + 1) :], *others)[:room]


def _is_seen(at: float, kind: TickKind, scale: Scale) -> bool:
    return kind in (TickKind.OVERDUE, TickKind.DEAD) or scale.holds(at)


def lane_name(lane: Lane, team: OrchestrationId | None, *, is_alone: bool) -> str:
    """Return what a lane is called: its role, and of which project when it is not of the selected team."""
    role, project = clean(lane.role), _project(lane.orchestration)
    return role if is_alone or lane.orchestration == team else f"{project}:{role}"


def _project(team: OrchestrationId) -> str:
    return clean(team.rpartition("-")[0] or team)


def name_cells(fleet: Fleet, width: int) -> int:
    """Return how many cells names get, whichever team is selected: lanes begin where they did."""
    teams = active_teams(fleet)
    names = (
        (f"{_project(team.orchestration.id)}:" if len(teams) > 1 else "") + clean(view.agent.role)
        for team in teams
        for view in team.agents
    )
    return name_width(names, width)


def title_notes(timeline: Timeline, now: float, *, is_down: bool, shown: int) -> list[Piece]:
    """Return what the title says at its right: that nothing fires and why, what is overdue, what is not shown."""
    lanes = timeline.lanes
    paused = sorted({lane.orchestration for lane in lanes if lane.is_paused})
    late = sum(is_late(tick, now) for lane in lanes for tick in lane.ticks)
    more = sum(bool(lane.ticks) for lane in lanes) - shown
    notes = []
    if is_down:
        notes.append(("supervisor down", "bold $text-error"))
    if late:
        notes.append((f"{late} overdue", "bold $text-warning"))
    if paused:
        name = clean(paused[0]) if len(paused) == 1 else f"{len(paused)} teams"
        notes.append((f"{PAUSED} {name} paused", "$text-warning"))
    if shown and more > 0:
        notes.append((f"{more} more", QUIET))
    if not shown and not notes:
        notes.append(("nothing is due", QUIET))
    separated = chain.from_iterable(((" · ", QUIET), note) for note in notes)
    return [(" ", RULE_LOOK), *list(separated)[1:], (" ─", RULE_LOOK)] if notes else []


def title_pieces(made: Plan, notes: list[Piece], *, head: int, width: int, joint: int) -> tuple[Piece, ...]:
    """Return the rule above the lanes, which begin in cell `head`; `joint` is where the divider meets it."""
    title = [("─ ", RULE_LOOK), ("Timeline", ""), (" " + "─" * (head - 11), RULE_LOOK)]
    room = max(0, width - head - sum(cell_len(text) for text, _ in notes))
    axis = [mark for mark in made.axis if mark.cell + 1 + cell_len(mark.label) <= room]
    now = time.strftime("now %H:%M", time.localtime(made.now))
    line = axis_pieces(tuple(axis), width=room, now_cell=made.now_cell, now_label=now)
    return filled(_joined([*title, *line, *notes], joint), width)


def _joined(pieces: list[Piece], joint: int) -> list[Piece]:
    """Let the divider end in the rule, unless there are words."""
    at, joined = 0, []
    for text, look in pieces:
        place = joint - at
        is_rule = look == RULE_LOOK and 0 <= place < len(text) and text[place] == "─"
        joined.append((f"{text[:place]}┴{text[place + 1 :]}" if is_rule else text, look))
        at += cell_len(text)
    return joined


def covers(window: Window, scale: Scale) -> bool:
    """Whether what was read is all that is shown, a tick for each cell."""
    return window.start <= scale.start and scale.end <= window.end and window.step_s == scale.step_s


def schedule_of(fleet: Fleet) -> object:
    """Return what of a fleet a timeline depends on."""
    teams = ((team.orchestration.state, team.orchestration.holds_check_ins) for team in fleet.teams)
    agents = (
        (view.agent.id, view.agent.status.is_live, view.agent.limited_until)
        for team in fleet.teams
        for view in team.agents
    )
    return fleet.schedule_version, tuple(teams), tuple(agents)


def is_unsettled(timeline: Timeline, now: float) -> bool:
    """Whether a receipt is going to change."""
    return any(
        not tick.receipt.is_final or (tick.receipt is MessageState.DELIVERED and now - tick.at < SETTLES_S)
        for lane in timeline.lanes
        for tick in lane.ticks
        if tick.receipt is not None
    )
