"""The settings file that an agent is started with: its hooks and its status line are tmorch's. Pure.

Claude Code adds it to the person's own settings files, which are never written to.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

from orchestrator_core.agents.driver import LaunchContext, PlannedFile

SETTINGS_FILE = "settings.json"
OFFERS = "hand-over"
"""Below an agent's folder: messages that its next `Stop` hook may hand over."""
HOOK_PROGRAM = Path(__file__).with_name("hook_program.py")
STATUS_PROGRAM = Path(__file__).with_name("status_program.py")
HOOK_TIMEOUT_S = 10
"""After which Claude Code goes on without an answer; the program needs a hundredth of a second."""
STOP = "Stop"
EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PermissionRequest",
    "Notification",
    STOP,
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "SessionEnd",
)
MODES_IN_FILE = {"manual": "default"}
"""The settings file calls some permission modes otherwise than the command line does."""


def settings_file(context: LaunchContext, mode: str) -> PlannedFile:
    """Return the settings file of one agent that works in permission mode `mode`."""
    settings = {
        "permissions": {"defaultMode": MODES_IN_FILE.get(mode, mode)},
        "hooks": {event: [{"hooks": [_hook(context, event)]}] for event in EVENTS},
        "statusLine": {"type": "command", "command": _command(STATUS_PROGRAM, str(context.folder))},
    }
    return PlannedFile(path=context.folder / SETTINGS_FILE, text=json.dumps(settings, indent=2) + "\n")


def hook_words(spool: Path, folder: Path, agent: str, event: str) -> list[str]:
    """Return what the hook program is called with, for an agent whose private folder is `folder`."""
    return [str(spool), quote(agent, safe=""), event, *([str(folder / OFFERS)] if event == STOP else [])]


def _hook(context: LaunchContext, event: str) -> dict[str, object]:
    words = hook_words(context.spool, context.folder, context.agent.id, event)
    return {"type": "command", "command": _command(HOOK_PROGRAM, *words), "timeout": HOOK_TIMEOUT_S}


def _command(program: Path, *words: str) -> str:
    # -I -S: nothing of the worktree or of the environment is imported, and the start takes half as long
    return shlex.join((sys.executable, "-I", "-S", str(program), *words))
