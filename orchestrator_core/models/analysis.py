"""What a spec comes to: phases, effort, what proves it done, and which roles it speaks for."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.spec import Phase


class AnalysisSource(StrEnum):
    """Who has read the spec."""

    OFFLINE = "offline"
    """tmorch itself, by rules: nobody was asked."""
    CLAUDE = "claude"


class Size(StrEnum):
    """How much work it is, roughly."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Action(StrEnum):
    """What a suggestion would do to the team."""

    ADD = "add"
    REMOVE = "remove"


class Suggestion(Struct, frozen=True, kw_only=True):
    """One line of the difference between the team as proposed and the team as advised."""

    action: Action
    role: str
    """The key of a role of the catalogue, or the word that was said when there is no such role."""
    why: str
    source: AnalysisSource
    refused: str = ""
    """Why it cannot be taken, such as that there is no such role; empty when it can."""
    warning: str = ""
    """What is to be known before it is taken, such as that the team would be over its cap."""


class Analysis(Struct, frozen=True, kw_only=True):
    """A reading of a spec. What is empty was not found in it."""

    source: AnalysisSource = AnalysisSource.OFFLINE
    because: str = ""
    """For an offline one: why Claude has not read it, such as "the 5-hour limit is reached, it resets at 15:29"."""
    summary: str = ""
    phases: tuple[Phase, ...] = ()
    deliverables: tuple[str, ...] = ()
    """What it takes for deliverables where the spec lists none."""
    success_criteria: tuple[str, ...] = ()
    """Proposed besides those of the spec."""
    size: Size | None = None
    size_basis: str = ""
    """What the size rests on, in one line."""
    hours: float | None = None
    suggestions: tuple[Suggestion, ...] = ()
    model: str = ""
    cost_usd: float | None = None
    seconds: float | None = None
    """How long the reading took."""
    raw: str = ""
    """The file with Claude's answer as it came; empty when there is none."""


class AnalysisProgress(Struct, frozen=True, kw_only=True):
    """How far a reading by Claude is."""

    text: str
    """Such as `reads src/app.py`."""
    seconds: float
    limit_s: float
    """After how many seconds it is given up."""
