"""`tmorch log`: what happened, once or as it happens."""

from __future__ import annotations

import json

from orchestrator_core.cli.schemas import schema_of
from orchestrator_core.errors import ExitCode
from orchestrator_core.models.event import Event
from tests.fakes.cli import FakeContext, FakeOrchestrator
from tests.fakes.json_shape import faults

DEVELOPER = "shop-1a2b:developer"


def event(number: int, text: str = "developer is idle", agent: str = DEVELOPER) -> Event:
    return Event(id=number, at=1000.0 + number, kind="agent.status", text=text, orchestration="shop-1a2b", agent=agent)


def facade(*events: Event) -> FakeOrchestrator:
    made = FakeOrchestrator()
    made.happened = events
    return made


def test_the_latest_come_first() -> None:
    context = FakeContext("log", orchestrator=facade(event(2, "\x1b[31mred"), event(1)))
    assert context.run() == ExitCode.DONE
    first, second = context.said.splitlines()
    assert "red" in first
    assert "\x1b" not in first
    assert "agent.status" in second
    assert DEVELOPER in second
    assert ("events", 50, "", "", "", 0) in context.facade.asked


def test_json_is_as_the_schema_says() -> None:
    context = FakeContext("log", "--json", "--limit", "1", orchestrator=facade(event(2), event(1)))
    assert context.run() == ExitCode.DONE
    assert faults(context.json, schema_of("log")) == []
    assert [each["id"] for each in context.json["events"]] == [2]


def test_of_one_agent_or_team_and_by_words() -> None:
    one = FakeContext("log", "developer", "--search", "idle", orchestrator=facade())
    assert one.run() == ExitCode.DONE
    assert ("events", 50, "", DEVELOPER, "idle", 0) in one.facade.asked
    assert "nothing of that kind" in one.narrated
    team = FakeContext("log", "shop-1a2b", orchestrator=facade())
    assert team.run() == ExitCode.DONE
    assert ("events", 50, "shop-1a2b", "", "", 0) in team.facade.asked
    assert FakeContext("log", "shop-1a2").run() == ExitCode.NOT_FOUND


def test_following_shows_each_event_once_oldest_first() -> None:
    made = facade(event(2), event(1))

    def more() -> None:
        made.happened = (event(4), event(3), *made.happened)

    made.news = [more, lambda: None]
    context = FakeContext("log", "--follow", "--json", orchestrator=made)
    assert context.run() == ExitCode.DONE
    assert [json.loads(line)["id"] for line in context.said.splitlines()] == [1, 2, 3, 4]
