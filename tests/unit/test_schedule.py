from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.errors import NotFoundError, RefusedError, StoreError, UsageError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.check_in import (
    TMORCH,
    CheckInKind,
    CheckInRequest,
    CheckInState,
    FiringOutcome,
    Scheduled,
)
from orchestrator_core.models.ids import AgentId, CheckInId, OrchestrationId, agent_id
from orchestrator_core.models.message import CHECK_IN, PERSON, DeliveryMode, MessageKind, MessageState
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services import schedule
from orchestrator_core.services.recurrence import LONGEST_S
from orchestrator_core.store import Store, open_store
from tests.unit.test_store_contract import DEVELOPER, SHOP, TESTER, an_agent, an_orchestration, corrupt, path, store

__all__ = ["path", "store"]

NOW = 1_800_000_000.0
OTHER = OrchestrationId("site-1")
SITE = agent_id(OTHER, "developer")
DEFAULTS = ScheduleSettings()


def agent(store: Store, name: AgentId = DEVELOPER) -> Agent:
    return store.agents.get(name)


def add(
    store: Store,
    *,
    target: AgentId = DEVELOPER,
    caller: AgentId | None = None,
    author: str = "",
    now: float = NOW,
    settings: ScheduleSettings = DEFAULTS,
    **request: object,
) -> Scheduled:
    wanted = replace(CheckInRequest(note="look at the tests"), **(request or {"delay_s": 600.0}))
    return schedule.add(
        store,
        settings,
        wanted,
        agent(store, target),
        author=author,
        caller=agent(store, caller) if caller else None,
        now=now,
    )


def number(store: Store, **how: object) -> CheckInId:
    return add(store, **how).check_in.id  # type: ignore[arg-type]  # as `add` takes it


def events(store: Store) -> list[str]:
    return [event.kind for event in reversed(store.events.latest(50))]


def stopped(store: Store, state: OrchestrationState = OrchestrationState.STOPPED) -> None:
    store.orchestrations.update(SHOP, state=state)


# --- setting


