"""What the supervisor makes of what hooks left in the spool, over a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from orchestrator_core.errors import StoreError
from orchestrator_core.models.hook import HookClaim, HookFact
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, MessageKind, MessageState
from orchestrator_core.services.hooks import HookInbox
from orchestrator_core.services.spool import ASIDE, KEPT_ASIDE
from orchestrator_core.store import Store, open_store
from tests.unit.test_claude_hooks import captured
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent, an_orchestration

CONVERSATION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
NOW = 1_000_000.0


class Desk:
    """A store with one developer in pane %3, a spool, and the inbox over both."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.spool = folder / "spool"
        for part in ("new", "tmp"):
            (self.spool / part).mkdir(parents=True)
        self.store = store
        self.reports: list[str] = []
        self.now = NOW
        self._told = 0
        self.inbox = self.another_inbox()

    def another_inbox(self) -> HookInbox:
        """What a supervisor that starts anew has."""
        return HookInbox(self.spool, self.store, lambda: self.now, self.reports.append)

    def tell(
        self,
        event: str,
        *,
        at: float | None = None,
        pane: str = "3",
        agent: str = DEVELOPER,
        handed_over: int | None = None,
        conversation: str = CONVERSATION,
        **fields: Any,
    ) -> Path:
        """Leave what a hook tells in the spool."""
        self._told += 1
        at = NOW + self._told if at is None else at
        said = "" if handed_over is None else f"+{handed_over}"
        file = self.spool / "new" / f"{int(at * 1e9):020d}-{self._told}-{pane}-{quote(agent, safe='')}{said}.json"
        file.write_text(json.dumps({"session_id": conversation, "hook_event_name": event, **fields}))
        return file

    def send(self, *, kind: MessageKind = MessageKind.TEXT, text: str = "do it", to: AgentId = DEVELOPER) -> int:
        """Put a message on its way."""
        message = self.store.messages.add(to, "you", text, kind=kind, at=NOW)
        assert self.store.messages.claim_next(to, NOW)
        return message.id

    def message(self, number: int) -> AgentMessage:
        return self.store.messages.get(MessageId(number))

    @property
    def fact(self) -> HookFact | None:
        return self.store.hook_facts.of(DEVELOPER)

    @property
    def conversation(self) -> str:
        return self.store.agents.get(DEVELOPER).conversation

    def events(self, kind: str) -> list[str]:
        return [event.text for event in reversed(self.store.events.latest(100)) if event.kind == kind]

    def left(self) -> list[Path]:
        return list((self.spool / "new").iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_store(tmp_path / "tmorch.db")) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent(conversation=CONVERSATION, pane=PaneId("%3")))
        store.agents.add(an_agent(TESTER, conversation=OTHER, pane=PaneId("%4")))
        yield Desk(tmp_path, store)


def test_the_latest_claim_of_an_agent_is_kept_and_the_files_are_gone(desk: Desk) -> None:
    desk.tell("UserPromptSubmit", prompt="go")
    desk.tell("PermissionRequest", tool_name="Bash", tool_input={"command": "rm -r build"})
    assert [fact.claim for fact in desk.inbox.drain()] == [HookClaim.WORKING, HookClaim.WAITING]
    assert desk.fact == HookFact(
        agent=DEVELOPER,
        event="PermissionRequest",
        claim=HookClaim.WAITING,
        at=NOW + 2,
        conversation=CONVERSATION,
        detail="rm -r build",
    )
    assert desk.left() == []
    assert desk.inbox.drain() == ()


def test_what_was_captured_is_taken_in_whole(desk: Desk) -> None:
    payload = captured("Stop") | {"session_id": CONVERSATION}
    desk.tell("Stop", **{name: value for name, value in payload.items() if name != "hook_event_name"})
    (fact,) = desk.inbox.drain()
    assert (fact.claim, fact.has_background) == (HookClaim.IDLE, False)


def test_an_empty_or_missing_spool_changes_nothing(desk: Desk) -> None:
    before = desk.store.revision()
    assert desk.inbox.drain() == ()
    (desk.spool / "new").rmdir()
    assert desk.inbox.drain() == ()
    assert desk.store.revision() == before
    assert desk.reports == []


def test_files_count_in_the_order_in_which_the_hooks_ran(desk: Desk) -> None:
    desk.tell("Stop", at=NOW + 9)
    desk.tell("UserPromptSubmit", at=NOW + 8, prompt="go")
    assert [fact.claim for fact in desk.inbox.drain()] == [HookClaim.WORKING, HookClaim.IDLE]


