"""What a person asks for with `tmorch start`, what it comes to, and how far its start has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from orchestrator_core.models.analysis import Analysis
from orchestrator_core.models.ids import OrchestrationId
from orchestrator_core.models.project import ProjectState
from orchestrator_core.models.spec import Spec
from orchestrator_core.models.team import Estimate, TeamProposal, Tuning

ProposalId = NewType("ProposalId", int)
"""A saved proposal's number, counted per state folder."""

LIMITED = "a usage limit holds the account"
"""How the warning of a proposal begins that its agents would have to wait."""


class StartRequest(Struct, frozen=True, kw_only=True):
    """A wish for a team. Empty values mean: decide by the rules."""

    project: str
    spec: str = ""
    plan: str = ""
    roles: tuple[str, ...] = ()
    """Exactly these, whatever the type of project says."""
    team_type: str = ""
    driver: str = ""
    over_cap: bool = False
    """The person accepts a team larger than the plan's cap."""
    added: tuple[str, ...] = ()
    """Keys of roles that come on top of what the rules say, or of `roles`."""
    removed: tuple[str, ...] = ()
    """Keys of roles that are taken out of it."""
    tuning: dict[str, Tuning] = {}
    """By the role's key."""
    demo_speed: float | None = None
    demo_seed: int | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """Everything a start would do, before it does it. A value: what it was made from is in it."""

    request: StartRequest
    project: ProjectState
    spec: Spec
    team: TeamProposal
    driver: str
    warnings: tuple[str, ...] = ()
    orchestration: OrchestrationId = OrchestrationId("")
    """The id that the orchestration is going to have, unless it is taken by then."""
    analysis: Analysis = Analysis()
    estimate: Estimate | None = None
    routes: frozenset[tuple[str, str]] = frozenset()
    """Sender and target: the roles that may write to each other."""
    worktrees: str = ""
    """The folder in which each agent gets a worktree, by its role."""
    branches: str = ""
    """What each agent's branch begins with; its role follows."""
    permission_modes: tuple[str, ...] = ()
    """Those that can be chosen, the most careful first; none for a driver that has none."""
    models: tuple[str, ...] = ()
    """Words for models that can be chosen; others are allowed."""
    types: tuple[str, ...] = ()
    """The types of project that can be chosen."""
    overrides: tuple[str, ...] = ()
    """The files of the project and of the person that change roles, types, plans or briefings."""
    saved: ProposalId = ProposalId(0)
    """Its number when it is saved."""
    made_at: float = 0.0
    asked: StartRequest | None = None
    """The wish that it was made from at first, before the person changed anything."""


class PathKind(StrEnum):
    """What a path that is being written is for."""

    PROJECT = "project"
    SPEC = "spec"


class RoleToggled(Struct, frozen=True, kw_only=True, tag=True):
    """The person takes a role in, or out."""

    role: str
    is_in: bool


class RoleTuned(Struct, frozen=True, kw_only=True, tag=True):
    """The person sets how a role's agent is started; replaces what was set for it before."""

    role: str
    tuning: Tuning


class PlanChosen(Struct, frozen=True, kw_only=True, tag=True):
    """The person names the subscription; the rules are applied anew, what was taken in or out stays so."""

    plan: str


class TypeChosen(Struct, frozen=True, kw_only=True, tag=True):
    """The person says what type of project it is; the rules are applied anew."""

    team_type: str


class TeamReset(Struct, frozen=True, kw_only=True, tag=True):
    """The person wants the team as it was first proposed."""


Change = RoleToggled | RoleTuned | PlanChosen | TypeChosen | TeamReset
"""What a person does to a proposal."""


class SavedProposal(Struct, frozen=True, kw_only=True):
    """A proposal as it is listed."""

    id: ProposalId
    project: str
    spec: str
    goal: str
    agents: int
    saved_at: float


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


class StepFailure(Struct, frozen=True, kw_only=True):
    """A step of a start that failed. Nothing is undone before somebody has decided."""

    step: str
    agent: str
    """The role it is about; empty when it is about the whole team."""
    title: str
    cause: str = ""
    remedy: str = ""
    may_go_on: bool = False
    """Whether the team could run without it."""


class Decision(StrEnum):
    """What is to be done about a step that failed."""

    RETRY = "retry"
    GO_ON = "go-on"
    """Leave it as it is; only where `may_go_on`."""
    ROLL_BACK = "roll-back"


Progress = Callable[[StepProgress], None]
Decide = Callable[[StepFailure], Awaitable[Decision]]
