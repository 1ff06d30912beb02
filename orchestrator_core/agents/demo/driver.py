"""How the demo agent is started and read."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePath

from orchestrator_core.agents import run_script
from orchestrator_core.agents.claude.agent_settings import settings_file
from orchestrator_core.agents.driver import BriefingRoad, GatePolicy, LaunchContext, LaunchPlan
from orchestrator_core.agents.screen_patterns import Patterns, patterns
from orchestrator_core.config.settings import DemoSettings
from orchestrator_core.models.agent import Agent

MODULE = "orchestrator_core.agents.demo"
RECORD = "submissions.jsonl"
MODE = "manual"
COMMANDS = ("/compact",)

LIMIT_AFTER_S = 8.0
"""When the usage limit of the show is hit, counted from the start: all agents have begun by then."""


class DemoDriver:
    """The scripted agent that tmorch brings along. Its screen is read by Claude Code's patterns."""

    name = "demo"
    title = "Demo agent (not a real AI)"
    is_demo = True
    has_hooks = True
    commands = COMMANDS
    permission_modes: tuple[str, ...] = ()
    permission_mode = ""
    models: tuple[str, ...] = ()
    briefing_road = BriefingRoad.ARGUMENT

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings

    @property
    def patterns(self) -> Patterns:
        """How its screen is read."""
        return patterns("claude")

    @property
    def process_names(self) -> tuple[str, ...]:
        """The Python it runs in."""
        return (PurePath(sys.executable).name, "python3*", "Python")

    @property
    def gates(self) -> Mapping[str, GatePolicy]:
        """None: it shows no dialog before its prompt."""
        return {}

    def needs_program(self) -> str | None:
        """Return None: it is a part of tmorch."""
        return None

    def road_of(self, briefing: str) -> BriefingRoad:
        """Return how this very briefing travels."""
        return run_script.road_of(briefing, self.briefing_road)

    def session_folder(self, environ: Mapping[str, str]) -> Path | None:
        """Return None: it keeps no such files."""
        return None

    def account(self, environ: Mapping[str, str]) -> str:
        """Return an account that no real one is mistaken for."""
        return self.name

    def can_resume(self, agent: Agent, environ: Mapping[str, str]) -> bool:
        """Whether it had begun: it needs nothing to go on but its part."""
        return bool(agent.conversation)

    def plan_launch(self, context: LaunchContext) -> LaunchPlan:
        """Return how to start one demo agent. It records what it is given in its own folder."""
        limit_s = self._settings.limit_s
        limit = ("--limit-after", str(LIMIT_AFTER_S), "--limit-for", str(limit_s)) if limit_s else ()
        return self._plan(context, str(uuid.uuid4()), "--session-id", limit)

    def plan_resume(self, context: LaunchContext) -> LaunchPlan:
        """Return how to go on in the agent's part; without a conversation, as `plan_launch`."""
        conversation = context.agent.conversation
        return self._plan(context, conversation, "--resume") if conversation else self.plan_launch(context)

    def _plan(self, context: LaunchContext, conversation: str, option: str, limit: tuple[str, ...] = ()) -> LaunchPlan:
        road = self.road_of(context.briefing)
        settings = settings_file(context, MODE)
        argv = (
            *(sys.executable, "-P", "-m", MODULE),  # -P: nothing in the worktree is imported
            *("--role", context.agent.role),
            *("--team", ",".join(context.team)),
            *("--seed", str(self._settings.seed)),
            *("--speed", str(self._settings.speed)),
            *limit,
            *(option, conversation),
            *("--settings", str(settings.path)),
            *("--name", context.agent.id),
            *("--record", str(context.folder / RECORD)),
        )
        return LaunchPlan(
            argv=run_script.window_command(context),
            env=run_script.environment(context),
            files=(*run_script.files(context, argv, road, options_end="--"), settings),
            conversation=conversation,
            briefing_road=road,
        )
