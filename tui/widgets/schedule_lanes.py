"""The lanes of the schedule's screen, the axis above them, and what its title says."""

from __future__ import annotations

import time
from collections.abc import Iterable

from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.timeline import Lane, Timeline
from tui.timeline_axis import axis_pieces
from tui.timeline_plan import PAUSED, Plan
from tui.widgets.fleet_line import Piece
from tui.widgets.line import Part, part
from tui.widgets.strip_lines import lane_name
from tui.widgets.timeline_lanes import TimelineLanes
from tui.wording import QUIET, clean, plural, sentence


class ScheduleLanes(TimelineLanes, can_focus=True, inherit_bindings=False):
    """The lanes. The selected one is kept in view."""

    def explain(self, note: tuple[str, ...]) -> None:
        """Say why no lane is there."""
        if note != self.note:
            self.note = note
            self.refresh()

    def show_line(self, index: int | None) -> None:
        """Scroll as little as it takes to have a lane in view."""
        top, height = self.scroll_offset.y, self.size.height
        if index is None or not height:
            return
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True, force=True)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False, immediate=True, force=True)

    def on_resize(self) -> None:
        self.refresh()
        marked = next((i for i, line in enumerate(self.lines) if line.is_marked), None)
        self.call_after_refresh(self.show_line, marked)


def lane_names(lanes: Iterable[Lane], team: OrchestrationId | None) -> list[str]:
    """Return what lanes are called: their roles, of which project where there are several, of which team if need be."""
    shown = list(lanes)
    teams = {lane.orchestration for lane in shown}
    projects = {each.rpartition("-")[0] for each in teams}
    if len(projects) < len(teams) and team is None:
        return [clean(lane.agent) for lane in shown]
    return [lane_name(lane, team, is_alone=len(teams) <= 1) for lane in shown]


def axis_line(made: Plan, head: int) -> tuple[Piece, ...]:
    """Return the axis above lanes that begin in cell `head`."""
    now = time.strftime("now %H:%M", time.localtime(made.now))
    line = axis_pieces(made.axis, width=made.scale.width, now_cell=made.now_cell, now_label=now)
    return ((" " * head, ""), *line)


def title_parts(
    timeline: Timeline,
    made: Plan,
    *,
    team: OrchestrationId | None,
    zoom: str,
    failure: str,
    is_following: bool,
    is_down: bool,
) -> tuple[list[Part], list[Part]]:
    """Return what the title says: whose, from when to when, how much at once, what is overdue or held."""
    left = [
        part("Schedule", "bold", cost=None),
        part(f"of {clean(team)}" if team else "of all teams", "$text-accent", cost=20),
        part(_range(made), QUIET, cost=10),
    ]
    if failure:
        left.append(part(sentence(failure), "bold $text-error", cost=None))
    if is_down:
        left.append(part("supervisor down: nothing fires", "bold $text-error", cost=40))
    if made.overdue:
        left.append(part(f"{made.overdue} overdue", "bold $text-warning", cost=30))
    paused = sorted({lane.orchestration for lane in timeline.lanes if lane.is_paused})
    if paused:
        name = clean(paused[0]) if len(paused) == 1 else plural(len(paused), "team")
        left.append(part(f"{PAUSED} {name} paused", "$text-warning", cost=25))
    stays = part("moves on" if is_following else "stays here", QUIET if is_following else "bold $text-accent", cost=15)
    return left, [part(f"{zoom} at once", "", cost=None), stays]


def _range(made: Plan) -> str:
    start, end = time.localtime(made.scale.start), time.localtime(made.scale.end)
    until = "%H:%M" if start[:3] == end[:3] else "%a %d %b %H:%M"
    return f"{time.strftime('%a %d %b %H:%M', start)} – {time.strftime(until, end)}"