def test_one_that_comes_late_does_not_replace_a_later_one(desk: Desk) -> None:
    desk.tell("Stop", at=NOW + 9)
    desk.inbox.drain()
    desk.tell("UserPromptSubmit", at=NOW + 8, prompt="go")
    assert desk.inbox.drain() == ()
    assert desk.fact is not None
    assert desk.fact.claim is HookClaim.IDLE
    assert desk.left() == []


def test_a_clock_that_was_set_back_silences_nobody(desk: Desk) -> None:
    desk.tell("Stop", at=NOW + 7200)
    desk.inbox.drain()
    desk.tell("UserPromptSubmit", at=NOW, prompt="go")
    desk.inbox.drain()
    assert desk.fact is not None
    assert desk.fact.claim is HookClaim.WORKING


def test_a_notification_does_not_hide_the_command_it_reminds_of(desk: Desk) -> None:
    desk.tell("PermissionRequest", tool_name="Bash", tool_input={"command": "make"})
    desk.tell("Notification", notification_type="permission_prompt", message="Claude needs your permission")
    desk.inbox.drain()
    assert desk.fact is not None
    assert (desk.fact.event, desk.fact.detail, desk.fact.at) == ("PermissionRequest", "make", NOW + 1)


def test_a_second_prompt_of_the_same_kind_is_another_one(desk: Desk) -> None:
    for command in ("make", "make test"):
        desk.tell("PermissionRequest", tool_name="Bash", tool_input={"command": command})
    assert len(desk.inbox.drain()) == 2
    assert desk.fact is not None
    assert desk.fact.detail == "make test"


class TestWhoIsBelieved:
    def test_another_conversation_is_not_and_that_is_said_once(self, desk: Desk) -> None:
        for _ in range(3):
            desk.tell("Stop", conversation=OTHER)
            assert desk.inbox.drain() == ()
        assert desk.fact is None
        assert len(desk.events("hook.foreign")) == 1
        assert OTHER in desk.events("hook.foreign")[0]
        assert desk.left() == []

    def test_another_pane_is_not(self, desk: Desk) -> None:
        desk.tell("Stop", pane="77")
        desk.tell("SessionStart", pane="77", source="startup", conversation=OTHER)
        assert desk.inbox.drain() == ()
        assert (desk.fact, desk.conversation) == (None, CONVERSATION)
        assert "%77" in desk.events("hook.foreign")[0]

    def test_one_that_tells_no_pane_is(self, desk: Desk) -> None:
        desk.tell("Stop", pane="")
        assert len(desk.inbox.drain()) == 1

    def test_an_unknown_agent_is_dropped(self, desk: Desk) -> None:
        for _ in range(2):
            desk.tell("Stop", agent="gone-1a2b:developer")
        assert desk.inbox.drain() == ()
        assert len(desk.events("hook.foreign")) == 1
        assert desk.left() == []

    def test_one_agents_hooks_say_nothing_of_another(self, desk: Desk) -> None:
        desk.tell("Stop", agent=TESTER, pane="4", conversation=OTHER)
        (fact,) = desk.inbox.drain()
        assert fact.agent == TESTER
        assert desk.fact is None


class TestConversations:
    @pytest.mark.parametrize("source", ["clear", "resume", "startup"])
    def test_the_agent_follows_the_one_it_begins(self, desk: Desk, source: str) -> None:
        desk.tell("SessionEnd", reason="clear")
        desk.tell("SessionStart", source=source, conversation="new")
        desk.tell("UserPromptSubmit", prompt="go", conversation="new")
        desk.tell("Stop", conversation=CONVERSATION)
        desk.inbox.drain()
        assert desk.conversation == "new"
        assert desk.fact is not None
        assert (desk.fact.claim, desk.fact.conversation) == (HookClaim.WORKING, "new")
        assert len(desk.events("hook.conversation")) == 1

    def test_its_own_start_is_no_news(self, desk: Desk) -> None:
        desk.tell("SessionStart", source="startup")
        desk.inbox.drain()
        assert desk.events("hook.conversation") == []

    def test_a_late_start_does_not_take_it_back(self, desk: Desk) -> None:
        desk.tell("SessionStart", source="clear", conversation="new", at=NOW + 9)
        desk.inbox.drain()
        desk.tell("SessionStart", source="startup", conversation=CONVERSATION, at=NOW + 1)
        desk.inbox.drain()
        assert desk.conversation == "new"

    def test_a_start_without_an_id_moves_nothing(self, desk: Desk) -> None:
        desk.tell("SessionStart", source="clear", conversation="")
        desk.inbox.drain()
        assert desk.conversation == CONVERSATION

    def test_its_end_and_its_failures_are_in_the_log(self, desk: Desk) -> None:
        desk.tell("StopFailure", error="billing_error", last_assistant_message="Credit balance is too low")
        desk.tell("SessionEnd", reason="prompt_input_exit")
        desk.inbox.drain()
        assert "billing_error: Credit balance is too low" in desk.events("hook.failed")[0]
        assert "prompt_input_exit" in desk.events("hook.ended")[0]


