"""The project that demo teams work on, and what each task does to it. Read from `till.toml`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from orchestrator_core.agents.demo import files

FILE = files.beside(__file__, "till.toml")


class Change(NamedTuple):
    """One small change that is one commit."""

    file: str
    message: str
    say: str = ""
    append: str = ""
    replace: str = ""
    by: str = ""

    def applied(self, text: str) -> str:
        """Return `text` with the change in it; unchanged when it is in there already, or does not fit."""
        if self.replace:
            return text if self.by in text else text.replace(self.replace, self.by)
        first_line = self.append.strip().split("\n")[0]
        if first_line in text:
            return text
        return text + (self.append if text else self.append.lstrip("\n"))


class Defect(NamedTuple):
    """What the tester finds, and the change that mends it."""

    says: str
    change: Change


class Task(NamedTuple):
    """A deliverable with all that is done for it."""

    key: str
    deliverable: str
    steps: tuple[Change, ...]
    test_file: str
    test: str
    defect: Defect | None


class Commit(NamedTuple):
    """One commit of the project's past."""

    message: str
    files: dict[str, str]


class Scenario(NamedTuple):
    """All of it."""

    names: tuple[str, ...]
    goal: str
    constraints: tuple[str, ...]
    success_criteria: tuple[str, ...]
    history: tuple[Commit, ...]
    tasks: tuple[Task, ...]

    def task(self, text: str) -> Task | None:
        """Return the task whose deliverable stands in `text`."""
        return next((task for task in self.tasks if task.deliverable in text), None)


@lru_cache(maxsize=1)
def scenario() -> Scenario:
    """Return the scenario. Read when it is first needed: most roles never do."""
    import tomllib

    data = tomllib.loads(files.read(FILE))
    return Scenario(
        names=tuple(data["names"]),
        goal=data["goal"],
        constraints=tuple(data["constraints"]),
        success_criteria=tuple(data["success_criteria"]),
        history=tuple(Commit(commit["message"], commit["files"]) for commit in data["history"]),
        tasks=tuple(_task(task) for task in data["tasks"]),
    )


def _task(data: dict[str, Any]) -> Task:
    defect = dict(data["defect"]) if "defect" in data else None
    return Task(
        key=data["key"],
        deliverable=data["deliverable"],
        steps=tuple(Change(**step) for step in data["steps"]),
        test_file=data["test"]["file"],
        test=data["test"]["text"],
        defect=Defect(defect.pop("says"), Change(**defect)) if defect else None,
    )
