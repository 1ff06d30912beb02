"""What the person can set: one typed tree. The text under a field is its help, shown wherever settings are.

The settings file is TOML; a variable `TMORCH_<SECTION>__<KEY>` overrides it. Without either, nothing is parsed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from orchestrator_core.config.paths import Paths, expanded
from orchestrator_core.models.team import Plan

GateAnswer = Literal["accept", "ask", "refuse"]
PermissionMode = Literal["acceptEdits", "auto", "bypassPermissions", "manual", "dontAsk", "plan"]
Seconds = Annotated[float, Meta(ge=0, le=86400)]
Command = Annotated[tuple[str, ...], Meta(min_length=1, description='a list of words, as in ["claude"]')]
Words = Annotated[tuple[str, ...], Meta(description='a list of words, as in ["node", "claude"]')]
Program = Annotated[str, Meta(min_length=1, description="the name or the path of a program")]
Socket = Annotated[str, Meta(pattern="^(/.*|[^/]*)$", description="a name without slashes, an absolute path, or empty")]
BUILT_IN_DRIVERS = ("claude", "demo")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class TmuxSettings(Section, frozen=True, kw_only=True):
    """The tmux server that teams live in."""

    socket: Socket = ""
    """Which tmux server: the name of a socket (`tmux -L`) or its absolute path (`tmux -S`). Empty: the server tmorch
    is started in, else tmux's default one."""
    bin: Program = "tmux"
    """The tmux program, 3.2a or newer."""


class ProjectsSettings(Section, frozen=True, kw_only=True):
    """Where your projects are."""

    folder: str = "~/projects"
    """Where `tmorch start shop` looks for the project `shop`."""

    def path(self, environ: Mapping[str, str] = os.environ) -> Path:
        """Return the folder as an absolute path."""
        return expanded(self.folder, environ)


class WorktreesSettings(Section, frozen=True, kw_only=True):
    """Where agents work."""

    folder: str = ""
    """Where agents' git worktrees are made. Empty: `worktrees` in the state folder. Never inside a project."""

    def path(self, paths: Paths, environ: Mapping[str, str] = os.environ) -> Path:
        """Return the folder as an absolute path."""
        return expanded(self.folder, environ) if self.folder else paths.worktrees


class TeamSettings(Section, frozen=True, kw_only=True):
    """What a team is made of unless the command line says otherwise."""

    plan: Plan = Plan.MAX5
    """The Claude subscription, which bounds a team's size."""
    driver: Annotated[str, Meta(min_length=1, description="claude, demo, or a name from [drivers]")] = "claude"
    """The kind of agent: `claude`, `demo`, or a name from `[drivers]`."""
    start_timeout_s: Annotated[float, Meta(gt=0, le=86400)] = 90
    """How many seconds an agent may take to show its prompt before its start counts as failed."""


class GateSettings(Section, frozen=True, kw_only=True):
    """What tmorch does at the dialogs Claude Code may show before its first prompt.

    `ask` leaves the dialog to you: the agent is shown as waiting. `accept` and `refuse` answer it.
    """

    trust: GateAnswer = "accept"
    """"Do you trust the files in this folder?" You named the project and approved the start."""
    bypass: GateAnswer = "ask"
    """The warning of the mode in which Claude Code asks for no permission at all."""
    mcp: GateAnswer = "ask"
    """"New MCP server found in this project": it would run a program the project names."""
    api_key: GateAnswer = "ask"
    """"Detected a custom API key in your environment": it would bill that key instead of your subscription."""
    auto_mode: GateAnswer = "refuse"
    """"Make auto mode your default?" Refusing leaves Claude Code's settings as they are."""
    broken_settings: GateAnswer = "ask"
    """"Settings Error": a settings file of Claude Code is broken; accepting goes on without it."""


class ClaudeSettings(Section, frozen=True, kw_only=True):
    """Claude Code as an agent."""

    command: Command = ("claude",)
    """The program and its first arguments; tmorch adds its own after them."""
    permission_mode: PermissionMode = "manual"
    """What agents may do without asking (`claude --permission-mode`)."""
    commands: Annotated[tuple[str, ...], Meta(description='a list of commands, as in ["/compact"]')] = ("/compact",)
    """Its own commands that may be sent to an agent: a message that is one of them and nothing else is typed as it is,
    while the agent is idle. Any other text is never taken for a command."""
    gates: GateSettings = GateSettings()


