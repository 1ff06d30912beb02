"""What goes on beside the agent's turns: subagents, and commands that it left running."""

from __future__ import annotations

import math
import os
from typing import Any, NamedTuple


class Task(NamedTuple):
    """Something that runs in the background."""

    id: str
    type: str
    """`subagent` or `shell`."""
    description: str
    until: float

    @property
    def is_subagent(self) -> bool:
        """Whether it is an agent of its own."""
        return self.type == "subagent"

    @property
    def subagent(self) -> dict[str, Any]:
        """What hooks are told of it when it begins."""
        return {"agent_id": self.id, "agent_type": "general-purpose"}

    @property
    def told(self) -> dict[str, Any]:
        """What hooks are told of it while it runs."""
        more = {"agent_type": "general-purpose"} if self.is_subagent else {}
        return {"id": self.id, "type": self.type, "status": "running", "description": self.description, **more}


class Background:
    """What runs in the background, oldest first."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    @property
    def shells(self) -> int:
        """How many commands run."""
        return sum(not task.is_subagent for task in self.tasks)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What hooks are told of everything that runs."""
        return [task.told for task in self.tasks]

    @property
    def deadline(self) -> float:
        """When the next one ends."""
        return min((task.until for task in self.tasks), default=math.inf)

    def start(self, kind: str, description: str, until: float) -> Task:
        """Begin one."""
        task = Task(("a" if kind == "subagent" else "b") + os.urandom(8).hex(), kind, description, until)
        self.tasks.append(task)
        return task

    def end(self, now: float) -> list[Task]:
        """Return those whose time has come, which are over now."""
        over = [task for task in self.tasks if task.until <= now]
        self.tasks = [task for task in self.tasks if task.until > now]
        return over
