from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from orchestrator_core.errors import NotFoundError, RefusedError, StoreError
from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId, SessionId
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.health import HealthRow
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, corrupt, path, store

__all__ = ["path", "store"]

# --- orchestrations


def test_an_orchestration_is_stored_as_it_was_given(store: Store) -> None:
    given = an_orchestration(
        "x-1",
        project="/p/a: ü",
        project_name="a: ü",
        session_id=SessionId("$3"),
        is_demo=True,
        launcher_pid=5,
        launcher_started=1.5,
        goal="Win",
    )
    store.orchestrations.claim(given)
    assert store.orchestrations.get(OrchestrationId("x-1")) == given
    assert store.orchestrations.id_taken(OrchestrationId("x-1"))
    assert store.orchestrations.find(OrchestrationId("x-2")) is None
    with pytest.raises(NotFoundError):
        store.orchestrations.get(OrchestrationId("x-2"))


@pytest.mark.parametrize("state", [OrchestrationState.STARTING, OrchestrationState.RUNNING])
def test_a_project_is_held_by_one_active_orchestration(store: Store, state: OrchestrationState) -> None:
    store.orchestrations.update(SHOP, state=state)
    with pytest.raises(RefusedError) as caught:
        store.orchestrations.claim(an_orchestration("shop-2"))
    assert caught.value.code == "already-running"
    assert "shop-3f2a runs on this project already" in caught.value.title
    assert store.orchestrations.find(OrchestrationId("shop-2")) is None


@pytest.mark.parametrize("state", [OrchestrationState.STOPPED, OrchestrationState.FAILED, OrchestrationState.CLEANED])
def test_a_project_is_free_again_afterwards(store: Store, state: OrchestrationState) -> None:
    store.orchestrations.update(SHOP, state=state)
    store.orchestrations.claim(an_orchestration("shop-2"))
    with pytest.raises(RefusedError, match="shop-2 runs on this project"):
        store.orchestrations.update(SHOP, state=OrchestrationState.RUNNING)
    assert store.orchestrations.get(SHOP).state is state
    assert [o.id for o in store.orchestrations.list(active=True)] == ["shop-2"]
    assert [o.id for o in store.orchestrations.list()] == [SHOP, "shop-2"]


def test_an_id_is_never_given_twice(store: Store) -> None:
    store.orchestrations.update(SHOP, state=OrchestrationState.CLEANED)
    with pytest.raises(RefusedError) as caught:
        store.orchestrations.claim(an_orchestration())
    assert caught.value.code == "id-taken"


def test_the_database_itself_refuses_a_second_active_orchestration(store: Store, path: Path) -> None:
    store.orchestrations.claim(an_orchestration("shop-2", state=OrchestrationState.STOPPED))
    with pytest.raises(Exception, match="UNIQUE"):
        corrupt(path, "UPDATE orchestration SET state = 'running'")


def test_an_update_changes_what_is_named(store: Store) -> None:
    before = store.orchestrations.get(SHOP)
    after = store.orchestrations.update(SHOP, failure="no tmux", session_id="$4")
    assert after == store.orchestrations.get(SHOP)
    assert (after.failure, after.session_id, after.goal) == ("no tmux", "$4", before.goal)
    with pytest.raises(TypeError, match="colour"):
        store.orchestrations.update(SHOP, colour="red")
    with pytest.raises(TypeError, match="id"):
        store.orchestrations.update(SHOP, id="other")
    with pytest.raises(NotFoundError):
        store.orchestrations.update(OrchestrationId("x"), failure="")


# --- agents


def test_agents_keep_the_order_they_were_added_in(store: Store) -> None:
    store.agents.add(an_agent(AgentId("shop-3f2a:analyst")))
    assert [agent.role for agent in store.agents.of(SHOP)] == ["developer", "tester", "analyst"]
    assert store.agents.of(OrchestrationId("x")) == ()


def test_an_agent_is_added_once_and_to_a_stored_orchestration(store: Store) -> None:
    with pytest.raises(RefusedError, match="exists already"):
        store.agents.add(an_agent())
    with pytest.raises(StoreError) as caught:
        store.agents.add(an_agent(AgentId("nowhere:developer")))
    assert caught.value.code == "constraint"
    with pytest.raises(NotFoundError):
        store.agents.get(AgentId("shop-3f2a:nobody"))
    assert store.agents.find(AgentId("shop-3f2a:nobody")) is None


