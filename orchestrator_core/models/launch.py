"""What a person asks for with `tmorch start`, and how far it has come."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import TeamProposal


class StartRequest(Struct, frozen=True, kw_only=True):
    """A wish for a team. Empty values mean: decide by the rules."""

    project: str
    spec: str = ""
    plan: str = ""
    roles: tuple[str, ...] = ()
    team_type: str = ""
    driver: str = ""
    over_cap: bool = False
    """The person accepts a team larger than the plan's cap."""
    demo_speed: float | None = None
    demo_seed: int | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """Everything a start would do, before it does it."""

    request: StartRequest
    project: ProjectState
    spec: Spec
    team: TeamProposal
    driver: str
    warnings: tuple[str, ...] = ()


class StepState(StrEnum):
    """How a step of a start stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


class StepProgress(Struct, frozen=True, kw_only=True):
    """One step of a start, as it is shown to the person."""

    step: str
    """Such as `worktrees`, `session`, `agents`, `ready`, `briefing`."""
    state: StepState
    text: str
    agent: str = ""
