"""What a status rests on, for whoever asks why."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.agent import Agent, Verdict


class Source(StrEnum):
    """Where evidence comes from, most trusted first."""

    PROCESS = "process"
    """tmux: the program in front, its pid and when it started."""
    SESSION = "session"
    """Claude Code's own session file."""
    HOOKS = "hooks"
    SCREEN = "screen"


class Weight(StrEnum):
    """What a piece of evidence counted for."""

    DECIDES = "decides"
    AGREES = "agrees"
    DISAGREES = "disagrees"
    STALE = "stale"
    """Older than something that is known to have happened since, or of another process or conversation."""
    SILENT = "silent"
    """There is none from this source, or it says nothing of the status."""


class Ground(Struct, frozen=True, kw_only=True):
    """One piece of evidence."""

    source: Source
    says: str
    """In plain words, to follow the source's name."""
    weight: Weight
    at: float | None = None
    """Since when it says so, seconds since the epoch; None when nobody knows."""


class Why(Struct, frozen=True, kw_only=True):
    """Why an agent has the status it has, looked at this moment."""

    agent: Agent
    """As the supervisor has it, with its verdict."""
    verdict: Verdict
    """What the evidence says right now."""
    grounds: tuple[Ground, ...]
    """Most trusted source first; every source is there once."""
    looked_at: float


class StoredCase(Struct, frozen=True, kw_only=True):
    """A status that a person called wrong, stored without anything private."""

    path: str
    masked: tuple[str, ...]
    """What was masked, in words."""