class DemoSettings(Section, frozen=True, kw_only=True):
    """The scripted agents of `tmorch demo`."""

    speed: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """How fast they act: 2 is twice as fast."""
    seed: Annotated[int, Meta(ge=0)] = 0
    """The same number gives the same behaviour again; 0 is different each time."""
    limit_s: Seconds = 0
    """For how many seconds a usage limit holds them soon after they began, so that it can be seen; 0 is none."""


class DriverSettings(Section, frozen=True, kw_only=True):
    """Another kind of agent: any program that takes prompts in a terminal. The table's name is the driver's name."""

    command: Command
    """The program and its arguments."""
    process_names: Words = ()
    """The names under which the running program may appear in its pane. Empty: the command's own name."""
    screen: Program = "claude"
    """How its screen is read: the name of a pattern file, or `none` for a program whose screen says nothing."""
    briefing: Literal["paste", "argument"] = "paste"
    """How it gets its first prompt: pasted once it is ready, or as its last argument."""
    prompt_pattern: str = ""
    """A regular expression that matches the row in which it waits for a prompt, for `screen = "none"`."""
    env: Annotated[dict[str, str], Meta(description='a table of strings, as in { NAME = "value" }')] = {}
    """Environment variables it is started with, besides tmorch's own."""

    def __post_init__(self) -> None:
        if self.prompt_pattern:
            import re

            try:
                re.compile(self.prompt_pattern)
            except re.error as error:
                raise ValueError(f"prompt_pattern: is no regular expression: {error}") from error


class AnalysisSettings(Section, frozen=True, kw_only=True):
    """How a spec is read before a team is proposed."""

    by: Literal["claude", "offline"] = "claude"
    """Who reads it: `claude` asks Claude Code once, in the project and without the right to change anything; `offline`
    asks nobody and costs nothing. The rules of tmorch propose a team in either case."""
    budget_usd: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    """How much one reading by Claude may cost at most."""
    timeout_s: Annotated[float, Meta(gt=0, le=86400)] = 300
    """After how many seconds it is given up; the offline reading stands in for it then."""
    model: str = ""
    """The model that reads it; empty: Claude Code's own default."""


class MessagesSettings(Section, frozen=True, kw_only=True):
    """The outbox."""

    wait_s: Seconds = 5.0
    """How many seconds `tmorch send` waits for the delivery before it returns."""
    duplicate_limit: Annotated[int, Meta(ge=0, le=1000000)] = 5
    """How many equal messages of one sender an agent gets within `duplicate_window_s`; 0 is no limit."""
    duplicate_window_s: Seconds = 60
    """Within how many seconds equal messages are counted."""
    rate_limit: Annotated[int, Meta(ge=0, le=1000000)] = 60
    """How many messages one agent may send within `rate_window_s`, to whomever; 0 is no limit. You have none."""
    rate_window_s: Seconds = 60
    """Within how many seconds an agent's messages are counted."""
    hand_over: bool = True
    """Whether a message for a working agent whose prompt cannot be typed into, as when your draft lies there, may be
    handed to it at the end of its turn by its own hook."""


class ScheduleSettings(Section, frozen=True, kw_only=True):
    """Check-ins: what is said to agents at its time."""

    standing: bool = True
    """Whether tmorch keeps a check-in for every live agent, by its role's interval."""
    standing_min: Annotated[float, Meta(ge=1, le=10080)] = 30
    """How many minutes lie between two standing check-ins of an agent whose role says nothing else."""
    when_working: Literal["skip", "wait"] = "skip"
    """What becomes of a standing check-in that is due while its agent works: left out, or kept until it is idle.
    Check-ins that you or an agent have set always wait."""
    cooldown_min: Annotated[float, Meta(ge=0, le=1440)] = 5
    """For how many minutes after any check-in a standing one is left out."""
    min_interval_min: Annotated[float, Meta(gt=0, le=1440)] = 1
    """How many minutes must lie between two firings of a check-in that repeats."""
    duplicate_window_min: Annotated[float, Meta(ge=0, le=1440)] = 5
    """Check-ins of the same note for the same agent count as one when they are due within so many minutes."""
    limit: Annotated[int, Meta(ge=0, le=1000000)] = 50
    """How many check-ins an agent may have set that are still to fire; 0 is no limit. You have none."""
    retries: Annotated[int, Meta(ge=0, le=1000)] = 5
    """How many times a check-in is tried again whose agent is gone, before it counts as dead."""
    retry_s: Annotated[float, Meta(gt=0, le=86400)] = 60
    """After how many seconds it is tried again at first; each time takes twice as long as the one before."""


