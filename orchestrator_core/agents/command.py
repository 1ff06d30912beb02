"""Any command of the person's settings as an agent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePath

from orchestrator_core.agents import run_script
from orchestrator_core.agents.driver import BriefingRoad, GatePolicy, LaunchContext, LaunchPlan
from orchestrator_core.agents.screen_patterns import Patterns, line_prompt, patterns, unread
from orchestrator_core.config.settings import DriverSettings
from orchestrator_core.errors import NotFoundError, SettingsError
from orchestrator_core.models.agent import Agent

NO_SCREEN = "none"


class CommandDriver:
    """A program that the settings name, with what they say of it."""

    is_demo = False
    has_hooks = False
    commands: tuple[str, ...] = ()
    permission_modes: tuple[str, ...] = ()
    permission_mode = ""
    models: tuple[str, ...] = ()

    def __init__(self, name: str, settings: DriverSettings) -> None:
        """Take the settings of `[drivers.NAME]`.

        Raises:
            SettingsError: there is no pattern file for its screen.

        """
        self.name = name
        self._settings = settings
        self.patterns: Patterns = self._read_patterns()

    @property
    def title(self) -> str:
        """The name in the settings."""
        return self.name

    @cached_property
    def process_names(self) -> tuple[str, ...]:
        """The settings' names, or the command's own."""
        return tuple(self._settings.process_names) or (PurePath(self._settings.command[0]).name,)

    @property
    def briefing_road(self) -> BriefingRoad:
        """The settings' choice."""
        return BriefingRoad(self._settings.briefing)

    @property
    def gates(self) -> Mapping[str, GatePolicy]:
        """None: every dialog of an unknown program is the person's."""
        return {}

    def needs_program(self) -> str | None:
        """Return the first word of the command."""
        return self._settings.command[0]

    def road_of(self, briefing: str) -> BriefingRoad:
        """Return how this very briefing travels."""
        return run_script.road_of(briefing, self.briefing_road)

    def session_folder(self, environ: Mapping[str, str]) -> Path | None:
        """Return None: it keeps no such files."""
        return None

    def account(self, environ: Mapping[str, str]) -> str:
        """Return nothing: nobody tells of its credit."""
        return ""

    def can_resume(self, agent: Agent, environ: Mapping[str, str]) -> bool:
        """Return False: it keeps no conversation that we know of."""
        return False

    def plan_launch(self, context: LaunchContext) -> LaunchPlan:
        """Return how to start one such program; it has no conversation that could be resumed."""
        road = self.road_of(context.briefing)
        return LaunchPlan(
            argv=run_script.window_command(context),
            env=run_script.environment(context, self._settings.env),
            files=run_script.files(context, self._settings.command, road),
            conversation="",
            briefing_road=road,
        )

    def plan_resume(self, context: LaunchContext) -> LaunchPlan:
        """Return how to start it anew: nothing of an earlier run can be gone on with."""
        return self.plan_launch(context)

    def _read_patterns(self) -> Patterns:
        if self._settings.prompt_pattern:
            return line_prompt(self._settings.prompt_pattern)
        if self._settings.screen == NO_SCREEN:
            return unread()
        try:
            return patterns(self._settings.screen)
        except NotFoundError as error:
            raise SettingsError(
                f"drivers.{self.name}.screen cannot be used", cause=error.cause, remedy=error.remedy
            ) from error
