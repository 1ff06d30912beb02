"""One turn: a script that is played step by step. Does not look at a clock by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.dialogs import Answer, Dialog, permission
from orchestrator_core.agents.demo.events import Decision, decision
from orchestrator_core.agents.demo.jobs import Jobs
from orchestrator_core.agents.demo.questions import QuestionDialog
from orchestrator_core.agents.demo.steps import Ask, Await, Inquire, Job, Outcome, Run, Say, Script, Step, Think, Work
from orchestrator_core.agents.demo.transcript import Notice, Plain, Reply, ToolCall, Transcript

JOB_LOOK_S = 0.1
"""How often a command that runs is looked at."""


Asked = Callable[[Ask | Inquire], Job]
"""Tells the hooks that a dialog has opened; they may answer it."""


class Turn:
    """A script at work. `speed` shortens every pause; a command takes what it takes."""

    def __init__(
        self, script: Script, transcript: Transcript, jobs: Jobs, asked: Asked, *, now: float, speed: float
    ) -> None:
        self._script = script
        self._transcript = transcript
        self._jobs = jobs
        self._asked_hooks = asked
        self._speed = speed
        self._decision: Job | None = None
        self._step: Step | None = None
        self._job: Job | None = None
        self._tool: ToolCall | None = None
        self._until = now
        self.started = now
        self.verb = ""
        self.dialog: Dialog | None = None
        """To be answered by `answer` before anything goes on."""
        self.is_refused = False
        """The person has refused what the turn asked for."""
        self.ended = False

    @property
    def until(self) -> float:
        """When there is something to do again; infinite while something else must happen first."""
        return math.inf if self.dialog or isinstance(self._step, Await) else self._until

    def advance(self, now: float) -> None:
        """Play everything that is due by `now`."""
        self._heed_hooks(now)
        while not self.ended and not self.dialog and now >= self._until:
            outcome = self._outcome(now)
            if outcome is None:
                return
            self._next(outcome, now)

    def answer(self, answer: Answer, now: float) -> None:
        """Answer the open dialog and go on."""
        if isinstance(self._step, Ask):
            outcome = self._asked(self._step, approved=answer.choice in (0, 1))
        else:
            outcome = Outcome(ok=answer.choice >= 0, text=answer.label)
            self._show_answer(outcome)
        self.is_refused = not outcome.ok
        self._close_dialog(outcome, now)
        self.advance(now)

    def _show_answer(self, outcome: Outcome) -> None:
        if isinstance(self.dialog, QuestionDialog):
            word = "Answered" if outcome.ok else "Declined to answer"
            self._transcript.add(Reply(f"{word} the demo agent's questions:"))
            for page in self.dialog.pages:
                answer = f" → {page.answer}" if outcome.ok and page.answer else ""
                self._transcript.add(Notice(f"· {page.question.question}{answer}", ink=c.GREY))

    def _heed_hooks(self, now: float) -> None:
        """Let a hook answer the open dialog, if it has an answer."""
        outcome = self._decision.poll(now) if self.dialog and self._decision else None
        if not outcome:
            return
        self._decision = None
        found = decision(outcome)
        if found and isinstance(self._step, Ask):
            self._close_dialog(self._decided(self._step, found), now)

    def _close_dialog(self, outcome: Outcome, now: float) -> None:
        self.dialog = self._decision = None
        self._next(outcome, now)

    def interrupt(self) -> None:
        """Stop in the middle of it."""
        self._script.close()
        if self._tool:
            self._tool.finish("", 1, ok=False)
        self.ended = True

    def _outcome(self, now: float) -> Outcome | None:
        """Return how the step that is due ended; None when its command still runs."""
        match self._step:
            case Await(job):
                return job.poll(now)
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
                self._transcript.say(text)
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
                self._decision = self._asked_hooks(step)
            case Inquire(questions):
                self.dialog = QuestionDialog(questions)
                self._decision = self._asked_hooks(step)

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

    def _decided(self, step: Ask, found: Decision) -> Outcome:
        if found.allowed:
            self._transcript.add(Plain(["  Ran 1 shell command"]))
        else:
            self._transcript.add(Plain(["  Did not run 1 call"]))
            self._transcript.add(Notice(f"$ {step.command}", ink=c.GREY))
            self._transcript.add(Notice(f"Not run · permission denied\n│ Reason: {found.why}", ink=c.GREY))
        word = "Allowed" if found.allowed else "Denied"
        self._transcript.add(Notice(f"{word} by PermissionRequest hook", ink=c.GREY))
        return Outcome(ok=found.allowed)
