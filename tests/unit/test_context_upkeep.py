"""Agents whose context is nearly full: told once, shortened once and never in a turn, and looked after again later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.agents.catalogue import drivers
from orchestrator_core.config.settings import ClaudeSettings, ContextSettings, Settings
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.credit import AgentUse
from orchestrator_core.models.ids import AgentId, MessageId, PaneId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.upkeep import Upkeep
from orchestrator_core.services.context_upkeep import COMPACT, QUIET_S, Compact, Rearm, Situation, Tell, decide
from orchestrator_core.services.envelope import PLAIN_CHARACTERS, seal
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.context_duty import ContextDuty
from orchestrator_core.team.upkeep import checkpoint_note
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, path

__all__ = ["path"]

NOW = 1_000_000.0
SETTINGS = ContextSettings()
FULL = {"status": AgentStatus.IDLE, "context_used": 81.0, "conversation": "one", "status_since": NOW - 60}
UPKEEP = Upkeep(agent=DEVELOPER, conversation="one", checkpoint=MessageId(1), at=NOW - 200)
GOT = AgentMessage(
    id=MessageId(1),
    target=DEVELOPER,
    sender=TMORCH,
    text="x",
    state=MessageState.ACKNOWLEDGED,
    delivered_at=NOW - 150,
    acknowledged_at=NOW - 149,
)


def situation(agent: dict[str, Any] | None = None, **changes: Any) -> Situation:
    known: dict[str, Any] = {"told_of": "one", "can_compact": True, **changes}
    return Situation(agent=an_agent(**{**FULL, **(agent or {})}), **known)


def told(agent: dict[str, Any] | None = None, **changes: Any) -> Situation:
    return situation(agent, **{"upkeep": UPKEEP, "checkpoint": GOT, **changes})


# --- telling


@pytest.mark.parametrize("status", [AgentStatus.IDLE, AgentStatus.WORKING])
def test_it_is_told_from_the_threshold_on(status: AgentStatus) -> None:
    assert decide(situation({"status": status, "context_used": 80.0}), SETTINGS, NOW) == Tell()
    assert decide(situation({"status": status, "context_used": 79.9}), SETTINGS, NOW) is None
    assert decide(situation({"status": status}), ContextSettings(checkpoint_percentage=95), NOW) is None


@pytest.mark.parametrize(
    ("agent", "changes"),
    [
        ({"context_used": None}, {}),
        ({"status": AgentStatus.LIMITED}, {}),
        ({"status": AgentStatus.STARTING}, {}),
        ({"status": AgentStatus.WAITING}, {}),
        ({"status": AgentStatus.EXITED}, {}),
        ({"is_adopted": True}, {}),
        ({}, {"is_held": True}),
        ({}, {"told_of": "the one before"}),
    ],
)
def test_it_is_not_told_while_it_cannot_listen_or_is_not_ours_to_tell(
    agent: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert decide(situation(agent, **changes), SETTINGS, NOW) is None


def test_never_means_never() -> None:
    assert decide(situation({"context_used": 100.0}), ContextSettings(checkpoint_percentage=0), NOW) is None


def test_the_note_is_one_plain_paragraph() -> None:
    note = checkpoint_note(80.4)
    assert "80 %" in note
    message = replace(GOT, text=note, id=MessageId(123456))
    assert len(seal(message, note).parts) == 1
    assert len(note) <= PLAIN_CHARACTERS - 50


# --- shortening


def test_it_is_shortened_when_it_has_rested_since() -> None:
    assert decide(told(), SETTINGS, NOW) == Compact()


@pytest.mark.parametrize(
    ("agent", "changes"),
    [
        ({"status": AgentStatus.WORKING}, {}),
        ({"status": AgentStatus.WAITING}, {}),
        ({"status": AgentStatus.UNKNOWN}, {}),
        ({"status_since": NOW - QUIET_S + 1}, {}),
        ({"status_since": NOW - 9999}, {"checkpoint": replace(GOT, acknowledged_at=NOW - 1)}),
        ({}, {"checkpoint": replace(GOT, state=MessageState.QUEUED, delivered_at=None)}),
        ({}, {"checkpoint": replace(GOT, state=MessageState.DELIVERING, delivered_at=None)}),
        ({}, {"checkpoint": replace(GOT, state=MessageState.UNCONFIRMED)}),
        ({}, {"checkpoint": replace(GOT, state=MessageState.REFUSED)}),
        ({}, {"upkeep": replace(UPKEEP, compaction=MessageId(2))}),
        ({}, {"can_compact": False}),
        ({}, {"is_held": True}),
        ({"context_used": None}, {}),
    ],
)
def test_it_is_not_shortened_in_a_turn_before_its_checkpoint_or_twice(
    agent: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert decide(told(agent, **changes), SETTINGS, NOW) is None


def test_it_is_not_shortened_when_the_settings_say_so() -> None:
    assert decide(told(), ContextSettings(compact="never"), NOW) is None


# --- afterwards


def test_it_is_looked_after_again_when_there_is_room_or_it_is_another_conversation() -> None:
    done = replace(UPKEEP, compaction=MessageId(2))
    assert decide(told({"context_used": 69.0}, upkeep=done), SETTINGS, NOW) == Rearm()
    assert decide(told({"conversation": "two"}, upkeep=done), SETTINGS, NOW) == Rearm()
    assert decide(told({"context_used": 75.0}, upkeep=done), SETTINGS, NOW) is None, "readings go up and down"
    assert decide(told({"context_used": None}, upkeep=done), SETTINGS, NOW) is None, "nobody has told"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([AgentStatus.IDLE, AgentStatus.WORKING, AgentStatus.WAITING, AgentStatus.LIMITED]),
            st.one_of(st.none(), st.floats(71, 100)),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_happens_in_one_fill_up_it_is_told_once_and_shortened_once(
    story: list[tuple[AgentStatus, float | None, bool]],
) -> None:
    upkeep, deeds = None, []
    for turn, (status, used, is_held) in enumerate(story):
        now = NOW + turn * 60
        agent = {"status": status, "context_used": used, "status_since": now - 30}
        deed = decide(situation(agent, upkeep=upkeep, checkpoint=GOT, is_held=is_held), SETTINGS, now)
        if isinstance(deed, Tell):
            upkeep = UPKEEP
        elif isinstance(deed, Compact):
            assert upkeep is not None
            assert status is AgentStatus.IDLE
            upkeep = replace(upkeep, compaction=MessageId(2))
        deeds.append(deed)
    assert [deed for deed in deeds if deed is not None] in ([], [Tell()], [Tell(), Compact()])


# --- the supervisor's duty


class Desk:
    """A duty over a real store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.now = NOW
        self.reports: list[str] = []
        self.settings = settings
        self.duty = self.new_duty()

    def new_duty(self) -> ContextDuty:
        return ContextDuty(self.store, self.settings.context, drivers(self.settings), lambda: self.now, self._report)

    def _report(self, text: str, details: str = "") -> None:
        self.reports.append(text)

    def round(self, seconds: float = 60.0, **changes: object) -> list[str]:
        """Let time pass and the agent be so; return all it was sent up to now."""
        self.now += seconds
        if changes:
            self.store.agents.update(DEVELOPER, **changes)
        for _ in range(3):
            self.duty.round()
        assert self.reports == []
        return [message.text for message in reversed(self.store.messages.latest(DEVELOPER))]

    def deliver(self) -> None:
        message = self.store.messages.claim_next(DEVELOPER, self.now)
        assert message is not None
        self.store.messages.finish(message.id, MessageState.ACKNOWLEDGED, at=self.now)


