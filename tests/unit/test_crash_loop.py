"""Agents that end again and again are left to the person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator_core.config.settings import ResumeSettings
from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId
from orchestrator_core.models.need import NeedKind
from orchestrator_core.services.crash_loop import crash_needs, refusal_of, restarts_after

NOW = 1_800_000_000.0
SETTINGS = ResumeSettings(crash_limit=3, crash_window_min=30)
AGENT = Agent(
    id=AgentId("shop-1:developer"),
    orchestration=OrchestrationId("shop-1"),
    role="developer",
    driver="claude",
    worktree="/w",
    branch="b",
    status=AgentStatus.FAILED,
    status_since=NOW,
)


def started_again(agent: Agent, at: float) -> Agent:
    return replace(agent, restarts=restarts_after(agent, SETTINGS, at), restarted_at=at)


def test_it_may_be_started_as_often_as_the_settings_say_and_no_more() -> None:
    agent = AGENT
    for number in range(SETTINGS.crash_limit):
        assert refusal_of(agent, SETTINGS, NOW + number) == ""
        agent = started_again(agent, NOW + number)
    assert "ended 4 times in 30 min, needs you" in refusal_of(agent, SETTINGS, NOW + 10)


@pytest.mark.parametrize("pause_s", [30 * 60, 86400])
def test_who_ran_for_long_begins_to_be_counted_anew(pause_s: float) -> None:
    worn = replace(AGENT, restarts=3, restarted_at=NOW)
    assert refusal_of(worn, SETTINGS, NOW + pause_s) == ""
    assert restarts_after(worn, SETTINGS, NOW + pause_s) == 1


@given(ends=st.lists(st.floats(0, 40 * 60), min_size=1, max_size=30), limit=st.integers(1, 6))
def test_no_more_starts_come_in_a_row_than_the_limit(ends: list[float], limit: int) -> None:
    """Whatever the times between ends: within one window nobody is started more often than that."""
    settings = ResumeSettings(crash_limit=limit, crash_window_min=30)
    agent, now, starts = AGENT, NOW, list[float]()
    for pause in ends:
        now += pause
        if not refusal_of(agent, settings, now):
            agent = replace(agent, restarts=restarts_after(agent, settings, now), restarted_at=now)
            starts.append(now)
        assert agent.restarts <= limit
    for first in starts:
        in_a_row = [start for start in starts if first <= start < first + 30 * 60]
        assert len(in_a_row) <= 2 * limit


def test_the_need_takes_the_place_of_the_one_of_that_end() -> None:
    worn = replace(AGENT, restarts=3, restarted_at=NOW - 60)
    (need,) = crash_needs([AGENT, worn], SETTINGS, NOW + 5)
    assert need.key == f"{AGENT.id}:ended:{NOW}"
    assert (need.kind, need.agent) == (NeedKind.FAILED, AGENT.id)
    assert "needs you" in need.detail


def test_who_runs_needs_nobody_and_the_need_stays_however_late_it_is() -> None:
    worn = replace(AGENT, restarts=3, restarted_at=NOW - 60)
    assert crash_needs([replace(worn, status=AgentStatus.IDLE)], SETTINGS, NOW) == ()
    assert crash_needs([worn], SETTINGS, NOW + 9 * 3600)
