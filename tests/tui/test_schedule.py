"""The schedule's screen: what it shows, how it is gone through, and what is done on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace
from textual.geometry import Region

from orchestrator_core.check_ins import CheckIns
from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import RefusedError, StoreError, UsageError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import CheckInKind, CheckInState
from orchestrator_core.models.fleet import SupervisorHealth
from orchestrator_core.models.ids import AgentId, CheckInId
from orchestrator_core.models.timeline import TickKind, Timeline
from orchestrator_core.store import Store, open_store
from tests.polling import aeventually
from tests.tui.samples import MINUTE, NOW, lane, shop, three_teams, tick
from tests.tui.schedules import check_in, crowd, day, numbered
from tests.tui.stage import Stage, running, staged
from tui.schedule_choice import Spot, beside, found_again
from tui.schedule_words import from_now, preview_words
from tui.screens.check_in_form import CheckInForm
from tui.screens.messages import MessagesScreen
from tui.screens.schedule import ScheduleScreen
from tui.timeline_plan import Scale, plan_lane

T = TypeVar("T")
DEVELOPER = AgentId("shop-3f2a:developer")
TESTER = AgentId("shop-3f2a:tester")
MERGE = "merge the payments branch"
LARGE = (160, 40)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.check_ins.schedule = day()
    return made


def screen_of(stage: Stage) -> ScheduleScreen:
    """Return the schedule, wherever in the stack it is."""
    return next(screen for screen in stage.app.screen_stack if isinstance(screen, ScheduleScreen))


async def read(stage: Stage) -> None:
    """Wait until what is shown was read."""
    await stage.settle()
    await aeventually(lambda: not screen_of(stage).is_reading)
    await stage.settle()


async def opened(stage: Stage, agent: AgentId = DEVELOPER, *keys: str) -> ScheduleScreen:
    """Open the schedule at an agent's lane, then press keys."""
    stage.main.action_go_to(agent)
    await stage.press("s")
    await aeventually(lambda: isinstance(stage.app.screen, ScheduleScreen))
    await read(stage)
    for key in keys:
        await stage.press(key)
        await read(stage)
    return screen_of(stage)


def note_of(screen: ScheduleScreen) -> str:
    """Return the note of the selected moment."""
    return screen.selected.note if screen.selected else ""


def form_of(stage: Stage) -> CheckInForm:
    """Return the form that is open."""
    form = stage.app.screen
    assert isinstance(form, CheckInForm)
    return form


# -- choosing, pure ---------------------------------------------------------------------------------


def test_what_was_due_is_found_again_as_what_fired() -> None:
    due = Spot(CheckInId(1), TickKind.DUE, NOW)
    fired, following = tick(0.1, TickKind.SENT), tick(30, TickKind.DUE)
    assert found_again(due, [fired, following]) == fired
    assert found_again(due, [tick(2), tick(30, TickKind.REPEAT)]) == tick(2)
    assert found_again(due, [tick(0, TickKind.RESET)]) is None


def test_from_out_of_view_the_nearest_edge_is_next() -> None:
    lane_ = lane("a-1:x", tick(-90), tick(-50, TickKind.SKIPPED), tick(5), tick(9), tick(200))
    planned = plan_lane(lane_, Scale(NOW, 60, 60), NOW)
    late, skipped, five, nine, far = (lane_.ticks[i] for i in range(5))
    assert beside(None, lane_, planned, 1) == late
    assert beside(far, lane_, planned, -1) == nine
    assert beside(late, lane_, planned, 1) == skipped, "what is overdue stands first"
    assert beside(nine, lane_, planned, 1) == far
    assert beside(nine, lane_, planned, -1) == five
    assert beside(late, lane_, planned, -1) is None


def test_words() -> None:
    assert [from_now(NOW + s, NOW) for s in (0, 720, -720)] == ["now", "in 12 min", "12 min ago"]
    times = [NOW + MINUTE * i for i in (30, 60, 90)]
    assert preview_words(times, NOW) == "first at 22:43, in 30 min; then 23:13 and 23:43"
    assert preview_words(times[:1], NOW) == "once, at 22:43:20, in 30 min"


