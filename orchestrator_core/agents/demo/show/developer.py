"""The developer of the show: takes tasks, changes the code in small commits, and mends what the tester finds."""

from __future__ import annotations

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.player import TASK, Heard, Player
from orchestrator_core.agents.demo.show.scenario import Change, Task
from orchestrator_core.agents.demo.steps import Say, Script, Think

OPENERS = ("I start with the smallest change that can be tested.", "One step at a time.", "This is how I go about it:")


class Developer(Player):
    """Really edits the demo project; in any other project it only writes notes."""

    def open(self, briefing: str) -> Script:
        """Look at the code and see that it is green."""
        yield Think(self.pace(1, 3), "Reading")
        yield Say("I look at the code and run its tests once, so that I know what was red before I came.")
        yield self.look_around()
        if self.is_till:
            yield self.read("till/basket.py")
            yield self.run_tests()
        yield Say("Ready for the first task.")

    def react(self, heard: Heard) -> Script:
        """Do a task, or mend a defect."""
        number = TASK.search(heard.text)
        if not number:
            yield from super().react(heard)
            return
        task = self.scenario.task(heard.text) if self.is_till else None
        yield Think(self.pace(2, 5), "Thinking it through")
        if task and task.defect and "defect" in heard.text:
            yield Say(task.defect.change.say)
            yield from self._change(task.defect.change)
            yield from self._hand_over(number[1], task, again=True)
        elif task:
            yield Say(self.stage.random.choice(OPENERS))
            for change in task.steps:
                yield Say(change.say)
                yield from self._change(change)
            yield from self._hand_over(number[1], task, again=False)
        else:
            yield Say("This is not the demo project, so I leave its code alone and only write a note on my branch.")
            yield from super().react(heard)

    def _change(self, change: Change) -> Script:
        before = files.read(self.path(change.file))
        if before:
            yield self.read(change.file)
        yield Think(self.pace(2, 5), "Writing")
        after = change.applied(before)
        if after == before:
            yield Say(f"{change.file} has this already.")
            return
        yield self.write(change.file, after, title="Edit" if before else "Write")
        yield self.run_tests()
        yield self.commit(change.file, change.message)

    def _hand_over(self, number: str, task: Task, *, again: bool) -> Script:
        word = " again" if again else ""
        text = f"Task {number} is ready for testing{word}: {task.deliverable}. It is on my branch {self._own_branch}."
        if self.has("tester"):
            yield from self.tell("tester", text)
        else:
            yield from self.tell("orchestrator", f"Task {number} passes my own tests: {task.deliverable}.")
        yield Say(f"Task {number} is handed over.")

    @property
    def _own_branch(self) -> str:
        return self.branch(self.stage.role)
