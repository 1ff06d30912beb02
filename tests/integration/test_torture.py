"""Everything goes wrong at once, on a small scale; `python -m tests.benchmarks torture` is the large one."""

from __future__ import annotations

from tests.benchmarks.torture import ARRIVED, Plan, torture
from tests.conftest import MakeProject
from tests.rig import Rig


def test_no_message_is_lost_doubled_or_typed_into_a_wrong_place(rig: Rig, make_project: MakeProject) -> None:
    plan = Plan(seed=7, messages=60, senders=6, roles=2, kills=4, deaths=1, seconds=8)
    outcome = torture(rig, make_project, plan)
    assert outcome.faults == (), "\n".join(outcome.faults)
    assert outcome.kills >= 2
    assert sum(outcome.states.values()) == plan.messages
    assert sum(outcome.states[state] for state in ARRIVED) > plan.messages / 2
