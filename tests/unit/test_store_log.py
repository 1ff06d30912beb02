"""What front ends page through: messages between two, and the log."""

from __future__ import annotations

from orchestrator_core.models.ids import AgentId, MessageId
from orchestrator_core.models.message import PERSON
from orchestrator_core.store import Store
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, path, store

__all__ = ["path", "store"]


def fill(store: Store) -> None:
    for sender, target, text in (
        (PERSON, DEVELOPER, "begin"),
        (DEVELOPER, TESTER, "try Commit 1"),
        (TESTER, DEVELOPER, "it is red"),
        (PERSON, TESTER, "take care"),
    ):
        store.messages.add(target=target, sender=sender, text=text, at=1.0)


def texts(store: Store, agent: str = "", partner: str = "", **how: object) -> list[str]:
    found = store.messages.between(AgentId(agent), partner, **how)  # type: ignore[arg-type]  # what a caller may give
    return [message.text for message in found]


def test_messages_to_and_from_an_agent(store: Store) -> None:
    fill(store)
    assert texts(store) == ["take care", "it is red", "try Commit 1", "begin"]
    assert texts(store, DEVELOPER) == ["it is red", "try Commit 1", "begin"]
    assert texts(store, DEVELOPER, TESTER) == ["it is red", "try Commit 1"] == texts(store, TESTER, DEVELOPER)
    assert texts(store, DEVELOPER, PERSON) == ["begin"]


def test_messages_page_by_page_and_by_words(store: Store) -> None:
    fill(store)
    assert texts(store, limit=2) == ["take care", "it is red"]
    oldest = store.messages.between(AgentId(""), limit=2)[-1].id
    assert texts(store, limit=2, before=oldest) == ["try Commit 1", "begin"]
    assert texts(store, text="commit") == ["try Commit 1"]
    store.messages.hold(TESTER, "its prompt holds 100% of a_draft")
    assert texts(store, text="100% of a_d") == ["take care", "try Commit 1"]
    assert texts(store, text="1_0%") == []
    assert store.messages.get(MessageId(1)).text == "begin"


def test_the_log_page_by_page_and_by_words(store: Store) -> None:
    before = {event.id for event in store.events.latest(1000)}
    for number in range(4):
        store.events.add("agent.status", f"No {number}", at=number, orchestration=SHOP, agent=DEVELOPER)
    store.events.add("message.refused", "to the tester", at=9, orchestration=SHOP, agent=TESTER)
    store.events.add("orchestration.stopped", "stopped", at=10, orchestration="other-1")
    new = [event for event in store.events.latest(1000) if event.id not in before]
    assert [event.text for event in new] == ["stopped", "to the tester", "No 3", "No 2", "No 1", "No 0"]
    assert [e.text for e in store.events.latest(2, agent=DEVELOPER)] == ["No 3", "No 2"]
    assert [e.text for e in store.events.latest(9, agent=DEVELOPER, before=new[3].id)] == ["No 1", "No 0"]
    assert [e.text for e in store.events.latest(9, text="REFUSED")] == ["to the tester"]
    assert [e.text for e in store.events.latest(9, orchestration="other-1")] == ["stopped"]
    assert [e.text for e in store.events.latest(9, after=new[1].id)] == ["stopped"]
