"""How Claude Code is started and read."""

from __future__ import annotations

import glob
import uuid
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePath

from orchestrator_core.agents import run_script
from orchestrator_core.agents.claude import records, sessions
from orchestrator_core.agents.claude.agent_settings import settings_file
from orchestrator_core.agents.driver import BriefingRoad, GatePolicy, LaunchContext, LaunchPlan
from orchestrator_core.agents.screen_patterns import Patterns, patterns
from orchestrator_core.config.settings import ClaudeSettings
from orchestrator_core.models.agent import Agent

GATE_DIALOGS = {"api_key": "apikey", "auto_mode": "auto_nudge", "broken_settings": "settings"}
"""Settings whose gate has another name in the pattern file."""
PERMISSION_MODES = ("plan", "manual", "dontAsk", "acceptEdits", "auto", "bypassPermissions")
"""The most careful first."""
MODELS = ("opus", "sonnet", "haiku")
"""Claude Code's own words for the newest of each kind."""


class ClaudeDriver:
    """Claude Code in a terminal, with a settings file of its own: the person's files are never written to."""

    name = "claude"
    title = "Claude Code"
    is_demo = False
    has_hooks = True
    briefing_road = BriefingRoad.ARGUMENT
    permission_modes = PERMISSION_MODES
    models = MODELS

    def __init__(self, settings: ClaudeSettings) -> None:
        self._settings = settings

    @property
    def patterns(self) -> Patterns:
        """How its screen is read."""
        return patterns("claude")

    @cached_property
    def process_names(self) -> tuple[str, ...]:
        """Its own name, the settings' name for it, and its version: what macOS shows for the native install."""
        own = PurePath(self._settings.command[0]).name
        return tuple(dict.fromkeys((own, "claude", "[0-9]*.[0-9]*.[0-9]*")))

    @cached_property
    def gates(self) -> Mapping[str, GatePolicy]:
        """The settings' word on each start-up dialog."""
        gates = self._settings.gates
        return {GATE_DIALOGS.get(field, field): GatePolicy(getattr(gates, field)) for field in gates.__struct_fields__}

    @property
    def permission_mode(self) -> str:
        """The settings' own."""
        return self._settings.permission_mode

    @property
    def commands(self) -> tuple[str, ...]:
        """Those of the settings."""
        return self._settings.commands

    def needs_program(self) -> str | None:
        """Return the first word of the command in the settings."""
        return self._settings.command[0]

    def road_of(self, briefing: str) -> BriefingRoad:
        """Return how this very briefing travels."""
        return run_script.road_of(briefing, self.briefing_road)

    def session_folder(self, environ: Mapping[str, str]) -> Path | None:
        """Return the folder with a file for each running Claude Code of the person."""
        return sessions.folder(environ)

    def account(self, environ: Mapping[str, str]) -> str:
        """Return the folder of the configuration, which holds the login."""
        return str(sessions.folder(environ).parent)

    def can_resume(self, agent: Agent, environ: Mapping[str, str]) -> bool:
        """Whether Claude Code keeps the conversation: it does so from the first prompt on."""
        if not agent.conversation:
            return False
        projects = sessions.folder(environ).parent / "projects"
        return any(map(records.has_turns, projects.glob(f"*/{glob.escape(agent.conversation)}.jsonl")))

    def plan_launch(self, context: LaunchContext) -> LaunchPlan:
        """Return how to start one Claude Code with a conversation id of its own."""
        conversation = str(uuid.uuid4())
        return self._plan(context, conversation, "--session-id")

    def plan_resume(self, context: LaunchContext) -> LaunchPlan:
        """Return how to go on with the agent's conversation; without one, as `plan_launch`."""
        conversation = context.agent.conversation
        return self._plan(context, conversation, "--resume") if conversation else self.plan_launch(context)

    def _plan(self, context: LaunchContext, conversation: str, option: str) -> LaunchPlan:
        mode = context.agent.permission_mode or self._settings.permission_mode
        settings = settings_file(context, mode)
        argv = (
            *self._settings.command,
            *(option, conversation),
            *("--settings", str(settings.path)),
            *("--permission-mode", mode),
            *(("--model", context.agent.model) if context.agent.model else ()),
            *("-n", context.agent.id),
        )
        road = self.road_of(context.briefing)
        return LaunchPlan(
            argv=run_script.window_command(context),
            env=run_script.environment(context),
            files=(*run_script.files(context, argv, road, options_end="--"), settings),
            conversation=conversation,
            briefing_road=road,
        )