# -- what is shown ----------------------------------------------------------------------------------


async def test_it_opens_at_the_selected_agent_with_what_comes_next(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        assert screen.agent == DEVELOPER
        assert screen.selected is not None
        assert screen.selected.at == NOW + 21 * MINUTE
        text = stage.screen_text()
        assert "Schedule of all teams Tue 14 Nov 21:26 – Wed 15 Nov 00:26 1 overdue" in text
        assert "3 h at once" in text
        assert "22:34:20, in 21 min" in text
        assert "every 30 min" in text
        assert "kept by tmorch" in text
        assert "done to all that it is going to fire" in text
        await stage.press("escape")
        assert stage.is_on_main
        assert stage.selected == f"agent:{DEVELOPER}"


async def test_going_through_a_lane_and_from_lane_to_lane(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "right", "right")
        assert note_of(screen) == MERGE
        assert "set by you 1 h 30 min ago" in stage.screen_text()
        await stage.press("down")
        assert screen.agent == TESTER
        assert screen.selected is not None
        assert screen.selected.kind is TickKind.OVERDUE
        assert "! overdue" in stage.screen_text()
        assert "it asks for permission" in stage.screen_text()
        await stage.press("up", "up", "left")
        assert screen.agent == "shop-3f2a:project_manager"


async def test_a_refusal_is_said_with_its_reason(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, AgentId("api-77c1:tester"), "right")
        assert screen.selected is not None
        assert screen.selected.kind is TickKind.SENT
        text = stage.screen_text()
        assert "✖ fired, refused" in text
        assert "its pane is gone" in text
        await stage.press("left")
        await read(stage)
        assert "† dead" in stage.screen_text()
        assert "the agent has ended" in stage.screen_text()


async def test_a_moment_out_of_view_is_brought_into_view(stage: Stage) -> None:
    stage.facade.check_ins.schedule = numbered([lane(DEVELOPER, tick(20, note="a"), tick(280, note="b"))])
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "right")
        assert note_of(screen) == "b"
        assert "stays here" in stage.screen_text()
        assert screen._scale.holds(NOW + 280 * MINUTE)
        await stage.press("0")
        await read(stage)
        assert note_of(screen) == "a"
        assert "moves on" in stage.screen_text()


async def test_zoom_keeps_what_is_selected_in_view(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "right", "right")
        for words, key in (("1 h", "plus"), ("15 min", "plus"), ("15 min", "equals_sign"), ("1 h", "minus")):
            await stage.press(key)
            await read(stage)
            assert f"{words} at once" in stage.screen_text()
            assert screen._scale.holds(NOW + 64 * MINUTE)
        assert note_of(screen) == MERGE
        for _ in range(9):
            await stage.press("minus")
        await read(stage)
        assert "1 week at once" in stage.screen_text()
        window = stage.facade.check_ins.windows[-1]
        assert window.step_s == screen._scale.step_s
        assert window.start < screen._scale.start < screen._scale.end < window.end