def test_an_agents_update(store: Store) -> None:
    after = store.agents.update(DEVELOPER, pane=None, pid=12, pid_started=3.5, last_output="bye")
    assert after == store.agents.get(DEVELOPER)
    assert (after.pane, after.pid, after.last_output) == (None, 12, "bye")


def test_a_verdict_moves_the_clock_only_with_the_status(store: Store) -> None:
    working = Verdict(status=AgentStatus.WORKING, reason="a spinner turns", doing="Reading a.py")
    assert store.agents.set_verdict(DEVELOPER, working, 10.0)
    assert not store.agents.set_verdict(DEVELOPER, working, 20.0)
    assert store.agents.get(DEVELOPER).status_since == 10.0
    other = Verdict(status=AgentStatus.WORKING, reason="a spinner turns", doing="Reading b.py")
    assert store.agents.set_verdict(DEVELOPER, other, 30.0)
    agent = store.agents.get(DEVELOPER)
    assert (agent.status_since, agent.doing) == (10.0, "Reading b.py")
    waiting = Verdict(status=AgentStatus.WAITING, reason="a dialog is open", waiting_for="permission")
    assert store.agents.set_verdict(DEVELOPER, waiting, 40.0)
    agent = store.agents.get(DEVELOPER)
    assert (agent.status, agent.status_since, agent.doing) == (AgentStatus.WAITING, 40.0, "")
    assert agent.waiting_for == "permission"


def test_what_is_no_news_is_not_written(store: Store, path: Path) -> None:
    with closing(open_store(path)) as other:
        before = other.data_version()
        agent = store.agents.get(DEVELOPER)
        store.agents.set_verdict(DEVELOPER, Verdict(status=agent.status, reason=agent.reason), 99.0)
        store.agents.update(DEVELOPER, role=agent.role)
        store.orchestrations.update(SHOP, state=OrchestrationState.RUNNING)
        store.messages.hold(DEVELOPER, "nothing waits")
        assert store.messages.claim_next(DEVELOPER, 1.0) is None
        assert other.data_version() == before


# --- messages


def queue(
    store: Store,
    text: str = "hello",
    target: AgentId = DEVELOPER,
    mode: DeliveryMode = DeliveryMode.WHEN_IDLE,
) -> AgentMessage:
    return store.messages.add(target, PERSON, text, at=5.0, mode=mode)


def test_messages_are_claimed_oldest_first_and_once(store: Store) -> None:
    first, second = queue(store, "one"), queue(store, "two")
    other = queue(store, "other", TESTER)
    claimed = store.messages.claim_next(DEVELOPER, 6.0)
    assert claimed is not None
    assert (claimed.id, claimed.state) == (first.id, MessageState.DELIVERING)
    again = store.messages.claim_next(DEVELOPER, 6.0)
    assert again is not None
    assert again.id == second.id
    assert store.messages.claim_next(DEVELOPER, 6.0) is None
    assert [message.id for message in store.messages.interrupted()] == [first.id, second.id]
    assert store.messages.interrupted(TESTER) == ()
    assert store.messages.open_targets() == (DEVELOPER, TESTER)
    store.messages.finish(first.id, MessageState.DELIVERED, at=7.0)
    store.messages.finish(second.id, MessageState.UNCONFIRMED, at=7.0)
    assert store.messages.open_targets() == (TESTER,)
    assert store.messages.get(other.id).state is MessageState.QUEUED


def test_the_sender_that_was_served_longest_ago_goes_first(store: Store) -> None:
    for number in range(3):
        store.messages.add(DEVELOPER, "eager", f"eager {number}", at=5.0)
    store.messages.add(DEVELOPER, "late", "late 0", at=6.0)
    store.messages.add(TESTER, "late", "elsewhere", at=6.0)
    store.messages.add(DEVELOPER, "last", "last 0", at=6.0)
    store.messages.add(DEVELOPER, "late", "late 1", at=6.0)
    order = [store.messages.claim_next(DEVELOPER, 10.0 + number) for number in range(6)]
    texts = [message.text for message in order if message]
    assert texts == ["eager 0", "late 0", "last 0", "eager 1", "late 1", "eager 2"]


