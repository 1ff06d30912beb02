"""Standing check-ins: every live agent has one, the hub too, and what becomes of it is put right and logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from orchestrator_core.config.settings import ScheduleSettings
from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.check_in import TMORCH, CheckIn, CheckInKind, CheckInState
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId, agent_id
from orchestrator_core.models.message import AgentMessage
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.services.envelope import PLAIN_CHARACTERS, seal
from orchestrator_core.services.firing import Scheduler
from orchestrator_core.services.standing import begin_standing, keep_standing
from orchestrator_core.store import Store, open_store
from orchestrator_core.team.catalogue import builtin
from orchestrator_core.team.check_ins import standing_note
from tests.unit.test_store_contract import SHOP, an_agent, an_orchestration, corrupt, path

__all__ = ["path"]

NOW = 1_000_000.0
SETTINGS = ScheduleSettings()
ROLES = tuple(builtin().roles)
ORCHESTRATOR, DEVELOPER = agent_id(SHOP, "orchestrator"), agent_id(SHOP, "developer")
SET, REPAIRED = "check-in.standing", "check-in.repaired"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A running team of an orchestrator and a developer."""
    with closing(open_store(path)) as opened:
        opened.orchestrations.claim(an_orchestration())
        for number, agent in enumerate((ORCHESTRATOR, DEVELOPER)):
            opened.agents.add(an_agent(agent, pane=PaneId(f"%{number}"), status=AgentStatus.IDLE))
        yield opened


def keep(store: Store, settings: ScheduleSettings = SETTINGS, *, now: float = NOW) -> None:
    keep_standing(store, settings, now)


def kept(store: Store, agent: AgentId) -> list[CheckIn]:
    return [found for found in store.check_ins.active(agent) if found.is_standing]


def the_one(store: Store, agent: AgentId) -> CheckIn:
    [found] = kept(store, agent)
    return found


def events(store: Store, agent: AgentId) -> list[str]:
    return [event.kind for event in reversed(store.events.latest(100, agent=agent))]


def test_every_live_agent_has_one_the_orchestrator_too(store: Store) -> None:
    """Scenario 40."""
    keep(store)
    for agent, minutes in ((ORCHESTRATOR, 20), (DEVELOPER, 30)):
        found = the_one(store, agent)
        assert (found.author, found.kind, found.interval_s) == (TMORCH, CheckInKind.EVERY, minutes * 60)
        assert found.due_at == NOW + minutes * 60
        assert found.note == standing_note(agent.partition(":")[2], ("orchestrator", "developer"))
        assert events(store, agent) == [SET]


def test_nothing_is_written_when_all_is_well(store: Store) -> None:
    keep(store)
    before = store.revision()
    for turn in range(3):
        keep(store, now=NOW + turn)
    assert store.revision() == before


@pytest.mark.parametrize("agent", [ORCHESTRATOR, DEVELOPER])
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM checkin WHERE id = ?",
        "UPDATE checkin SET state = 'cancelled', ended_at = 1.0 WHERE id = ?",
        "UPDATE checkin SET state = 'dead', ended_at = 1.0 WHERE id = ?",
    ],
)
def test_one_that_is_gone_is_made_again(store: Store, path: Path, agent: AgentId, sql: str) -> None:
    """Scenario 40: whoever took it away, and however."""
    keep(store)
    before = the_one(store, agent)
    corrupt(path, sql, before.id)
    keep(store, now=NOW + 5)
    after = the_one(store, agent)
    assert after.id != before.id
    assert after.due_at == NOW + 5 + (before.interval_s or 0)
    assert events(store, agent) == [SET, REPAIRED]


def test_one_whose_row_is_broken_is_replaced(store: Store, path: Path) -> None:
    keep(store)
    broken = the_one(store, DEVELOPER)
    corrupt(path, "UPDATE checkin SET due_at = 'soon' WHERE id = ?", broken.id)
    Scheduler(store, SETTINGS, lambda: NOW, lambda *_: None).bury_broken()
    keep(store)
    assert the_one(store, DEVELOPER).id != broken.id
    assert store.check_ins.get(broken.id).state is CheckInState.DEAD
    assert "check-in.dead" in events(store, DEVELOPER)