async def test_panning_reads_what_is_shown(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        before = screen._scale.start
        for _ in range(4):
            await stage.press("right_square_bracket")
            await read(stage)
        assert screen._scale.start == pytest.approx(before + 6 * 3600, abs=240)
        window = stage.facade.check_ins.windows[-1]
        assert window.start <= screen._scale.start < screen._scale.end <= window.end
        assert "not in view" in stage.screen_text()
        await stage.press("home")
        await read(stage)
        assert screen._scale.start == before


async def test_only_one_team_and_all_again(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "o")
        assert [line.name for line in screen.lane_list.lines] == [
            "orchestrator", "project_manager", "developer", "tester", "testrunner",
        ]  # fmt: skip
        assert "Schedule of shop-3f2a" in stage.screen_text()
        await stage.press("escape")
        assert len(screen.lane_list.lines) == 14
        await stage.press("s")
        assert stage.is_on_main


async def test_nothing_is_scheduled(stage: Stage) -> None:
    stage.facade.check_ins.schedule = Timeline(start=0, end=1)
    async with running(stage, size=(80, 24)):
        await opened(stage, DEVELOPER, "j", "right", "x", "full_stop", "plus")
        assert "nothing is due" in stage.screen_text()
        assert "moves on" in stage.screen_text()
        assert stage.facade.check_ins.calls == []


async def test_fifty_lanes_scroll_and_only_what_changed_is_painted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.facade.check_ins.schedule = crowd()
    async with running(stage, size=(200, 60)):
        screen = await opened(stage)
        await stage.press(*["pagedown"] * 4)
        assert screen.agent == "team-002d:devops"
        assert screen.lane_list.scroll_offset.y == 50 - screen.lane_list.size.height
        painted: list[tuple[object, ...]] = []
        monkeypatch.setattr(screen.lane_list, "refresh", lambda *regions, **_: painted.append(regions))
        await stage.press("k")
        height = screen.lane_list.size.height
        assert painted == [(Region(0, y, 200, 1),) for y in (height - 2, height - 1)]


# -- news -------------------------------------------------------------------------------------------


async def test_what_is_set_elsewhere_is_there_at_once_and_the_selection_stays(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "right", "right")
        lanes = day().lanes
        more = replace(lanes[2], ticks=(tick(1, note="new one"), *lanes[2].ticks))
        stage.facade.check_ins.schedule = numbered((*lanes[:2], more, *lanes[3:]))
        known = len(stage.facade.check_ins.windows)
        stage.facade.publish(replace(three_teams(), schedule_version=(3, 1)))
        await aeventually(lambda: len(stage.facade.check_ins.windows) > known)
        await read(stage)
        assert screen.selected is not None
        ticks = screen.lane.ticks if screen.lane else ()
        assert "new one" in [each.note for each in ticks]


async def test_news_that_come_while_it_reads_are_one_more_reading(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        before = len(stage.facade.check_ins.windows)
        for _ in range(20):
            screen.store_changed()
        await read(stage)
        assert len(stage.facade.check_ins.windows) == before + 2


async def test_a_reading_that_fails_is_said(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        stage.facade.fail("timeline", StoreError("the database is locked", cause="another program holds it"))
        screen.store_changed()
        await read(stage)
        assert "The database is locked" in stage.screen_text()
        screen.store_changed()
        await read(stage)
        assert "The database is locked" not in stage.screen_text()


async def test_a_supervisor_that_is_down_and_a_paused_team_are_said(stage: Stage) -> None:
    lanes = tuple(replace(each, is_paused=each.orchestration == "shop-3f2a") for each in day().lanes)
    stage.facade.check_ins.schedule = replace(day(), lanes=lanes)
    async with running(stage, size=LARGE):
        await opened(stage)
        stage.facade.publish(replace(three_teams(), supervisor=SupervisorHealth(running=False)))
        await aeventually(lambda: "supervisor down: nothing fires" in stage.screen_text())
        assert "⏸ shop-3f2a paused" in stage.screen_text()
        assert "nothing fires for this team until it is resumed" in stage.screen_text()
        await stage.press("p")
        await aeventually(lambda: bool(stage.facade.check_ins.calls))
        assert stage.facade.check_ins.calls == [("pause", "shop-3f2a", False)]


# -- changes ----------------------------------------------------------------------------------------


async def test_ten_presses_are_one_move(stage: Stage) -> None:
    stage.facade.check_ins.may_change.clear()
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "end", *["l"] * 2)
        number = screen.check_in and screen.check_in.id
        assert note_of(screen) == MERGE
        await stage.press(*["full_stop"] * 9, "greater_than_sign", "comma")
        assert "to 23:30:20, in 1 h 17 min" in stage.screen_text()
        calls = stage.facade.check_ins.calls
        await aeventually(lambda: bool(calls))
        await stage.settle()
        assert calls == [("move", number, NOW + (64 + 9 + 5 - 1) * MINUTE)]
        stage.facade.check_ins.may_change.set()
        await aeventually(lambda: "to 23:30:20" not in stage.screen_text())
        await read(stage)
        assert "23:17:20, in 1 h 4 min" in stage.screen_text(), "the truth: nothing was moved"


async def test_a_move_that_is_refused_is_said_and_taken_back(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        await opened(stage)
        stage.facade.fail("move", RefusedError("the team does not run", cause="it is stopped"))
        await stage.press("full_stop")
        await aeventually(lambda: "the team does not run" in stage.screen_text())
        await stage.settle()
        assert "22:34:20, in 21 min" in stage.screen_text()


async def test_nothing_is_moved_into_the_past(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        await opened(stage, DEVELOPER, *["less_than_sign"] * 7)
        await aeventually(lambda: bool(stage.facade.check_ins.calls))
        assert stage.facade.check_ins.calls[-1][2] == NOW


async def test_what_is_dead_can_be_set_again_but_not_earlier(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, AgentId("api-77c1:tester"), "right", "left")
        assert screen.check_in is not None
        assert screen.check_in.state is CheckInState.DEAD
        await stage.press("comma", "f", "e", "x", "greater_than_sign")
        await aeventually(lambda: bool(stage.facade.check_ins.calls))
        assert stage.facade.check_ins.calls == [("move", screen.check_in.id, NOW + 5 * MINUTE)]


async def test_what_fires_once_is_cancelled_at_once_what_repeats_after_a_question(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        calls = stage.facade.check_ins.calls
        await stage.press("x")
        assert "tmorch keeps it and is going to set another one; p pauses the team. x again" in stage.screen_text()
        await stage.press("escape")
        assert isinstance(stage.app.screen, ScheduleScreen)
        await stage.press("x", "right")
        assert "again cancels" not in stage.screen_text()
        assert calls == []
        standing = screen.check_in and screen.check_in.id
        await stage.press("x", "x")
        await aeventually(lambda: calls == [("cancel", standing)])
        await stage.press("right", "x")
        once = screen.check_in and screen.check_in.id
        await aeventually(lambda: calls[1:] == [("cancel", once)])


async def test_firing_and_an_error(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        stage.facade.fail("fire", RefusedError("check-in 5 has ended", cause="it is fired"))
        await stage.press("f")
        await aeventually(lambda: "check-in 5 has ended" in stage.screen_text())
        assert stage.facade.check_ins.calls == [("fire", screen.check_in and screen.check_in.id)]


async def test_ways_to_the_agent_and_its_messages(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        await opened(stage, DEVELOPER, "M")
        messages = stage.app.screen
        assert isinstance(messages, MessagesScreen)
        assert messages.query_now.scope.agent == DEVELOPER
        assert messages.query_now.scope.partner == "check-in"
        await stage.press("escape", "down", "enter")
        assert stage.is_on_main
        assert stage.selected == f"agent:{TESTER}"
        await opened(stage)
        await stage.press("m")
        await aeventually(lambda: stage.app.focused is stage.input)


# -- the form ---------------------------------------------------------------------------------------


async def test_a_check_in_is_written_and_set(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        await opened(stage, DEVELOPER, "a")
        await stage.press("enter")
        assert "Write what it is to be told first" in stage.screen_text()
        await stage.press(*"look", "space", *"now", "down", *"0.5")
        await aeventually(lambda: "Once, at 22:13:50, in 30 s" in stage.screen_text())
        await stage.press("ctrl+t")
        await aeventually(lambda: "First at 22:13, in 30 s; then 22:14 and 22:14" in stage.screen_text())
        await stage.press("enter")
        await aeventually(lambda: isinstance(stage.app.screen, ScheduleScreen))
        (request,) = stage.facade.check_ins.requests
        assert (request.note, request.delay_s, request.repeats) == ("look now", 30, True)
        assert stage.facade.check_ins.calls == [("add", DEVELOPER)]


async def test_what_is_no_time_is_said_and_a_draft_outlives_an_error(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        await opened(stage, DEVELOPER, "a", *"look", "down", *"soon")
        assert "'soon' is no time: write minutes" in stage.screen_text()
        await stage.press("enter")
        assert stage.facade.check_ins.calls == []
        await stage.press("ctrl+t", "ctrl+t", *"99", "space", *"9")
        stage.facade.fail("add", UsageError("that is no cron expression", cause="it has 2 fields"))
        await stage.press("enter")
        await aeventually(lambda: "That is no cron expression" in stage.screen_text())
        form = form_of(stage)
        assert form.rhythm is CheckInKind.CRON
        assert [field.value for field in (form._note, form._when)] == ["look", "99 9"]
        await stage.press("ctrl+t")
        assert form._when.value == "soon", "each rhythm keeps its own"
        await stage.press("escape")
        assert isinstance(stage.app.screen, ScheduleScreen)


async def test_editing_a_note(stage: Stage) -> None:
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "right", "right", "e")
        number = screen.check_in and screen.check_in.id
        assert MERGE in stage.screen_text()
        await stage.press("!", "enter")
        await aeventually(lambda: isinstance(stage.app.screen, ScheduleScreen))
        assert stage.facade.check_ins.calls == [("reword", number, f"{MERGE}!")]


# -- over a real store ------------------------------------------------------------------------------


class RealSchedule:
    """A stage whose schedule is the real one, over a real database."""

    def __init__(self, stage: Stage, path: Path) -> None:
        self.stage = stage
        self.store = open_store(path)
        self.elsewhere = open_store(path)
        team = shop()
        with self.store.transaction():
            self.store.orchestrations.claim(team.orchestration)
            for view in team.agents:
                self.store.agents.add(view.agent)
        object.__setattr__(stage.facade, "check_ins", self.facade_over(self.store))

    def facade_over(self, store: Store) -> CheckIns:
        async def ask(question: Callable[[], T], /) -> T:
            return await asyncio.to_thread(question)

        async def find(target: str) -> Agent:
            return store.agents.get(AgentId(target))

        return CheckIns(
            store, ScheduleSettings(), ask, find=find, caller=lambda: None, wake=lambda: None,
            clock=lambda: self.stage.now,
        )  # fmt: skip

    def changed(self) -> None:
        """Let the app have the fleet with the schedule's version as it is now."""
        self.version = getattr(self, "version", 0) + 1
        self.stage.facade.publish(replace(three_teams(), schedule_version=(self.version, 0)))


async def test_adding_moving_and_cancelling_are_in_the_database(stage: Stage, tmp_path: Path) -> None:
    real = RealSchedule(stage, tmp_path / "tmorch.db")
    async with running(stage, size=LARGE):
        screen = await opened(stage, DEVELOPER, "a", *"tests", "down", *"30", "enter")
        await aeventually(lambda: isinstance(stage.app.screen, ScheduleScreen) and note_of(screen) == "tests")
        (added,) = real.elsewhere.check_ins.active()
        assert (added.target, added.note, added.due_at) == (DEVELOPER, "tests", NOW + 30 * MINUTE)
        await stage.press(*["full_stop"] * 10)
        await aeventually(lambda: real.elsewhere.check_ins.get(added.id).due_at == NOW + 40 * MINUTE)
        await aeventually(lambda: "22:53:20, in 40 min" in stage.screen_text())
        assert screen.selected is not None
        assert screen.selected.at == NOW + 40 * MINUTE
        await stage.press("x")
        await aeventually(lambda: real.elsewhere.check_ins.get(added.id).state is CheckInState.CANCELLED)
        await aeventually(lambda: screen.selected is None)


async def test_a_change_by_another_connection_appears(stage: Stage, tmp_path: Path) -> None:
    real = RealSchedule(stage, tmp_path / "tmorch.db")
    async with running(stage, size=LARGE):
        screen = await opened(stage)
        real.elsewhere.check_ins.add(check_in(0, TESTER, "from elsewhere", NOW + 50 * MINUTE))
        real.changed()
        await aeventually(lambda: "from elsewhere" in stage.screen_text())
        await stage.press("down")
        assert screen.agent == TESTER
        assert note_of(screen) == "from elsewhere"