class CreditSettings(Section, frozen=True, kw_only=True):
    """Usage limits, and how a team goes on after them."""

    resume: bool = True
    """Whether tmorch tells agents to go on after a limit, if they do not do so by themselves."""
    margin_s: Seconds = 150
    """How many seconds after the reset it is first looked whether they go on; Claude Code takes about 80 to do so."""
    verify_s: Seconds = 60
    """How many seconds agents that were told to go on have until it is judged whether they do."""
    backoff_min: Annotated[float, Meta(gt=0, le=1440)] = 5
    """After how many minutes it is looked again while an account is still limited; each time twice as long."""
    backoff_most_min: Annotated[float, Meta(gt=0, le=1440)] = 120
    """How long these pauses get at most, in minutes."""
    warn_percentage: Annotated[float, Meta(gt=0, le=100)] = 75
    """From how much use on a window is shown as getting short."""
    alarm_percentage: Annotated[float, Meta(gt=0, le=100)] = 90
    """From how much use on it is shown as nearly used up."""
    keep_days: Annotated[float, Meta(ge=1, le=3650)] = 30
    """For how many days readings are kept."""


class BudgetSettings(Section, frozen=True, kw_only=True):
    """How much may be used; 0 is no limit. Past it check-ins are paused, then messages held; nothing is ended."""

    agent_usd: Annotated[float, Meta(ge=0)] = 0
    """How many dollars one agent may use in a day, as Claude Code counts them."""
    team_usd: Annotated[float, Meta(ge=0)] = 0
    """How many dollars one team may use in a day."""
    teams: Annotated[
        dict[str, Annotated[float, Meta(ge=0)]], Meta(description='a table of numbers, as in { "shop-3f2a" = 20 }')
    ] = {}
    """The same for particular teams, by their ids."""
    day_usd: Annotated[float, Meta(ge=0)] = 0
    """How many dollars all teams together may use in a day."""
    window_percentage: Annotated[float, Meta(ge=0, le=100)] = 0
    """Up to how much of the five-hour window teams may use; the rest stays yours."""
    warn_percentage: Annotated[float, Meta(gt=0, le=100)] = 80
    """From how much of a budget on you are warned."""
    hold_percentage: Annotated[float, Meta(ge=100, le=1000)] = 120
    """From how much of a budget on messages are held too, and not only check-ins paused."""


class ResumeSettings(Section, frozen=True, kw_only=True):
    """Bringing back what is gone."""

    crash_limit: Annotated[int, Meta(ge=1, le=100)] = 3
    """After how many starts within `crash_window_min` an agent that ends again is left to you."""
    crash_window_min: Annotated[float, Meta(gt=0, le=1440)] = 30
    """Within how many minutes they count."""
    offer_after_reboot: bool = True
    """Whether `tmorch-tui` offers to bring interrupted teams back after a reboot."""


class ContextSettings(Section, frozen=True, kw_only=True):
    """Agents whose context is nearly full."""

    checkpoint_percentage: Annotated[float, Meta(ge=0, le=100)] = 80
    """How full it is when an agent is told to write down what matters; 0 is never."""
    compact: Literal["never", "after-checkpoint"] = "after-checkpoint"
    """Whether `/compact` follows when the agent is idle afterwards. Never in the middle of a turn."""


class ProgressSettings(Section, frozen=True, kw_only=True):
    """When an agent is said to be stuck. It is shown to you, and never ended."""

    stuck_min: Annotated[float, Meta(ge=0, le=10080)] = 30
    """After how many minutes without a sign of progress - a new line on its screen, a commit, a message, a hook - an
    agent that waits for nobody needs you; 0 is never."""


