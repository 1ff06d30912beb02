"""One turn: a script that is played step by step. Does not look at a clock by itself."""

from __future__ import annotations

import math

from orchestrator_core.agents.demo.dialogs import Answer, Dialog, permission, question
from orchestrator_core.agents.demo.jobs import Job, Jobs
from orchestrator_core.agents.demo.steps import Ask, Outcome, Question, Run, Say, Script, Step, Think, Work
from orchestrator_core.agents.demo.transcript import Plain, Reply, ToolCall, Transcript

JOB_LOOK_S = 0.1
"""How often a command that runs is looked at."""


class Turn:
    """A script at work. `speed` shortens every pause; a command takes what it takes."""

    def __init__(self, script: Script, transcript: Transcript, jobs: Jobs, *, now: float, speed: float) -> None:
        self._script = script
        self._transcript = transcript
        self._jobs = jobs
        self._speed = speed
        self._step: Step | None = None
        self._job: Job | None = None
        self._tool: ToolCall | None = None
        self._until = now
        self.started = now
        self.verb = ""
        self.dialog: Dialog | None = None
        """To be answered by `answer` before anything goes on."""
        self.ended = False

    @property
    def until(self) -> float:
        """When there is something to do again; infinite while a dialog waits."""
        return math.inf if self.dialog else self._until

    def advance(self, now: float) -> None:
        """Play everything that is due by `now`."""
        while not self.ended and not self.dialog and now >= self._until:
            outcome = self._outcome(now)
            if outcome is None:
                return
            self._next(outcome, now)

    def answer(self, answer: Answer, now: float) -> None:
        """Answer the open dialog and go on."""
        self.dialog = None
        if isinstance(self._step, Ask):
            outcome = self._asked(self._step, approved=answer.choice in (0, 1))
        else:
            outcome = Outcome(ok=answer.choice >= 0, text=answer.label)
        self._next(outcome, now)
        self.advance(now)

    def interrupt(self) -> None:
        """Stop in the middle of it."""
        self._script.close()
        if self._tool:
            self._tool.finish("", 1, ok=False)
        self.ended = True

    def _outcome(self, now: float) -> Outcome | None:
        """Return how the step that is due ended; None when its command still runs."""
        match self._step:
            case Work() as step:
                result = step.act()
                self._finish_tool(result, 8, ok=True)
                return Outcome(text=result)
            case Run() as step:
                outcome = self._job.poll(now) if self._job else Outcome()
                if outcome is None:
                    self._until = now + JOB_LOOK_S
                else:
                    self._finish_tool(outcome.text, step.lines, ok=outcome.ok)
                return outcome
        return Outcome()

    def _finish_tool(self, result: str, lines: int, *, ok: bool) -> None:
        if self._tool:
            self._tool.finish(result, lines, ok=ok)
        self._tool = None
        self._job = None

    def _next(self, outcome: Outcome, now: float) -> None:
        try:
            step = next(self._script) if self._step is None else self._script.send(outcome)
        except StopIteration:
            self.ended = True
            return
        self._step = step
        self._begin(step, now)

    def _begin(self, step: Step, now: float) -> None:
        match step:
            case Think(seconds, verb):
                self.verb = verb or self.verb
                self._wait(now, seconds)
            case Say(text, seconds):
                self._transcript.add(Reply(text))
                self._wait(now, seconds)
            case Work(title, seconds, _):
                self._show_tool(title)
                self._wait(now, seconds)
            case Run(argv, title, seconds, _):
                self._show_tool(title)
                self._job = self._jobs.start(argv, now)
                self._wait(now, seconds)
            case Ask(command, purpose):
                self.dialog = Dialog(permission(command, purpose))
            case Question(text, header, choices):
                self.dialog = Dialog(question(text, header, choices))

    def _show_tool(self, title: str) -> None:
        self._tool = ToolCall(title)
        self._transcript.add(self._tool)

    def _wait(self, now: float, seconds: float) -> None:
        self._until = now + seconds / self._speed

    def _asked(self, step: Ask, *, approved: bool) -> Outcome:
        title = f"Bash({step.command})"
        if approved:
            self._transcript.add(Plain(["  Ran 1 shell command"]))
        else:
            tool = ToolCall(title)
            tool.finish("Not run · permission denied", 1, ok=False)
            self._transcript.add(tool)
        return Outcome(ok=approved)
