"""The script that a window runs, and what else every kind of agent is started with. Pure.

The window's command stays short whatever the briefing holds; the script ends in `exec`, so that tmux sees the
agent itself in front and there is never a shell behind it to type into.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from orchestrator_core.agents.driver import BriefingRoad, LaunchContext, PlannedFile

ARGUMENT_BYTES = 120_000
"""Linux takes 128 KiB for one argument."""
SHELL = "/bin/sh"
SCRIPT = "run.sh"
BRIEFING = "briefing.md"
COMMAND = "tmorch"


def fits_argument(briefing: str) -> bool:
    """Whether `briefing` can travel on a command line."""
    return len(briefing.encode()) <= ARGUMENT_BYTES


def road_of(briefing: str, wanted: BriefingRoad) -> BriefingRoad:
    """Return `wanted`, or `PASTE` for what no command line can hold."""
    return wanted if fits_argument(briefing) else BriefingRoad.PASTE


def window_command(context: LaunchContext) -> tuple[str, ...]:
    """Return what the agent's window runs."""
    return (SHELL, str(context.folder / SCRIPT))


def files(
    context: LaunchContext, argv: Sequence[str], road: BriefingRoad, *, options_end: str = ""
) -> tuple[PlannedFile, ...]:
    """Return the script that starts `argv`, the briefing, and the agent's own `tmorch` command.

    `options_end` is put before a briefing that would be taken for an option.
    """
    return (
        PlannedFile(path=context.folder / SCRIPT, text=_script(context, argv, road, options_end)),
        PlannedFile(path=context.folder / BRIEFING, text=_sayable(context.briefing)),
        PlannedFile(path=context.folder / COMMAND, text=_tmorch(context), mode=0o700),
    )


def environment(context: LaunchContext, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what every agent finds in its environment; `own` is what the settings add for its kind.

    Its own folder goes first on PATH: `tmorch` there is the one that started it, wherever that is installed.
    """
    wanted = {**context.env, **(own or {})}
    path = wanted.get("PATH") or os.environ.get("PATH", os.defpath)
    return {
        **wanted,
        "PATH": f"{context.folder}{os.pathsep}{path}",
        "TMORCH_AGENT": context.agent.id,
        "TMORCH_ORCHESTRATION": context.agent.orchestration,
        "TMORCH_COMMAND": shlex.join(context.tmorch_argv),
    }


def _script(context: LaunchContext, argv: Sequence[str], road: BriefingRoad, options_end: str) -> str:
    head = f"#!{SHELL}\n# tmorch starts {context.agent.id} with this.\n"
    if road is BriefingRoad.PASTE:
        return f"{head}exec {shlex.join(argv)}\n"
    file = shlex.quote(str(context.folder / BRIEFING))
    end = f" {options_end}" if options_end and context.briefing.startswith("-") else ""
    return (
        f"{head}"
        f"briefing=$(cat {file} && printf .) || exit\n"  # the dot keeps line feeds at the end
        f"briefing=${{briefing%.}}\n"
        f'exec {shlex.join(argv)}{end} "$briefing"\n'
    )


def _sayable(briefing: str) -> str:
    return briefing.replace("\0", "")


def _tmorch(context: LaunchContext) -> str:
    return f'#!{SHELL}\nexec {shlex.join(context.tmorch_argv)} "$@"\n'
