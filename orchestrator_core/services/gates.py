"""Start-up gates: dialogs that an agent shows before its first prompt, answered by the configured policy.

An answer is never a blind Enter: the choice is looked for by its words, the cursor is moved there, and Enter is
pressed only while the very same dialog shows the cursor on that choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from orchestrator_core.agents.driver import Driver, GatePolicy
from orchestrator_core.agents.screen import Reading, ScreenState
from orchestrator_core.models.agent import Agent
from orchestrator_core.services.sight import Sight, look
from orchestrator_core.tmux.gateway import TmuxGateway

MOVES = 12
"""Cursor moves before a gate is left to the person."""
LOOKS = 40
STEP_S = 0.05


def policy_of(reading: Reading, gates: Mapping[str, GatePolicy]) -> GatePolicy:
    """Return what to do about the dialog that shows; `ask` for everything that is not a start-up gate."""
    if reading.state is not ScreenState.DIALOG:
        return GatePolicy.ASK
    return gates.get(reading.dialog, GatePolicy.ASK)


class GateAnswer(Struct, frozen=True, kw_only=True):
    """What became of a gate that the policy answers."""

    gate: str
    given: bool
    """False when the wanted choice could not be found or reached; then nothing was chosen."""


async def answer_gate(gateway: TmuxGateway, agent: Agent, driver: Driver) -> GateAnswer | None:
    """Answer the gate that shows, when the policy says so; None when none shows or it is left to the person."""
    sight = await look(gateway, agent, driver)
    if sight is None or not sight.is_agent:
        return None
    policy = policy_of(sight.reading, driver.gates)
    if policy is GatePolicy.ASK:
        return None
    gate = sight.reading.dialog
    for _ in range(MOVES):
        key = _next_key(sight, driver, policy)
        if key is None:
            return GateAnswer(gate=gate, given=False)
        await gateway.press(sight.frame.pane, key, agent=agent.id)
        if key == "Enter":  # once: a second one might meet the next dialog
            return GateAnswer(gate=gate, given=True)
        moved = await _next_look(gateway, agent, driver, since=sight)
        if moved is None or moved.reading.dialog != gate:
            return None
        sight = moved
    return GateAnswer(gate=gate, given=False)


async def _next_look(gateway: TmuxGateway, agent: Agent, driver: Driver, *, since: Sight) -> Sight | None:
    """Return the agent's screen once it differs from `since`, or as it is when the time is up."""
    for _ in range(LOOKS):
        await asyncio.sleep(STEP_S)
        sight = await look(gateway, agent, driver)
        if sight is None or not sight.is_agent or sight.reading != since.reading:
            return sight if sight is not None and sight.is_agent else None
    return None


def _next_key(sight: Sight, driver: Driver, policy: GatePolicy) -> str | None:
    """Return the key that brings the dialog nearer to the wanted answer; None when there is no such choice."""
    choices = sight.reading.choices
    wanted = driver.patterns.gate_answer(sight.reading.dialog, accept=policy is GatePolicy.ACCEPT)
    at = next((i for i, choice in enumerate(choices) if wanted and wanted in choice.label), None)
    cursor = next((i for i, choice in enumerate(choices) if choice.selected), None)
    if at is None or cursor is None:
        return None
    if at == cursor:
        return "Enter"
    return "Down" if at > cursor else "Up"
