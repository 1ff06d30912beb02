"""An agent, its status, and the evidence a status rests on."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.dialog import OpenDialog
from orchestrator_core.models.ids import AgentId, OrchestrationId, PaneId, WindowId


class AgentStatus(StrEnum):
    """What an agent is doing, as far as the evidence goes."""

    STARTING = "starting"
    WORKING = "working"
    IDLE = "idle"
    WAITING = "waiting"
    """Needs a person: a permission prompt, a question, a start-up gate."""
    LIMITED = "limited"
    """Held by a usage limit until a known time."""
    EXITED = "exited"
    """Its program ended by itself, or its pane is gone."""
    FAILED = "failed"
    """Its program ended with an error, or never became ready."""
    UNKNOWN = "unknown"

    @property
    def is_live(self) -> bool:
        """Whether the program behind it is believed to run."""
        return self not in (AgentStatus.EXITED, AgentStatus.FAILED)


class Verdict(Struct, frozen=True, kw_only=True):
    """A status with its reason: what the status rests on, in the person's words."""

    status: AgentStatus
    reason: str
    doing: str = ""
    """What the agent shows it is doing now, one short line; empty when it shows nothing."""
    waiting_for: str = ""
    """The name of the dialog that is open, such as `permission`; empty when none is."""
    dialog: OpenDialog | None = None
    limited_until: float | None = None
    """For `limited`: when the limit ends, seconds since the epoch, as far as that is known."""


class Agent(Struct, frozen=True, kw_only=True):
    """One coding agent of an orchestration. Times are seconds since the epoch."""

    id: AgentId
    orchestration: OrchestrationId
    role: str
    driver: str
    worktree: str
    branch: str
    status: AgentStatus = AgentStatus.STARTING
    reason: str = ""
    doing: str = ""
    waiting_for: str = ""
    dialog: OpenDialog | None = None
    """What stands open on its screen; None when none does or it cannot be read."""
    status_since: float = 0.0
    pane: PaneId | None = None
    window: WindowId | None = None
    pid: int | None = None
    """The pane's own process, started by tmux."""
    pid_started: float | None = None
    """When that process started: a pid alone may be somebody else's by now."""
    conversation: str = ""
    """The conversation id we gave it; empty for drivers without one."""
    last_output: str = ""
    """The last lines of an agent that exited or failed."""
    check_in_min: float | None = None
    """How many minutes lie between two of its standing check-ins; None: as its role has it."""
    limited_until: float | None = None
    """When its usage limit ends, as far as that is known; None while it has none."""
    model: str = ""
    """The model it was started with; empty: its own default."""
    permission_mode: str = ""
    """What it may do without asking, as approved; empty: its driver's default."""
    account: str = ""
    """The account that it uses: the folder of its configuration; empty for a kind of agent that has none."""
    context_used: float | None = None
    """How full its context is, from 0 to 100; None when it has not told."""
    cost_usd: float | None = None
    """What its conversation has cost so far, as it counts it itself; None when it has not told."""
    restarts: int = 0
    """How many times it was started again since it last ran for long."""
    restarted_at: float | None = None
    held_reason: str = ""
    """Why nothing is sent to it for now, such as a budget that is used up; empty: nothing holds it."""
    is_adopted: bool = False
    """It was running before tmorch knew it: its pane, folder and branch are the person's, and never removed."""
    created_at: float = 0.0