def test_of_two_the_later_one_is_cancelled(store: Store) -> None:
    keep(store)
    first = the_one(store, DEVELOPER)
    second = store.check_ins.add(first)
    keep(store)
    assert the_one(store, DEVELOPER) == first
    assert store.check_ins.get(second.id).state is CheckInState.CANCELLED
    assert "another" in store.check_ins.get(second.id).reason


def test_a_second_one_that_cannot_be_read_keeps_nobody_from_theirs(store: Store, path: Path) -> None:
    begin_standing(store, SETTINGS, [store.agents.get(DEVELOPER)], NOW)
    second = store.check_ins.add(the_one(store, DEVELOPER))
    corrupt(path, "UPDATE checkin SET note = x'00ff' WHERE id = ?", second.id)
    keep(store)
    assert store.check_ins.standing().keys() == {ORCHESTRATOR, DEVELOPER}
    assert second.id not in store.check_ins.standing()[DEVELOPER]


def test_what_somebody_has_set_is_no_substitute(store: Store) -> None:
    keep(store)
    own = the_one(store, DEVELOPER)
    store.check_ins.update(own.id, is_standing=False)
    keep(store)
    assert len(store.check_ins.active(DEVELOPER)) == 2
    assert len(kept(store, DEVELOPER)) == 1


@pytest.mark.parametrize(
    ("agent_has", "role", "minutes"),
    [(7.5, "developer", 7.5), (None, "developer", 30), (None, "poet", 45), (0, "poet", 45)],
)
def test_the_interval_is_the_agents_its_roles_or_the_settings(
    store: Store, agent_has: float | None, role: str, minutes: float
) -> None:
    agent = agent_id(OrchestrationId("two-1"), role)
    store.orchestrations.claim(an_orchestration("two-1", project="/projects/two"))
    store.agents.add(an_agent(agent, pane=PaneId("%9"), status=AgentStatus.WORKING, check_in_min=agent_has))
    keep(store, ScheduleSettings(standing_min=45))
    assert the_one(store, agent).interval_s == minutes * 60


@pytest.mark.parametrize(
    "changes", [{"status": AgentStatus.EXITED}, {"status": AgentStatus.FAILED}, {"pane": None}, {"is_adopted": True}]
)
def test_who_is_gone_or_the_persons_own_gets_none(store: Store, changes: dict[str, object]) -> None:
    store.agents.update(DEVELOPER, **changes)
    keep(store)
    assert not kept(store, DEVELOPER)
    assert kept(store, ORCHESTRATOR)


def test_who_comes_back_gets_a_new_one(store: Store) -> None:
    keep(store)
    dead = the_one(store, DEVELOPER)
    store.agents.update(DEVELOPER, status=AgentStatus.EXITED)
    store.check_ins.bury(dead.id, "its agent has ended", NOW)
    keep(store, now=NOW + 1)
    assert not kept(store, DEVELOPER)
    store.agents.update(DEVELOPER, status=AgentStatus.IDLE)
    keep(store, now=NOW + 2)
    assert the_one(store, DEVELOPER).id != dead.id
    assert store.check_ins.get(dead.id).state is CheckInState.DEAD


@pytest.mark.parametrize(
    "changes",
    [
        {"is_adopted": True},
        *({"state": state} for state in OrchestrationState if state is not OrchestrationState.RUNNING),
    ],
)
def test_a_team_that_does_not_run_or_is_the_persons_own_gets_none(store: Store, changes: dict[str, object]) -> None:
    store.orchestrations.update(SHOP, **changes)
    keep(store)
    assert store.check_ins.active() == ()