def test_a_message_that_went_back_does_not_count_as_served(store: Store) -> None:
    for sender in ("one", "two"):
        store.messages.add(DEVELOPER, sender, sender, at=5.0)
    taken = store.messages.claim_next(DEVELOPER, 6.0)
    assert taken is not None
    store.messages.requeue(taken.id, "the server is gone")
    assert store.messages.claim_next(DEVELOPER, 7.0) == store.messages.get(taken.id)


def test_some_texts_are_left_for_another_time(store: Store) -> None:
    queue(store, "/compact")
    other = queue(store, "say /compact")
    found = store.messages.claim_next(DEVELOPER, 6.0, besides=("/compact", "/clear"), reason="on its way")
    assert found is not None
    assert (found.id, found.reason) == (other.id, "on its way")
    assert store.messages.claim_next(DEVELOPER, 6.0, besides=("/compact",)) is None


def test_only_messages_of_one_mode_are_claimed_on_demand(store: Store) -> None:
    queue(store, "later")
    now = queue(store, "now", mode=DeliveryMode.NOW)
    claimed = store.messages.claim_next(DEVELOPER, 6.0, mode=DeliveryMode.NOW)
    assert claimed is not None
    assert claimed.id == now.id
    assert store.messages.claim_next(DEVELOPER, 6.0, mode=DeliveryMode.NOW) is None


def claimed(store: Store) -> MessageId:
    queue(store)
    message = store.messages.claim_next(DEVELOPER, 6.0)
    assert message is not None
    return message.id


def test_a_delivered_message(store: Store) -> None:
    number = claimed(store)
    done = store.messages.finish(number, MessageState.DELIVERED, pane=PaneId("%1"), at=7.0)
    assert (done.state, done.pane, done.delivered_at) == (MessageState.DELIVERED, "%1", 7.0)
    assert store.messages.finish(number, MessageState.DELIVERED, at=9.0) == done
    assert store.messages.finish(number, MessageState.ACKNOWLEDGED, at=9.0).delivered_at == 7.0


def test_an_unconfirmed_message_may_still_prove_delivered(store: Store) -> None:
    number = claimed(store)
    unsure = store.messages.finish(number, MessageState.UNCONFIRMED, reason="never seen", pane=PaneId("%1"), at=7.0)
    assert (unsure.reason, unsure.delivered_at) == ("never seen", None)
    assert store.messages.finish(number, MessageState.DELIVERED, at=8.0).pane == "%1"


def test_what_the_agent_said_stays_whatever_the_screen_seems_to_say(store: Store) -> None:
    for state in (MessageState.DELIVERED, MessageState.UNCONFIRMED):
        number = claimed(store)
        known = store.messages.finish(number, MessageState.ACKNOWLEDGED, at=7.0)
        assert (known.acknowledged_at, known.delivered_at, known.pane) == (7.0, 7.0, None)
        after = store.messages.finish(number, state, reason="never seen", pane=PaneId("%1"), at=9.0)
        assert (after.state, after.reason, after.delivered_at) == (MessageState.ACKNOWLEDGED, "", 7.0)
        assert after.pane == "%1"


@pytest.mark.parametrize("state", [MessageState.DELIVERED, MessageState.UNCONFIRMED])
def test_an_agent_may_say_later_that_it_has_a_message(store: Store, state: MessageState) -> None:
    number = claimed(store)
    store.messages.finish(number, state, reason="so it seems", at=7.0)
    late = store.messages.finish(number, MessageState.ACKNOWLEDGED, at=9.0)
    assert (late.acknowledged_at, late.reason) == (9.0, "")


def test_what_is_on_its_way_says_why_it_takes_so_long(store: Store) -> None:
    number = claimed(store)
    store.messages.note(number, "a dialog is open over it")
    assert store.messages.get(number).reason == "a dialog is open over it"
    store.messages.finish(number, MessageState.DELIVERED, at=7.0)
    store.messages.note(number, "too late")
    assert store.messages.get(number).reason == ""


def test_what_nobody_will_get_is_refused_at_once(store: Store) -> None:
    going, waiting, other = claimed(store), queue(store), queue(store, target=TESTER)
    assert store.messages.refuse_queued(DEVELOPER, "its team was stopped") == 1
    states = {number: store.messages.get(number).state for number in (going, waiting.id, other.id)}
    assert states == {going: "delivering", waiting.id: "refused", other.id: "queued"}
    assert store.messages.get(waiting.id).reason == "its team was stopped"


