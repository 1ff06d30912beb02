"""Start-up gates: dialogs that an agent shows before its first prompt, answered by the configured policy.

An answer is never a blind Enter: the choice is looked for by its words, and made as `choose` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from orchestrator_core.agents.driver import Driver, GatePolicy
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.models.agent import Agent
from orchestrator_core.services.choose import Chooser, Choosing, Ending, place_of
from orchestrator_core.tmux.gateway import TmuxGateway


def policy_of(reading: Reading, gates: Mapping[str, GatePolicy]) -> GatePolicy:
    """Return what to do about the dialog that shows; `ask` for everything that is not a start-up gate."""
    if reading.state is not ScreenState.DIALOG:
        return GatePolicy.ASK
    return gates.get(reading.dialog, GatePolicy.ASK)


class GateAnswer(Struct, frozen=True, kw_only=True):
    """What became of a gate that the policy answers."""

    gate: str
    given: bool
    """False when the wanted choice could not be found or reached, or the gate did not close: the person is needed."""


async def answer_gate(gateway: TmuxGateway, agent: Agent, driver: Driver) -> GateAnswer | None:
    """Answer the gate that shows, when the policy says so; None when none shows or it is left to the person."""
    chooser = Chooser(gateway, agent, driver)
    seen = await chooser.look()
    if isinstance(seen, Choosing):
        return None
    policy = policy_of(seen.sight.reading, driver.gates)
    if policy is GatePolicy.ASK:
        return None
    gate = seen.dialog.name
    wanted = driver.patterns.gate_answer(gate, accept=policy is GatePolicy.ACCEPT)
    place = place_of(wanted, seen.dialog.choices)
    if place is None:
        return GateAnswer(gate=gate, given=False)
    done = await chooser.choose(seen.dialog.fingerprint, place)
    return None if done.ending is Ending.GONE else GateAnswer(gate=gate, given=done.ending is Ending.GIVEN)
