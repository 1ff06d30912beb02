"""What is known of an agent at one moment, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from orchestrator_core.agents.screen import Reading
from orchestrator_core.models.agent import Verdict
from orchestrator_core.models.evidence import Source, Weight
from orchestrator_core.models.hook import HookFact


class ProcessEvidence(Struct, frozen=True, kw_only=True):
    """What tmux says of the program in an agent's pane."""

    exists: bool
    """The pane is there."""
    dead: bool = False
    exit_status: int | None = None
    """Of a dead pane; None when a signal ended the program or tmux does not say."""
    command: str = ""
    pid: int = 0
    is_agent: bool = False
    """See `status.is_agent_process`."""


class SessionEvidence(Struct, frozen=True, kw_only=True):
    """What an agent's program says of itself in a file. Times are seconds since the epoch."""

    pid: int
    """Of the process that writes the file."""
    conversation: str = ""
    process_start: str = ""
    """When that process started, as the system counts it; empty when the file does not say."""
    started_at: float | None = None
    """When the session began: no earlier than its process."""
    status: str = ""
    """In the program's own words, such as `busy`; may be a word we do not know."""
    waiting_for: str = ""
    status_at: float | None = None
    """Since when it has that status."""
    pane: str = ""
    """The tmux pane it believes to be in; ids are those of one server."""


class SessionOwner(StrEnum):
    """Whose a session file is."""

    AGENT = "agent"
    """Of the agent's own process, which runs."""
    ENDED = "ended"
    """Of a process that has ended."""
    STRANGER = "stranger"
    """Of a process outside the agent's pane: the same conversation may be open elsewhere."""


class Evidence(Struct, frozen=True, kw_only=True):
    """All that is known of one agent. Times are seconds since the epoch."""

    process: ProcessEvidence
    session: SessionEvidence | None = None
    session_owner: SessionOwner = SessionOwner.AGENT
    hook: HookFact | None = None
    """The latest that says anything of its state."""
    reading: Reading | None = None
    """None while its screen has not been looked at."""
    read_at: float | None = None
    """When the screen was read; it has not changed since, or that is not known yet."""
    disagreeing_since: float | None = None
    """Since when its sources have not agreed; None when they did at the last look."""

    @property
    def is_own_session(self) -> bool:
        """Whether the session file, if any, is that of the agent's process."""
        return self.session_owner is SessionOwner.AGENT


class Judgement(Struct, frozen=True, kw_only=True):
    """What the evidence speaks for."""

    verdict: Verdict
    weights: Mapping[Source, Weight]
    """What each source counted for."""
    is_disputed: bool = False
    """Its own file and its screen do not agree."""
    is_passing: bool = False
    """It rests on what is about to change: look again soon."""
