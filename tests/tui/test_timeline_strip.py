"""The strip of the timeline on the main screen: what it shows, when it is read, and how it gives way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.geometry import Region

from orchestrator_core.errors import StoreError
from orchestrator_core.models.fleet import Fleet, SupervisorHealth
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.timeline import TickKind, Timeline
from tests.polling import aeventually
from tests.tui.samples import (
    MINUTE,
    NOW,
    check_ins_due,
    lane,
    no_teams,
    schedule,
    sent,
    shop,
    standing,
    three_teams,
    tick,
    with_agent,
)
from tests.tui.stage import Stage, running, staged
from tui.messages import ScheduleOpened, Wish
from tui.timeline_plan import plan_on, sliding
from tui.widgets.strip_lines import (
    SPAN_S,
    Chosen,
    chosen_lanes,
    covers,
    is_unsettled,
    lane_name,
    room_for,
    schedule_of,
    title_notes,
)
from tui.widgets.timeline_lanes import LaneLine, head_width, lay_out, name_width

SHOP, API = OrchestrationId("shop-3f2a"), OrchestrationId("api-77c1")
DEVELOPER, TESTER = AgentId("shop-3f2a:developer"), AgentId("shop-3f2a:tester")
SCALE = sliding(NOW, width=60, span_s=SPAN_S, back_s=15 * MINUTE)
LARGE = (200, 60)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def planned(home: Path, timeline: Timeline | None = None, fleet: Fleet | None = None) -> Stage:
    """Return a stage with a schedule."""
    made = staged(home, fleet)
    made.facade.check_ins.schedule = schedule() if timeline is None else timeline
    return made


def of(*lanes_: tuple[str, float, str]) -> Timeline:
    """Return a timeline of one tick per lane: agent, minutes and kind."""
    made = tuple(lane(agent, tick(minutes, TickKind(kind))) for agent, minutes, kind in lanes_)
    return Timeline(start=NOW, end=NOW + SPAN_S, lanes=made)


def shown(stage: Stage) -> list[str]:
    """Return the names of the lanes."""
    return [line.name for line in stage.main.timeline.lines]


def rows(stage: Stage) -> list[str]:
    """Return the lines of the screen that the strip takes, its title first."""
    region = stage.main.timeline.region
    return stage.screen_text().split("\n")[region.y : region.bottom]


def has_height(stage: Stage, height: int) -> bool:
    """Whether the strip takes so many rows."""
    return stage.main.timeline.region.height == height


async def is_shown(stage: Stage) -> None:
    """Wait until the strip is there."""
    await aeventually(lambda: stage.main.timeline.region.height > 0)
    await stage.settle()


# -- which lanes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "lanes"),
    [(80, 15, 0), (80, 19, 0), (80, 24, 1), (100, 30, 3), (120, 36, 4), (200, 60, 8), (64, 24, 0), (64, 30, 1)],
)
def test_the_preview_is_worth_more_than_lanes(width: int, height: int, lanes: int) -> None:
    assert room_for(width, height) == lanes


def names_of(timeline: Timeline, room: int, agent: AgentId | None = None, team: OrchestrationId | None = None) -> str:
    found = chosen_lanes(timeline.lanes, SCALE, room, Chosen(agent=agent, team=team))
    return " ".join(lane_name(lane_, team, is_alone=False) for lane_ in found)


def test_the_selected_team_comes_first_then_whoever_has_something() -> None:
    timeline = schedule()
    assert names_of(timeline, 3, team=SHOP) == "orchestrator project_manager developer"
    assert names_of(timeline, 6, team=API) == (
        "orchestrator developer tester devops shop:orchestrator shop:project_manager"
    )
    assert names_of(timeline, 2) == "shop:orchestrator shop:project_manager"


def test_the_selected_agent_is_among_those_that_are_shown() -> None:
    assert names_of(schedule(), 1, TESTER, SHOP) == "tester"
    assert names_of(schedule(), 3, TESTER, SHOP) == "project_manager developer tester"
    researcher = AgentId("api-77c1:researcher")
    assert names_of(schedule(), 9, researcher, API).split()[:5] == [
        "orchestrator", "developer", "tester", "devops", "researcher",
    ]  # fmt: skip


def test_a_lane_with_nothing_in_view_is_left_out() -> None:
    timeline = of(("a-1:late", -900, "overdue"), ("a-1:far", 200, "due"), ("a-1:old", -40, "sent"))
    assert names_of(timeline, 8) == "a:late"
    assert names_of(of(("a-1:far", 200, "due")), 8, AgentId("a-1:far"), OrchestrationId("a-1")) == ""


# -- the title -------------------------------------------------------------------------------------


def notes(timeline: Timeline, *, is_down: bool = False, shown: int = 1) -> str:
    return "".join(text for text, _ in title_notes(timeline, NOW, is_down=is_down, shown=shown))


def test_the_title_says_what_keeps_check_ins_from_firing() -> None:
    assert notes(schedule(), shown=13) == " 1 overdue ─"
    assert notes(schedule(), shown=4) == " 1 overdue · 9 more ─"
    assert notes(schedule(), is_down=True, shown=13) == " supervisor down · 1 overdue ─"
    paused = Timeline(start=0, end=1, lanes=(lane("shop-3f2a:tester", tick(5), is_paused=True),))
    assert notes(paused) == " ⏸ shop-3f2a paused ─"
    both = replace(paused, lanes=(*paused.lanes, lane("api-77c1:tester", is_paused=True)))
    assert notes(both) == " ⏸ 2 teams paused ─"
    assert notes(of(("a-1:x", 5, "due"))) == ""
    assert notes(Timeline(start=0, end=1), shown=0) == " nothing is due ─"


# -- what is read ----------------------------------------------------------------------------------


def test_what_a_timeline_depends_on() -> None:
    fleet = three_teams()
    same = with_agent(fleet, DEVELOPER, doing="something else")
    assert schedule_of(same) == schedule_of(fleet)
    paused = replace(shop(), orchestration=replace(shop().orchestration, check_ins_paused_at=NOW))
    for other in (
        replace(fleet, schedule_version=(1, 0)),
        replace(fleet, teams=(paused, *fleet.teams[1:])),
        with_agent(fleet, DEVELOPER, limited_until=NOW + 5),
    ):
        assert schedule_of(other) != schedule_of(fleet)


def test_a_receipt_that_may_still_change() -> None:
    def timeline(minutes: float, state: MessageState) -> Timeline:
        return Timeline(start=0, end=1, lanes=(lane("a-1:x", sent(minutes, state)),))

    assert is_unsettled(timeline(9, MessageState.QUEUED), NOW)
    assert is_unsettled(timeline(0.5, MessageState.DELIVERED), NOW)
    assert not is_unsettled(timeline(5, MessageState.DELIVERED), NOW)
    assert not is_unsettled(timeline(0.5, MessageState.ACKNOWLEDGED), NOW)
    assert not is_unsettled(Timeline(start=0, end=1, lanes=(lane("a-1:x", tick(4)),)), NOW)


async def test_the_strip_reads_what_it_shows_once(isolated_home: Path) -> None:
    settled = of(("shop-3f2a:developer", 40, "due"))
    async with running(planned(isolated_home, settled), size=LARGE) as stage:
        await is_shown(stage)
        (window,) = stage.facade.check_ins.windows
        assert covers(window, stage.main.timeline.lines[0].plan.scale)
        await stage.press("j", "j", "k")
        stage.facade.publish(with_agent(three_teams(), DEVELOPER, doing="something else"))
        await aeventually(lambda: "something else" in stage.screen_text())
        stage.now += 20
        stage.main._show_ages()
        await stage.settle()
        assert stage.facade.check_ins.windows == [window]


async def test_a_check_in_that_was_set_elsewhere_is_there_at_once(isolated_home: Path) -> None:
    async with running(planned(isolated_home, of(("shop-3f2a:tester", 5, "due"))), size=LARGE) as stage:
        await is_shown(stage)
        assert shown(stage) == ["tester"]
        both = of(("shop-3f2a:developer", 61, "due"), ("shop-3f2a:tester", 5, "due"))
        stage.facade.check_ins.schedule = both
        stage.facade.publish(replace(three_teams(), schedule_version=(7, 0)))
        await aeventually(lambda: shown(stage) == ["developer", "tester"])
        await stage.settle()
        assert "◉23:14" in rows(stage)[1]


async def test_a_receipt_that_comes_in_is_shown(isolated_home: Path) -> None:
    def fired(state: MessageState) -> Timeline:
        return Timeline(start=NOW, end=NOW + 1, lanes=(lane("shop-3f2a:tester", sent(1, state, "run the suite")),))

    async with running(planned(isolated_home, fired(MessageState.QUEUED)), size=LARGE) as stage:
        await is_shown(stage)
        assert "…│" in rows(stage)[1]
        stage.facade.check_ins.schedule = fired(MessageState.ACKNOWLEDGED)
        stage.facade.publish(with_agent(three_teams(), TESTER, queued=0, doing="run the suite"))
        await aeventually(lambda: "✔│" in rows(stage)[1])


async def test_it_is_read_again_when_the_minute_turns(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=LARGE) as stage:
        await is_shown(stage)
        before = len(stage.facade.check_ins.windows)
        stage.now += MINUTE
        stage.main._show_ages()
        await aeventually(lambda: len(stage.facade.check_ins.windows) == before + 1)


async def test_a_reading_that_fails_is_said_and_done_again(isolated_home: Path) -> None:
    made = planned(isolated_home)
    made.facade.fail("timeline", StoreError("the database is locked", cause="another program holds it"))
    async with running(made, size=LARGE) as stage:
        await is_shown(stage)
        assert len(stage.facade.check_ins.windows) == 2
        await aeventually(lambda: "timeline feed failed" not in stage.screen_text())


# -- on the screen ---------------------------------------------------------------------------------


async def test_the_lanes_stand_under_their_axis(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=(120, 36)) as stage:
        await is_shown(stage)
        title, *lanes = rows(stage)
        assert title.startswith("─ Timeline ─")
        assert "▼now 22:13" in title
        assert title.endswith(" 1 overdue · 9 more ─")
        assert shown(stage) == ["orchestrator", "project_manager", "developer", "tester"]
        assert {line.index("│") for line in lanes} == {title.index("▼")}
        assert lanes[0].startswith("▌orchestrator ")
        assert " !1 " in lanes[3]
        assert all(cell_len(line) == 120 for line in (title, *lanes))


async def test_the_now_line_moves_with_the_clock_and_what_is_planned_stays(isolated_home: Path) -> None:
    timeline = of(("shop-3f2a:developer", 40, "due"))
    async with running(planned(isolated_home, timeline), size=LARGE) as stage:
        await is_shown(stage)
        before = rows(stage)
        step_s = stage.main.timeline.lines[0].plan.scale.step_s
        for turn in range(1, 4):
            stage.now = NOW + turn * step_s
            stage.main._show_ages()
            await stage.settle()
            line = rows(stage)[1]
            assert line.index("│") == before[1].index("│"), "the present stays where it is"
            assert line.index("◉") == before[1].index("◉") - turn, "and what is to come comes nearer"


async def test_a_check_in_that_nobody_fires_becomes_overdue_by_itself(isolated_home: Path) -> None:
    async with running(planned(isolated_home, of(("shop-3f2a:developer", 0.5, "due"))), size=LARGE) as stage:
        await is_shown(stage)
        assert "overdue" not in rows(stage)[0]
        stage.now += MINUTE
        stage.main._show_ages()
        await stage.settle()
        assert "1 overdue" in rows(stage)[0]
        assert "!1" in rows(stage)[1]


async def test_a_supervisor_that_is_down_is_said_in_the_title(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=LARGE) as stage:
        await is_shown(stage)
        stage.facade.publish(replace(three_teams(), supervisor=SupervisorHealth(running=False)))
        await aeventually(lambda: "supervisor down · 1 overdue" in rows(stage)[0])


async def test_a_paused_team_is_marked(isolated_home: Path) -> None:
    paused = Timeline(start=0, end=1, lanes=(lane("shop-3f2a:tester", *standing(5), is_paused=True),))
    async with running(planned(isolated_home, paused), size=LARGE) as stage:
        await is_shown(stage)
        assert "⏸ shop-3f2a paused" in rows(stage)[0]
        assert " ⏸ " in rows(stage)[1]


async def test_selecting_another_team_shows_its_lanes(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=(120, 36)) as stage:
        await is_shown(stage)
        lanes_begin = rows(stage)[0].index("▼")
        stage.main.action_go_to(AgentId("api-77c1:devops"))
        await aeventually(lambda: shown(stage) == ["orchestrator", "developer", "tester", "devops"])
        await stage.settle()
        assert rows(stage)[4].startswith("▌devops")
        assert rows(stage)[0].index("▼") == lanes_begin, "nothing else moves"


async def test_what_agents_write_is_no_markup_and_one_line(isolated_home: Path) -> None:
    wild = tick(30, note="[red]x[/]\n\x1b[31my")
    timeline = Timeline(start=0, end=1, lanes=(lane("shop-3f2a:tester", wild),))
    async with running(planned(isolated_home, timeline), size=LARGE) as stage:
        await is_shown(stage)
        assert "[red]x[/] [31my" in rows(stage)[1]


async def test_it_takes_its_room_by_the_size_of_the_terminal(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=(80, 24)) as stage:
        assert stage.pilot is not None
        for size, height in (((80, 24), 2), ((200, 60), 9), ((80, 18), 0), ((120, 36), 5), ((64, 24), 0)):
            await stage.pilot.resize_terminal(*size)
            await aeventually(partial(has_height, stage, height))
            assert len(shown(stage)) == height - 1 or not height
        assert stage.main.stage.pane_view.size.height >= 5


async def test_the_divider_ends_in_its_rule_wherever_that_is(isolated_home: Path) -> None:
    nothing = Timeline(start=0, end=1)
    async with running(planned(isolated_home, nothing), size=LARGE) as stage:
        await is_shown(stage)
        assert rows(stage)[0][stage.main._divider.region.x] == "┴"
        assert "nothing is due" in rows(stage)[0]
        stage.facade.check_ins.schedule = schedule()
        stage.facade.publish(replace(three_teams(), schedule_version=(1, 1)))
        await aeventually(lambda: stage.main.timeline.region.height == 9)
        await stage.settle()
        text = stage.screen_text().split("\n")
        x = stage.main._divider.region.x
        assert text[stage.composer.region.y][x] == "├"
        assert text[stage.main.needs.region.y][x] == "┤"


async def test_a_small_terminal_has_no_line_for_an_empty_timeline(isolated_home: Path) -> None:
    async with running(planned(isolated_home, Timeline(start=0, end=1)), size=(80, 24)) as stage:
        await aeventually(lambda: stage.facade.check_ins.windows)
        await stage.settle()
        assert stage.main.timeline.region.height == 0
        stage.facade.check_ins.schedule = schedule()
        stage.facade.publish(replace(three_teams(), schedule_version=(1, 0)))
        await aeventually(lambda: stage.main.timeline.region.height == 2)


async def test_it_gives_way_to_the_zoom_and_comes_back(isolated_home: Path) -> None:
    async with running(planned(isolated_home), size=LARGE) as stage:
        await is_shown(stage)
        await stage.press("z")
        assert stage.main.timeline.region.height == 0
        await stage.press("z")
        assert stage.main.timeline.region.height == 9
        assert "▼now" in rows(stage)[0]


async def test_what_came_while_the_pane_had_the_whole_screen_is_there_afterwards(isolated_home: Path) -> None:
    async with running(planned(isolated_home, of(("shop-3f2a:tester", 5, "due"))), size=LARGE) as stage:
        await is_shown(stage)
        await stage.press("z")
        before = len(stage.facade.check_ins.windows)
        stage.facade.check_ins.schedule = of(("shop-3f2a:developer", 30, "due"))
        fleet = replace(three_teams(), schedule_version=(7, 0))
        stage.facade.publish(fleet)
        await stage.shows(fleet)
        stage.now += MINUTE
        stage.main._show_ages()
        await stage.settle()
        assert len(stage.facade.check_ins.windows) == before, "nobody looks"
        await stage.press("z")
        await aeventually(lambda: shown(stage) == ["developer"])
        assert "now 22:14" in rows(stage)[0]


async def test_a_click_opens_the_schedule_at_the_lane(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(planned(isolated_home), size=LARGE) as stage:
        await is_shown(stage)
        assert stage.pilot is not None
        wishes: list[Wish] = []
        monkeypatch.setattr(stage.app._overlays, "take", wishes.append)
        for y in (0, 4):
            await stage.pilot.click("#timeline", offset=(60, y))
        opened = [wish.agent for wish in wishes if isinstance(wish, ScheduleOpened)]
        assert opened == ["shop-3f2a:orchestrator", TESTER]


async def test_without_a_team_there_is_nothing_to_show(isolated_home: Path) -> None:
    async with running(planned(isolated_home, Timeline(start=0, end=1), no_teams()), size=(80, 24)) as stage:
        await stage.settle()
        assert stage.main.timeline.region.height == 0


async def test_only_the_lanes_that_changed_are_painted(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(planned(isolated_home), size=LARGE) as stage:
        await is_shown(stage)
        strip = stage.main.timeline
        painted: list[tuple[object, ...]] = []
        monkeypatch.setattr(strip._lanes, "refresh", lambda *regions, **_: painted.append(regions))
        monkeypatch.setattr(strip._title_rule, "refresh", lambda *regions, **_: painted.append(regions))
        strip.show_timeline(schedule())
        assert painted == []
        lanes = schedule().lanes
        strip.show_timeline(replace(schedule(), lanes=(lanes[0], lane(lanes[1].agent, tick(33)), *lanes[2:])))
        assert painted == [(Region(0, 1, 200, 1),)]


# -- the tree --------------------------------------------------------------------------------------


async def test_the_tree_says_when_the_next_check_in_is_due(isolated_home: Path) -> None:
    fleet = check_ins_due(three_teams(), schedule())
    async with running(planned(isolated_home, fleet=fleet), size=(120, 36)) as stage:
        assert "⏱22:37" in stage.screen_text()


def test_a_line_is_exactly_as_wide_as_asked() -> None:
    for width in (30, 80, 200):
        cells = name_width(["a rather long name of an agent"], width)
        scale = sliding(NOW, width=max(1, width - head_width(cells)), span_s=SPAN_S, back_s=0)
        for planned_ in plan_on(scale, schedule().lanes, NOW).lanes:
            for stop in (None, *(stop.cell for stop in planned_.stops)):
                pieces = lay_out(LaneLine(name="運営 manager", plan=planned_, stop=stop), cells, width)
                assert sum(cell_len(text) for text, _ in pieces) == width
