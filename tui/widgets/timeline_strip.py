"""`TimelineStrip`: what is due in the next two hours, lane by lane, below everything else on the main screen."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip

from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.timeline import Lane, Timeline
from tui.messages import ScheduleOpened, TimelineWanted, Window
from tui.timeline_plan import LanePlan, Scale, plan_on, sliding
from tui.widgets.fleet_header import active_teams
from tui.widgets.fleet_line import Piece
from tui.widgets.painted_rows import PaintedRows
from tui.widgets.panel import Column
from tui.widgets.strip_lines import (
    AHEAD_S,
    BACK_S,
    CALM,
    SPAN_S,
    Chosen,
    chosen_lanes,
    covers,
    is_unsettled,
    lane_name,
    name_cells,
    room_for,
    schedule_of,
    title_notes,
    title_pieces,
)
from tui.widgets.timeline_lanes import LaneLine, TimelineLanes, filled, head_width
from tui.wording import MINUTE_S


class TimelineRule(PaintedRows, can_focus=False):
    """The strip's title, which is its time axis as well."""

    DEFAULT_CSS = """
    TimelineRule { height: 1; overflow: hidden hidden; background: $background; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pieces: tuple[Piece, ...] = ()

    def show(self, pieces: tuple[Piece, ...]) -> None:
        """Show these pieces; nothing is painted when they are what is shown already."""
        if pieces != self._pieces:
            self._pieces = pieces
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.paint(filled(self._pieces, self.size.width), self.size.width, selected=False)


class TimelineStrip(Column):
    """The strip. It says which time it wants to be read, and when again; it takes no room that it has no use for."""

    DEFAULT_CSS = """
    TimelineStrip {
        height: auto;
        &.-off { display: none; }
        TimelineLanes { height: 1; overflow: hidden hidden; }
    }
    """

    class Moved(Message):
        """What is above it may have another place on the screen now."""

    def __init__(self, *, clock: Callable[[], float], id: str | None = None) -> None:
        super().__init__(id=id, classes="-off")
        self._clock = clock
        self._title_rule = TimelineRule(id="timeline-title")
        self._lanes = TimelineLanes(id="timeline-lanes")
        self._timeline: Timeline | None = None
        self._fleet: Fleet | None = None
        self._chosen = Chosen()
        self._wanted: tuple[Window, int, object] | None = None
        """What was wanted last, in which minute, and what of the fleet it depends on."""
        self._joint = -1
        """In which cell the divider above ends."""

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self._lanes

    def on_resize(self) -> None:
        self.post_message(self.Moved())

    def on_hide(self) -> None:
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Open the schedule, at the lane that was clicked."""
        line = event.screen_y - self._lanes.region.y
        is_lane = 0 <= line < len(self.lines)
        self.screen.post_message(ScheduleOpened(self.lines[line].plan.agent if is_lane else self._chosen.agent))

    @property
    def lines(self) -> tuple[LaneLine, ...]:
        """What is shown."""
        return self._lanes.lines

    # -- news -------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Take over another fleet: the schedule may be another one, too."""
        was_down, self._fleet = self._is_down, fleet
        if was_down != self._is_down:
            self.show_time()
        else:
            self._want(is_news=True)

    def show_timeline(self, timeline: Timeline) -> None:
        """Show what was read."""
        self._timeline = timeline
        if self.is_attached:  # the app may be about to end
            self.show_time()

    def aim(self, agent: AgentId | None, team: OrchestrationId | None) -> None:
        """Show the lanes of this team first, the agent's among them."""
        chosen = Chosen(agent=agent, team=team)
        if chosen != self._chosen:
            self._chosen = chosen
            self.show_time()

    def join(self, joint: int) -> None:
        """Let the divider above end in this cell of the rule; -1: there is none."""
        if joint != self._joint:
            self._joint = joint
            self.show_time()

    def show_time(self) -> None:
        """Move on to what the clock shows now, in the room that there is now."""
        self._want(is_news=False)
        width, room = self._width, self._room
        if self._is_hidden:
            return
        if self._timeline is None or self._fleet is None or not room or not width:
            self.add_class("-off")
            return
        cells, now = name_cells(self._fleet, width), self._clock()
        scale = self._scale(cells)
        lanes = chosen_lanes(self._timeline.lanes, scale, room, self._chosen)
        made = plan_on(scale, lanes, now)
        self._resize(len(lanes))
        notes = title_notes(self._timeline, now, is_down=self._is_down, shown=len(lanes))
        self._title_rule.show(title_pieces(made, notes, head=head_width(cells), width=width, joint=self._joint))
        self._lanes.show(
            tuple(self._line(lane, planned) for lane, planned in zip(lanes, made.lanes, strict=True)), cells
        )

    def _line(self, lane: Lane, planned: LanePlan) -> LaneLine:
        is_alone = self._fleet is None or len(active_teams(self._fleet)) <= 1
        name = lane_name(lane, self._chosen.team, is_alone=is_alone)
        return LaneLine(name=name, plan=planned, is_marked=lane.agent == self._chosen.agent)

    def _resize(self, lanes: int) -> None:
        self.set_class(not lanes and self.app.size.height < CALM, "-off")
        self._lanes.display = bool(lanes)
        if lanes and lanes != len(self._lanes.lines):
            self._lanes.styles.height = lanes

    # -- what is to be read -----------------------------------------------------------------------

    def _want(self, *, is_news: bool) -> None:
        """Say which time is to be read, if what was read is not what is shown, or not as it is now."""
        if self._fleet is None or self._is_hidden or not self._room or not self._width:
            return
        scale, now = self._scale(name_cells(self._fleet, self._width)), self._clock()
        window = Window(scale.start, scale.end + AHEAD_S, scale.step_s)
        wanted = (window, int(now // MINUTE_S), schedule_of(self._fleet))
        is_read = self._wanted is not None and wanted[1:] == self._wanted[1:] and covers(self._wanted[0], scale)
        if not is_read or (is_news and self._timeline is not None and is_unsettled(self._timeline, now)):
            self._wanted = wanted
            self.screen.post_message(TimelineWanted(window))

    def _scale(self, cells: int) -> Scale:
        width = max(1, self._width - head_width(cells))
        return sliding(self._clock(), width=width, span_s=SPAN_S, back_s=BACK_S)

    @property
    def _width(self) -> int:
        return self.app.size.width

    @property
    def _room(self) -> int:
        return room_for(*self.app.size)

    @property
    def _is_hidden(self) -> bool:
        """Whether the screen shows other things only: nothing is read meanwhile."""
        return any(map(self.screen.has_class, ("-zoomed", "-too-narrow", "-too-short")))

    @property
    def _is_down(self) -> bool:
        return self._fleet is not None and bool(active_teams(self._fleet)) and not self._fleet.supervisor.running
