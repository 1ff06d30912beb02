"""The test runner and the project manager of the show: they look at what others have finished."""

from __future__ import annotations

import re

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.asking import ask_once
from orchestrator_core.agents.demo.show.player import Heard, Player, quoted
from orchestrator_core.agents.demo.steps import Run, Say, Script, Think

TASK = re.compile(r"\bTask (\d+) is finished")
COUNT = re.compile(r"^Ran (\d+) tests? in (.+)$", re.M)
RESULTS = "test-results/runs.md"
CHECKLIST = "project_management/checklist.md"


class Runner(Player):
    """Runs the whole suite when it is asked to."""

    def open(self, briefing: str) -> Script:
        """Find out how tests are run; after a while, want to clean up, and ask whether it may."""
        yield Think(self.pace(2, 4), "Reading")
        yield Say("I find out how the whole suite is run, and how long it takes.")
        yield self.look_around()
        if self.is_till:
            yield self.run_tests("-v")
        yield self.write(RESULTS, "# Runs of the whole suite\n\n")
        yield self.commit(RESULTS, "Begin a list of runs")
        if self.is_till:
            yield Think(self.pace(15, 30), "Comparing")
            yield from ask_once(self)

    def react(self, heard: Heard) -> Script:
        """Run everything, write the result down, and report it."""
        number = TASK.search(heard.text)
        if not number or not self.is_till:
            yield from super().react(heard)
            return
        yield Think(self.pace(1, 3))
        merged = yield from self.merge("tester" if self.has("tester") else "developer")
        outcome = yield self.run_tests("-v")
        count = COUNT.search(outcome.text)
        result = f"{count[1]} tests in {count[2]}" if count and merged.ok else "the suite could not be run"
        verdict = "all green" if outcome.ok else "RED"
        before = files.read(self.path(RESULTS))
        yield self.write(RESULTS, f"{before}- task {number[1]}: {result}, {verdict}\n", title="Edit")
        yield self.commit(RESULTS, f"Run the suite after task {number[1]}")
        yield from self.tell(heard.sender, f"The whole suite after task {number[1]}: {result}, {verdict}.")


class Reviewer(Player):
    """Checks finished work against the spec when it is asked to."""

    def open(self, briefing: str) -> Script:
        """Turn the spec into a checklist."""
        yield Think(self.pace(2, 4), "Reading")
        yield self.read("SPEC.md")
        yield Think(self.pace(3, 6), "Weighing")
        rows = "".join(f"- [ ] {criterion}\n" for criterion in self.scenario.success_criteria)
        yield self.write(CHECKLIST, f"# What must be true in the end\n\n{rows}")
        yield self.commit(CHECKLIST, "Write the checklist")
        yield Say("The quality bar is written down. I check what I am given against it.")
        if self.is_till:
            yield Think(self.pace(15, 30), "Re-reading")
            yield from ask_once(self, only_without=("testrunner",))

    def react(self, heard: Heard) -> Script:
        """Look at what was committed, and give a verdict."""
        number = TASK.search(heard.text)
        if not number:
            yield from super().react(heard)
            return
        branch = self.branch("developer")
        yield Think(self.pace(2, 4), "Reviewing")
        log = yield Run(
            ("git", "log", "--oneline", "--stat", "-3", branch),
            f"Bash(git log --stat -3 {branch})",
            seconds=self.pace(2, 4),
            lines=8,
        )
        yield Think(self.pace(3, 6), "Weighing")
        found = "small commits, each with its reason" if log.ok else "I cannot see the branch"
        yield Say(f"My verdict on task {number[1]}: {found}.")
        yield from self.note(f"task {number[1]} reviewed: {found}")
        yield from self.tell(heard.sender, f"Task {number[1]} is reviewed: {quoted(found)}. Nothing to add.")
