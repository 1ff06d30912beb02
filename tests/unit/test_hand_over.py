"""Offers to an agent's own hook: whoever renames the file has it, and after a crash the files tell the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator_core.agents.claude.driver import ClaudeDriver
from orchestrator_core.config.settings import ClaudeSettings
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.message import PERSON, AgentMessage, MessageKind, MessageState
from orchestrator_core.services.hand_over import CHARACTERS, HandOver, Offer
from orchestrator_core.store import Store
from tests.unit.test_store_contract import DEVELOPER, path, store

__all__ = ["path", "store"]


@pytest.fixture
def hand_over(store: Store, tmp_path: Path) -> HandOver:
    return HandOver(store, tmp_path, store.agents.get(DEVELOPER), ClaudeDriver(ClaudeSettings()), lambda: 9.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop-3f2a/developer/hand-over"


@pytest.fixture
def offer(store: Store, hand_over: HandOver) -> AgentMessage:
    store.messages.add(DEVELOPER, PERSON, "go on", at=1.0)
    made = hand_over.offer("a draft is at its prompt")
    assert made is not None
    return store.messages.get(made.id)


def take(folder: Path, message: AgentMessage) -> None:
    """Do what the hook does."""
    (folder / f"{message.id}.json").rename(folder / f"taken/{message.id}.json")


def test_an_offer_is_the_hooks_answer_and_says_why(folder: Path, hand_over: HandOver, offer: AgentMessage) -> None:
    answer = json.loads((folder / f"{offer.id}.json").read_text())
    assert answer == {"decision": "block", "reason": f"[tmorch {offer.id} from the person] go on"}
    assert offer.state is MessageState.DELIVERING
    assert offer.reason == "it gets it when its turn ends: a draft is at its prompt"
    assert hand_over.standing(offer) is Offer.OPEN
    assert hand_over.offer("again") is None


def test_what_the_hook_took_is_delivered(store: Store, folder: Path, hand_over: HandOver, offer: AgentMessage) -> None:
    take(folder, offer)
    assert hand_over.withdraw(offer) is Offer.TAKEN
    hand_over.settle(offer, Offer.TAKEN)
    done = store.messages.get(offer.id)
    assert (done.state, done.pane, done.delivered_at) == (MessageState.DELIVERED, PaneId("%1"), 9.0)
    assert store.events.latest(1)[0].kind == "message.delivered"
    assert list(folder.rglob("*.json")) == []


def test_what_is_taken_back_is_queued_again(
    store: Store, folder: Path, hand_over: HandOver, offer: AgentMessage
) -> None:
    assert hand_over.withdraw(offer) is Offer.BACK
    with pytest.raises(FileNotFoundError):
        take(folder, offer)
    assert hand_over.standing(offer) is Offer.BACK  # a crash before the store heard of it
    hand_over.settle(offer, Offer.BACK)
    assert store.messages.get(offer.id).state is MessageState.QUEUED
    assert list(folder.rglob("*.json")) == []
    again = hand_over.offer("still a draft")
    assert again is not None
    assert again.id == offer.id


def test_an_offer_that_was_never_made_is_taken_back(
    store: Store, folder: Path, hand_over: HandOver, offer: AgentMessage
) -> None:
    (folder / f"{offer.id}.json").rename(folder / f"{offer.id}.offer")
    assert hand_over.standing(offer) is Offer.BACK


def test_what_was_typed_was_not_offered(store: Store, hand_over: HandOver) -> None:
    store.messages.add(DEVELOPER, PERSON, "go on", at=1.0)
    typed = store.messages.claim_next(DEVELOPER, 2.0)
    assert typed is not None
    assert hand_over.standing(typed) is Offer.NONE


@pytest.mark.parametrize("text", ["/compact", "x" * (CHARACTERS + 1)])
def test_what_only_the_prompt_can_take_waits_for_it(store: Store, hand_over: HandOver, text: str) -> None:
    number = store.messages.add(DEVELOPER, PERSON, text, at=1.0).id
    assert hand_over.offer("a draft is at its prompt") is None
    assert store.messages.get(number).state is MessageState.QUEUED


def test_briefings_and_agents_of_the_persons_own_are_left_alone(
    store: Store, hand_over: HandOver, tmp_path: Path
) -> None:
    store.messages.add(DEVELOPER, PERSON, "Begin", kind=MessageKind.BRIEFING, at=1.0)
    assert hand_over.offer("a draft is at its prompt") is None
    adopted = store.agents.update(DEVELOPER, is_adopted=True)
    own = HandOver(store, tmp_path, adopted, ClaudeDriver(ClaudeSettings()), lambda: 9.0)
    store.messages.refuse_queued(DEVELOPER, "no")
    store.messages.add(DEVELOPER, PERSON, "go on", at=1.0)
    assert own.offer("a draft is at its prompt") is None
