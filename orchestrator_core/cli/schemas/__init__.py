"""The JSON Schemas of what `--json` prints, as data: one file a document."""

from __future__ import annotations

import json
from importlib.resources import files

DOCUMENTS = {
    "start": "fleet",
    "list": "fleet",
    "status": "fleet",
    "team": "fleet",
    "demo": "fleet",
    "team show": "role",
    "team roles": "roles",
    "team types": "types",
    "team detect": "detection",
    "plan": "plan",
    "plan --saved": "proposals",
    "plan --discard": "proposals",
    "why": "why",
    "adopt": "adopt",
    "credits": "credits",
    "pause": "pause",
    "unpause": "pause",
    "resume": "resume",
    "stop": "stop",
    "cleanup": "cleanup",
    "send": "receipt",
    "needs": "needs",
    "answer": "answer",
    "messages": "messages",
    "log": "log",
    "schedule": "schedule",
    "whoami": "whoami",
    "supervisor": "supervisor",
    "setup": "setup",
    "doctor": "doctor",
    "error": "error",
}
"""Which document a command prints, or one of its forms; any of them prints `error` when it fails."""


def schema_of(command: str) -> dict[str, object]:
    """Return the schema of the JSON that `command` prints; an empty one for a command that prints none."""
    document = DOCUMENTS.get(command)
    if document is None:
        return {}
    text = files(__name__).joinpath(f"{document}.json").read_text(encoding="utf-8")
    schema: dict[str, object] = json.loads(text)
    return schema