def test_a_message_only_moves_forward(store: Store) -> None:
    number = claimed(store)
    store.messages.finish(number, MessageState.DELIVERED, at=7.0)
    for state in (MessageState.REFUSED, MessageState.UNCONFIRMED, MessageState.QUEUED, MessageState.DELIVERING):
        with pytest.raises(RefusedError) as caught:
            store.messages.finish(number, state, at=8.0)
        assert caught.value.code == "message-state"
    with pytest.raises(RefusedError):
        store.messages.requeue(number, "again")
    with pytest.raises(NotFoundError):
        store.messages.finish(MessageId(999), MessageState.DELIVERED, at=8.0)
    assert store.messages.get(number).state is MessageState.DELIVERED


def test_a_requeued_message_keeps_its_place(store: Store) -> None:
    number = claimed(store)
    queue(store, "later")
    again = store.messages.requeue(number, "the server is gone")
    assert (again.state, again.reason) == (MessageState.QUEUED, "the server is gone")
    first = store.messages.claim_next(DEVELOPER, 8.0)
    assert first is not None
    assert (first.id, first.reason) == (number, "")


def test_a_reason_to_wait_is_on_all_that_wait(store: Store, path: Path) -> None:
    delivered = claimed(store)
    waiting = [queue(store, f"text {number}").id for number in range(3)]
    other = queue(store, target=TESTER)
    assert store.messages.hold(DEVELOPER, "a dialog is open")
    assert {store.messages.get(number).reason for number in waiting} == {"a dialog is open"}
    assert store.messages.get(delivered).reason == ""
    assert store.messages.get(other.id).reason == ""
    with closing(open_store(path)) as watcher:
        before = watcher.data_version()
        assert not store.messages.hold(DEVELOPER, "a dialog is open")
        assert watcher.data_version() == before
    queue(store, "new")
    assert store.messages.hold(DEVELOPER, "a dialog is open")


def test_targets_wait_in_the_order_of_their_oldest_message(store: Store) -> None:
    queue(store, "one", TESTER)
    queue(store, "two", DEVELOPER)
    queue(store, "three", TESTER)
    assert store.messages.open_targets() == (TESTER, DEVELOPER)


def test_counts_of_what_waits(store: Store) -> None:
    unsure, delivering = claimed(store), claimed(store)
    store.messages.finish(unsure, MessageState.UNCONFIRMED, at=7.0)
    queue(store)
    queue(store, target=TESTER)
    done = claimed_of(store, TESTER)
    store.messages.finish(done, MessageState.DELIVERED, at=7.0)
    assert store.messages.waiting_counts() == {DEVELOPER: (2, 1)}
    assert delivering != unsure


def claimed_of(store: Store, target: AgentId) -> MessageId:
    message = store.messages.claim_next(target, 6.0)
    assert message is not None
    return message.id


def test_the_latest_messages(store: Store) -> None:
    numbers = [queue(store, f"text {number}").id for number in range(5)]
    queue(store, target=TESTER)
    assert [m.id for m in store.messages.latest(DEVELOPER, 3)] == numbers[:1:-1]
    assert len(store.messages.latest()) == 6
    assert store.messages.latest(limit=1)[0].target == TESTER


def test_a_briefing_is_a_message(store: Store) -> None:
    added = store.messages.add(DEVELOPER, PERSON, "Begin", kind=MessageKind.BRIEFING, at=1.0)
    assert added.kind is MessageKind.BRIEFING


# --- events, health, journal


def test_events_newest_first(store: Store) -> None:
    first = store.events.add("agent.status", "developer is idle", at=1.0, orchestration=SHOP, agent=DEVELOPER)
    second = store.events.add("message.delivered", "1", at=2.0)
    assert store.events.latest(10) == (second, first)
    assert store.events.latest(1) == (second,)
    assert store.events.latest(10, orchestration=SHOP) == (first,)
    assert store.events.latest(10, after=first.id) == (second,)
    assert second.id > first.id