@pytest.fixture
def desk(path: Path) -> Iterator[Desk]:
    with closing(open_store(path)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent(pane=PaneId("%1"), status=AgentStatus.WORKING, conversation="one", driver="claude"))
        yield Desk(store, Settings())


def test_one_fill_up_after_the_other(desk: Desk) -> None:
    note = [checkpoint_note(85)]
    assert desk.round(context_used=40.0) == []
    assert desk.round(context_used=85.0) == note
    assert desk.store.messages.latest(DEVELOPER)[0].sender == TMORCH
    desk.duty = desk.new_duty()
    assert desk.round() == note, "a restart forgets nothing"
    desk.deliver()
    assert desk.round(context_used=90.0) == note
    assert desk.round(status=AgentStatus.IDLE, status_since=desk.now) == [*note, COMPACT]
    desk.deliver()
    assert desk.round() == [*note, COMPACT]
    assert desk.round(context_used=12.0) == [*note, COMPACT]
    assert desk.store.upkeeps.all() == {}
    assert desk.round(context_used=85.0, status=AgentStatus.WORKING) == [*note, COMPACT, *note]
    kinds = [event.kind for event in reversed(desk.store.events.latest(9)) if event.kind.startswith("context")]
    assert kinds == ["context.checkpoint", "context.compact", "context.checkpoint"]


def test_a_new_conversation_is_not_judged_by_the_old_ones_words(desk: Desk) -> None:
    desk.store.agent_uses.add(AgentUse(agent=DEVELOPER, at=NOW, conversation="one", context_used=90.0))
    assert len(desk.round(context_used=90.0)) == 1
    assert len(desk.round(conversation="two")) == 1
    assert desk.store.upkeeps.all() == {}
    assert len(desk.round()) == 1


def test_a_paused_team_is_told_nothing(desk: Desk) -> None:
    desk.store.orchestrations.update(SHOP, paused_at=NOW)
    assert desk.round(context_used=90.0) == []
    desk.store.orchestrations.update(SHOP, paused_at=None)
    assert len(desk.round()) == 1


def test_a_kind_of_agent_without_the_command_is_told_only(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.orchestrations.claim(an_orchestration())
        store.agents.add(an_agent(AgentId(DEVELOPER), driver="claude", conversation="one", status=AgentStatus.IDLE))
        desk = Desk(store, Settings(claude=ClaudeSettings(commands=())))
        assert len(desk.round(context_used=90.0)) == 1
        desk.deliver()
        assert len(desk.round(600)) == 1


def test_a_fault_with_one_agent_is_reported_and_leaves_the_others(desk: Desk) -> None:
    desk.store.agents.add(
        an_agent(TESTER, driver="claude", conversation="t", status=AgentStatus.IDLE, context_used=90.0)
    )
    desk.store.agents.update(DEVELOPER, driver="gone", context_used=90.0)
    desk.duty.round()
    assert len(desk.reports) == 1
    assert list(desk.store.upkeeps.all()) == [TESTER]
