"""Messages and the log: pages as they are wanted, following the newest, searching, choosing whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.geometry import Region

from orchestrator_core.errors import StoreError
from orchestrator_core.models.event import Event
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import AgentMessage, MessageState
from tests.polling import aeventually
from tests.tui.samples import events, message, messages, three_teams
from tests.tui.stage import Stage, running, staged
from tui.messages import Scope
from tui.pages import PAGE
from tui.screens.log import LogScreen
from tui.screens.messages import MessagesScreen
from tui.screens.records import RecordsScreen

DEVELOPER = AgentId("shop-3f2a:developer")
TESTER = AgentId("shop-3f2a:tester")


@pytest.fixture
def stage(isolated_home: Path) -> Stage:
    made = staged(isolated_home)
    made.facade.outbox = {message.id: message for message in messages()}
    made.facade.log = events()
    return made


async def loaded(stage: Stage) -> None:
    """Wait until what is wanted was read."""
    await stage.settle()
    await aeventually(lambda: not stage.app.screen.is_reading if isinstance(stage.app.screen, RecordsScreen) else True)
    await stage.settle()


async def messages_of(stage: Stage, *keys: str, agent: AgentId = DEVELOPER) -> MessagesScreen:
    """Open the messages of an agent, then press keys."""
    stage.main.action_go_to(agent)
    await stage.press("M")
    await aeventually(lambda: isinstance(stage.app.screen, MessagesScreen))
    screen = stage.app.screen
    assert isinstance(screen, MessagesScreen)
    await loaded(stage)
    for key in keys:
        await stage.press(key)
        await loaded(stage)
    return screen


async def log_of(stage: Stage, *keys: str) -> LogScreen:
    """Open the log of everybody, then press keys."""
    await stage.press("L")
    await aeventually(lambda: isinstance(stage.app.screen, LogScreen))
    screen = stage.app.screen
    assert isinstance(screen, LogScreen)
    await loaded(stage)
    for key in ("e", *keys):
        await stage.press(key)
        await loaded(stage)
    return screen


def shown(screen: RecordsScreen[AgentMessage] | RecordsScreen[Event]) -> list[int]:
    """Return the ids of the rows."""
    return [int(row.id) for row in screen.record_list.rows]


async def written(stage: Stage, *new: Event) -> None:
    """Write events, and wait until they were read."""
    stage.facade.log.extend(new)
    stage.facade.has_changed.set()
    await aeventually(lambda: not stage.facade.has_changed.is_set())
    await loaded(stage)


def event(number: int, text: str = "something") -> Event:
    return replace(events()[-1], id=number, text=text)


# -- messages -------------------------------------------------------------------------------------


async def test_the_messages_of_the_selected_agent_with_their_receipts(stage: Stage) -> None:
    async with running(stage, size=(200, 40)):
        screen = await messages_of(stage)
        assert shown(screen) == [2, 3, 4, 7]
        text = stage.screen_text()
        assert "Messages shop-3f2a:developer" in text
        assert "✔ acknowledged  shop-3f2a:orchestrator → developer" in text.replace("acknowledged ", "acknowledged  ")
        assert "✖ refused" in text
        assert "a developer does not write to another team; its orchestrator does · Does v2 take IBANs?" in text
        assert "→ delivering" in text
        await stage.press("escape")
        assert stage.is_on_main
        assert stage.selected == f"agent:{DEVELOPER}"


async def test_the_selected_message_is_shown_whole_with_its_times(stage: Stage) -> None:
    async with running(stage, size=(140, 40)):
        await messages_of(stage, "home")
        text = stage.screen_text()
        assert "shop-3f2a:orchestrator → shop-3f2a:developer" in text
        assert "delivered 2023-" in text
        assert "(+1.4s)" in text
        assert "(+1.9s)" in text
        assert "The fields are in spec.md, §3 [all of them]." in text
        await stage.press("e")
        await loaded(stage)
        await stage.press("end", "up", "up")
        assert "look at its screen before you send it again" in stage.screen_text()
        await stage.press("down")
        assert "3 more like it held back" in stage.screen_text()


async def test_refused_and_unconfirmed_differ_without_colour() -> None:
    marks = {state: MessagesScreen.HELP.find(word) for state, word in (("r", "✖ refused"), ("u", "‼ unconfirmed"))}
    assert all(place > 0 for place in marks.values())


async def test_a_conversation_between_two_and_back(stage: Stage) -> None:
    async with running(stage):
        screen = await messages_of(stage, "home", "c")
        assert shown(screen) == [2, 3, 7], "both directions"
        assert "shop-3f2a:developer and shop-3f2a:orchestrator" in stage.screen_text()
        await stage.press("escape")
        await loaded(stage)
        assert shown(screen) == [2, 3, 4, 7]


async def test_everybody_s_messages_of_several_days(stage: Stage) -> None:
    async with running(stage):
        screen = await messages_of(stage, "e")
        assert shown(screen) == [1, 2, 3, 4, 5, 6, 7]
        assert "of everybody" in stage.screen_text()
        assert stage.screen_text().count("11-13") == 1


async def test_a_receipt_that_changes_is_changed_in_its_place(stage: Stage) -> None:
    async with running(stage, size=(140, 40)):
        screen = await messages_of(stage, "up")
        rows = screen.record_list.rows
        chosen = screen.record_list.selected_id
        stage.facade.advance(MessageId(7), MessageState.ACKNOWLEDGED)
        stage.facade.has_changed.set()
        await aeventually(lambda: "→ delivering" not in stage.screen_text())
        assert screen.record_list.selected_id == chosen
        assert screen.record_list.rows[0] is rows[0], "the others are as they were"


async def test_a_receipt_far_back_changes_before_the_eyes(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    stage.facade.outbox = {
        MessageId(n): message(n, "you", DEVELOPER, f"text {n}", state=MessageState.QUEUED) for n in range(1, 3 * PAGE)
    }
    async with running(stage):
        screen = await messages_of(stage, "home")
        first = int(screen.record_list.selected_id)
        await aeventually(lambda: shown(screen)[0] < first - PAGE // 2)
        stage.facade.advance(MessageId(first), MessageState.REFUSED, "too late")
        stage.facade.has_changed.set()
        await aeventually(lambda: "✖ refused" in stage.screen_text())


async def test_writing_anew_begins_a_new_message_and_sends_nothing(stage: Stage) -> None:
    async with running(stage):
        await messages_of(stage, "end", "r", agent=TESTER)
        assert stage.is_on_main
        await aeventually(lambda: stage.composer.text == "Are you stuck?")
        assert stage.app.focused is stage.input
        assert "Message → tester" in stage.text("#composer TitleRule")
        assert stage.facade.sent == []


async def test_writing_anew_leaves_a_draft_alone(stage: Stage) -> None:
    async with running(stage):
        stage.main.action_go_to(TESTER)
        await stage.write("my draft")
        await stage.press("escape")
        await messages_of(stage, "end", "r", agent=TESTER)
        assert stage.composer.text == "my draft"


async def test_enter_goes_to_the_target(stage: Stage) -> None:
    async with running(stage):
        await messages_of(stage, "home", "down", "enter")
        assert stage.is_on_main
        assert stage.selected == "agent:shop-3f2a:orchestrator"
        assert stage.facade.attached == []


# -- the log --------------------------------------------------------------------------------------


async def test_the_log_of_the_selected_team_newest_at_the_bottom(stage: Stage) -> None:
    async with running(stage, size=(140, 40)):
        screen = await log_of(stage)
        assert shown(screen) == list(range(1, 13))
        assert screen.record_list.is_at_end
        await stage.press("escape")
        await loaded(stage)
        assert {stage.facade.log[number - 1].orchestration for number in shown(screen)} == {"shop-3f2a"}
        assert "Log shop-3f2a" in stage.screen_text()
        await stage.press("escape")
        assert stage.is_on_main


async def test_it_follows_the_newest_until_the_person_goes_elsewhere(stage: Stage) -> None:
    async with running(stage):
        screen = await log_of(stage)
        await written(stage, event(13))
        assert screen.record_list.selected_id == "13"
        assert "follows the newest" in stage.screen_text()
        await stage.press("up")
        await written(stage, event(14), event(15))
        assert screen.record_list.selected_id == "12"
        assert "2 new below" in stage.screen_text()
        await stage.press("end")
        await written(stage, event(16))
        assert screen.record_list.selected_id == "16"
        await stage.press("f")
        await written(stage, event(17))
        assert screen.record_list.selected_id == "16"
        await stage.press("f")
        assert screen.record_list.selected_id == "17"


async def test_it_is_searched_while_typing(stage: Stage) -> None:
    async with running(stage):
        screen = await log_of(stage, "slash", *"devops", "right_square_bracket")
        assert shown(screen) == [4, 10]
        assert "with “devops]”" in stage.screen_text()
        await stage.press("enter", "up")
        assert screen.record_list.selected_id == "4"
        await stage.press("escape")
        await loaded(stage)
        assert len(shown(screen)) == 12


async def test_nothing_found_says_so(stage: Stage) -> None:
    async with running(stage):
        screen = await log_of(stage, "slash", *"zzz")
        assert shown(screen) == []
        assert "Nothing that fits" in stage.screen_text()


async def test_one_team_or_agent_is_chosen_in_a_palette(stage: Stage) -> None:
    async with running(stage):
        screen = await log_of(stage, "t")
        await stage.press(*"api-77c1")
        await aeventually(lambda: "api-77c1:researcher" in stage.screen_text())
        await stage.press("escape")
        screen.show_scope(Scope(agent="api-77c1:developer"))
        await loaded(stage)
        assert {stage.facade.log[number - 1].agent for number in shown(screen)} == {"api-77c1:developer"}


async def test_pages_are_read_as_they_are_wanted(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    stage.facade.log = events(5000)
    async with running(stage):
        screen = await log_of(stage)
        assert shown(screen) == list(range(5001 - PAGE, 5001))
        await stage.press("home")
        await aeventually(lambda: shown(screen)[0] == 5001 - 2 * PAGE)
        assert screen.record_list.selected_id == str(5001 - PAGE), "older ones come in above what is looked at"
        top = screen.record_list.scroll_offset.y
        assert screen.record_list.rows[top].id == str(5001 - PAGE)
        assert all(limit == PAGE for limit, _ in stage.facade.pages_read)


async def test_only_rows_that_read_differently_are_painted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(stage):
        screen = await messages_of(stage, "e", "up")
        painted: list[object] = []
        monkeypatch.setattr(screen.record_list, "refresh", lambda *regions, **_: painted.append(regions))
        stage.facade.advance(MessageId(7), MessageState.DELIVERED)
        stage.facade.has_changed.set()
        await aeventually(lambda: painted)
        await loaded(stage)
        assert painted == [(Region(0, 6, screen.record_list.size.width, 1),)]


async def test_what_came_faster_than_a_page_leaves_no_gap(isolated_home: Path) -> None:
    stage = staged(isolated_home)
    stage.facade.log = events(20)
    async with running(stage):
        screen = await log_of(stage)
        await written(stage, *(event(number) for number in range(21, 22 + 2 * PAGE)))
        assert shown(screen) == list(range(22 + PAGE, 22 + 2 * PAGE))


async def test_a_page_that_cannot_be_read_is_said_and_tried_again(stage: Stage) -> None:
    async with running(stage):
        screen = await log_of(stage)
        stage.facade.fail("events", StoreError("the [database] is locked"))
        await written(stage, event(13))
        assert "The [database] is locked" in stage.screen_text()
        await written(stage, event(14))
        assert shown(screen)[-2:] == [13, 14]
        assert "is locked" not in stage.screen_text()


async def test_the_store_is_watched_only_while_somebody_reads(stage: Stage) -> None:
    async with running(stage):
        assert stage.facade.change_feeds == 0
        await log_of(stage)
        assert stage.facade.change_feeds == 1
        await stage.press("escape", "escape")
        assert stage.is_on_main
        await aeventually(lambda: stage.facade.change_feeds == 0)
        await log_of(stage, "up", "enter")
        await aeventually(lambda: stage.is_on_main and stage.facade.change_feeds == 0)


async def test_the_log_of_a_fleet_without_teams(isolated_home: Path) -> None:
    stage = staged(isolated_home, replace(three_teams(), teams=(), needs=()))
    async with running(stage):
        await log_of(stage)
        assert "Nothing yet." in stage.screen_text()
