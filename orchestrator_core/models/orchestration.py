"""One run of one spec on one project by one team."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.ids import OrchestrationId, SessionId


class OrchestrationState(StrEnum):
    """Where an orchestration is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    """Its start failed; what the start had made is undone or listed in the journal."""
    CLEANED = "cleaned"
    """Its worktrees and branches are removed; kept for the record."""

    @property
    def is_active(self) -> bool:
        """Whether it holds its project: a second start is refused meanwhile."""
        return self in (OrchestrationState.STARTING, OrchestrationState.RUNNING)


class Orchestration(Struct, frozen=True, kw_only=True):
    """One run of one spec on one project. Times are seconds since the epoch."""

    id: OrchestrationId
    project: str
    """The project's folder, absolute, symbolic links resolved."""
    project_name: str
    """As the person wrote it: may hold spaces, dots, colons, any script."""
    session: str
    """The tmux session's name, equal to the id unless that name was taken."""
    starting_branch: str
    base_commit: str
    state: OrchestrationState = OrchestrationState.STARTING
    session_id: SessionId | None = None
    server: str = ""
    """The tmux server's socket path."""
    spec_path: str = ""
    goal: str = ""
    driver: str = ""
    plan: str = ""
    team_type: str = ""
    is_demo: bool = False
    is_adopted: bool = False
    """It holds agents that the person started by hand; its session and folders are not ours."""
    check_ins_paused_at: float | None = None
    """Since when its check-ins are paused; None while they fire."""
    paused_at: float | None = None
    """Since when the person has all of it paused: no check-in fires, and messages wait. None while nothing does."""
    boot_id: str = ""
    """The boot of the machine during which it was last started; empty when that is not known."""
    offered_boot_id: str = ""
    """During which boot the person was last asked whether it is to be brought back."""
    failure: str = ""
    launcher_pid: int | None = None
    launcher_started: float | None = None
    created_at: float = 0.0

    @property
    def holds_check_ins(self) -> bool:
        """Whether no check-in fires because the person has paused them, or all of it."""
        return self.check_ins_paused_at is not None or self.paused_at is not None
