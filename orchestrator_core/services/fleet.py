"""The picture that every front end shows: the store's intent with tmux's guests."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator_core.models.fleet import AgentView, Guest, Team
from orchestrator_core.models.ids import PaneId
from orchestrator_core.models.orchestration import OrchestrationState
from orchestrator_core.models.pane import Pane
from orchestrator_core.store import Store

SHOWN = (OrchestrationState.STARTING, OrchestrationState.RUNNING, OrchestrationState.STOPPED)


def read_teams(store: Store) -> tuple[Team, ...]:
    """Return the orchestrations that are shown, oldest first, each with its agents."""
    counts, next_check_ins = store.messages.waiting_counts(), store.check_ins.next_by_agent()
    return tuple(
        Team(
            orchestration=orchestration,
            agents=tuple(
                AgentView(
                    agent=agent,
                    queued=queued,
                    unconfirmed=unconfirmed,
                    next_check_in=next_check_ins.get(agent.id),
                )
                for agent in store.agents.of(orchestration.id)
                for queued, unconfirmed in [counts.get(agent.id, (0, 0))]
            ),
        )
        for orchestration in store.orchestrations.list()
        if orchestration.state in SHOWN
    )


def schedule_version(store: Store) -> tuple[int, int]:
    """Return a value that differs when a check-in or a firing has come or changed."""
    return store.check_ins.version(), store.firings.version()


def guests(panes: Sequence[Pane], teams: Sequence[Team], own_pane: PaneId | None) -> tuple[Guest, ...]:
    """Return the windows that are not our agents': one each, with its active pane, without our own window."""
    ours = {view.agent.pane for team in teams for view in team.agents if team.orchestration.state.is_active}
    own_window = next((pane.window_id for pane in panes if pane.pane_id == own_pane), None)
    windows: dict[str, Guest] = {}
    for pane in sorted(panes, key=lambda pane: (pane.session, pane.window_index, not pane.active)):
        if pane.pane_id in ours or pane.window_id == own_window or pane.window_id in windows:
            continue
        windows[pane.window_id] = Guest(
            session_id=pane.session_id,
            session=pane.session,
            window_id=pane.window_id,
            window=pane.window,
            window_index=pane.window_index,
            pane_id=pane.pane_id,
            command=pane.command,
        )
    return tuple(windows.values())