def test_health_is_what_the_supervisor_last_said(store: Store) -> None:
    assert store.health.read() == HealthRow()
    store.health.started(12, 3.5, 10.0)
    store.health.error("tmux answered nonsense", 16.0)
    store.health.stopped(17.0)
    expected = HealthRow(
        pid=12,
        pid_started=3.5,
        heartbeat_at=10.0,
        last_error="tmux answered nonsense",
        last_error_at=16.0,
        stopped_at=17.0,
    )
    assert store.health.read() == expected
    store.health.started(13, 4.5, 20.0)
    assert store.health.read().stopped_at is None
    assert store.health.read().last_error == "tmux answered nonsense"


def test_the_journal_is_undone_newest_first(store: Store) -> None:
    first = store.journal.record(SHOP, "worktree", {"path": "/w/ü"})
    second = store.journal.record(SHOP, "session", {})
    assert [(e.id, e.kind) for e in store.journal.open(SHOP)] == [(second, "session"), (first, "worktree")]
    store.journal.close(second)
    store.journal.close(second)
    (entry,) = store.journal.open(SHOP)
    assert (entry.payload, entry.orchestration) == ({"path": "/w/ü"}, SHOP)
    with pytest.raises(StoreError):
        store.journal.record(OrchestrationId("nowhere"), "worktree", {})


# --- transactions


def queue_and_fail(store: Store, text: str) -> None:
    with store.transaction():
        queue(store, text)
        store.events.add("x", "y", at=1.0)
        raise ZeroDivisionError


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        queue_and_fail(store, "hello")
    assert store.messages.latest() == ()
    assert store.events.latest(5) == ()


def test_an_inner_transaction_that_fails_is_taken_back_alone(store: Store) -> None:
    with store.transaction():
        queue(store, "outer")
        with pytest.raises(ZeroDivisionError):
            queue_and_fail(store, "inner")
        with pytest.raises(NotFoundError):
            store.messages.requeue(MessageId(999), "")
    assert [message.text for message in store.messages.latest()] == ["outer"]


def test_others_see_a_transaction_at_its_end(store: Store, path: Path) -> None:
    with closing(open_store(path)) as other:
        with store.transaction():
            queue(store)
            assert other.messages.latest() == ()
        assert len(other.messages.latest()) == 1


# --- rows that cannot be read


def test_a_bad_row_is_left_out_and_reported_once(store: Store, path: Path) -> None:
    corrupt(path, "UPDATE agent SET status_since = x'00ff' WHERE id = ?", DEVELOPER)
    for _ in range(3):
        assert [agent.id for agent in store.agents.of(SHOP)] == [TESTER]
        assert [agent.id for agent in store.agents.active()] == [TESTER]
    with closing(open_store(path)) as other:
        other.agents.active()
        (event,) = other.events.latest(10)
    assert event.kind == "store.unreadable"
    assert "shop-3f2a:developer" in event.text
    (fault,) = store.unreadable
    assert fault.title in event.text
    with pytest.raises(StoreError, match="cannot be read"):
        store.agents.get(DEVELOPER)


def test_a_message_that_cannot_be_read_does_not_stop_the_queue(store: Store, path: Path) -> None:
    bad, good = queue(store, "bad"), queue(store, "good")
    corrupt(path, "UPDATE message SET text = x'00' WHERE id = ?", bad.id)
    assert claimed_of(store, DEVELOPER) == good.id
    assert store.messages.claim_next(DEVELOPER, 7.0) is None
    assert [message.id for message in store.messages.latest()] == [good.id]


@pytest.mark.parametrize(
    ("sql", "rest"),
    [
        ("UPDATE orchestration SET state = 'dancing' WHERE id = 'shop-3f2a'", 1),
        ("UPDATE orchestration SET created_at = 'soon' WHERE id = 'shop-3f2a'", 1),
        ("UPDATE orchestration SET is_demo = 7 WHERE id = 'shop-3f2a'", 1),
        ("UPDATE orchestration SET launcher_pid = 'x' WHERE id = 'shop-3f2a'", 1),
    ],
)
def test_hand_written_nonsense_in_one_orchestration_leaves_the_others(
    store: Store, path: Path, sql: str, rest: int
) -> None:
    store.orchestrations.claim(an_orchestration("api-1", project="/api"))
    corrupt(path, sql)
    assert [o.id for o in store.orchestrations.list()] == ["api-1"]
    assert len(store.orchestrations.list(active=True)) == rest
    with closing(open_store(path)) as again:
        assert len(again.orchestrations.list()) == rest
