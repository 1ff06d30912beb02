"""A team as proposed: who is in it, who was dropped, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from msgspec import Struct

ProjectType = NewType("ProjectType", str)
"""What kind of project the evidence speaks for, such as `code_project`: a key of the catalogue's types."""
CODE_PROJECT = ProjectType("code_project")
"""What a project is taken for when nothing speaks for any type."""


class Plan(StrEnum):
    """The Claude subscription, which bounds a team's size."""

    PRO = "pro"
    MAX5 = "max5"
    MAX20 = "max20"
    CONSOLE = "console"


class Detection(Struct, frozen=True, kw_only=True):
    """A project type with what speaks for it."""

    type: ProjectType
    confidence: float
    """From 0 to 1."""
    evidence: tuple[str, ...]
    """The matching files and folders, relative to the project, each named once."""
    reason: str = ""
    """Why this type, in one sentence."""
    signs: tuple[str, ...] = ()
    """Files and folders that say which optional roles the project needs."""
    source_files: int = 0


class Role(Struct, frozen=True, kw_only=True):
    """What an agent is for: an entry of the role catalogue."""

    key: str
    """Such as `project_manager`: also the window's and the branch's last part."""
    title: str
    summary: str
    check_in_min: int
    responsibilities: tuple[str, ...]
    owns: tuple[str, ...] = ()
    """Folders that are its own by convention."""
    first_steps: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Roles without which it makes no sense."""
    model: str = ""
    """The model it is started with unless the person chooses another; empty: the agent's own default."""


class ReasonKind(StrEnum):
    """Why a role is in a team, or not."""

    ALWAYS = "always"
    """Every team has it."""
    REQUIRED = "required"
    """The type of project requires it."""
    EVIDENCE = "evidence"
    """Something in the project speaks for it."""
    DEPENDENCY = "dependency"
    """Another role builds on its work."""
    NAMED = "named"
    """It is in the list of roles that was asked for."""
    ADDED = "added"
    """The person added it to the proposal."""
    SUGGESTED = "suggested"
    """A suggestion that was accepted."""
    UNNEEDED = "unneeded"
    """Left out: nothing in the project speaks for it."""
    NO_ROOM = "no-room"
    """Left out: the plan carries no more."""
    NOT_NAMED = "not-named"
    """Left out: it is not in the list of roles that was asked for."""
    REMOVED = "removed"
    """Left out: the person, or a suggestion that was accepted, took it out."""


class Tuning(Struct, frozen=True, kw_only=True):
    """What the person has set for one role. Empty values mean: as it is by default."""

    check_in_min: float | None = None
    model: str = ""
    permission_mode: str = ""


class RoleChoice(Struct, frozen=True, kw_only=True):
    """A role that is in the team, or was left out, with the reason; and how its agent would be started."""

    role: Role
    reason: str
    kind: ReasonKind = ReasonKind.NAMED
    check_in_min: float | None = None
    """Minutes between two of its standing check-ins; None: as its role has it."""
    model: str = ""
    """Empty: the agent's own default."""
    permission_mode: str = ""
    """What it may do without asking; empty for a kind of agent that has no such modes."""

    @property
    def interval_min(self) -> float:
        """Minutes between two of its standing check-ins."""
        return self.role.check_in_min if self.check_in_min is None else self.check_in_min


class Estimate(Struct, frozen=True, kw_only=True):
    """What a team would use, as far as anybody can say beforehand."""

    check_ins_per_hour: float
    """At most: they are left out while an agent works."""
    tokens_per_hour: tuple[int, int]
    """From, to: what these check-ins read and write. Work comes on top."""
    basis: str
    """What the numbers rest on, and what is not in them: one or two sentences."""


class TeamProposal(Struct, frozen=True, kw_only=True):
    """A team before it starts."""

    type: ProjectType
    detection: Detection
    plan: Plan
    cap: int
    chosen: tuple[RoleChoice, ...]
    """In the order of their windows, the orchestrator first."""
    dropped: tuple[RoleChoice, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The keys of the chosen roles."""
        return tuple(choice.role.key for choice in self.chosen)
