"""What both roads to the database promise: the store's and the quick one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from msgspec.structs import replace

from orchestrator_core.errors import NotFoundError, RefusedError, StoreError
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId, MessageId, OrchestrationId, PaneId, agent_id
from orchestrator_core.models.message import PERSON, AgentMessage, DeliveryMode, MessageKind, MessageState
from orchestrator_core.models.orchestration import Orchestration, OrchestrationState
from orchestrator_core.store import Store, open_store
from orchestrator_core.store.admission import Limits
from orchestrator_core.store.quick import QuickStore

SHOP = OrchestrationId("shop-3f2a")
DEVELOPER = agent_id(SHOP, "developer")
TESTER = agent_id(SHOP, "tester")
SERVER = "/tmp/tmux-0/default"


def an_orchestration(name: str = SHOP, *, project: str = "/projects/shop", **changes: object) -> Orchestration:
    made = Orchestration(
        id=OrchestrationId(name),
        project=project,
        project_name="shop",
        session=name,
        starting_branch="main",
        base_commit="c0ffee",
        state=OrchestrationState.RUNNING,
        server=SERVER,
        created_at=1.0,
    )
    return replace(made, **changes)


def an_agent(name: AgentId = DEVELOPER, **changes: object) -> Agent:
    orchestration, _, role = name.partition(":")
    made = Agent(
        id=name,
        orchestration=OrchestrationId(orchestration),
        role=role,
        driver="demo",
        worktree=f"/worktrees/{orchestration}/{role}",
        branch=f"tmorch/{orchestration}/{role}",
        created_at=1.0,
    )
    return replace(made, **changes)


class Road(Protocol):
    """What both roads can do."""

    def agents(self) -> tuple[Agent, ...]: ...

    def agent_by_pane(self, server: str, pane: PaneId) -> Agent | None: ...

    def message(self, message: MessageId) -> AgentMessage: ...

    def data_version(self) -> int: ...

    def add_message(
        self,
        target: AgentId,
        sender: str,
        text: str,
        *,
        mode: DeliveryMode,
        kind: MessageKind,
        at: float,
        limits: Limits,
    ) -> AgentMessage: ...


class StoreRoad:
    """The store, seen as a road."""

    def __init__(self, store: Store) -> None:
        self.agents = store.agents.active
        self.agent_by_pane = store.agents.by_pane
        self.message = store.messages.get
        self.add_message = store.messages.add
        self.data_version = store.data_version


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state/tmorch.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path)) as opened:
        opened.orchestrations.claim(an_orchestration())
        opened.agents.add(an_agent(DEVELOPER, pane=PaneId("%1")))
        opened.agents.add(an_agent(TESTER, pane=PaneId("%2")))
        yield opened


@pytest.fixture(params=["store", "quick"])
def road(request: pytest.FixtureRequest, path: Path, store: Store) -> Iterator[Road]:
    if request.param == "quick":
        with closing(QuickStore(path)) as quick:
            yield quick
    else:
        with closing(open_store(path)) as another:
            yield StoreRoad(another)


def say(
    road: Road, text: str = "hello", *, at: float = 100.0, limit: int = 3, rate: int = 0, **changes: str
) -> AgentMessage:
    return road.add_message(
        AgentId(changes.get("target", DEVELOPER)),
        changes.get("sender", PERSON),
        text,
        mode=DeliveryMode.WHEN_IDLE,
        kind=MessageKind.TEXT,
        at=at,
        limits=Limits(duplicate_limit=limit, duplicate_window_s=60.0, rate_limit=rate, rate_window_s=30.0),
    )


def test_a_message_is_stored_as_it_was_given(road: Road, store: Store) -> None:
    text = "two\nlines; 'quotes' \"$(date)\" \x00 🙂 é \x1b[201~"
    message = say(road, text, sender=TESTER)
    assert message == AgentMessage(
        id=message.id, target=DEVELOPER, sender=TESTER, text=text, state=MessageState.QUEUED, created_at=100.0
    )
    assert road.message(message.id) == message == store.messages.get(message.id)


def test_numbers_only_rise(road: Road) -> None:
    numbers = [say(road, f"text {number}").id for number in range(5)]
    assert numbers == sorted(set(numbers))


def test_an_unknown_agent_or_message_is_not_found(road: Road) -> None:
    with pytest.raises(NotFoundError, match="no agent shop-3f2a:nobody"):
        say(road, target="shop-3f2a:nobody")
    with pytest.raises(NotFoundError, match="no message 77"):
        road.message(MessageId(77))


def test_equal_messages_above_the_limit_are_counted_and_not_queued(road: Road, store: Store) -> None:
    sent = [say(road, at=100.0 + number) for number in range(50)]
    queued, refused = sent[:3], sent[3:]
    assert [message.state for message in queued] == [MessageState.QUEUED] * 3
    assert {message.id for message in refused} == {refused[0].id}
    assert [message.suppressed for message in refused] == list(range(47))
    assert refused[0].state is MessageState.REFUSED
    assert refused[0].reason == "suppressed: sent 3 times within 60 seconds already"
    assert len(store.messages.latest()) == 4


def test_what_differs_is_not_suppressed(road: Road) -> None:
    for _ in range(4):
        say(road)
    others = [say(road, "hello "), say(road, sender=TESTER), say(road, target=TESTER), say(road, "Hello")]
    assert [message.state for message in others] == [MessageState.QUEUED] * 4


def test_equal_messages_pass_again_when_the_earlier_ones_are_old(road: Road) -> None:
    first = [say(road, at=100.0) for _ in range(4)]
    assert first[-1].state is MessageState.REFUSED
    assert say(road, at=159.9).suppressed == 1
    later = [say(road, at=160.0) for _ in range(4)]
    assert [message.state for message in later[:3]] == [MessageState.QUEUED] * 3
    assert later[3].state is MessageState.REFUSED
    assert later[3].id != first[3].id


def test_a_clock_that_was_set_back_does_not_suppress(road: Road) -> None:
    for _ in range(4):
        say(road, at=5000.0)
    assert say(road, at=1000.0).state is MessageState.QUEUED


def test_an_agent_that_sends_too_much_is_held_back_and_counted(road: Road, store: Store) -> None:
    sent = [say(road, f"text {number}", sender=TESTER, rate=4) for number in range(20)]
    assert [message.state for message in sent[:4]] == [MessageState.QUEUED] * 4
    assert {message.id for message in sent[4:]} == {sent[4].id}
    assert sent[-1].suppressed == 15
    assert sent[4].reason == "suppressed: its sender has sent 4 messages within 30 seconds already"
    assert len(store.messages.latest()) == 5
    assert say(road, "text 99", sender=TESTER, rate=4, at=130.1).state is MessageState.QUEUED


def test_nobody_but_agents_is_held_back(road: Road) -> None:
    for sender in (PERSON, "ci"):
        states = {say(road, f"text {number}", sender=sender, rate=4).state for number in range(20)}
        assert states == {MessageState.QUEUED}
    assert say(road, sender=TESTER, rate=4).state is MessageState.QUEUED


def test_suppressed_duplicates_do_not_count_as_sent(road: Road) -> None:
    for _ in range(20):
        say(road, sender=TESTER, limit=2, rate=4)
    assert say(road, "another matter", sender=TESTER, rate=4).state is MessageState.QUEUED


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_there_must_be_something_to_say(road: Road, store: Store, text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        say(road, text)
    assert caught.value.code == "empty"
    assert store.messages.latest() == ()


def test_an_agent_does_not_send_to_itself(road: Road, store: Store) -> None:
    """Scenario 31."""
    with pytest.raises(RefusedError) as caught:
        say(road, sender=DEVELOPER)
    assert caught.value.code == "self-send"
    assert store.messages.latest() == ()


@pytest.fixture
def hub(store: Store) -> AgentId:
    """An orchestrator, through which developer and tester of the shop talk."""
    found = agent_id(SHOP, "orchestrator")
    store.agents.add(an_agent(found))
    pairs = [("developer", "orchestrator"), ("tester", "orchestrator")]
    store.routes.set(SHOP, [*pairs, *((target, sender) for sender, target in pairs)])
    return found


def test_agents_write_along_the_routes_of_their_team(road: Road, store: Store, hub: AgentId) -> None:
    assert say(road, sender=TESTER, target=hub).state is MessageState.QUEUED
    assert say(road, sender=hub, target=TESTER).state is MessageState.QUEUED
    with pytest.raises(RefusedError) as caught:
        say(road, sender=TESTER, target=DEVELOPER)
    assert caught.value.code == "route"
    assert caught.value.remedy == 'send it to orchestrator: tmorch send orchestrator "…"'
    assert say(road, target=DEVELOPER).state is MessageState.QUEUED
    assert len(store.messages.latest()) == 3


def test_teams_talk_hub_to_hub(road: Road, store: Store, hub: AgentId) -> None:
    store.orchestrations.claim(an_orchestration("api-1", project="/api"))
    for role in ("worker", "lead"):
        store.agents.add(an_agent(AgentId(f"api-1:{role}")))
    store.agents.add(an_agent(AgentId("api-1:other")))
    between = [("lead", "worker"), ("worker", "lead"), ("lead", "other"), ("other", "lead")]
    store.routes.set(OrchestrationId("api-1"), between)
    assert say(road, sender=hub, target="api-1:lead").state is MessageState.QUEUED
    for sender, target, instead in (
        (TESTER, "api-1:lead", "orchestrator"),
        (hub, "api-1:worker", "api-1:lead"),
        ("api-1:other", hub, "lead"),
    ):
        with pytest.raises(RefusedError) as caught:
            say(road, sender=sender, target=target)
        assert caught.value.code == "route"
        assert f"send it to {instead}:" in caught.value.remedy


def test_no_limit(road: Road) -> None:
    assert {say(road, limit=0).state for _ in range(20)} == {MessageState.QUEUED}


def test_the_agents_of_active_orchestrations_in_the_order_of_their_windows(road: Road, store: Store) -> None:
    store.orchestrations.claim(an_orchestration("old-1", project="/old", state=OrchestrationState.STOPPED))
    store.agents.add(an_agent(AgentId("old-1:developer")))
    store.orchestrations.claim(an_orchestration("api-1", project="/api", state=OrchestrationState.STARTING))
    store.agents.add(an_agent(AgentId("api-1:zebra")))
    store.agents.add(an_agent(AgentId("api-1:ant")))
    assert [agent.id for agent in road.agents()] == [DEVELOPER, TESTER, "api-1:zebra", "api-1:ant"]
    assert road.agents()[0] == store.agents.get(DEVELOPER)


def test_an_agent_by_its_pane(road: Road, store: Store) -> None:
    found = road.agent_by_pane(SERVER, PaneId("%2"))
    assert found is not None
    assert found.id == TESTER
    assert road.agent_by_pane(SERVER, PaneId("%9")) is None
    assert road.agent_by_pane("/another/server", PaneId("%2")) is None
    store.orchestrations.update(SHOP, state=OrchestrationState.STOPPED)
    assert road.agent_by_pane(SERVER, PaneId("%2")) is None


def test_of_agents_with_one_pane_id_the_living_and_then_the_latest_counts(road: Road, store: Store) -> None:
    store.orchestrations.claim(an_orchestration("api-1", project="/api"))
    store.agents.add(an_agent(AgentId("api-1:developer"), pane=PaneId("%2")))
    assert [road.agent_by_pane(SERVER, PaneId("%2"))] == [store.agents.get(AgentId("api-1:developer"))]
    store.agents.update(AgentId("api-1:developer"), status=AgentStatus.EXITED)
    assert [road.agent_by_pane(SERVER, PaneId("%2"))] == [store.agents.get(TESTER)]


def test_the_version_of_the_data_changes_with_others_commits_only(road: Road, store: Store) -> None:
    before = road.data_version()
    say(road)
    assert road.data_version() == before
    store.messages.add(DEVELOPER, PERSON, "from elsewhere", at=1.0)
    assert road.data_version() != before


def test_a_database_that_was_replaced_is_noticed(road: Road, path: Path) -> None:
    path.rename(path.with_name("moved"))
    with pytest.raises(StoreError) as caught:
        road.data_version()
    assert caught.value.code == "replaced"
    path.touch()
    with pytest.raises(StoreError, match="moved or replaced"):
        road.data_version()


def test_a_value_that_is_no_text_is_explained(road: Road) -> None:
    with pytest.raises(StoreError, match="cannot be stored") as caught:
        say(road, "name-\udcff")
    assert caught.value.code == "not-text"
    assert say(road).state is MessageState.QUEUED


def corrupt(path: Path, sql: str, *params: object) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(sql, params)
        connection.commit()


def test_a_row_that_cannot_be_read_leaves_the_others(road: Road, path: Path) -> None:
    corrupt(path, "UPDATE agent SET created_at = 'yesterday' WHERE id = ?", DEVELOPER)
    assert [agent.id for agent in road.agents()] == [TESTER]
    with pytest.raises(StoreError, match="of agent in the database cannot be read") as caught:
        road.agent_by_pane(SERVER, PaneId("%1"))
    assert caught.value.code == "bad-row"


def test_bytes_that_are_not_utf8_are_read_with_replacement(road: Road, path: Path) -> None:
    corrupt(path, "UPDATE agent SET reason = CAST(x'61ff62' AS TEXT) WHERE id = ?", DEVELOPER)
    assert [agent.reason for agent in road.agents()] == ["a\ufffdb", ""]


def test_the_quick_road_needs_a_database_of_this_version(path: Path, store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        QuickStore(path.with_name("none.db"))
    assert caught.value.code == "no-database"
    assert not path.with_name("none.db").exists()
    corrupt(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreError) as caught:
        QuickStore(path)
    assert caught.value.code == "version"
    assert "99" in caught.value.cause


def test_the_quick_road_knows_an_agents_server(path: Path, store: Store) -> None:
    with closing(QuickStore(path)) as quick:
        assert quick.orchestration_server(store.agents.get(DEVELOPER)) == SERVER


@pytest.mark.parametrize("call", [QuickStore, open_store])
def test_closing_twice_is_harmless(path: Path, store: Store, call: Callable[[Path], QuickStore | Store]) -> None:
    opened = call(path)
    opened.close()
    opened.close()
