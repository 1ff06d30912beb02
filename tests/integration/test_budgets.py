"""Budgets and full contexts with a real supervisor and agents in tmux."""

from __future__ import annotations

import time
from typing import Any

import pytest

from orchestrator_core.models.check_in import TMORCH
from orchestrator_core.models.credit import AgentUse
from orchestrator_core.models.message import MessageState
from orchestrator_core.models.need import Need, NeedKind
from orchestrator_core.services.context_upkeep import COMPACT
from orchestrator_core.supervisor.bell import ring
from tests.conftest import MakeProject
from tests.integration.test_check_ins import firings, kill_supervisor, set_check_in, wait_taken
from tests.integration.test_pausing import send, wait_held
from tests.polling import eventually
from tests.rig import Rig, StandIn

TAKEN = (MessageState.DELIVERED, MessageState.ACKNOWLEDGED)


def costs(rig: Rig, agent: StandIn, usd: float) -> None:
    """Let it be known what an agent's conversation has cost."""
    use = AgentUse(agent=agent.id, at=time.time(), conversation=agent.row.conversation, cost_usd=usd)
    rig.store.agent_uses.add(use)
    ring(rig.paths.state)


def told(rig: Rig) -> list[Need]:
    return [need for need in rig.store.needs.open() if need.kind is NeedKind.BUDGET]


@pytest.fixture
def team(rig: Rig, make_project: MakeProject) -> dict[str, Any]:
    rig.configure("[budget]\nagent_usd = 10\n")
    return rig.start(make_project(), roles="developer,tester")


def test_a_budget_warns_then_pauses_then_holds_and_ends_nobody(rig: Rig, team: dict[str, Any]) -> None:
    developer, tester = rig.agent(team), rig.agent(team, "tester")
    costs(rig, developer, 8.0)
    [warning] = eventually(lambda: told(rig))
    assert warning.agent == developer.id
    assert warning.detail == f"$8.00 of $10.00 used today by {developer.id}"
    assert rig.tmorch("send", str(developer.id), "still heard", "--wait", "30").code == 0

    costs(rig, developer, 10.0)
    eventually(lambda: [need.detail for need in told(rig) if "check-ins wait" in need.detail])
    due = set_check_in(rig, developer, "in its time")
    eventually(lambda: "check-ins wait" in rig.store.check_ins.get(due).reason)
    assert rig.store.check_ins.get(due).attempts == 0
    assert rig.tmorch("send", str(developer.id), "heard as well", "--wait", "30").code == 0

    costs(rig, developer, 12.0)
    eventually(lambda: rig.store.agents.get(developer.id).held_reason)
    held = send(rig, developer, "much later")
    wait_held(rig, held, rig.store.agents.get(developer.id).held_reason)
    kill_supervisor(rig)
    assert rig.tmorch("supervisor", "start").code == 0
    wait_taken(rig, set_check_in(rig, tester, "not yours to pay"))
    assert len(told(rig)) == 1
    assert developer.texts() == ["still heard", "heard as well"]
    assert firings(rig, due) == []
    assert all(agent.row.status.is_live for agent in (developer, tester))

    rig.configure("[budget]\nagent_usd = 100\n")
    rig.wait_message(held, *TAKEN)
    wait_taken(rig, due)
    eventually(lambda: told(rig) == [])
    assert sorted(developer.texts()[2:]) == ["in its time", "much later"]
    assert len(firings(rig, due)) == 1


def from_tmorch(rig: Rig, agent: StandIn) -> list[str]:
    return [found.text for found in reversed(rig.store.messages.latest(agent.id)) if found.sender == TMORCH]


def test_an_agent_with_a_full_context_writes_its_checkpoint_and_is_shortened_when_idle(
    rig: Rig, make_project: MakeProject
) -> None:
    rig.configure(as_driver="claude", stand_in_args=("--think", "0"))
    agent = rig.agent(rig.start(make_project(), agent="claude"))
    agent.wait_status("idle")
    eventually(lambda: rig.store.messages.interrupted() == (), what="the briefing is not settled")
    agent.do("fill", tokens=840_000)
    eventually(lambda: any("Your context is 84 % full" in prompt for prompt in agent.prompts()))
    agent.do("busy", seconds=600)
    agent.wait_status("working")
    kill_supervisor(rig)
    assert rig.tmorch("supervisor", "start").code == 0
    assert rig.tmorch("send", str(agent.id), "in the middle", "--now", "--wait", "30").code == 0
    agent.do("fill", tokens=900_000)
    eventually(lambda: agent.row.context_used == 90)
    assert len(from_tmorch(rig, agent)) == 1, "once, and nothing in the middle of a turn"
    agent.do("idle")
    agent.wait_status("idle")
    eventually(lambda: agent.prompts().count(COMPACT) == 1, timeout=60)
    eventually(lambda: rig.store.upkeeps.all() == {}, what=str(agent.row))
    assert agent.row.context_used == 2

    agent.do("fill", tokens=830_000)
    eventually(lambda: any("Your context is 83 % full" in prompt for prompt in agent.prompts()))
    assert len(from_tmorch(rig, agent)) == 3
    assert agent.prompts().count(COMPACT) == 1
