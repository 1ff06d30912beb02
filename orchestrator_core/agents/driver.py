"""What tmorch must know of a kind of agent: how to start it, and how to read its screen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from orchestrator_core.agents.screen_patterns import Patterns
from orchestrator_core.models.agent import Agent


class BriefingRoad(StrEnum):
    """How an agent gets its briefing."""

    ARGUMENT = "argument"
    """On its command line: it is there before anything can go wrong on screen."""
    PASTE = "paste"
    """As the first message, once its prompt is there."""


class GatePolicy(StrEnum):
    """What to do about a dialog that stands before an agent's first prompt."""

    ACCEPT = "accept"
    ASK = "ask"
    """Leave it to the person."""
    REFUSE = "refuse"


class LaunchContext(Struct, frozen=True, kw_only=True):
    """What a driver needs to plan the start of one agent."""

    agent: Agent
    folder: Path
    """The agent's private folder; it exists before the planned files are written."""
    spool: Path
    """Where the agent's hooks put what they tell."""
    briefing: str
    tmorch_argv: tuple[str, ...]
    """How an agent calls tmorch."""
    env: Mapping[str, str]
    """What the agent shall find in its environment; PATH is taken from our own when it is not in here."""
    team: tuple[str, ...] = ()
    """The roles of its orchestration, in the order of their windows."""


class PlannedFile(Struct, frozen=True, kw_only=True):
    """A file to be written, exactly as `text` in UTF-8, before the program is started."""

    path: Path
    text: str
    mode: int = 0o600


class LaunchPlan(Struct, frozen=True, kw_only=True):
    """How to start one agent. Nothing has been done yet."""

    argv: tuple[str, ...]
    """Short: a tmux command holds about 16 kB."""
    env: Mapping[str, str]
    files: tuple[PlannedFile, ...]
    conversation: str
    """The id by which the agent's conversation can be resumed; empty when it has none."""
    briefing_road: BriefingRoad
    """How this very briefing travels: one that is too long for an argument is pasted."""


class Driver(Protocol):
    """One kind of agent. Stateless: every method may be called from anywhere at any time."""

    @property
    def name(self) -> str:
        """What the settings and `--agent` call it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def is_demo(self) -> bool:
        """Whether no real agent is behind it; front ends must say so."""
        ...

    @property
    def patterns(self) -> Patterns:
        """How its screen is read."""
        ...

    @property
    def process_names(self) -> tuple[str, ...]:
        """What tmux calls its program when it is in front: names or shell-style patterns."""
        ...

    @property
    def briefing_road(self) -> BriefingRoad:
        """How its briefings travel unless they are too long for that."""
        ...

    @property
    def gates(self) -> Mapping[str, GatePolicy]:
        """What to do about each start-up dialog, by the dialog's name; others are left to the person."""
        ...

    @property
    def has_hooks(self) -> bool:
        """Whether its programs tell of themselves: a message counts as taken once the agent said so itself."""
        ...

    @property
    def permission_modes(self) -> tuple[str, ...]:
        """What its agents may do without asking can be chosen among these, the most careful first; empty: it cannot."""
        ...

    @property
    def permission_mode(self) -> str:
        """The one that holds when nothing is chosen; empty when there are none."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """Words for models that can be chosen; others are allowed. Empty: it cannot be chosen."""
        ...

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of its own that may be sent to it as a whole message."""
        ...

    def needs_program(self) -> str | None:
        """Return the program that must be on PATH, by name or by path; None when it brings its own."""
        ...

    def road_of(self, briefing: str) -> BriefingRoad:
        """Return how this very briefing travels: the same answer as in the plan made for it."""
        ...

    def session_folder(self, environ: Mapping[str, str]) -> Path | None:
        """Return where its programs keep a file about each of their sessions; None when they keep none we can read."""
        ...

    def account(self, environ: Mapping[str, str]) -> str:
        """Return whose credit its programs use when started with `environ`; empty when nothing is known of any."""
        ...

    def can_resume(self, agent: Agent, environ: Mapping[str, str]) -> bool:
        """Whether the agent's conversation is there to be gone on with by a program started with `environ`."""
        ...

    def plan_launch(self, context: LaunchContext) -> LaunchPlan:
        """Return how to start one agent. Each call plans a new conversation."""
        ...

    def plan_resume(self, context: LaunchContext) -> LaunchPlan:
        """Return how to have an agent go on in its own conversation, with `context.briefing` as what it is told next.

        Nobody else may have the conversation open: that is for the caller to see to. An agent without one, or of a
        kind that keeps none, is planned to be started anew: the plan's `conversation` tells.
        """
        ...