def test_none_are_kept_when_the_settings_want_none(store: Store) -> None:
    keep(store)
    before = the_one(store, DEVELOPER)
    other = store.check_ins.add(before)
    store.check_ins.update(other.id, is_standing=False, note="somebody's own")
    keep(store, ScheduleSettings(standing=False))
    assert [found.id for found in store.check_ins.active()] == [other.id]
    assert "settings" in store.check_ins.get(before.id).reason
    keep(store)
    assert kept(store, DEVELOPER)


def test_a_team_that_starts_has_them_from_the_beginning(store: Store) -> None:
    begin_standing(store, SETTINGS, store.agents.of(SHOP), NOW)
    first = the_one(store, DEVELOPER)
    keep(store, now=NOW + 60)
    assert the_one(store, DEVELOPER) == first
    assert events(store, DEVELOPER) == [SET]


def test_what_a_team_is_told_is_its_catalogues_and_stays(store: Store, path: Path) -> None:
    notes = replace(builtin().notes, default="Read the log. {role}Tell {hub}.")
    begin_standing(store, SETTINGS, store.agents.of(SHOP), NOW, replace(builtin(), notes=notes))
    first = the_one(store, DEVELOPER)
    assert first.note == "Read the log. Tell the orchestrator."
    corrupt(path, "UPDATE checkin SET state = 'dead', ended_at = 1.0 WHERE id = ?", first.id)
    keep(store, now=NOW + 60)
    assert the_one(store, DEVELOPER).id != first.id
    assert the_one(store, DEVELOPER).note == first.note


def test_a_team_starts_without_them_when_the_settings_want_none(store: Store) -> None:
    begin_standing(store, ScheduleSettings(standing=False), store.agents.of(SHOP), NOW)
    assert store.check_ins.active() == ()


def test_it_wakes_an_idle_team_all_night(store: Store) -> None:
    """Nobody does anything for eight hours, and nothing is left out."""
    now = NOW
    scheduler = Scheduler(store, SETTINGS, lambda: now, lambda *_: None)
    keep(store)
    scheduler.round()
    while (at := scheduler.next_at()) is not None and at <= NOW + 8 * 3600:
        now = at
        for agent in scheduler.round():
            store.messages.refuse_queued(agent, "read")
        keep(store, now=now)
    firings = store.firings.between(NOW, now)
    assert sum(firing.target == ORCHESTRATOR for firing in firings) == 24
    assert sum(firing.target == DEVELOPER for firing in firings) == 16
    assert {firing.outcome for firing in firings} == {"sent"}


# --- what they say


@pytest.mark.parametrize("team", [ROLES, ROLES[1:], ("developer", "tester"), ("poet",)])
def test_a_note_can_be_typed_as_it_stands(team: tuple[str, ...]) -> None:
    for role in team:
        note = standing_note(role, team)
        assert "{" not in note
        assert "\n" not in note
        assert "  " not in note
        message = AgentMessage(id=MessageId(123_456), target=agent_id(SHOP, role), sender="check-in", text=note)
        assert len(seal(message, note).parts) == 1, f"{role}: {len(note)} of {PLAIN_CHARACTERS} characters"


def test_the_hub_is_told_to_look_at_its_team_and_the_others_to_tell_the_hub() -> None:
    team = ("orchestrator", "project_manager", "developer")
    assert "tmorch team" in standing_note("orchestrator", team)
    for role in team[1:]:
        note = standing_note(role, team)
        assert "Tell the orchestrator" in note
        assert "tmorch team" not in note
        assert "tmorch schedule" in note
    without = team[1:]
    assert "tmorch team" in standing_note("project_manager", without)
    assert "Tell the project manager" in standing_note("developer", without)
    alone = standing_note("developer", ("developer",))
    assert "the person" in alone
    assert "Tell the" not in alone


def test_every_role_that_is_told_something_besides_is_known() -> None:
    assert set(builtin().notes.roles) <= set(ROLES)
    for role, words in builtin().notes.roles.items():
        assert words in standing_note(role, ROLES)
