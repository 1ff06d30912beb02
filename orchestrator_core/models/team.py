"""A team as proposed: who is in it, who was dropped, and why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ProjectType(StrEnum):
    """What kind of project the evidence speaks for."""

    CODE = "code_project"
    SYSTEM_DEPLOYMENT = "system_deployment"
    DATA_PIPELINE = "data_pipeline"
    INFRASTRUCTURE = "infrastructure_as_code"


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


class RoleChoice(Struct, frozen=True, kw_only=True):
    """A role that is in the team, or was dropped, with the reason."""

    role: Role
    reason: str


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
