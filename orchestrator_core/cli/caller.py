"""Who calls: the agent in whose pane the command runs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from orchestrator_core.cli.context import Context
from orchestrator_core.cli.targets import server_names
from orchestrator_core.errors import RefusedError
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.message import PERSON

if TYPE_CHECKING:
    from orchestrator_core.models.agent import Agent
    from orchestrator_core.store.quick import QuickStore


def calling_agent(context: Context) -> Agent | None:
    """Return the agent whose pane this process was started in, or None.

    The pane's id alone is not enough: another tmux server has the same ids.
    """
    if not (context.pane and context.server and context.has_store()):
        return None
    with closing(context.quick_store()) as store:
        return agent_around(context, store)


def agent_around(context: Context, store: QuickStore) -> Agent | None:
    """Do as `calling_agent` does, with a store that is open."""
    if not context.pane:
        return None
    for server in server_names(context):
        agent = store.agent_by_pane(server, PaneId(context.pane))
        if agent is not None:
            return agent
    return None


def sender_of(name: str | None, caller: Agent | None) -> str:
    """Return who a message is from. An agent goes by its own name: by it, it is known whom it may write to.

    Raises:
        RefusedError: the caller is an agent, and `name` is not its id.

    """
    if caller is None:
        return name or PERSON
    if name and name != caller.id:
        raise RefusedError(
            f"an agent does not send as {name!r}",
            cause=f"this pane is {caller.id}'s own, and its messages say so",
            remedy="leave --from out",
            code="sender",
        )
    return caller.id
