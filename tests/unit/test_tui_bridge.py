"""The only reader: feeds become messages, failures are shown and feeds begin again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from textual.message import Message

from orchestrator_core.errors import StoreError, TmuxGoneError
from orchestrator_core.models.ids import AgentId, PaneId
from orchestrator_core.models.message import MessageState
from tests.fakes.facade import FakeOrchestrator, picture
from tests.polling import aeventually
from tests.tui.samples import no_teams, three_teams
from tui.bridge import FIRST_RETRY_S, LAST_RETRY_S, Bridge
from tui.messages import (
    FeedFailed,
    FeedRecovered,
    FleetChanged,
    FrameChanged,
    ReceiptsChanged,
    Sight,
    SightLost,
    TimelineChanged,
    Window,
)

M = TypeVar("M", bound=Message)
DEVELOPER = AgentId("shop-3f2a:developer")


class Desk:
    """A bridge over the fake facade, with everything that it posts."""

    def __init__(self) -> None:
        self.facade = FakeOrchestrator()
        self.posted: list[Message] = []
        self.pauses: list[float] = []
        self.bridge = Bridge(self.facade, self.posted.append, pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def of(self, kind: type[M]) -> list[M]:
        """Return what was posted of one kind."""
        return [message for message in self.posted if isinstance(message, kind)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    for number in (10, 11, 12, 13):
        made.facade.pictures.pictures[PaneId(f"%{number}")] = picture(f"%{number}", f"screen {number}")
    tasks = [
        asyncio.ensure_future(feed())
        for feed in (
            made.bridge.feed_fleet,
            made.bridge.feed_frames,
            made.bridge.feed_receipts,
            made.bridge.feed_timeline,
        )
    ]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_every_fleet_is_posted(desk: Desk) -> None:
    for fleet in (no_teams(), three_teams()):
        desk.facade.publish(fleet)
    await aeventually(lambda: len(desk.of(FleetChanged)) == 2)
    assert [message.fleet for message in desk.of(FleetChanged)] == [no_teams(), three_teams()]


async def test_a_failed_feed_is_shown_with_its_reason_and_begins_again(desk: Desk) -> None:
    desk.facade.publish(no_teams())
    desk.facade.fleet_feed.put(StoreError("the database is locked", cause="somebody holds it"))
    await aeventually(lambda: desk.of(FeedFailed))
    assert desk.of(FeedFailed)[0].error.cause == "somebody holds it"
    desk.facade.publish(three_teams())
    await aeventually(lambda: desk.of(FeedRecovered))
    assert desk.of(FleetChanged)[-1].fleet == three_teams()
    assert desk.facade.fleet_feed.openings == 2


async def test_an_unexpected_failure_is_shown_too(desk: Desk) -> None:
    desk.facade.fleet_feed.put(ZeroDivisionError("division by zero"))
    await aeventually(lambda: desk.of(FeedFailed))
    error = desk.of(FeedFailed)[0].error
    assert (error.title, error.cause, error.code) == ("unexpected ZeroDivisionError", "division by zero", "unexpected")


async def test_the_pause_grows_to_a_limit_and_starts_anew_after_success(desk: Desk) -> None:
    for _ in range(8):
        desk.facade.fleet_feed.put(StoreError("no"))
    await aeventually(lambda: len(desk.pauses) == 8)
    assert desk.pauses[:3] == [FIRST_RETRY_S, FIRST_RETRY_S * 2, FIRST_RETRY_S * 4]
    assert desk.pauses[-1] == LAST_RETRY_S
    desk.facade.publish(no_teams())
    desk.facade.fleet_feed.put(StoreError("no"))
    await aeventually(lambda: len(desk.pauses) == 9)
    assert desk.pauses[-1] == FIRST_RETRY_S


async def test_a_feed_that_ends_is_a_failed_feed(desk: Desk) -> None:
    async def nothing() -> AsyncIterator[object]:
        return
        yield

    desk.facade.fleets = nothing  # type: ignore[assignment,method-assign]  # scripted
    desk.facade.fleet_feed.put(StoreError("no"))
    await aeventually(lambda: any(f.error.title == "the fleet feed ended" for f in desk.of(FeedFailed)))


async def test_looking_at_a_pane_follows_it_and_posts_its_pictures(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%10"), "/tmp/sock"))
    await aeventually(lambda: desk.of(FrameChanged))
    assert (desk.facade.pictures.follows[-1], desk.facade.pictures.servers[-1]) == ("%10", "/tmp/sock")
    desk.facade.pictures.show(picture("%10", "something new"))
    await aeventually(lambda: desk.of(FrameChanged)[-1].frame.lines[0] == "something new")


async def test_wishes_overtake_each_other(desk: Desk) -> None:
    await aeventually(lambda: desk.facade.pictures.follows == [None])
    for number in (10, 11, 12, 13):
        desk.bridge.look_at(Sight(PaneId(f"%{number}")))
    await aeventually(lambda: desk.of(FrameChanged))
    assert desk.facade.pictures.follows == [None, "%13"]


async def test_a_late_picture_of_another_pane_is_not_posted(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%10")))
    await aeventually(lambda: desk.of(FrameChanged))
    desk.bridge.look_at(Sight(PaneId("%11")))
    desk.facade.pictures.feed.put(picture("%10", "late"))
    await aeventually(lambda: desk.of(FrameChanged)[-1].frame.pane == "%11")
    assert all("late" not in message.frame.lines for message in desk.of(FrameChanged))


async def test_looking_away_has_happened_when_it_returns(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%10")))
    await aeventually(lambda: desk.of(FrameChanged))
    await desk.bridge.look_away()
    assert desk.facade.pictures.follows[-1] is None


async def test_a_pane_that_is_gone_is_said_and_the_feed_lives(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%99")))
    await aeventually(lambda: desk.of(SightLost))
    desk.bridge.look_at(Sight(PaneId("%10")))
    await aeventually(lambda: desk.of(FrameChanged))
    assert desk.of(FeedFailed) == []


async def test_after_a_failure_the_same_pane_is_followed_again(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%10")))
    await aeventually(lambda: desk.of(FrameChanged))
    desk.facade.pictures.feed.put(TmuxGoneError("tmux is gone"))
    await aeventually(lambda: desk.of(FeedRecovered))
    assert desk.facade.pictures.follows[-1] == "%10"
    assert desk.facade.previews_made == 2
    assert desk.facade.pictures.is_closed


async def test_receipts_are_read_when_asked_and_while_one_is_not_final(desk: Desk) -> None:
    message = await desk.facade.send(DEVELOPER, "hello")
    desk.bridge.ask_receipts(DEVELOPER)
    await aeventually(lambda: desk.of(ReceiptsChanged))
    desk.facade.advance(message.id, MessageState.DELIVERED)
    await aeventually(lambda: desk.of(ReceiptsChanged)[-1].messages[0].state is MessageState.DELIVERED)


async def test_receipts_are_read_again_on_request(desk: Desk) -> None:
    desk.bridge.ask_receipts(DEVELOPER)
    await aeventually(lambda: desk.of(ReceiptsChanged))
    assert desk.of(ReceiptsChanged)[-1].messages == ()
    await desk.facade.send(DEVELOPER, "hello")
    desk.bridge.ask_receipts_again()
    await aeventually(lambda: desk.of(ReceiptsChanged)[-1].messages)


async def test_history_comes_from_the_previews(desk: Desk) -> None:
    desk.bridge.look_at(Sight(PaneId("%10")))
    await aeventually(lambda: desk.of(FrameChanged))
    frame = await desk.bridge.history(Sight(PaneId("%10")), 5)
    assert frame is not None
    assert frame.history == 5


async def test_the_part_of_the_schedule_that_is_asked_for_is_read_when_it_is_asked_for(desk: Desk) -> None:
    desk.bridge.ask_timeline(Window(10, 20, 1))
    await aeventually(lambda: desk.of(TimelineChanged))
    assert (desk.of(TimelineChanged)[0].timeline.start, desk.of(TimelineChanged)[0].timeline.end) == (10, 20)
    for end in (30, 40):
        desk.bridge.ask_timeline(Window(10, end, 1))
    await aeventually(lambda: len(desk.of(TimelineChanged)) == 2)
    assert [window.end for window in desk.facade.check_ins.windows] == [20, 40], "the last wish counts"


async def test_a_schedule_that_cannot_be_read_is_read_again(desk: Desk) -> None:
    desk.facade.fail("timeline", StoreError("the database is locked"))
    desk.bridge.ask_timeline(Window(10, 20, 1))
    await aeventually(lambda: desk.of(TimelineChanged))
    assert desk.of(FeedFailed)[0].feed == desk.of(FeedRecovered)[0].feed == "timeline"
