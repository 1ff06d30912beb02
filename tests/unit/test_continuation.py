"""The way out of a usage limit: one for each account and reset; looked before told, told once, backed off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from orchestrator_core.config.settings import CreditSettings
from orchestrator_core.models.agent import AgentStatus, Verdict
from orchestrator_core.models.credit import AccountId, Continuation, ContinuationState, CreditReading
from orchestrator_core.models.ids import AgentId
from orchestrator_core.models.message import PERSON, MessageState
from orchestrator_core.models.need import NeedKind
from orchestrator_core.services.continuation import GO_ON, Facts, begun, decide
from orchestrator_core.store import Store, open_store
from orchestrator_core.supervisor.continuation_duty import ContinuationDuty
from tests.unit.test_credit import HOME, NOW, reading
from tests.unit.test_store_contract import DEVELOPER, TESTER, an_agent, an_orchestration

SETTINGS = CreditSettings()
VERIFY_S = SETTINGS.verify_s
RESET = NOW + 3600
DUE = RESET + SETTINGS.margin_s
LIMITED = Facts(account=HOME, limited=(DEVELOPER, TESTER), held_until=RESET)
PAST = replace(LIMITED, held_until=None)
WAITING = replace(begun(LIMITED, SETTINGS, NOW), id=1)
S = ContinuationState


def stepped(continuation: Continuation, facts: Facts, now: float, credit: CreditSettings = SETTINGS) -> Continuation:
    """Decide until nothing is to be done any more."""
    while (decision := decide(continuation, facts, credit, now)) is not None:
        if decision.continuation == continuation and not decision.nudge:
            raise AssertionError("it decides what is so already")
        continuation = decision.continuation
        facts = replace(facts, nudged=facts.nudged | frozenset(decision.nudge))
    return continuation


# --- pure


def test_it_waits_for_the_reset_and_a_margin() -> None:
    assert (WAITING.state, WAITING.resets_at, WAITING.next_at) == (S.WAITING, RESET, DUE)
    assert decide(WAITING, LIMITED, SETTINGS, RESET - 1) is None
    assert decide(WAITING, PAST, SETTINGS, DUE - 1) is None, "Claude Code goes on by itself within the margin"


def test_who_does_not_go_on_by_itself_is_told_once() -> None:
    looking = decide(WAITING, PAST, SETTINGS, DUE)
    assert looking is not None
    assert (looking.continuation.state, looking.nudge) == (S.LOOKING, ())
    told = decide(looking.continuation, replace(PAST, limited=(TESTER,)), SETTINGS, DUE)
    assert told is not None
    assert (told.continuation.state, told.nudge) == (S.NUDGED, (TESTER,))
    nudged = replace(PAST, nudged=frozenset((TESTER,)))
    assert decide(told.continuation, nudged, SETTINGS, DUE + VERIFY_S - 1) is None


def test_it_is_over_when_all_go_on() -> None:
    for state in (S.WAITING, S.LOOKING, S.BACKING_OFF):
        over = decide(replace(WAITING, state=state), replace(LIMITED, limited=()), SETTINGS, NOW + 1)
        assert over is not None
        assert (over.continuation.state, over.continuation.ended_at) == (S.OVER, NOW + 1)
    assert decide(replace(WAITING, state=S.OVER), LIMITED, SETTINGS, DUE) is None


def test_that_they_go_on_must_last() -> None:
    nudged = replace(WAITING, state=S.NUDGED, next_at=DUE + VERIFY_S)
    assert decide(nudged, replace(PAST, limited=()), SETTINGS, DUE + 1) is None
    assert stepped(nudged, replace(PAST, limited=()), DUE + VERIFY_S).state is S.OVER


def test_it_is_looked_less_and_less_often_while_it_is_still_limited() -> None:
    continuation, now, pauses = WAITING, DUE, []
    for _ in range(8):
        continuation = stepped(continuation, PAST, now)
        assert continuation.state is S.NUDGED
        now = continuation.next_at
        continuation = stepped(continuation, PAST, now)
        assert continuation.state is S.BACKING_OFF
        pauses.append((continuation.next_at - now) / 60)
        now = continuation.next_at
    assert pauses == [5, 10, 20, 40, 80, 120, 120, 120]


def test_a_later_reset_counts_and_while_backing_off_an_earlier_one_does_not() -> None:
    later = replace(LIMITED, held_until=RESET + 7200)
    assert stepped(WAITING, later, NOW).next_at == DUE + 7200
    earlier = replace(LIMITED, held_until=RESET - 1800)
    assert stepped(WAITING, earlier, NOW).next_at == DUE - 1800
    backing_off = replace(WAITING, state=S.BACKING_OFF, next_at=DUE + 300, attempts=1)
    assert decide(backing_off, earlier, SETTINGS, NOW) is None
    assert stepped(backing_off, later, NOW).next_at == DUE + 7200
    looking = replace(WAITING, state=S.LOOKING)
    assert stepped(looking, later, DUE).next_at == DUE + 7200, "nobody is told while a limit is told to be ahead"


def test_the_settings_may_leave_it_to_the_person() -> None:
    off = CreditSettings(resume=False)
    looking = stepped(WAITING, PAST, DUE, off)
    assert (looking.state, "leave it to you" in looking.reason) == (S.LOOKING, True)
    assert stepped(looking, replace(PAST, limited=()), DUE + 9, off).state is S.OVER


# --- with a store


class World:
    """Two agents of one account, a clock that is set by hand, and a supervisor that may be killed."""

    def __init__(self, store: Store, credit: CreditSettings = SETTINGS) -> None:
        self.store = store
        self.settings = credit
        self.now = NOW
        self.faults: list[str] = []
        self.restart()

    def restart(self) -> None:
        self.duty = ContinuationDuty(self.store, self.settings, lambda: self.now, lambda text, _="": self._fail(text))

    def _fail(self, text: str) -> None:
        self.faults.append(text)

    def set(self, agent: AgentId, status: AgentStatus, until: float | None = None) -> None:
        self.store.agents.set_verdict(agent, Verdict(status=status, reason="so it is", limited_until=until), self.now)

    def told(self, until: float, *, is_limit: bool = True, account: AccountId = HOME) -> None:
        told = reading(100 if is_limit else 1, at=self.now, resets_at=until, is_limit=is_limit, account=account)
        self.store.readings.add(told)

    def round(self) -> tuple[Continuation, ...]:
        self.duty.round(self.store.agents.active())
        assert self.faults == []
        return self.store.continuations.open()

    def nudges(self, agent: AgentId) -> list[str]:
        return [m.state.value for m in self.store.messages.latest(agent, 99) if m.text == GO_ON]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(open_store(tmp_path / "tmorch.db")) as store:
        store.orchestrations.claim(an_orchestration())
        for name in (DEVELOPER, TESTER):
            store.agents.add(an_agent(name, account=HOME))
        yield World(store)


def limited(world: World) -> None:
    world.told(RESET)
    for name in (DEVELOPER, TESTER):
        world.set(name, AgentStatus.LIMITED, RESET)


def test_twenty_passes_change_nothing(world: World) -> None:
    """Scenario 44."""
    limited(world)
    (begun_,) = world.round()
    revision = world.store.revision()
    for number in range(20):
        world.now += 60
        if number % 5 == 4:
            world.restart()
        assert world.round() == (begun_,)
    assert world.store.revision() == revision
    (need,) = world.duty.needs
    assert (need.kind, need.agent, "2 agents wait" in need.detail) == (NeedKind.LIMITED, DEVELOPER, True)


def test_one_goes_on_by_itself_the_other_is_told_once_whatever_restarts(world: World) -> None:
    """Scenarios 45 and 46."""
    limited(world)
    world.round()
    world.now = RESET + 77
    world.set(DEVELOPER, AgentStatus.WORKING)
    for second in range(0, 200, 20):
        world.now = RESET + 80 + second
        world.restart()
        world.round()
    assert (world.nudges(DEVELOPER), world.nudges(TESTER)) == ([], ["queued"])
    nudge = world.store.continuations.waiting_nudge(TESTER)
    assert nudge is not None
    world.store.messages.claim(nudge, world.now)
    world.store.messages.finish(nudge, MessageState.ACKNOWLEDGED, at=world.now)
    world.set(TESTER, AgentStatus.WORKING)
    world.now += VERIFY_S
    assert world.round() == ()
    assert world.duty.needs == ()
    assert world.nudges(TESTER) == ["acknowledged"]


def test_what_is_told_to_go_on_is_nobodys_turn_and_is_taken_back(world: World) -> None:
    limited(world)
    world.round()
    world.now = DUE
    for _ in range(3):
        world.round()
    ordinary = world.store.messages.add(TESTER, PERSON, "hello", at=world.now)
    found = world.store.messages.next_for(TESTER)
    assert found is not None
    assert found.id == ordinary.id
    world.set(TESTER, AgentStatus.WORKING)
    world.round()
    assert world.nudges(TESTER) == ["refused"]
    assert world.store.needs.failed_messages(0) == ()


def test_agents_without_an_account_are_seen_to_one_by_one(world: World) -> None:
    for name in (DEVELOPER, TESTER):
        world.store.agents.update(name, account="")
        world.set(name, AgentStatus.LIMITED, RESET if name == TESTER else None)
    of_developer, of_tester = sorted(world.round(), key=lambda found: found.account)
    assert (of_tester.resets_at, of_tester.is_estimate) == (RESET, False)
    assert (of_developer.resets_at, of_developer.is_estimate) == (NOW + 5 * 3600, True)


def test_a_fault_is_reported_and_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(continuation: Continuation) -> None:
        raise OSError("the disk is full")

    limited(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.store.continuations, "begin", fail)
        world.duty.round(world.store.agents.active())
    assert "the disk is full" in world.faults.pop()
    assert len(world.round()) == 1


class Nights(RuleBasedStateMachine):
    """Whatever happens in whatever order: nobody is told twice for one attempt, and nobody before the time."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        store = open_store(Path(self.folder.name) / "tmorch.db")
        store.orchestrations.claim(an_orchestration())
        for name in (DEVELOPER, TESTER):
            store.agents.add(an_agent(name, account=HOME))
        self.world = World(store)
        self.limits: list[CreditReading] = []

    def teardown(self) -> None:
        self.world.store.close()
        self.folder.cleanup()

    @rule(minutes=st.sampled_from((0.5, 1, 3, 6, 30, 130)))
    def time_passes(self, minutes: float) -> None:
        self.world.now += 60 * minutes

    @rule(agent=st.sampled_from((DEVELOPER, TESTER)), minutes=st.sampled_from((None, 1, 45, 300)))
    def an_agent_meets_a_limit(self, agent: AgentId, minutes: float | None) -> None:
        until = None if minutes is None else self.world.now + 60 * minutes
        self.world.set(agent, AgentStatus.LIMITED, until)
        if until is not None:
            self.world.told(until)

    @rule(agent=st.sampled_from((DEVELOPER, TESTER)), status=st.sampled_from((AgentStatus.WORKING, AgentStatus.EXITED)))
    def an_agent_goes_on_or_ends(self, agent: AgentId, status: AgentStatus) -> None:
        self.world.set(agent, status)

    @rule()
    def the_supervisor_is_killed(self) -> None:
        self.world.restart()

    @rule()
    def it_looks(self) -> None:
        now, queued = self.world.now, set(self.world.store.continuations.unsettled())
        self.world.round()
        for agent in set(self.world.store.continuations.unsettled()) - queued:
            found = self.world.store.agents.get(agent)
            assert found.status is AgentStatus.LIMITED
            assert found.limited_until is None or found.limited_until <= now

    @rule(agent=st.sampled_from((DEVELOPER, TESTER)), again=st.booleans())
    def what_waits_is_typed(self, agent: AgentId, *, again: bool) -> None:
        nudge = self.world.store.continuations.waiting_nudge(agent)
        if nudge is not None:
            self.world.store.messages.claim(nudge, self.world.now)
            self.world.store.messages.finish(nudge, MessageState.ACKNOWLEDGED, at=self.world.now)
            self.world.set(agent, AgentStatus.WORKING)
            if again:
                self.world.set(agent, AgentStatus.LIMITED)

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def nothing_is_doubled(self) -> None:
        store = self.world.store
        accounts = [found.account for found in store.continuations.open()]
        assert len(accounts) == len(set(accounts))
        attempts = sum(found.attempts + 1 for found in store.continuations.since(0.0))
        for agent in (DEVELOPER, TESTER):
            assert len(self.world.nudges(agent)) <= attempts


TestNights = Nights.TestCase
TestNights.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)