class TestAcknowledgement:
    @pytest.mark.parametrize("state", [None, MessageState.DELIVERED, MessageState.UNCONFIRMED])
    def test_a_prompt_with_our_header_acknowledges_its_message(self, desk: Desk, state: MessageState | None) -> None:
        number = desk.send()
        if state:
            desk.store.messages.finish(MessageId(number), state, at=NOW)
        desk.tell("UserPromptSubmit", prompt=f"[tmorch {number} from the person] do it")
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.ACKNOWLEDGED
        assert desk.message(number).acknowledged_at == NOW + 1
        assert len(desk.events("message.acknowledged")) == (state is MessageState.UNCONFIRMED)

    def test_a_quoted_header_does_not(self, desk: Desk) -> None:
        number = desk.send()
        desk.tell("UserPromptSubmit", prompt=f"did you get this?\n[tmorch {number} from the person] do it")
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.DELIVERING

    def test_nor_does_that_of_a_message_to_another_agent(self, desk: Desk) -> None:
        number = desk.send(to=TESTER)
        desk.tell("UserPromptSubmit", prompt=f"[tmorch {number} from the person] do it")
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.DELIVERING

    @pytest.mark.parametrize("number", ["4711", "99999999999999999999999"])
    def test_nor_does_one_that_was_never_sent(self, desk: Desk, number: str) -> None:
        desk.tell("UserPromptSubmit", prompt=f"[tmorch {number} from the person] do it")
        assert len(desk.inbox.drain()) == 1
        assert desk.reports == []

    def test_a_queued_message_stays_queued(self, desk: Desk) -> None:
        message = desk.store.messages.add(DEVELOPER, "you", "do it", at=NOW)
        desk.tell("UserPromptSubmit", prompt=f"[tmorch {message.id} from the person] do it")
        desk.inbox.drain()
        assert desk.message(message.id).state is MessageState.QUEUED

    def test_a_briefing_that_went_along_as_an_argument_is_known_by_its_text(self, desk: Desk) -> None:
        number = desk.send(kind=MessageKind.BRIEFING, text="You are the\n\n  developer.\n")
        desk.tell("UserPromptSubmit", prompt="You are the\n\n  developer.")
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.ACKNOWLEDGED

    def test_another_prompt_is_not_taken_for_the_briefing(self, desk: Desk) -> None:
        number = desk.send(kind=MessageKind.BRIEFING, text="You are the developer.")
        desk.tell("UserPromptSubmit", prompt="You are the tester.")
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.DELIVERING

    def test_what_a_stop_hook_handed_over_is_acknowledged_and_the_agent_goes_on(self, desk: Desk) -> None:
        number = desk.send()
        desk.tell("Stop", handed_over=number)
        (fact,) = desk.inbox.drain()
        assert fact.claim is HookClaim.WORKING
        assert desk.message(number).state is MessageState.ACKNOWLEDGED


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("1-1-3-shop-3f2a%3Adeveloper.json", "{"),
            ("1-1-3-shop-3f2a%3Adeveloper.json", "[1]"),
            ("1-1-3-shop-3f2a%3Adeveloper.json", ""),
            ("1-1-3-shop-3f2a%3Adeveloper.json", "[" * 200_000),
            ("1-1-3-shop-3f2a%3Adeveloper+x.json", "{}"),
            ("once-1-3-x.json", "{}"),
            ("notes.txt", "{}"),
        ],
    )
    def test_a_broken_file_is_set_aside_and_told_of_once(self, desk: Desk, name: str, text: str) -> None:
        (desk.spool / "new" / name).write_text(text)
        desk.tell("Stop")
        assert len(desk.inbox.drain()) == 1
        assert [path.name for path in (desk.spool / ASIDE).iterdir()] == [name]
        desk.inbox.drain()
        assert len(desk.reports) == 1
        assert name in desk.reports[0]

    def test_a_folder_among_the_files_holds_nothing_up(self, desk: Desk) -> None:
        (desk.spool / "new" / "0-1-3-x.json").mkdir()
        desk.tell("Stop")
        assert len(desk.inbox.drain()) == 1
        assert desk.inbox.drain() == ()
        assert len(desk.reports) == 1

    def test_odd_characters_are_kept_as_far_as_they_can_be(self, desk: Desk) -> None:
        command = "echo \udc80 \ud83d \0"
        desk.tell("PermissionRequest", tool_name="Bash", tool_input={"command": command})
        desk.inbox.drain()
        assert desk.fact is not None
        assert desk.fact.detail.startswith("echo ?")

    def test_a_conversation_with_odd_characters_stops_nobody(self, desk: Desk) -> None:
        desk.tell("SessionStart", source="clear", conversation="\ud83d")
        desk.tell("Stop")
        desk.inbox.drain()
        assert desk.inbox.drain() == ()
        assert desk.left() == []

    @pytest.mark.parametrize("code", ["constraint", "not-text"])
    def test_what_can_never_be_stored_does_not_hold_the_others_up(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, code: str
    ) -> None:
        desk.tell("UserPromptSubmit", prompt="one")
        desk.tell("Stop")
        put = desk.store.hook_facts.put

        def choosy(fact: HookFact) -> None:
            if fact.claim is HookClaim.WORKING:
                raise StoreError("no", cause="never", remedy="none", code=code)
            put(fact)

        monkeypatch.setattr(desk.store.hook_facts, "put", choosy)
        assert [fact.claim for fact in desk.inbox.drain()] == [HookClaim.IDLE]
        assert len(list((desk.spool / ASIDE).iterdir())) == len(desk.reports) == 1

    def test_a_spool_that_is_no_folder_is_reported_once(self, desk: Desk) -> None:
        (desk.spool / "new").rmdir()
        (desk.spool / "new").write_text("in the way")
        assert desk.inbox.drain() == desk.inbox.drain() == ()
        assert len(desk.reports) == 1

    def test_what_hooks_could_not_leave_is_reported(self, desk: Desk) -> None:
        (desk.spool / "failed").write_text("1 Stop a: OSError\n2 Stop b: disk full\n")
        desk.inbox.drain()
        assert "2 hooks" in desk.reports[0]
        assert "disk full" in desk.reports[0]
        assert not (desk.spool / "failed").exists()

    def test_what_a_killed_hook_left_half_written_is_never_read_and_goes_away(self, desk: Desk) -> None:
        half = desk.spool / "tmp" / "1-1-3-x.json"
        half.write_text('{"hook_ev')
        desk.inbox.drain()
        assert half.exists()
        desk.now = half.stat().st_mtime + 7200
        assert desk.another_inbox().drain() == ()
        assert not half.exists()

    def test_not_more_than_so_many_broken_files_are_kept(self, desk: Desk) -> None:
        for number in range(KEPT_ASIDE + 5):
            (desk.spool / "new" / f"{number}").write_text("")
        desk.inbox.drain()
        desk.another_inbox().drain()
        assert len(list((desk.spool / ASIDE).iterdir())) == KEPT_ASIDE


