"""Targets that name an agent which the person started by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator_core.errors import MissingProgramError, NotFoundError
from orchestrator_core.models.target import may_be_pane

if TYPE_CHECKING:
    from orchestrator_core.cli.context import Context
    from orchestrator_core.models.agent import Agent


def adopted(context: Context, name: str, unknown: NotFoundError) -> Agent:
    """Adopt the agent that runs in the window `name`, which is `unknown` so far.

    Raises:
        NotFoundError: `unknown`, because `name` is no window, or names more than one agent.
        RefusedError: no agent runs in the window (code `not-an-agent`).

    """
    if unknown.code == "ambiguous" or not may_be_pane(name):
        raise unknown
    try:
        agent = context.adopt(name)
    except (NotFoundError, MissingProgramError):
        raise unknown from None
    context.note.say(f"adopted as {agent.id}; tmorch stop {agent.orchestration} lets go of it")
    return agent
