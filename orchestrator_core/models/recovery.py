"""What is missing of a team, and what would bring it back: a plan that is shown before anything is done."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.agent import AgentStatus
from orchestrator_core.models.ids import AgentId, OrchestrationId


class Part(StrEnum):
    """A part of a team that can be missing."""

    SESSION = "session"
    WINDOW = "window"
    WORKTREE = "worktree"
    BRANCH = "branch"
    PROGRAM = "program"
    CONVERSATION = "conversation"
    CHECK_IN = "check-in"
    FILES = "files"
    """The agent's private folder: its settings, run script and briefing."""
    SUPERVISOR = "supervisor"
    """What delivers messages and keeps time, for all teams."""


class Verb(StrEnum):
    """What would be done about it."""

    KEEP = "keep"
    """It is there and right: nothing is done to it, no byte is typed."""
    REBUILD = "rebuild"
    CONTINUE = "continue"
    """The program is started again in its own conversation."""
    START_ANEW = "start-anew"
    """The program is started in a new conversation: its own is gone."""
    REBRIEF = "rebrief"
    REFUSE = "refuse"
    """Nothing is done without the person: the reason says what they can do."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that would be done, or left alone."""

    verb: Verb
    part: Part
    agent: AgentId = AgentId("")
    """Empty: of the whole team."""
    reason: str
    """What was found, in words."""


class AgentStanding(Struct, frozen=True, kw_only=True):
    """How an agent stands, as far as that was seen."""

    agent: AgentId
    is_alive: bool
    """Its program runs in its pane."""
    status: AgentStatus
    """As it was stored last: that of an agent that is not alive is of before."""
    limited_until: float | None = None
    branch: str = ""
    has_branch: bool = False
    ahead: int | None = None
    """How many commits its branch has that the starting branch has not; None when that cannot be told."""
    behind: int | None = None
    changed: int = 0
    """How many files are not committed."""
    window: str = ""
    """The tmux window that it is in; empty when that is gone."""


class RecoveryPlan(Struct, frozen=True, kw_only=True):
    """What bringing a team back would do."""

    orchestration: OrchestrationId
    project: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    """Such as that the account is limited until a time."""
    agents: tuple[AgentStanding, ...] = ()
    """How each agent stood, in the order of their windows."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return all(step.verb is Verb.KEEP for step in self.steps)


class OrphanKind(StrEnum):
    """What can be left over."""

    SESSION = "session"
    """A tmux session with our mark whose team is not to run."""
    WINDOW = "window"
    WORKTREE = "worktree"
    BRANCH = "branch"
    INTENT = "intent"
    """A team that is to run and of which nothing is there."""


class Orphan(Struct, frozen=True, kw_only=True):
    """Something of ours that nothing knows of, or something known of which nothing is there."""

    kind: OrphanKind
    name: str
    where: str
    """The path, the session, or the project."""
    orchestration: OrchestrationId = OrchestrationId("")
    what_to_do: str
    """The safe command for it."""


class RecoveryOutcome(Struct, frozen=True, kw_only=True):
    """What bringing a team back has done."""

    plan: RecoveryPlan
    done: tuple[Step, ...]
    failed: tuple[tuple[Step, str], ...] = ()
    """With why."""
