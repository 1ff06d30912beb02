"""TARGET, as every command takes it: resolved once, to one agent. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator_core.errors import NotFoundError
from orchestrator_core.models.agent import Agent
from orchestrator_core.models.pane import Pane

ACCEPTED = "an agent id (shop-3f2a:developer), a role, a tmux session:window, or a pane id (%12)"


def resolve(target: str, agents: Sequence[Agent], *, caller: Agent | None = None, panes: Sequence[Pane] = ()) -> Agent:
    """Return the one agent that `target` names.

    `agents` are those of active orchestrations. Tried in order: agent id, pane id, role in the caller's own
    orchestration, role unique among live agents, tmux `session:window` by exact name or index (from `panes`).

    Raises:
        NotFoundError: nothing or more than one thing answers to it; `candidates` says what would do.

    """
    for found in (
        [a for a in agents if a.id == target],
        [a for a in agents if target.startswith("%") and a.pane == target],
        [a for a in agents if caller and a.orchestration == caller.orchestration and a.role == target],
        [a for a in agents if a.role == target and a.status.is_live],
        [a for a in agents if a.role == target],
        _by_window(target, agents, panes),
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(target, found)
    raise _unknown(target, agents)


def needs_panes(target: str) -> bool:
    """Whether `target` may be a tmux `session:window`, for which tmux must be asked."""
    return ":" in target and not target.startswith("%")


def may_be_pane(target: str) -> bool:
    """Whether `target` may name a pane of tmux: by its id, or as `session:window`."""
    return target.startswith("%") or ":" in target


def panes_of(target: str, panes: Sequence[Pane]) -> list[Pane]:
    """Return the panes that `target` names: a pane id, or `session:window` by exact name, index or id."""
    if target.startswith("%"):
        return [pane for pane in panes if pane.pane_id == target]
    session, colon, window = target.rpartition(":")
    if not colon:
        return []
    return [
        pane
        for pane in panes
        if pane.session == session and window in (pane.window, str(pane.window_index), pane.window_id)
    ]


def _by_window(target: str, agents: Sequence[Agent], panes: Sequence[Pane]) -> list[Agent]:
    ids = {pane.pane_id for pane in panes_of(target, panes)} if ":" in target else set()
    return [agent for agent in agents if agent.pane in ids]


def _ambiguous(target: str, found: Sequence[Agent]) -> NotFoundError:
    names = tuple(agent.id for agent in found)
    return NotFoundError(
        f"{target!r} names {len(found)} agents",
        cause="they are: " + ", ".join(names),
        remedy=f"name one of them, as in: tmorch send {names[0]} …",
        code="ambiguous",
        candidates=names,
    )


def _unknown(target: str, agents: Sequence[Agent]) -> NotFoundError:
    names = tuple(agent.id for agent in agents)
    return NotFoundError(
        f"no agent answers to {target!r}",
        cause=("the agents are: " + ", ".join(names)) if names else "no agent runs at the moment",
        remedy=f"a target is {ACCEPTED}; names match exactly",
        candidates=names,
    )
