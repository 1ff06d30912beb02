"""One frozen picture of everything a front end shows."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.agent import Agent, AgentStatus
from orchestrator_core.models.credit import AccountStatus
from orchestrator_core.models.ids import AgentId, PaneId, SessionId, WindowId
from orchestrator_core.models.need import Need
from orchestrator_core.models.orchestration import Orchestration

SILENT_S = 60.0


class SupervisorHealth(Struct, frozen=True, kw_only=True):
    """Whether messages are being delivered and statuses kept."""

    running: bool
    pid: int | None = None
    heartbeat_at: float | None = None
    """Its last sign of life, seconds since the epoch; None when there never was one."""
    last_error: str = ""
    last_error_at: float | None = None
    since: float | None = None
    """Since when it runs or does not, seconds since the epoch; None when that is not known, or there never was one."""
    overdue: int = 0
    """Check-ins that should have been seen to a minute ago and more: nobody keeps time."""
    has_service: bool = False
    """Whether a service of the person's own starts it at login."""

    def is_silent(self, now: float) -> bool:
        """Whether it runs and does not respond: it has given no sign of life for a minute."""
        return self.running and self.heartbeat_at is not None and now - self.heartbeat_at > SILENT_S


class TmuxState(StrEnum):
    """How tmux is doing, as this process sees it."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    NO_SERVER = "no-server"
    """No tmux server runs on the socket."""
    MISSING = "missing"
    """No tmux on PATH, or one that is too old; `Fleet.tmux_detail` says which."""


class Guest(Struct, frozen=True, kw_only=True):
    """A window of a tmux session that tmorch did not create: shown, never touched."""

    session_id: SessionId
    session: str
    window_id: WindowId
    window: str
    window_index: int
    pane_id: PaneId
    """Its active pane."""
    command: str


class AgentView(Struct, frozen=True, kw_only=True):
    """An agent with what a row of the tree shows beside it."""

    agent: Agent
    queued: int = 0
    """Messages in the outbox that it has not got yet."""
    unconfirmed: int = 0
    next_check_in: float | None = None
    """When its next check-in is due, seconds since the epoch; None when none is going to fire."""


class Team(Struct, frozen=True, kw_only=True):
    """An orchestration and its agents, in the order of their windows."""

    orchestration: Orchestration
    agents: tuple[AgentView, ...]

    def count(self, status: AgentStatus) -> int:
        """Return how many of its agents have `status`."""
        return sum(view.agent.status is status for view in self.agents)


class Fleet(Struct, frozen=True, kw_only=True):
    """Everything a front end shows, read at one moment. Equal fleets look equal on screen."""

    teams: tuple[Team, ...] = ()
    """Neither cleaned nor failed ones; oldest first."""
    guests: tuple[Guest, ...] = ()
    needs: tuple[Need, ...] = ()
    """What needs the person, oldest first; without what was dismissed."""
    accounts: tuple[AccountStatus, ...] = ()
    """What is known of the credit of those that agents use, by name; without projections."""
    schedule_version: tuple[int, int] = (0, 0)
    """Differs when the check-ins or their firings do."""
    supervisor: SupervisorHealth = SupervisorHealth(running=False)
    tmux: TmuxState = TmuxState.CONNECTING
    tmux_detail: str = ""

    def agent(self, agent: AgentId) -> AgentView | None:
        """Return the agent with that id, or None."""
        for team in self.teams:
            for view in team.agents:
                if view.agent.id == agent:
                    return view
        return None

    def count(self, status: AgentStatus) -> int:
        """Return how many agents have `status`."""
        return sum(team.count(status) for team in self.teams)
