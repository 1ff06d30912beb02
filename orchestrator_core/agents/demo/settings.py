"""The settings of the real one that the demo agent heeds: hooks, the status line, and what it does at a usage limit.

They are read once, at the start. What cannot be read is left out, as if it were not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from orchestrator_core.agents.demo import files

HOOK_TIMEOUT_S = 60.0


class Hook(NamedTuple):
    """A command that is run at an event."""

    event: str
    matcher: str
    """Which of the events of that name; empty for all."""
    command: str
    timeout: float


class Settings(NamedTuple):
    """What counts, from all files together."""

    hooks: tuple[Hook, ...] = ()
    status_line: str = ""
    """The command that makes it; empty for none."""
    continues: bool = True
    """It goes on by itself when a usage limit has passed; otherwise it asks."""


def load(given: str, own: Iterable[str]) -> Settings:
    """Return what the files in `own` say, and over them `given`: a file or JSON."""
    last = given if given.lstrip().startswith("{") else files.read(given) if given else ""
    return merged(_decoded(text) for text in (*map(files.read, own), last) if text)


def own_files(folder: str, project: str) -> tuple[str, ...]:
    """Return the person's own settings, whose folder is `folder`, and those of `project`; the last word last."""
    return (
        files.join(folder, "settings.json"),
        files.join(project, ".claude/settings.json"),
        files.join(project, ".claude/settings.local.json"),
    )


def merged(documents: Iterable[dict[str, Any]]) -> Settings:
    """Return the hooks of all documents, and the last word on everything else."""
    hooks: list[Hook] = []
    status_line, continues = "", True
    for document in documents:
        hooks += _hooks(document.get("hooks"))
        line = document.get("statusLine")
        if isinstance(line, dict) and isinstance(line.get("command"), str):
            status_line = line["command"]
        continues = bool(document.get("autoContinueAtUsageLimit", continues))
    return Settings(tuple(hooks), status_line, continues)


def _decoded(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _hooks(found: object) -> Iterator[Hook]:
    for event, groups in found.items() if isinstance(found, dict) else ():
        for group in groups if isinstance(groups, list) else ():
            if isinstance(group, dict):
                yield from _group(event, group)


def _group(event: str, group: dict[str, Any]) -> Iterator[Hook]:
    commands = group.get("hooks")
    for each in commands if isinstance(commands, list) else ():
        if isinstance(each, dict) and each.get("type") == "command" and isinstance(each.get("command"), str):
            timeout = each.get("timeout")
            seconds = float(timeout) if isinstance(timeout, (int, float)) and timeout > 0 else HOOK_TIMEOUT_S
            yield Hook(event, str(group.get("matcher") or ""), each["command"], seconds)
