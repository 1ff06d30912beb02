"""The orchestrator of the show: plans, gives out one task at a time, and keeps the list."""

from __future__ import annotations

import re

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.player import Heard, Player, Stage, named, quoted
from orchestrator_core.agents.demo.steps import Say, Script, Think

LIST = "project_management/tasks.md"
SECTION = re.compile(r"^[#*\s]*(?i:deliverables)\b[*: ]*$(.*?)(?=^[#*]* ?[A-Z][A-Z ]{3,}[*:]|^#|\Z)", re.M | re.S)
ITEM = re.compile(r"^\s*(?:[-*]|\d+[.)])\s+(.+)$", re.M)
MOST_TASKS = 12
PASSES = re.compile(r"\bTask (\d+) passes")


class Orchestrator(Player):
    """Gives the developer one task, waits until it passes, ticks it off, and gives out the next."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._tasks: list[str] = []
        self._done: set[int] = set()

    def open(self, briefing: str) -> Script:
        """Read the spec, write the list of tasks, and give out the first one."""
        yield Think(self.pace(2, 3), "Reading")
        yield self.read("SPEC.md")
        self._tasks = deliverables(files.read(self.path("SPEC.md"))) or deliverables(briefing)
        yield Say(f"The spec has {len(self._tasks)} deliverables. I turn each into a task with one owner.")
        yield self.look_around()
        yield Think(self.pace(2, 4), "Planning")
        yield from self._write_list("Write the list of tasks")
        yield from self._next_task()

    def react(self, heard: Heard) -> Script:
        """Tick off what passes; take everything else to the notes."""
        passed = PASSES.search(heard.text)
        if not passed:
            yield Think(self.pace(2, 4))
            yield Say(f"Noted, from the {named(heard.sender)}: {quoted(heard.text)}")
            return
        number = int(passed[1])
        yield Think(self.pace(2, 4), "Checking")
        if not 1 <= number <= len(self._tasks) or number in self._done:
            yield Say(f"Task {number} is not open; nothing to do about it.")
            return
        self._done.add(number)
        yield Say(f"Task {number} is done: {quoted(heard.text)}")
        yield from self._write_list(f"Tick off task {number}")
        yield from self._next_task()
        yield from self._ask_for_a_check(number)

    def _next_task(self) -> Script:
        open_tasks = [n for n in range(1, len(self._tasks) + 1) if n not in self._done]
        if not open_tasks:
            yield Say("Every deliverable is done and tested. I wait for the person's word before anything is merged.")
            return
        number = open_tasks[0]
        owner = "developer" if self.has("developer") else next((r for r in self.stage.team if self.has(r)), "")
        if not owner:
            yield Say("There is nobody to give a task to.")
            return
        tester = "Tell the tester when it is ready." if self.has("tester") else "Tell me when it is ready."
        yield from self.tell(owner, f"Task {number}: {self._tasks[number - 1]}. Small commits, please. {tester}")
        yield Say(f"{len(self._done)} of {len(self._tasks)} tasks are done; task {number} is with the {owner}.")

    def _ask_for_a_check(self, number: int) -> Script:
        """Have every other finished task looked at by somebody who did not write it."""
        checker = "testrunner" if len(self._done) % 2 else "project_manager"
        if not self.has(checker):
            return
        wish = "run the whole suite" if checker == "testrunner" else "check it against the spec"
        yield from self.tell(checker, f"Task {number} is finished. Please {wish}, and report what you find.")

    def _write_list(self, message: str) -> Script:
        rows = [
            f"- [{'x' if number in self._done else ' '}] Task {number}: {task}"
            for number, task in enumerate(self._tasks, 1)
        ]
        yield self.write(LIST, "\n".join(["# Tasks", "", *rows, ""]))
        yield self.commit(LIST, message)


def deliverables(text: str) -> list[str]:
    """Return the items under the heading DELIVERABLES."""
    section = SECTION.search(text)
    found = ITEM.findall(section[1]) if section else []
    return [item.strip().rstrip(".") for item in found][:MOST_TASKS]
