"""The tester of the show: takes over what is ready, writes tests for it, and says what they say."""

from __future__ import annotations

import re

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.asking import ask_once
from orchestrator_core.agents.demo.show.player import Heard, Player, Stage, Told, quoted
from orchestrator_core.agents.demo.show.scenario import Task
from orchestrator_core.agents.demo.steps import Say, Script, Think

READY = re.compile(r"\bTask (\d+) is ready for testing")
COUNT = re.compile(r"^Ran (\d+) tests?", re.M)
PLAN = "test-plans/baseline.md"


class Tester(Player):
    """Really merges, writes and runs tests in the demo project."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._passed: set[str] = set()

    def open(self, briefing: str) -> Script:
        """Take down how things are before anybody has changed anything."""
        yield Think(self.pace(2, 4), "Reading")
        yield Say("Before anything changes I run what is there and write the result down.")
        yield self.look_around()
        outcome = yield self.run_tests() if self.is_till else Think(1)
        count = COUNT.search(outcome.text)
        result = f"{count[1]} tests, {'all pass' if outcome.ok else 'not all pass'}" if count else "no tests were run"
        yield self.write(PLAN, f"# Baseline\n\n{result}\n")
        yield self.commit(PLAN, "Write down the baseline")
        yield Say(f"The baseline: {result}. I wait for something to test.")

    def react(self, heard: Heard) -> Script:
        """Test what is ready."""
        ready = READY.search(heard.text)
        task = self.scenario.task(heard.text) if self.is_till else None
        if not ready or not task:
            yield from super().react(heard)
            return
        yield Think(self.pace(2, 4), "Planning tests")
        yield Say(f"Task {ready[1]} is mine to test: {quoted(task.deliverable)}")
        merged = yield from self.merge(heard.sender)
        if not merged.ok:
            yield from self.tell(heard.sender, f"I cannot merge your branch for task {ready[1]}; please look at it.")
            return
        outcome = yield from self._test(task)
        yield from self._report(ready[1], task, heard.sender, ok=outcome.ok, count=COUNT.search(outcome.text))
        self._passed |= {task.key} if outcome.ok else set()
        if len(self._passed) == len(self.scenario.tasks):
            yield from ask_once(self, only_without=("testrunner", "project_manager"))

    def _test(self, task: Task) -> Told:
        if not files.exists(self.path(task.test_file)):
            yield self.read(task.steps[0].file)
            yield Think(self.pace(3, 6), "Writing tests")
            yield self.write(task.test_file, task.test)
        outcome = yield self.run_tests()
        if outcome.ok:
            yield self.commit(task.test_file, f"Test: {task.deliverable[0].lower()}{task.deliverable[1:]}")
        return outcome

    def _report(self, number: str, task: Task, developer: str, *, ok: bool, count: re.Match[str] | None) -> Script:
        if ok:
            tests = f"{count[1]} tests" if count else "the tests"
            yield Say(f"{tests} pass.")
            yield from self.tell("orchestrator", f"Task {number} passes: {task.deliverable} ({tests}, all green).")
            return
        says = task.defect.says if task.defect else "a test of mine fails"
        yield Say(f"A defect: {says}.")
        yield from self.tell(developer, f"Task {number} has a defect ({task.deliverable}): {says}.")