def test_a_check_in_is_set(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tzlocal.get_localzone_name", lambda: "Europe/Berlin")
    scheduled = add(store, delay_s=600.0, note="  look at\nthe tests ")
    check_in = scheduled.check_in
    assert scheduled.is_new
    assert check_in == store.check_ins.get(check_in.id)
    assert (check_in.note, check_in.author, check_in.target) == ("  look at\nthe tests ", PERSON, DEVELOPER)
    assert (check_in.kind, check_in.due_at, check_in.state) == (CheckInKind.ONCE, NOW + 600, CheckInState.ACTIVE)
    assert (check_in.zone, check_in.set_at, check_in.created_at) == ("Europe/Berlin", NOW, NOW)
    event = store.events.latest(1)[0]
    assert (event.kind, event.agent, event.orchestration, event.at) == ("check-in.set", DEVELOPER, SHOP, NOW)
    assert event.text.endswith("set by you, due in 10 min: look at the tests")


def test_one_that_repeats_is_counted_from_its_first_time(store: Store) -> None:
    check_in = add(store, delay_s=90.0, repeats=True).check_in
    assert (check_in.kind, check_in.interval_s) == (CheckInKind.EVERY, 90.0)
    assert check_in.due_at == check_in.anchor_at == NOW + 90


def test_a_cron_expression_keeps_its_zone(store: Store) -> None:
    check_in = add(store, cron=" 0  9 * * Mon-Fri", zone="Asia/Tokyo").check_in
    assert (check_in.kind, check_in.cron, check_in.zone) == (CheckInKind.CRON, "0 9 * * Mon-Fri", "Asia/Tokyo")
    assert check_in.due_at > NOW
    assert check_in.due_at % 86400 == 0  # nine in Tokyo


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"note": " \n", "delay_s": 5.0}, "empty"),
        ({"delay_s": -1.0}, "time"),
        ({"at": NOW - 1}, "time"),
        ({"at": NOW + LONGEST_S + 1}, "time"),
        ({"delay_s": 59.0, "repeats": True}, "interval"),
        ({"cron": "0 9 * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "0 9 * * *", "zone": "Berlin"}, "zone"),
        ({"delay_s": 5.0, "zone": "Berlin"}, "zone"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(store: Store, request_: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        add(store, **request_)  # type: ignore[arg-type]  # as `add` takes it
    assert caught.value.code == code
    assert store.check_ins.latest(5) == ()
    assert events(store) == []


@pytest.mark.parametrize("state", [OrchestrationState.STOPPED, OrchestrationState.FAILED, OrchestrationState.CLEANED])
def test_a_team_that_has_ended_takes_none(store: Store, state: OrchestrationState) -> None:
    active = number(store)
    stopped(store, state)
    for refused in (
        lambda: add(store, delay_s=700.0),
        lambda: schedule.move(store, active, NOW + 60, None, NOW),
        lambda: schedule.fire(store, active, None, NOW),
        lambda: schedule.pause(store, SHOP, True, NOW),
    ):
        with pytest.raises(RefusedError) as caught:
            refused()
        assert caught.value.code == "team-ended"
    assert events(store) == ["check-in.set"]
    assert schedule.cancel(store, active, None, NOW).state is CheckInState.CANCELLED


def test_a_team_that_starts_takes_them(store: Store) -> None:
    stopped(store, OrchestrationState.STARTING)
    assert add(store).is_new


# --- who has set it


@pytest.mark.parametrize(
    ("author", "caller", "expected", "sender"),
    [
        ("", None, PERSON, "check-in by you"),
        (DEVELOPER, None, DEVELOPER, CHECK_IN),
        (TESTER, None, TESTER, f"check-in by {TESTER}"),
        ("", DEVELOPER, DEVELOPER, CHECK_IN),
        ("", TESTER, TESTER, f"check-in by {TESTER}"),
        (PERSON, TESTER, TESTER, f"check-in by {TESTER}"),  # an agent is always itself
    ],
)
def test_its_message_says_who_has_set_it(
    store: Store, author: str, caller: AgentId | None, expected: str, sender: str
) -> None:
    check_in = add(store, author=author, caller=caller, delay_s=5.0).check_in
    assert check_in.author == expected
    assert schedule.sender_of(check_in) == sender


def test_nobody_is_tmorch_but_tmorch(store: Store) -> None:
    with pytest.raises(UsageError, match="not from tmorch"):
        add(store, author=TMORCH)
    assert store.check_ins.active() == ()


def test_an_agent_sets_them_for_itself_and_for_those_it_writes_to(store: Store) -> None:
    store.routes.set(SHOP, [("developer", "tester"), ("tester", "nobody")])
    assert add(store, target=DEVELOPER, caller=DEVELOPER, delay_s=5.0).is_new
    assert add(store, target=TESTER, caller=DEVELOPER, delay_s=5.0).is_new
    assert add(store, target=TESTER, caller=TESTER, delay_s=600.0).is_new
    with pytest.raises(RefusedError) as caught:
        add(store, target=DEVELOPER, caller=TESTER, delay_s=600.0)
    assert caught.value.code == "route"
    assert add(store, target=DEVELOPER, delay_s=600.0).is_new  # a person may


def test_teams_talk_through_their_hubs_here_too(store: Store) -> None:
    store.orchestrations.claim(an_orchestration(OTHER, project="/projects/site"))
    store.agents.add(an_agent(SITE))
    assert add(store, target=SITE, caller=DEVELOPER, delay_s=5.0).is_new
    with pytest.raises(RefusedError) as caught:
        add(store, target=SITE, caller=TESTER, delay_s=5.0)
    assert caught.value.code == "route"


def test_an_agent_sets_so_many_and_a_person_any_number(store: Store) -> None:
    settings = ScheduleSettings(limit=2)
    first = add(store, caller=DEVELOPER, settings=settings, note="1", delay_s=60.0).check_in
    add(store, caller=DEVELOPER, target=TESTER, settings=settings, note="2", delay_s=60.0)
    with pytest.raises(RefusedError) as caught:
        add(store, caller=DEVELOPER, settings=settings, note="3", delay_s=60.0)
    assert caught.value.code == "limit"
    assert not add(store, caller=DEVELOPER, settings=settings, note="1", delay_s=60.0).is_new
    assert add(store, caller=TESTER, settings=settings, note="3", delay_s=60.0).is_new
    assert add(store, settings=settings, note="4", delay_s=60.0).is_new
    schedule.cancel(store, first.id, agent(store), NOW)
    assert add(store, caller=DEVELOPER, settings=settings, note="5", delay_s=60.0).is_new
    for note in range(60):
        add(store, caller=TESTER, settings=ScheduleSettings(limit=0), note=f"no limit {note}", delay_s=60.0)


# --- the same meaning


def test_one_that_means_the_same_is_not_set_again(store: Store) -> None:
    first = add(store, delay_s=600.0).check_in
    again = add(store, note=" Look at  the TESTS\n", delay_s=600.0, now=NOW + 120)
    assert (again.is_new, again.check_in) == (False, first)
    assert events(store) == ["check-in.set"]


@pytest.mark.parametrize(
    ("delay_s", "other_s", "is_new"),
    [
        (3600.0, 3600.0 + 300, False),  # five minutes, as the settings say
        (3600.0, 3600.0 - 301, True),
        (60.0, 89.0, False),  # half of its delay
        (60.0, 125.0, True),
        (0.0, 5.0, True),
        (0.0, 0.0, False),
    ],
)
def test_once_means_the_same_when_it_is_due_at_about_the_same_time(
    store: Store, delay_s: float, other_s: float, is_new: bool
) -> None:
    add(store, delay_s=delay_s)
    assert add(store, delay_s=other_s).is_new is is_new


@pytest.mark.parametrize(
    ("one", "other", "is_new"),
    [
        ({"delay_s": 1800.0, "repeats": True}, {"delay_s": 1800.0, "repeats": True}, False),
        ({"delay_s": 0.1 * 3 * 600, "repeats": True}, {"delay_s": 0.3 * 600, "repeats": True}, False),
        ({"delay_s": 1800.0, "repeats": True}, {"delay_s": 1860.0, "repeats": True}, True),
        ({"delay_s": 1800.0, "repeats": True}, {"delay_s": 1800.0}, True),
        ({"cron": "0 9 * * mon"}, {"cron": "0  9 * * MON"}, False),
        ({"cron": "0 9 * * mon", "zone": "UTC"}, {"cron": "0 9 * * mon", "zone": "Asia/Tokyo"}, True),
        ({"cron": "0 9 * * mon"}, {"cron": "0 10 * * mon"}, True),
        ({"delay_s": 600.0}, {"delay_s": 600.0, "note": "look at the docs"}, True),
        ({"delay_s": 600.0}, {"delay_s": 600.0, "target": TESTER}, True),
    ],
)
def test_what_means_the_same(store: Store, one: dict[str, object], other: dict[str, object], is_new: bool) -> None:
    add(store, **one)  # type: ignore[arg-type]  # as `add` takes it
    assert add(store, **other).is_new is is_new  # type: ignore[arg-type]  # as `add` takes it


def test_what_has_ended_or_is_tmorchs_own_stands_for_nothing(store: Store) -> None:
    first = number(store, delay_s=600.0)
    schedule.cancel(store, first, None, NOW)
    second = add(store, delay_s=600.0)
    assert second.is_new
    store.check_ins.update(second.check_in.id, is_standing=True)
    assert add(store, delay_s=600.0).is_new


# --- whose it is


def test_an_agent_changes_what_it_has_set_and_what_is_for_it(store: Store) -> None:
    by_it = number(store, target=TESTER, caller=DEVELOPER, delay_s=600.0)
    for_it = number(store, target=DEVELOPER, delay_s=600.0)
    for which in (by_it, for_it):
        schedule.move(store, which, NOW + 900, agent(store), NOW)
        schedule.fire(store, which, agent(store), NOW)
    assert schedule.cancel(store, for_it, agent(store), NOW).state is CheckInState.FIRED


def test_an_agent_rewords_only_what_it_has_written(store: Store) -> None:
    """The header of the message names the author."""
    by_it = number(store, target=TESTER, caller=DEVELOPER, delay_s=600.0)
    for_it = number(store, target=DEVELOPER, delay_s=600.0)
    assert schedule.reword(store, by_it, "hurry", agent(store), NOW).note == "hurry"
    with pytest.raises(RefusedError) as caught:
        schedule.reword(store, for_it, "never mind", agent(store), NOW)
    assert caught.value.code == "not-yours"
    assert store.check_ins.get(for_it).note == "look at the tests"


def each_change(store: Store, which: CheckInId, caller: Agent | None) -> list[str]:
    """Return the code with which each change is refused; empty where it is not."""
    codes = []
    for change in (
        lambda: schedule.move(store, which, NOW + 900, caller, NOW),
        lambda: schedule.reword(store, which, "hurry", caller, NOW),
        lambda: schedule.fire(store, which, caller, NOW),
        lambda: schedule.cancel(store, which, caller, NOW),
    ):
        try:
            change()
            codes.append("")
        except (RefusedError, NotFoundError) as error:
            codes.append(error.code)
    return codes


def test_nobody_else_changes_it(store: Store) -> None:
    which = number(store, target=DEVELOPER, delay_s=600.0)
    before = store.check_ins.get(which)
    assert each_change(store, which, agent(store, TESTER)) == ["not-yours"] * 4
    assert store.check_ins.get(which) == before
    assert store.messages.latest() == ()


def test_agents_leave_alone_what_tmorch_keeps_and_a_person_does_not(store: Store) -> None:
    which = number(store, delay_s=600.0, repeats=True)
    store.check_ins.update(which, author=TMORCH, is_standing=True)
    assert each_change(store, which, agent(store)) == ["standing"] * 4
    assert each_change(store, which, None) == [""] * 4
    with pytest.raises(RefusedError, match="is not set again"):  # another one comes in its place
        schedule.move(store, which, NOW + 60, None, NOW)


def test_a_number_that_there_is_not(store: Store) -> None:
    assert each_change(store, CheckInId(77), None) == ["not-found"] * 4


# --- moving


def test_moving_has_it_fire_at_another_time(store: Store) -> None:
    once = schedule.move(store, number(store), NOW + 60, None, NOW + 1)
    assert (once.due_at, once.set_at) == (NOW + 60, NOW + 1)
    repeating = schedule.move(store, number(store, delay_s=900.0, repeats=True), NOW + 100, None, NOW)
    assert (repeating.due_at, repeating.anchor_at, repeating.interval_s) == (NOW + 100, NOW + 100, 900.0)
    cron = schedule.move(store, number(store, cron="0 9 * * *"), NOW + 100, None, NOW)
    assert (cron.due_at, cron.cron) == (NOW + 100, "0 9 * * *")
    assert events(store)[-1] == "check-in.moved"


@pytest.mark.parametrize("state", [CheckInState.FIRED, CheckInState.CANCELLED, CheckInState.DEAD])
def test_one_that_has_ended_is_set_again(store: Store, state: CheckInState) -> None:
    which = number(store)
    store.check_ins.update(which, state=state, reason="gone", attempts=5, retry_at=NOW + 9, ended_at=NOW)
    after = schedule.move(store, which, NOW + 60, None, NOW)
    assert (after.state, after.reason, after.attempts) == (CheckInState.ACTIVE, "", 0)
    assert (after.retry_at, after.ended_at, after.due_at) == (None, None, NOW + 60)
    assert store.check_ins.due(NOW + 60, 5) == (which,)


def test_to_a_moment_ago_is_to_now(store: Store) -> None:
    which = number(store)
    assert schedule.move(store, which, NOW - 30, None, NOW).due_at == NOW
    assert schedule.move(store, which, NOW, None, NOW).due_at == NOW
    for wrong in (NOW - 61, NOW + LONGEST_S + 1, float("nan"), float("inf")):
        with pytest.raises(UsageError):
            schedule.move(store, which, wrong, None, NOW)
    assert store.check_ins.get(which).due_at == NOW


def test_to_a_time_at_which_it_has_fired_it_fires_again(store: Store) -> None:
    which = number(store, delay_s=0.0)
    check_in = store.check_ins.get(which)
    schedule.record_firing(store, check_in, due_at=NOW, now=NOW, outcome=FiringOutcome.SENT)
    after = schedule.move(store, which, NOW, None, NOW - 3600)  # the clock went back
    assert NOW < after.due_at < NOW + 1
    assert schedule.record_firing(store, after, due_at=after.due_at, now=NOW, outcome=FiringOutcome.SENT)


# --- rewording, cancelling


def test_a_note_is_changed(store: Store) -> None:
    which = number(store)
    assert schedule.reword(store, which, "hurry", None, NOW) == store.check_ins.get(which)
    assert store.check_ins.get(which).note == "hurry"
    schedule.reword(store, which, "hurry", None, NOW)
    assert events(store) == ["check-in.set", "check-in.reworded"]
    with pytest.raises(UsageError):
        schedule.reword(store, which, " ", None, NOW)
    schedule.cancel(store, which, None, NOW)
    with pytest.raises(RefusedError) as caught:
        schedule.reword(store, which, "too late", None, NOW)
    assert caught.value.code == "ended"


def test_cancelling(store: Store) -> None:
    which = number(store)
    after = schedule.cancel(store, which, agent(store), NOW + 5)
    assert (after.state, after.reason) == (CheckInState.CANCELLED, f"by {DEVELOPER}")
    assert after.ended_at == NOW + 5
    assert schedule.cancel(store, which, None, NOW + 9) == after
    assert events(store) == ["check-in.set", "check-in.cancelled"]
    assert store.check_ins.next_at() is None


# --- firing


def test_one_that_fires_once_is_done(store: Store) -> None:
    which = number(store, note="do  it\nnow", delay_s=600.0)
    firing = schedule.fire(store, which, None, NOW + 30)
    after = store.check_ins.get(which)
    assert (after.state, after.due_at, after.ended_at) == (CheckInState.FIRED, NOW + 30, NOW + 30)
    assert (firing.due_at, firing.fired_at, firing.missed) == (NOW + 30, NOW + 30, 0)
    assert (firing.outcome, firing.receipt, firing.reason) == (
        FiringOutcome.SENT,
        MessageState.QUEUED,
        "asked for by you",
    )
    (message,) = store.messages.latest()
    assert firing.message == message.id
    assert (message.target, message.sender, message.text) == (DEVELOPER, "check-in by you", "do  it\nnow")
    assert (message.mode, message.kind) == (DeliveryMode.WHEN_IDLE, MessageKind.TEXT)
    assert events(store) == ["check-in.set", "check-in.fired"]


def test_one_that_has_fired_does_not_fire_again(store: Store) -> None:
    which = number(store)
    schedule.fire(store, which, None, NOW)
    with pytest.raises(RefusedError) as caught:
        schedule.fire(store, which, None, NOW + 1)
    assert caught.value.code == "ended"
    assert len(store.messages.latest()) == 1


def test_one_that_repeats_keeps_its_own_times(store: Store) -> None:
    which = number(store, delay_s=900.0, repeats=True)
    before = store.check_ins.get(which)
    firings = [schedule.fire(store, which, None, NOW + 30) for _ in range(3)]
    assert store.check_ins.get(which) == before
    assert len({firing.due_at for firing in firings}) == 3
    assert len(store.messages.latest()) == 3
    assert not store.firings.has(which, before.due_at)


def test_an_agents_own_limits_on_messages_do_not_count(store: Store) -> None:
    which = number(store, caller=TESTER, delay_s=900.0, repeats=True)
    for second in range(20):
        schedule.fire(store, which, None, NOW + second)
    assert {message.state for message in store.messages.latest()} == {MessageState.QUEUED}


def test_a_due_time_has_one_firing_whoever_records_it(store: Store, path: Path) -> None:
    check_in = add(store, delay_s=60.0, repeats=True).check_in
    how = {"due_at": check_in.due_at, "now": NOW + 200.0, "outcome": FiringOutcome.SENT}
    firing = schedule.record_firing(store, check_in, **how)  # type: ignore[arg-type]  # as it takes it
    assert firing is not None
    assert firing.missed == 2
    with closing(open_store(path)) as another:
        assert schedule.record_firing(another, check_in, **how) is None  # type: ignore[arg-type]  # as above
    assert len(store.messages.latest()) == 1
    assert events(store) == ["check-in.set", "check-in.fired"]
    assert "for 2 more that it missed" in store.events.latest(1)[0].text


def test_one_that_is_skipped_sends_nothing_and_says_why(store: Store) -> None:
    check_in = add(store, delay_s=60.0, repeats=True).check_in
    firing = schedule.record_firing(
        store, check_in, due_at=check_in.due_at, now=NOW + 60, outcome=FiringOutcome.SKIPPED, reason="its agent works"
    )
    assert firing is not None
    assert (firing.message, firing.reason, firing.missed) == (None, "its agent works", 0)
    assert store.messages.latest() == ()
    assert store.events.latest(1)[0].kind == "check-in.skipped"
    assert store.events.latest(1)[0].text.endswith("was skipped, its agent works")


def test_a_firing_that_cannot_be_stored_leaves_no_message(store: Store, path: Path) -> None:
    check_in = add(store).check_in
    corrupt(path, "CREATE TRIGGER full BEFORE INSERT ON firing BEGIN SELECT RAISE(FAIL, 'full'); END")
    with pytest.raises(StoreError):
        schedule.fire(store, check_in.id, None, NOW)
    assert store.messages.latest() == ()
    assert store.check_ins.get(check_in.id) == check_in
    assert events(store) == ["check-in.set"]


# --- pausing


def test_a_team_is_paused_and_goes_on(store: Store) -> None:
    which = number(store)
    assert schedule.pause(store, SHOP, True, NOW)
    assert not schedule.pause(store, SHOP, True, NOW + 1)
    assert store.orchestrations.get(SHOP).check_ins_paused_at == NOW
    assert store.check_ins.due(NOW + 3600, 5) == ()
    assert schedule.fire(store, which, None, NOW).message  # somebody asks for it
    assert schedule.pause(store, SHOP, False, NOW)
    assert not schedule.pause(store, SHOP, False, NOW)
    assert store.orchestrations.get(SHOP).check_ins_paused_at is None
    assert [kind for kind in events(store) if kind.startswith("schedule")] == ["schedule.paused", "schedule.resumed"]
    with pytest.raises(NotFoundError):
        schedule.pause(store, OrchestrationId("nowhere"), True, NOW)


def test_agents_do_not_pause_a_team(store: Store) -> None:
    with pytest.raises(RefusedError) as caught:
        schedule.pause(store, SHOP, True, NOW, caller=agent(store))
    assert caught.value.code == "persons-only"
    assert store.orchestrations.get(SHOP).check_ins_paused_at is None


def test_an_event_is_one_short_line(store: Store) -> None:
    add(store, note="first\nsecond " + "x" * 500, delay_s=60.0)
    text = store.events.latest(1)[0].text
    assert "\n" not in text
    assert "first second xxx" in text
    assert len(text) < 200