class TestCrashes:
    def test_a_file_met_again_changes_nothing(self, desk: Desk) -> None:
        number = desk.send()
        files = [
            desk.tell("SessionStart", source="clear", conversation="new"),
            desk.tell("UserPromptSubmit", prompt=f"[tmorch {number} from you] x", conversation="new"),
            desk.tell("StopFailure", error="server_error", last_assistant_message="x", conversation="new"),
        ]
        for file in files:
            data, others = file.read_bytes(), [other for other in files if other != file and other.exists()]
            hidden = {other: other.read_bytes() for other in others}
            for other in others:
                other.unlink()
            desk.inbox.drain()
            before = (desk.fact, desk.message(number), desk.store.events.latest(100), desk.conversation)
            file.write_bytes(data)  # as if the supervisor had died before it removed the file
            desk.another_inbox().drain()
            assert (desk.fact, desk.message(number), desk.store.events.latest(100), desk.conversation) == before
            for other, kept in hidden.items():
                other.write_bytes(kept)

    def test_what_the_store_would_not_take_comes_again(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        number = desk.send()
        desk.tell("UserPromptSubmit", prompt=f"[tmorch {number} from you] x")

        def full(*args: object, **kwargs: object) -> None:
            raise StoreError("the disk is full", cause="no space", remedy="make some")

        with monkeypatch.context() as patched:
            patched.setattr(desk.store.hook_facts, "put", full)
            with pytest.raises(StoreError):
                desk.inbox.drain()
        assert desk.message(number).state is MessageState.DELIVERING
        desk.inbox.drain()
        assert desk.message(number).state is MessageState.ACKNOWLEDGED
        assert desk.fact is not None
