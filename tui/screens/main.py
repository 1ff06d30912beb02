"""`MainScreen`: the fleet at the left, the selected pane and the composer at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Static

from orchestrator_core.errors import TmuxGoneError
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.credit_words import USUAL, Thresholds
from orchestrator_core.models.fleet import Fleet
from orchestrator_core.models.ids import AgentId
from tui.credit_messages import CreditsOpened
from tui.keys import bindings
from tui.messages import (
    AnswerOpened,
    AttachWanted,
    ComposerKey,
    FeedFailed,
    FeedRecovered,
    FrameChanged,
    LogOpened,
    MessagesOpened,
    PauseAllWanted,
    ReceiptsChanged,
    ScheduleOpened,
    Scope,
    Sight,
    SightLost,
    SightWanted,
    SupervisorWanted,
    WhyOpened,
)
from tui.recovery_messages import RecoveryOpened
from tui.team_messages import NewTeamOpened
from tui.widgets.banner import Banner, Notice
from tui.widgets.composer import Addressee, Composer
from tui.widgets.divider import Divider
from tui.widgets.fleet_header import FleetHeader, active_teams, is_all_paused
from tui.widgets.fleet_panel import FleetPanel
from tui.widgets.fleet_rows import Row, RowKind
from tui.widgets.fleet_tree import FleetTree
from tui.widgets.key_bar import KeyBar
from tui.widgets.needs_panel import NeedsPanel
from tui.widgets.panel import Column, SideBySide
from tui.widgets.receipts import Receipts
from tui.widgets.stage import Stage
from tui.widgets.timeline_strip import TimelineStrip
from tui.wording import clean

AGE_S = 5.0
"""How often ages are looked at; they are painted only when they read differently."""
TIMELINE_S = 15.0
"""How often the timeline moves on: a cell of it is about a minute."""
INPUTS_S = 0.1
"""How long after the first fleet the inputs are mounted: nobody types sooner, and the first picture is not kept."""
NOT_OURS = "this is not an agent of tmorch"
NO_AGENT = "select an agent first"
ENDED = "this team has ended"
ENDED_STATUSES = (AgentStatus.EXITED, AgentStatus.FAILED)
SMALLEST = (60, 15)
WIDTHS: list[tuple[int, str]] = [(0, "-too-narrow"), (SMALLEST[0], "-narrow"), (76, "-normal"), (140, "-wide")]
HEIGHTS: list[tuple[int, str]] = [(0, "-too-short"), (SMALLEST[1], "-short"), (30, "-tall"), (50, "-high")]


class MainScreen(Screen[None]):
    """Everything at a glance. It shows what it is given and says what the person wants; it reads nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("main")]
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BLANK = True
    AUTO_FOCUS = "FleetTree"
    HELP = "tmorch runs teams of coding agents in tmux. Select one at the left to see its screen."

    class Ready(Message):
        """The screen can take news from now on."""

    fleet: var[Fleet | None] = var(None, init=False)

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        key_name: Callable[[str], str],
        keys_of: Callable[[str], tuple[str, ...]],
        history_lines: int,
        is_ours: Callable[[Sight], bool],
        thresholds: Thresholds = USUAL,
        nearly_full: float = 0.0,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._key_name = key_name
        self._keys_of = keys_of
        self._failures: dict[str, FeedFailed] = {}
        self._has_inputs = False
        self._timeline_at = 0.0
        self._is_silent = False
        self._abilities: tuple[bool, ...] = ()
        """What the keys depended on when they were shown last."""

        self.header = FleetHeader(thresholds=thresholds, id="header")
        self.panel = FleetPanel(key_name=key_name, nearly_full=nearly_full, id="fleet")
        self.needs = NeedsPanel(key_name=key_name, id="needs")
        new_team_key = key_name("main.new-team")
        self.stage = Stage(history_lines=history_lines, is_ours=is_ours, new_team_key=new_team_key, id="stage")
        self.composer = Composer(key_name=key_name, id="composer")
        self.receipts = Receipts(id="receipts")
        self.timeline = TimelineStrip(clock=clock, id="timeline")
        self._body = SideBySide(id="body")
        self._divider = Divider(id="divider")

    @property
    def fleet_tree(self) -> FleetTree:
        """The tree of the fleet."""
        return self.panel.tree_view

    def compose(self) -> ComposeResult:
        self._take_size_classes()
        yield self.header
        with self._body:
            with Column(id="left"):
                yield self.panel
                yield self.needs
            yield self._divider
            with Column(id="right"):
                yield self.stage
                yield self.composer
                yield self.receipts
        yield self.timeline
        yield KeyBar(keys_of=self._keys_of, extra=self._extra_keys, id="keys")

    def _take_size_classes(self) -> None:
        """Have the classes of the terminal's size from the start: one styling of everything less."""
        for length, breakpoints in ((self.app.size.width, WIDTHS), (self.app.size.height, HEIGHTS)):
            self.set_class(True, max((at, name) for at, name in breakpoints if length >= at)[1], update=False)

    def on_resize(self, event: events.Resize) -> None:
        """Have the words at hand that a terminal shows which is too small for anything else."""
        is_small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        if is_small and not self.query("#too-small"):
            words = f"tmorch needs {SMALLEST[0]} × {SMALLEST[1]} cells. Make this terminal larger."
            self.mount(Static(words, id="too-small", markup=False))
        self.call_after_refresh(self.timeline.show_time)

    def on_mount(self) -> None:
        if self.fleet is None:
            self._show_ages()
            self._aim(by_person=False)
        else:
            self.watch_fleet(self.fleet)
        self.watch(self.fleet_tree, "row", self._on_row, init=False)
        self.post_message(self.Ready())
        self.set_interval(AGE_S, self._show_ages)

    @on(Composer.Moved)
    @on(NeedsPanel.Moved)
    @on(TimelineStrip.Moved)
    def _on_rules_moved(self, event: Message) -> None:
        """Join the rules at the right and at the left of the divider to it."""
        event.stop()
        self._divider.joint = self.composer.region.y - self._body.region.y
        is_shown = self.needs.display and self.needs.region
        self._divider.left_joint = self.needs.region.y - self._body.region.y if is_shown else -1
        self.timeline.join(self._divider.region.x if self._divider.region else -1)

    # -- news -------------------------------------------------------------------------------------

    def watch_fleet(self, fleet: Fleet | None) -> None:
        if fleet is None:
            return
        if not self._has_inputs:
            self._has_inputs = True
            self.set_timer(INPUTS_S, self._mount_inputs)
        with self.app.batch_update():
            self.panel.show_fleet(fleet, self._clock())
            self.header.show(fleet, self._clock())
            self.needs.show(fleet.needs, self._clock())
            self.timeline.show_fleet(fleet)
            self._show_notices()
            self._aim(by_person=False)

    def _mount_inputs(self) -> None:
        """Mount what the first picture does without."""
        self.panel.mount_filter()
        self.composer.mount_input()

    def show_frame(self, event: FrameChanged) -> None:
        """Show a picture of the selected pane."""
        self.stage.show_frame(event.sight, event.frame)

    def show_lost(self, event: SightLost) -> None:
        """Say that the selected pane is gone."""
        self.stage.show_lost(event.sight)

    def show_receipts(self, event: ReceiptsChanged) -> None:
        """Show what became of the latest messages."""
        self.receipts.show(event.agent, event.messages)

    def show_failure(self, event: FeedFailed) -> None:
        """Say which feed failed until it delivers again. A missing tmux server is shown by the fleet already."""
        if not isinstance(event.error, TmuxGoneError):
            self._failures[event.feed] = event
            self._show_notices()

    def show_recovery(self, event: FeedRecovered) -> None:
        """Take back what was said of a feed."""
        if self._failures.pop(event.feed, None):
            self._show_notices()

    def _show_ages(self) -> None:
        now = self._clock()
        self.header.show(self.fleet, now)
        if self.fleet is not None and self.fleet.supervisor.is_silent(now) is not self._is_silent:
            self._show_notices()
        self.needs.show(self.needs.needs, now)
        if abs(now - self._timeline_at) >= TIMELINE_S:
            self._timeline_at = now
            self.timeline.show_time()
        if not self.panel.is_without_match:
            self.stage.show_selection(self.fleet, self.fleet_tree.selected, now)

    def _show_notices(self) -> None:
        notices: list[Notice] = []
        fleet = self.fleet
        self._is_silent = fleet is not None and fleet.supervisor.is_silent(self._clock())
        if fleet is not None and active_teams(fleet) and not fleet.supervisor.running:
            notices.append(
                (
                    "The supervisor is down: messages wait, statuses grow old.",
                    f"{self._key_name('main.start-supervisor')} starts it",
                )
            )
        elif self._is_silent:
            notices.append(
                (
                    "The supervisor does not respond: messages wait, statuses grow old.",
                    "tmorch supervisor stop, then start; agents go on meanwhile",
                )
            )
        for feed, failure in self._failures.items():
            what = f"The {feed} feed failed: {clean(failure.error.title)}"
            notices.append((what, f"{clean(failure.error.cause)} · trying again".lstrip(" ·")))
        if notices and not self.query(Banner):
            self.mount(Banner(id="banner"), after=self.header)
        for banner in self.query(Banner):
            banner.show(tuple(notices))

    # -- the selection ----------------------------------------------------------------------------

    def _on_row(self) -> None:
        self.needs.leave_unless(self.selected_agent)
        self._aim(by_person=True)

    @property
    def selected_agent(self) -> AgentId | None:
        """The agent that is selected in the tree."""
        row = self.fleet_tree.selected
        return row.agent if row else None

    def _aim(self, *, by_person: bool) -> None:
        """Point everything at the selected row; while a filter hides all rows, at what it was before."""
        if self.panel.is_without_match:
            return
        row = self.fleet_tree.selected
        self.stage.show_selection(self.fleet, row, self._clock())
        addressee, why_nobody = self._addressee(row)
        self.composer.aim(addressee, why_nobody=why_nobody, by_person=by_person)
        agent = row.agent if row else None
        self.receipts.aim(agent)
        self.timeline.aim(agent, row.orchestration if row else None)
        self.post_message(SightWanted(self.stage.sight, agent))
        abilities = (
            self.stage.sight is None,
            addressee is None,
            agent is None,
            row is None or row.is_open is None,
            bool(self.needs.needs),
            bool(self._extra_keys()),
        )
        if abilities != self._abilities:
            self._abilities = abilities
            self.refresh_bindings()

    def _extra_keys(self) -> tuple[str, ...]:
        """Return what the key bar names only while there is nothing else to do, or where an agent has ended."""
        row = self.fleet_tree.selected
        if row is not None and row.status in ENDED_STATUSES and not row.is_quiet:
            return ("main.recovery",)
        return () if self.fleet is None or active_teams(self.fleet) else ("main.new-team",)

    def _addressee(self, row: Row | None) -> tuple[Addressee | None, str]:
        if row is not None and row.kind is RowKind.WINDOW:
            return None, NOT_OURS
        if row is None or row.agent is None:
            return None, NO_AGENT
        if row.is_quiet:
            return None, ENDED
        return Addressee(agent=row.agent, role=row.label, orchestration=str(row.orchestration)), ""

    # -- what the person does ---------------------------------------------------------------------

    def action_filter(self) -> None:
        self.panel.open_filter()

    def action_message(self) -> None:
        self._zoom(False)
        self.composer.focus_input()

    def action_zoom(self) -> None:
        zoomed = not self.has_class("-zoomed")
        self._zoom(zoomed)
        (self.stage.pane_view if zoomed else self.fleet_tree).focus()

    def _zoom(self, zoomed: bool) -> None:
        self.set_class(zoomed, "-zoomed")
        self.timeline.show_time()
        self.stage.note = f"{self._key_name('main.zoom')} back" if zoomed else ""
        self._show_ages()

    def action_back(self) -> None:
        """Leave what was opened last: the zoom, the composer, the filter."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.focused is not self.fleet_tree:
            self.fleet_tree.focus()
        elif self.panel.is_filtering:
            self.panel.clear_filter()

    @on(ComposerKey)
    def _on_composer_left(self, event: ComposerKey) -> None:
        event.stop()
        self.fleet_tree.focus()

    def action_attach(self) -> None:
        row = self.fleet_tree.selected
        if self.stage.sight is not None and row is not None:
            self.post_message(AttachWanted(self.stage.sight, row.label))

    def action_start_supervisor(self) -> None:
        self.post_message(SupervisorWanted())

    def action_go_to(self, agent: AgentId) -> None:
        """Select an agent, wherever it is."""
        self.panel.select(f"agent:{agent}")
        self.fleet_tree.focus()

    def write(self, agent: AgentId, text: str) -> None:
        """Let the person write to an agent; the text begins with `text` unless there is a draft."""
        self.action_message()
        self.composer.give_back(agent, text)

    # -- what needs the person --------------------------------------------------------------------

    @on(NeedsPanel.Selected)
    def _on_need_selected(self, event: NeedsPanel.Selected) -> None:
        event.stop()
        self.panel.select(f"agent:{event.need.agent}")
        self.refresh_bindings()

    @on(NeedsPanel.Emptied)
    def _on_needs_emptied(self, event: NeedsPanel.Emptied) -> None:
        event.stop()
        self.fleet_tree.focus()

    @property
    def shows_needs(self) -> bool:
        """Whether what needs the person is listed on the screen."""
        return not any(map(self.has_class, ("-zoomed", "-too-narrow", "-too-short")))

    def action_next_need(self) -> None:
        """Go to the next need; its agent's pane is shown."""
        if self.needs.go_on(self.selected_agent) is None:
            self.notify("Nobody needs you", markup=False)
        elif not self.has_class("-zoomed"):
            self.needs.needs_list.focus()

    def action_answer(self) -> None:
        """Open the selected need, else that of the selected agent, else the oldest."""
        needs = self.needs
        need = needs.selected or needs.need_of(self.selected_agent) or next(iter(needs.needs), None)
        if need is not None:
            self.post_message(AnswerOpened(need))

    def action_messages(self) -> None:
        """Open the messages of the selected agent, or all."""
        self.post_message(MessagesOpened(Scope(agent=self.selected_agent or "")))

    def action_log(self) -> None:
        """Open the log of the selected agent's team, or all."""
        row = self.fleet_tree.selected
        self.post_message(LogOpened(Scope(orchestration=(row and row.orchestration) or "")))

    def action_schedule(self) -> None:
        """Open the schedule at the selected agent's lane."""
        self.post_message(ScheduleOpened(self.selected_agent))

    def action_credits(self) -> None:
        self.post_message(CreditsOpened())

    def action_pause_all(self) -> None:
        """Pause all teams; when all are, let all go on."""
        if self.fleet is not None:
            self.post_message(PauseAllWanted(paused=not is_all_paused(self.fleet)))

    def action_recovery(self) -> None:
        """Open what is missing of the teams, at the selected row."""
        row = self.fleet_tree.selected
        self.post_message(RecoveryOpened(row.orchestration if row else None, self.selected_agent))

    def action_new_team(self) -> None:
        self.post_message(NewTeamOpened())

    def action_why(self) -> None:
        if self.selected_agent is not None:
            self.post_message(WhyOpened(self.selected_agent))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the selected row."""
        if action in ("attach", "zoom"):
            return self.stage.sight is not None or (action == "zoom" and self.has_class("-zoomed"))
        if action == "message":
            return self.composer.addressee is not None
        if action == "answer":
            return bool(self.needs.needs)
        if action == "pause_all":
            return self.fleet is not None and bool(active_teams(self.fleet))
        if action == "why":
            return self.selected_agent is not None
        if action == "start_supervisor":
            return self.fleet is None or not self.fleet.supervisor.running
        return True
