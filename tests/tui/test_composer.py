"""The composer: a text goes to whom the title names, or stays (scenario 81)."""

from __future__ import annotations

from pathlib import Path

from orchestrator_core.errors import NotFoundError, RefusedError
from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import DeliveryMode, MessageState
from tests.fakes.facade import Sent
from tests.polling import aeventually
from tests.tui.samples import three_teams, without_agent
from tests.tui.stage import Stage, running, staged

ORCHESTRATOR = AgentId("shop-3f2a:orchestrator")
MANAGER = AgentId("shop-3f2a:project_manager")
TITLE = "#composer TitleRule"


async def test_several_lines_are_sent_as_written(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert "Message → orchestrator (shop-3f2a)" in stage.text(TITLE)
        await stage.press("m", "O", "n", "e", "ctrl+j", "T", "w", "o", "enter")
        await aeventually(lambda: stage.facade.sent)
        assert stage.facade.sent == [Sent(ORCHESTRATOR, "One\nTwo", DeliveryMode.WHEN_IDLE)]
        assert stage.input.text == ""
        assert stage.app.focused is stage.input


async def test_the_composer_is_aimed_at_the_row_chosen_an_instant_ago(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        for key in ("j", "m"):
            stage.app.simulate_key(key)
        await stage.settle()
        await stage.press("x", "enter")
        await aeventually(lambda: stage.facade.sent)
        assert stage.facade.sent[0].target == MANAGER


async def test_nothing_is_sent_of_nothing(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.write(" \n ")
        await stage.press("enter")
        assert stage.facade.sent == []


async def test_pasted_lines_are_not_sent(isolated_home: Path) -> None:
    from textual.events import Paste

    async with running(staged(isolated_home)) as stage:
        await stage.press("m")
        stage.app.post_message(Paste("first\nsecond"))
        await aeventually(lambda: stage.input.text == "first\nsecond")
        assert stage.facade.sent == []


async def test_the_mode_is_shown_and_sent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert "when idle" in stage.text(TITLE)
        await stage.press("m", "ctrl+t")
        assert " now " in stage.text(TITLE)
        await stage.press("x", "enter")
        await aeventually(lambda: stage.facade.sent)
        assert stage.facade.sent[0].mode is DeliveryMode.NOW


async def test_drafts_stay_with_their_agents(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.write("for the orchestrator")
        await stage.press("escape", "j")
        assert stage.input.text == ""
        await stage.write("for the manager")
        await stage.press("escape", "k")
        assert stage.input.text == "for the orchestrator"
        await stage.press("j", "m", "enter")
        await aeventually(lambda: stage.facade.sent)
        assert stage.facade.sent == [Sent(MANAGER, "for the manager", DeliveryMode.WHEN_IDLE)]


async def test_the_target_stays_while_the_selection_moves_by_itself(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.write("for the orchestrator")
        stage.facade.publish(without_agent(three_teams(), ORCHESTRATOR))
        await aeventually(lambda: stage.selected == f"agent:{MANAGER}")
        assert "orchestrator" in stage.text(TITLE)
        assert "not selected any more" in stage.text(TITLE)
        assert stage.input.text == "for the orchestrator"
        await stage.press("enter")
        await aeventually(lambda: stage.facade.sent)
        assert stage.facade.sent[0].target == ORCHESTRATOR
        assert "project_manager" in stage.text(TITLE)


async def test_an_empty_composer_follows_the_selection_by_itself(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.publish(without_agent(three_teams(), ORCHESTRATOR))
        await aeventually(lambda: "project_manager" in stage.text(TITLE))


async def test_what_cannot_be_sent_comes_back_with_the_reason(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        error = NotFoundError("no agent answers to [it]", cause="it is gone", remedy="choose another")
        stage.facade.fail("send", error)
        await stage.write("precious words")
        await stage.press("enter")
        await aeventually(lambda: stage.input.text == "precious words")
        await aeventually(lambda: "no agent answers to [it]" in stage.screen_text())
        assert "choose another" in stage.screen_text()


async def test_what_cannot_be_sent_does_not_overwrite_what_is_written_since(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        stage.facade.fail("send", RefusedError("no"))
        await stage.write("first words")
        await stage.press("enter", "escape", "j")
        await aeventually(lambda: "no" in stage.screen_text())
        assert stage.input.text == ""
        await stage.press("k")
        assert stage.input.text == "first words"


async def test_history_at_the_edges(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        for text in ("first", "second\nlines"):
            await stage.write(text)
            await stage.press("enter")
        await stage.write("unsent")
        await stage.press("up")
        assert stage.input.text == "second\nlines"
        await stage.press("up")
        assert stage.input.text == "second\nlines", "the cursor moves within the text first"
        await stage.press("up")
        assert stage.input.text == "first"
        await stage.press("down", "down", "down", "down")
        assert stage.input.text == "unsent"


async def test_it_grows_to_six_lines_and_no_further(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        assert stage.input.size.height == 1
        await stage.write("\n".join("abcdefgh"))
        await aeventually(lambda: stage.input.size.height == 6)


async def _receipt(stage: Stage, state: MessageState, reason: str, words: str) -> None:
    stage.facade.advance(MessageId(1), state, reason)
    await aeventually(lambda: words in stage.screen_text())


async def test_a_receipt_is_followed_to_its_end(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.write("Look at the till")
        await stage.press("enter")
        await aeventually(lambda: "… queued" in stage.screen_text())
        await _receipt(stage, MessageState.QUEUED, "a draft is at its prompt", "queued: a draft is at its prompt")
        await _receipt(stage, MessageState.DELIVERING, "", "→ delivering")
        await _receipt(stage, MessageState.UNCONFIRMED, "it went away", "‼ unconfirmed: it went away")


async def test_receipts_are_those_of_the_selected_agent(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.write("Look at the till")
        await stage.press("enter", "escape")
        await aeventually(lambda: "… queued" in stage.screen_text())
        await stage.press("j")
        await aeventually(lambda: "Look at the till" not in stage.screen_text())
        await stage.press("k")
        await aeventually(lambda: "Look at the till" in stage.screen_text())


async def test_without_an_agent_it_says_why(isolated_home: Path) -> None:
    async with running(staged(isolated_home)) as stage:
        await stage.press("left")
        assert "select an agent first" in stage.text(TITLE)
        await stage.press("m", "tab", "tab", "tab")
        assert stage.app.focused is not stage.input
