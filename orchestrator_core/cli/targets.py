"""TARGET as commands take it: resolved against what is stored and, only when needed, against tmux."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence

from orchestrator_core.cli.context import Context
from orchestrator_core.errors import MissingProgramError, NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.target import needs_panes, resolve

ServerOf = Callable[[Agent], str]
"""Tells the socket path of an agent's tmux server."""


def one_agent(
    context: Context, target: str, agents: Sequence[Agent], server_of: ServerOf, caller: Agent | None
) -> Agent:
    """Return the one of `agents` that `target` names; tmux is asked only for `session:window`.

    Raises:
        NotFoundError: nothing or more than one answers to it.

    """
    try:
        return resolve(target, _near(context, target, agents, server_of), caller=caller)
    except NotFoundError as unknown:
        if unknown.code == "ambiguous" or not needs_panes(target):
            raise
        found = _by_window(context, target, agents, server_of)
        if not found:
            raise
    if len(found) > 1:
        raise _ambiguous(target, found)
    return found[0]


def server_names(context: Context) -> tuple[str, ...]:
    """Return the paths by which the tmux server around us may be stored: as tmux says it, and resolved."""
    server = context.server
    return tuple(dict.fromkeys((server, os.path.realpath(server)))) if server else ()


def _near(context: Context, target: str, agents: Sequence[Agent], server_of: ServerOf) -> Sequence[Agent]:
    """For a pane id, leave out agents of other tmux servers than the caller's: they have the same ids."""
    servers = server_names(context) if target.startswith("%") else ()
    if not servers:
        return agents
    return [agent for agent in agents if agent.pane == target and server_of(agent) in servers] or agents


def _by_window(context: Context, target: str, agents: Sequence[Agent], server_of: ServerOf) -> list[Agent]:
    by_server: dict[str, list[Agent]] = {}
    for agent in agents:
        by_server.setdefault(server_of(agent), []).append(agent)
    found = []
    for server, group in by_server.items():
        try:
            found.append(resolve(target, group, panes=context.panes(server)))
        except MissingProgramError:
            continue
        except NotFoundError as unknown:
            if unknown.code == "ambiguous":
                raise
    return found


def _ambiguous(target: str, found: Sequence[Agent]) -> NotFoundError:
    names = tuple(agent.id for agent in found)
    return NotFoundError(
        f"{target!r} names {len(found)} agents on different tmux servers",
        cause="they are: " + ", ".join(names),
        remedy="name one of them by its id",
        code="ambiguous",
        candidates=names,
    )