class NotifySettings(Section, frozen=True, kw_only=True):
    """How you are told that something needs you: a permission prompt, a question, an agent that has ended."""

    tmux: bool = True
    """Whether a line is shown in the tmux clients that are attached."""
    bell: bool = True
    """Whether `tmorch-tui` rings the terminal's bell."""
    command: Annotated[tuple[str, ...], Meta(description='a list of words, as in ["notify-send", "tmorch"]')] = ()
    """A program that is run, with the needs as JSON on its stdin and the oldest one in `TMORCH_NEED_AGENT`, `_KIND`,
    `_DETAIL`, `_TITLE` and others. Empty: none."""
    webhook: str = ""
    """An address that gets the same JSON by POST: https, or http on this machine. Empty: none."""
    min_interval_s: Seconds = 10
    """How many seconds lie between two notifications at least; what comes meanwhile is told in one."""
    timeout_s: Annotated[float, Meta(gt=0, le=600)] = 10
    """How many seconds the command and the webhook may take."""

    def __post_init__(self) -> None:
        if not self.webhook:
            return
        from urllib.parse import urlsplit

        address = urlsplit(self.webhook)
        is_allowed = address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)
        if not is_allowed or not address.hostname:
            raise ValueError("webhook: is neither an https address nor an http one on this machine")


class SupervisorSettings(Section, frozen=True, kw_only=True):
    """The background process that delivers messages and keeps statuses."""

    idle_exit_min: Annotated[float, Meta(ge=0, le=525600)] = 10
    """After how many minutes with nothing to do it ends; 0 is never. It starts by itself when it is needed."""
    tick_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    """How many seconds lie between two looks at the agents."""


class TuiSettings(Section, frozen=True, kw_only=True):
    """The screen, `tmorch-tui`."""

    theme: Annotated[str, Meta(min_length=1, description="the name of a theme")] = "tmorch-dark"
    """The name of a theme; your own are TOML files in `themes` beside the settings file."""
    keys: Annotated[dict[str, str], Meta(description='a table of strings, as in { "app.quit" = "ctrl+q" }')] = {}
    """Keys of your own: the id of a binding (shown in the help) and the keys for it, separated by commas."""
    guests: bool = True
    """Whether tmux sessions that tmorch did not make are shown."""
    preview_lines: Annotated[int, Meta(ge=0, le=100000)] = 2000
    """How many lines of an agent's scrollback can be looked at."""


class Settings(Section, frozen=True, kw_only=True):
    """Everything that can be set. The defaults are what a first run needs."""

    tmux: TmuxSettings = TmuxSettings()
    projects: ProjectsSettings = ProjectsSettings()
    worktrees: WorktreesSettings = WorktreesSettings()
    team: TeamSettings = TeamSettings()
    claude: ClaudeSettings = ClaudeSettings()
    demo: DemoSettings = DemoSettings()
    drivers: dict[str, DriverSettings] = {}
    analysis: AnalysisSettings = AnalysisSettings()
    messages: MessagesSettings = MessagesSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    credit: CreditSettings = CreditSettings()
    budget: BudgetSettings = BudgetSettings()
    resume: ResumeSettings = ResumeSettings()
    context: ContextSettings = ContextSettings()
    progress: ProgressSettings = ProgressSettings()
    notify: NotifySettings = NotifySettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    tui: TuiSettings = TuiSettings()

    def __post_init__(self) -> None:
        for name in self.drivers:
            if name in BUILT_IN_DRIVERS:
                raise ValueError(f"drivers.{name}: would hide the built-in driver; [{name}] is its section")
            if not name.replace("-", "_").isidentifier():
                raise ValueError(f"drivers.{name}: has a name that is not made of letters, digits, - and _")


def load_settings(paths: Paths, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the defaults, overridden by the settings file, overridden by `TMORCH_<SECTION>__<KEY>` variables.

    Raises:
        SettingsError: the file is not TOML or cannot be read, or the file or a variable has an unknown key or a
            value that is not allowed; it names the file or variable, the dotted key, what was found and what is
            allowed.

    """
    from orchestrator_core.config.toml import read_text

    text = read_text(paths.config_file)
    variables = {n: v for n, v in environ.items() if n.startswith("TMORCH_") and "__" in n}
    if not variables and _sets_nothing(text):
        return Settings()
    from orchestrator_core.config.checking import checked_settings

    return checked_settings(text, paths.config_file, variables)


def _sets_nothing(text: str | None) -> bool:
    """Whether there is nothing to parse, as in the file that `tmorch setup` writes: TOML costs a start time."""
    headers = {f"[{name}]" for name in (*Settings.__struct_fields__, "claude.gates")}
    lines = (line.strip() for line in (text or "").splitlines())
    return all(not line or line.startswith("#") or line in headers for line in lines)
