"""`LanesScreen`: every agent's lane of check-ins, from 15 minutes to a week; the selected moment in full."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from orchestrator_core.errors import TmorchError
from orchestrator_core.models.check_in import CheckIn, Firing
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId, CheckInId, OrchestrationId
from orchestrator_core.models.timeline import Lane, Tick, TickKind, Timeline
from tui.messages import (
    CheckInLooked,
    ScheduleWanted,
    Window,
)
from tui.schedule_choice import (
    Spot,
    beside,
    cell_of,
    found_again,
    in_view,
    lane_at,
    nearest,
    spot_of,
    with_wishes,
)
from tui.schedule_words import details_of, title_of
from tui.screens.over import OverScreen
from tui.timeline_plan import ZOOMS, LanePlan, Plan, Scale, plan_on, sliding
from tui.widgets.key_bar import KeyBar
from tui.widgets.line import Part, TitleRule, part
from tui.widgets.schedule_lanes import ScheduleLanes, axis_line, lane_names, title_parts
from tui.widgets.strip_lines import covers, is_unsettled, schedule_of
from tui.widgets.timeline_lanes import LaneLine, head_width, name_width
from tui.widgets.timeline_strip import TimelineRule
from tui.wording import QUIET

NOW_S = 5.0
"""How often the now-line moves on."""
FIRST_ZOOM = 2
BACK = 0.25
"""The part of what is shown that lies before now."""
PAN = 0.5
"""How much of what is shown a step in time goes."""
ASK_REPEATS = "Cancel it with all that it is going to fire? {key} again cancels it."
ASK_STANDING = "tmorch keeps it and is going to set another one; {pause} pauses the team. {key} again cancels it."
NOTHING = ("No agent is live, and nothing is due.", "Each agent of a team has a lane here.")
NOTHING_BACK = "{back} goes back; on the command line, `tmorch start` starts a team."
NO_TICK = "Nothing in this lane here. {add} sets a check-in for it, {out} shows more time."


class LanesScreen(OverScreen):
    """The lanes, and below them the selected moment. It asks for the time that it shows, and for it again on news."""

    AUTO_FOCUS = "ScheduleLanes"
    BLANK = True

    def __init__(
        self,
        agent: AgentId | None,
        fleet: Fleet | None,
        *,
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        super().__init__()
        self.fleet = fleet
        self.agent = agent
        """Whose lane is selected."""
        self.team: OrchestrationId | None = None
        """Only its lanes are shown; None: those of all."""
        self.zoom = FIRST_ZOOM
        self.spot: Spot | None = None
        """The selected moment."""
        self._start: float | None = None
        """Where what is shown begins; None: it moves on with the clock."""
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of
        self._timeline: Timeline | None = None
        self._read: Window | None = None
        """Which part of the schedule was read last."""
        self.is_reading = self._is_wanted = False
        self._failure = ""
        self._has_chosen = False
        self._wishes: dict[CheckInId, float] = {}
        self._settled: set[CheckInId] = set()
        """Those of the wishes that came true: what is read from now on shows them."""
        self._settling: set[CheckInId] = set()
        """Those of which the reading that goes on shows it."""
        self._gathering: dict[CheckInId, Timer] = {}
        self._asks: CheckInId | None = None
        """Which one is cancelled when the key is pressed again."""
        self._last: dict[CheckInId, Firing | None] = {}
        self._lanes: tuple[Lane, ...] = ()
        self._plan: Plan | None = None
        self._title_rule = TitleRule(id="schedule-title")
        self._axis = TimelineRule(id="schedule-axis")
        self.lane_list = ScheduleLanes(id="schedule-lanes")
        self._details_rule = TitleRule(id="details-title")
        self._details = Static(id="details", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title_rule
        yield self._axis
        yield self.lane_list
        yield self._details_rule
        with VerticalScroll(id="details-body", can_focus=False):
            yield self._details
        yield KeyBar(keys_of=self._keys_of)

    def on_mount(self) -> None:
        self.set_interval(NOW_S, self._on_clock)
        self.call_after_refresh(self.read_again)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _on_clock(self) -> None:
        self._show()
        if self._timeline is not None and is_unsettled(self._timeline, self._clock()):
            self.read_again()

    # -- what is shown of the time ----------------------------------------------------------------

    @property
    def _span_s(self) -> float:
        return ZOOMS[self.zoom][1]

    @property
    def _name_cells(self) -> int:
        lanes = self._timeline.lanes if self._timeline else ()
        return name_width(lane_names(lanes, self.team), self.app.size.width)

    @property
    def _scale(self) -> Scale:
        width = max(1, self.app.size.width - head_width(self._name_cells) - 1)
        if self._start is None:
            return sliding(self._clock(), width=width, span_s=self._span_s, back_s=self._span_s * BACK)
        step_s = self._span_s / width
        return Scale(self._start // step_s * step_s, step_s, width)

    def _look_at(self, at: float) -> None:
        """Have a moment in the middle of what is shown."""
        self._start = at - self._span_s / 2

    # -- news -------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        is_other = self.fleet is None or schedule_of(fleet) != schedule_of(self.fleet)
        was_running = self.fleet is not None and self.fleet.supervisor.running
        self.fleet = fleet
        if is_other or (self._timeline is not None and is_unsettled(self._timeline, self._clock())):
            self.read_again()
        elif was_running != fleet.supervisor.running:
            self._show()

    def store_changed(self) -> None:
        self.read_again()

    def read_again(self) -> None:
        """Have what is shown read as it is now; wishes that come meanwhile are one more reading."""
        self._is_wanted = self.is_reading
        if not self.is_reading:
            self.is_reading = True
            self._settling, self._settled = self._settled, set()
            scale = self._scale
            around = scale.step_s * scale.width
            self.post_message(ScheduleWanted(Window(scale.start - around, scale.end + around, scale.step_s)))

    def take_timeline(self, window: Window, timeline: Timeline) -> None:
        """Show what was read; what was wished and has come true is the truth from now on."""
        was_there = self.selected is not None
        self._failure, self._read, self._timeline = "", window, timeline
        for number in self._settling:
            self._wishes.pop(number, None)
        self._settling.clear()
        self._choose_first()
        self._show()
        if was_there and self.selected is None and self.lane is not None and self.spot is not None:
            self.spot = self._beside_lost(self.spot.at)
        self._done_reading()

    def _beside_lost(self, at: float) -> Spot | None:
        """Return the moment in view that is nearest to one that is there no more."""
        planned = self._planned()
        tick = min(in_view(planned[1]), key=lambda tick: abs(tick.at - at), default=None) if planned else None
        return spot_of(tick) if tick is not None else None

    def reading_failed(self, error: TmorchError) -> None:
        """Say that nothing can be read; it is tried again on the next news."""
        self._failure = error.title
        self._done_reading()

    def _done_reading(self) -> None:
        self.is_reading = False
        if self._is_wanted:
            self.read_again()
        self._show()
        self._look_up()

    def _choose_first(self) -> None:
        """Select a lane, and in it what comes next, when nothing is selected yet."""
        if self._has_chosen or self._timeline is None or not self._timeline.lanes:
            return
        self._has_chosen = True
        lanes = self._timeline.lanes
        lane = lanes[lane_at(lanes, self.agent) or 0]
        self.agent = lane.agent
        tick = nearest(lane, self._clock())
        self.spot = spot_of(tick) if tick is not None and self._scale.holds(tick.at) else None

    def take_last(self, number: CheckInId, firing: Firing | None) -> None:
        """Take in how a check-in fired last."""
        self._last = {number: firing}
        self._show_details()

    def show_check_in(self, check_in: CheckIn) -> None:
        """Select a check-in that was set or changed."""
        self.agent, self.spot = check_in.target, Spot(check_in.id, TickKind.DUE, check_in.due_at)
        if not self._scale.holds(check_in.due_at):
            self._look_at(check_in.due_at)

    # -- painting ---------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.is_mounted or self._timeline is None:
            return
        now, scale = self._clock(), self._scale
        every = with_wishes(self._timeline.lanes, self._wishes, {one.id: one for one in self._timeline.check_ins})
        self._lanes = tuple(lane for lane in every if self.team in (None, lane.orchestration))
        if lane_at(self._lanes, self.agent) is None:
            self.agent = self._lanes[0].agent if self._lanes else None
        made = self._plan = plan_on(scale, self._lanes, now)
        tick = self.selected
        self.spot = spot_of(tick) if tick is not None else self.spot
        names = lane_names(self._lanes, self.team)
        lines = (self._line(*each, tick) for each in zip(self._lanes, made.lanes, names, strict=True))
        self.lane_list.explain(
            () if self._lanes else (*NOTHING, NOTHING_BACK.format(back=self._key_name("schedule.back")))
        )
        self.lane_list.show(tuple(lines), self._name_cells)
        self.lane_list.show_line(lane_at(self._lanes, self.agent))
        self._axis.show(axis_line(made, head_width(self._name_cells)))
        self._title_rule.set_parts(
            *title_parts(
                self._timeline, made, team=self.team, zoom=ZOOMS[self.zoom][0], failure=self._failure,
                is_following=self._start is None, is_down=self._is_down,
            )
        )  # fmt: skip
        self._show_details()
        if self._read is not None and not covers(self._read, scale) and not self.is_reading:
            self.read_again()

    def _line(self, lane: Lane, planned: LanePlan, name: str, tick: Tick | None) -> LaneLine:
        is_selected = lane.agent == self.agent
        stop = cell_of(tick, planned) if is_selected else None
        return LaneLine(name=name, plan=planned, is_marked=is_selected, stop=stop)

    def _show_details(self) -> None:
        lane, tick = self.lane, self.selected
        if lane is None or tick is None:
            self._details_rule.set_parts([])
            hint = NO_TICK.format(add=self._key_name("schedule.add"), out=self._key_name("schedule.zoom-out"))
            self._details.update(hint if lane is not None else "")
        else:
            self._show_tick(lane, tick)
        self.refresh_bindings()

    def _show_tick(self, lane: Lane, tick: Tick) -> None:
        now, number = self._clock(), tick.check_in
        wish = self._wishes.get(number) if number is not None and tick.kind is TickKind.DUE else None
        last = self._last.get(number) if number is not None else None
        text = details_of(tick, lane, self.check_in, last, now, wish=wish)
        if self._asks is not None and self._asks == number:
            text = self._question().append("\n").append(text)
        self._details_rule.set_parts(title_of(tick, lane, now), self._place(tick))
        if self._details.content != text:
            self._details.update(text)

    def _look_up(self) -> None:
        """Have it known how the selected check-in fired last."""
        if (check_in := self.check_in) is not None:
            self.post_message(CheckInLooked(check_in.id))

    @property
    def _is_down(self) -> bool:
        return self.fleet is not None and not self.fleet.supervisor.running and bool(self._lanes)

    # -- the selection ----------------------------------------------------------------------------

    @property
    def lane(self) -> Lane | None:
        """The selected agent's lane."""
        at = lane_at(self._lanes, self.agent)
        return None if at is None else self._lanes[at]

    @property
    def selected(self) -> Tick | None:
        """The selected moment as it is now."""
        return found_again(self.spot, self.lane.ticks) if self.lane is not None else None

    @property
    def check_in(self) -> CheckIn | None:
        """The check-in of the selected moment."""
        tick = self.selected
        if tick is None or tick.check_in is None or self._timeline is None:
            return None
        return self._timeline.check_in(tick.check_in)

    def _place(self, tick: Tick) -> list[Part]:
        """Say which of several in one cell the selected moment is."""
        at = lane_at(self._lanes, self.agent)
        stops = self._plan.lanes[at].stops if self._plan is not None and at is not None else ()
        beside_it = next((stop.ticks for stop in stops if tick in stop.ticks), ())
        if not beside_it:
            return [part("not in view", QUIET)]
        return [part(f"{beside_it.index(tick) + 1} of {len(beside_it)} here", QUIET)] if beside_it[1:] else []

    def _planned(self) -> tuple[Lane, LanePlan] | None:
        at = lane_at(self._lanes, self.agent)
        return None if at is None or self._plan is None else (self._lanes[at], self._plan.lanes[at])

    def _select(self, agent: AgentId | None, tick: Tick | None) -> None:
        spot = None if tick is None else spot_of(tick)
        is_other = (agent, spot) != (self.agent, self.spot)
        self.agent, self.spot, self._asks = agent, spot, None
        self._show()
        if is_other:
            self.query_one("#details-body").scroll_home(animate=False)
            self._look_up()

    def action_move(self, lines: int) -> None:
        """Select another lane, and what in it is nearest to the moment that was selected."""
        if not self._lanes or self._plan is None:
            return
        at = max(0, min((lane_at(self._lanes, self.agent) or 0) + lines, len(self._lanes) - 1))
        sought = self.spot.at if self.spot is not None else self._clock()
        view = in_view(self._plan.lanes[at])
        tick = min(view, key=lambda tick: abs(tick.at - sought), default=None)
        self._select(self._lanes[at].agent, tick)

    def action_move_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.lane_list.size.height - 1))

    def action_step(self, steps: int) -> None:
        """Select the next moment of the lane; the time that is shown follows it, and moves on where there is none."""
        planned = self._planned()
        if planned is None:
            return
        tick = beside(self.selected, *planned, steps)
        if tick is None:
            self.action_pan(steps)
            return
        if cell_of(tick, planned[1]) is None:
            self._look_at(tick.at)
        self._select(self.agent, tick)

    def action_pan(self, steps: int) -> None:
        """Show an earlier or a later time."""
        self._start = self._scale.start + steps * PAN * self._span_s
        self._show()

    def action_now(self) -> None:
        """Show the present, and what comes next in the lane."""
        self._start = None
        if self.lane is not None:
            self._select(self.agent, nearest(self.lane, self._clock()))

    def action_zoom(self, steps: int) -> None:
        """Show more or less time; what is selected stays in view, else the middle does."""
        scale, spot = self._scale, self.spot
        is_spot_shown = spot is not None and scale.holds(spot.at)
        anchor = spot.at if spot is not None and is_spot_shown else scale.start + self._span_s / 2
        share = (anchor - scale.start) / self._span_s
        self.zoom = max(0, min(self.zoom + steps, len(ZOOMS) - 1))
        if self._start is not None or (is_spot_shown and not self._scale.holds(anchor)):
            self._start = anchor - share * self._span_s
        self._show()

    def action_team(self) -> None:
        """Show the lanes of the selected one's team only, or those of all."""
        self.team = self.lane.orchestration if self.team is None and self.lane is not None else None
        self._show()

    def action_scroll_text(self, lines: int) -> None:
        self.query_one("#details-body").scroll_relative(y=lines, animate=False)

    def _question(self) -> Content:
        is_standing = self.check_in is not None and self.check_in.is_standing
        keys = {"key": self._key_name("schedule.cancel"), "pause": self._key_name("schedule.pause")}
        words = (ASK_STANDING if is_standing else ASK_REPEATS).format(**keys)
        return Content.assemble((words, "bold $text-warning"))
