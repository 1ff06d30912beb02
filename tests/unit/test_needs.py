"""What needs the person: derived from any fleet, raised once, ended when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.dialog import Choice, OpenDialog
from orchestrator_core.models.fleet import AgentView, Team
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId
from orchestrator_core.models.message import AgentMessage, MessageState
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.needs import MESSAGE_AGE_S, UNREAD_S, dismiss_need, needs_of, reconcile_needs
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.admission import Limits
from tests.fakes.cli import make_agent, make_orchestration

NOW = 1_000_000.0
DEVELOPER = AgentId("shop-1a2b:developer")
CHOICES = (Choice(key="1", label="Yes", selected=True), Choice(key="2", label="No", selected=False))


def dialog(name: str = "permission", detail: str = "make", *, is_gate: bool = False) -> OpenDialog:
    return OpenDialog(name=name, detail=detail, seen=detail, choices=CHOICES, is_gate=is_gate)


def waiting(asks: OpenDialog | None = None, **changes: Any) -> Verdict:
    verdict = Verdict(status=AgentStatus.WAITING, reason="it asks", waiting_for=asks.name if asks else "", dialog=asks)
    return replace(verdict, **changes)


WORKING = Verdict(status=AgentStatus.WORKING, reason="it shows a spinner")
BLIND = Verdict(status=AgentStatus.UNKNOWN, reason="it shows nothing that is known")


# --- derivation

dialogs = st.builds(
    dialog,
    st.sampled_from(["permission", "question", "trust", "other"]),
    st.text(max_size=20),
    is_gate=st.booleans(),
)
moments = st.floats(min_value=NOW - 3 * MESSAGE_AGE_S, max_value=NOW)


@st.composite
def teams(draw: st.DrawFn) -> Team:
    name = draw(st.sampled_from(["shop-1a2b", "shop-2b3c"]))
    views = tuple(
        AgentView(
            agent=make_agent(
                f"{name}:{role}",
                status=draw(st.sampled_from(AgentStatus)),
                dialog=draw(st.none() | dialogs),
                waiting_for=draw(st.sampled_from(["", "error", "permission"])),
                status_since=draw(moments),
            )
        )
        for role in draw(st.lists(st.sampled_from(["developer", "tester", "lead"]), unique=True, max_size=3))
    )
    state = draw(st.sampled_from(OrchestrationState))
    return Team(orchestration=make_orchestration(name, state=state), agents=views)


messages = st.builds(
    AgentMessage,
    id=st.integers(min_value=1).map(MessageId),
    target=st.sampled_from([DEVELOPER, AgentId("shop-2b3c:tester")]),
    sender=st.just("you"),
    text=st.text(max_size=100),
    state=st.sampled_from(MessageState),
    created_at=moments,
)
fleets = st.lists(teams(), max_size=2, unique_by=lambda team: team.orchestration.id)


@given(fleets, st.lists(messages, max_size=6, unique_by=lambda message: message.id))
def test_needs_are_unique_ordered_and_only_of_what_is_active(found: list[Team], sent: list[AgentMessage]) -> None:
    needs = needs_of(found, sent, NOW)
    assert len({need.key for need in needs}) == len(needs)
    assert [need.since for need in needs] == sorted(need.since for need in needs)
    active = {team.orchestration.id for team in found if team.orchestration.state.is_active}
    assert {need.orchestration for need in needs} <= active
    of_messages = {need.message for need in needs if need.message is not None}
    assert of_messages <= {m.id for m in sent if m.state in (MessageState.REFUSED, MessageState.UNCONFIRMED)}
    assert all(NOW - m.created_at < MESSAGE_AGE_S for m in sent if m.id in of_messages)


@given(fleets, st.lists(messages, max_size=3, unique_by=lambda message: message.id))
def test_whatever_can_be_answered_names_its_dialog(found: list[Team], sent: list[AgentMessage]) -> None:
    agents = {view.agent.id: view.agent for team in found for view in team.agents}
    for need in needs_of(found, sent, NOW):
        asks = agents[need.agent].dialog
        if need.kind.is_answerable:
            assert asks is not None
            assert (need.fingerprint, need.choices) == (asks.fingerprint, asks.choices)
        assert need.agent in agents


@given(fleets)
def test_an_agent_that_works_or_rests_needs_nobody(found: list[Team]) -> None:
    calm = (AgentStatus.WORKING, AgentStatus.IDLE, AgentStatus.STARTING, AgentStatus.LIMITED)
    needing = {need.agent for need in needs_of(found, (), NOW)}
    assert not {view.agent.id for team in found for view in team.agents if view.agent.status in calm} & needing


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"status": AgentStatus.WAITING, "dialog": dialog()}, NeedKind.PERMISSION),
        ({"status": AgentStatus.UNKNOWN, "dialog": dialog()}, NeedKind.PERMISSION),
        ({"status": AgentStatus.WAITING, "dialog": dialog("question")}, NeedKind.QUESTION),
        ({"status": AgentStatus.WAITING, "dialog": dialog("trust", is_gate=True)}, NeedKind.GATE),
        ({"status": AgentStatus.WAITING, "dialog": dialog("other")}, NeedKind.DIALOG),
        ({"status": AgentStatus.WAITING, "waiting_for": "error"}, NeedKind.ERROR),
        ({"status": AgentStatus.WAITING, "waiting_for": "other", "status_since": NOW - UNREAD_S}, NeedKind.DIALOG),
        ({"status": AgentStatus.WAITING, "waiting_for": "other", "status_since": NOW}, None),
        ({"status": AgentStatus.EXITED}, NeedKind.EXITED),
        ({"status": AgentStatus.FAILED}, NeedKind.FAILED),
    ],
)
def test_the_kind_of_need(changes: dict[str, Any], kind: NeedKind | None) -> None:
    team = Team(orchestration=make_orchestration(), agents=(AgentView(agent=make_agent(**changes)),))
    assert [need.kind for need in needs_of([team], (), NOW)] == ([kind] if kind else [])


# --- in the store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.db")
    made.orchestrations.claim(make_orchestration(state=OrchestrationState.STARTING))
    made.orchestrations.update(OrchestrationId("shop-1a2b"), state=OrchestrationState.RUNNING)
    made.agents.add(make_agent())
    yield made
    made.close()


def listed(store: Store) -> list[tuple[NeedKind, str]]:
    return [(need.kind, need.detail) for need in store.needs.open()]


def kinds(store: Store) -> list[str]:
    return [event.kind for event in reversed(store.events.latest(100)) if event.kind.startswith("need.")]


def see(store: Store, verdict: Verdict, at: float) -> tuple[Need, ...]:
    store.agents.set_verdict(DEVELOPER, verdict, at)
    return reconcile_needs(store, at)


def test_a_need_is_raised_once_and_ends(store: Store) -> None:
    (raised,) = see(store, waiting(dialog()), NOW)
    assert (raised.since, raised.key) == (NOW, f"{DEVELOPER}:{dialog().fingerprint}")
    revision = store.revision()
    assert reconcile_needs(store, NOW + 1) == ()
    assert store.revision() == revision, "nothing is written while nothing changes"
    assert see(store, WORKING, NOW + 2) == ()
    assert listed(store) == []
    assert kinds(store) == ["need.raised", "need.ended"]


@pytest.mark.parametrize("flicker", [BLIND, waiting(waiting_for="permission")])
def test_a_dialog_that_one_look_misses_is_not_raised_again(store: Store, flicker: Verdict) -> None:
    see(store, waiting(dialog()), NOW)
    for step in range(3):
        assert see(store, flicker, NOW + 10 + step) == ()
        assert [kind for kind, _ in listed(store)] == [NeedKind.PERMISSION]
        assert see(store, waiting(dialog()), NOW + 10.5 + step) == ()
    assert kinds(store) == ["need.raised"]


def test_a_dialog_out_of_sight_for_long_is_over(store: Store) -> None:
    see(store, waiting(dialog()), NOW)
    see(store, BLIND, NOW + 1)
    assert reconcile_needs(store, NOW + 1 + UNREAD_S) == ()
    assert listed(store) == []


def test_another_dialog_is_another_need_that_begins_now(store: Store) -> None:
    see(store, waiting(dialog()), NOW)
    (other,) = see(store, waiting(dialog(detail="make install")), NOW + 60)
    assert other.since == NOW + 60
    assert listed(store) == [(NeedKind.PERMISSION, "make install")]


def test_the_exact_command_is_told_when_the_hook_has_told_it(store: Store) -> None:
    see(store, waiting(dialog(detail="make in…")), NOW)
    exact = replace(dialog(detail="make in…"), detail="make install")
    assert see(store, waiting(exact), NOW + 1) == ()
    assert listed(store) == [(NeedKind.PERMISSION, "make install")]


def test_a_dialog_drawn_anew_in_another_width_is_the_same_need(store: Store) -> None:
    wide = replace(dialog(detail="make install"), seen="make install")
    narrow = replace(wide, seen="make ins\ntall", choices=(*CHOICES, Choice(key="3", label="Cut", selected=False)))
    assert wide.fingerprint != narrow.fingerprint
    see(store, waiting(wide), NOW)
    store.needs.notified([need.key for need in store.needs.open()], NOW)
    assert see(store, waiting(narrow), NOW + 5) == ()
    (need,) = store.needs.open()
    assert (need.fingerprint, need.choices, need.since) == (narrow.fingerprint, narrow.choices, NOW)
    assert store.needs.unnotified() == ()
    assert kinds(store) == ["need.raised"]


def test_what_was_dismissed_stays_away_until_it_comes_anew(store: Store) -> None:
    (need,) = see(store, waiting(dialog()), NOW)
    assert dismiss_need(store, need.key, NOW + 1)
    assert not dismiss_need(store, need.key, NOW + 1)
    assert reconcile_needs(store, NOW + 2) == ()
    assert listed(store) == []
    see(store, WORKING, NOW + 3)
    assert len(see(store, waiting(dialog()), NOW + 4)) == 1
    assert len(listed(store)) == 1


def test_the_needs_of_a_stopped_team_end(store: Store) -> None:
    see(store, waiting(dialog()), NOW)
    store.orchestrations.update(OrchestrationId("shop-1a2b"), state=OrchestrationState.STOPPED)
    assert listed(store) == [], "even while no supervisor runs"
    reconcile_needs(store, NOW + 1)
    assert store.needs.all() == ()
    assert kinds(store) == ["need.raised", "need.ended"]


def test_messages_that_were_not_delivered_but_not_those_that_flood(store: Store) -> None:
    limits = Limits(duplicate_limit=1, duplicate_window_s=60)
    first, flood = (store.messages.add(DEVELOPER, "you", "hello\nyou", at=NOW, limits=limits) for _ in range(2))
    assert flood.state is MessageState.REFUSED
    store.messages.claim_next(DEVELOPER, NOW)
    store.messages.finish(first.id, MessageState.UNCONFIRMED, reason="it never showed", at=NOW)
    (need,) = reconcile_needs(store, NOW + 1)
    assert (need.kind, need.message, need.key) == (NeedKind.UNCONFIRMED, first.id, f"message:{first.id}")
    assert "it never showed" in need.detail
    assert "hello you" in need.detail
    store.messages.finish(first.id, MessageState.ACKNOWLEDGED, at=NOW + 2)
    reconcile_needs(store, NOW + 2)
    assert listed(store) == []
    old = store.messages.add(DEVELOPER, "you", "later", at=NOW)
    store.messages.claim_next(DEVELOPER, NOW)
    store.messages.finish(old.id, MessageState.REFUSED, reason="a shell", at=NOW)
    assert len(reconcile_needs(store, NOW + 3)) == 1
    reconcile_needs(store, NOW + MESSAGE_AGE_S)
    assert listed(store) == []
