"""The agent's conversation: its id, and what is kept of it where Claude Code keeps its own."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from typing import Any

from orchestrator_core.agents.demo import files

VERSION = "2.1.330"
"""The version of the real one whose files and payloads these are."""
MODEL = "claude-opus-5-5"
MODEL_NAME = "Opus 5.5"
BASE_TOKENS = 21_234
"""What fills the context before the first prompt."""
TURN_TOKENS = 1_500


def config_folder() -> str:
    """Return where Claude Code keeps its things."""
    return os.environ.get("CLAUDE_CONFIG_DIR") or files.join(os.environ.get("HOME", ""), ".claude")


def new_id() -> str:
    """Return a random UUID; the module that makes them costs more than all the rest of an agent."""
    digits = bytearray(os.urandom(16))
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Conversation:
    """One conversation after the other: `renew` begins another. Without a `folder` nothing is kept."""

    def __init__(self, folder: str, project: str, own_id: str = "") -> None:
        self.id = own_id or new_id()
        self.project = project
        self.prompt_id = ""
        """Of the latest prompt; empty before the first one."""
        self.prompts = 0
        self.tokens = BASE_TOKENS
        """What fills its context."""
        self.folder = folder

    @property
    def path(self) -> str:
        """Where it is kept."""
        place = re.sub(r"[^A-Za-z0-9]", "-", self.project)
        return files.join(self.folder or config_folder(), f"projects/{place}/{self.id}.jsonl")

    @property
    def exists(self) -> bool:
        """Whether anything was kept of it."""
        return bool(self.folder) and files.exists(self.path)

    def renew(self) -> None:
        """Begin another conversation."""
        self.id = new_id()
        self.prompt_id = ""
        self.tokens = BASE_TOKENS

    def begin_prompt(self) -> None:
        """Note that there is another prompt."""
        self.prompt_id = new_id()
        self.prompts += 1
        self.tokens += TURN_TOKENS

    def add_user(self, text: str) -> None:
        """Keep what the agent was given."""
        self._add({"type": "user", "message": {"role": "user", "content": text}})

    def add_assistant(self, text: str) -> None:
        """Keep what the agent said."""
        content = [{"type": "text", "text": text}]
        self._add({"type": "assistant", "message": {"role": "assistant", "model": MODEL, "content": content}})

    def add_limit(self, text: str, window: str, resets_at: int) -> None:
        """Keep that a usage limit was hit."""
        self._add(
            {
                "type": "assistant",
                "message": {
                    "role": "assistant",
                    "model": "<synthetic>",
                    "content": [{"type": "text", "text": text}],
                },
                "isApiErrorMessage": True,
                "error": "rate_limit",
                "apiErrorStatus": 429,
                "apiError": "usage_limit_reached",
                "quotaLimits": {"status": "rejected", "resetsAt": resets_at, "rateLimitType": window},
            }
        )

    def earlier(self) -> Iterator[tuple[str, str]]:
        """Yield who said what so far: `user` or `assistant`, and the text."""
        for line in files.read(self.path).split("\n") if self.exists else ():
            entry = json.loads(line) if line else {}
            content = entry.get("message", {}).get("content")
            if isinstance(content, str):
                yield "user", content
            elif content and not entry.get("isApiErrorMessage"):
                yield "assistant", content[0]["text"]

    def _add(self, entry: dict[str, Any]) -> None:
        if not self.folder:
            return
        common = {
            "sessionId": self.id,
            "cwd": self.project,
            "version": VERSION,
            "uuid": new_id(),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        line = json.dumps({**entry, **common}, ensure_ascii=False) + "\n"
        files.append(self.path, line.encode("utf-8", "surrogatepass"))
