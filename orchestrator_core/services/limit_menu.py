"""The menu that an agent opens at a usage limit when it is not to go on by itself: it is left, nothing is bought."""

from __future__ import annotations

from orchestrator_core.agents.driver import Driver
from orchestrator_core.agents.views import USAGE_LIMIT
from orchestrator_core.models.agent import Agent
from orchestrator_core.services.choose import Chooser, Choosing, Ending, place_of
from orchestrator_core.tmux.gateway import TmuxGateway


async def leave_limit_menu(gateway: TmuxGateway, agent: Agent, driver: Driver) -> bool:
    """Choose to stop and wait in that menu; return False when it is not open, has no such choice, or stays open.

    Raises:
        TmuxGoneError: the tmux server is not there.

    """
    chooser = Chooser(gateway, agent, driver)
    seen = await chooser.look()
    if isinstance(seen, Choosing) or seen.dialog.name != USAGE_LIMIT:
        return False
    place = place_of(driver.patterns.gate_answer(USAGE_LIMIT, accept=True), seen.dialog.choices)
    if place is None:
        return False
    return (await chooser.choose(seen.dialog.fingerprint, place)).ending is Ending.GIVEN
