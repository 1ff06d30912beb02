"""The demo agent itself: what keys, time and orders do to it. Its clock is given to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo import dialogs
from orchestrator_core.agents.demo.activity import Activity
from orchestrator_core.agents.demo.dialogs import Answer, Dialog, Form
from orchestrator_core.agents.demo.jobs import Jobs
from orchestrator_core.agents.demo.keys import Input, Key, Pasted, Typed
from orchestrator_core.agents.demo.prompt_box import PromptBox, Submission
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.steps import Script
from orchestrator_core.agents.demo.transcript import Notice, Plain, Prompt, Reply, Transcript
from orchestrator_core.agents.demo.trouble import Trouble
from orchestrator_core.agents.demo.view import View

SECOND_C_C_S = 2.0
COMMANDS = {
    "/clear": "Forget the conversation so far",
    "/compact": "Shorten the conversation so far",
    "/context": "Show what fills the context",
    "/exit": "Exit the demo agent",
    "/help": "Show what the demo agent can do",
    "/quit": "Exit the demo agent",
}
SEND_QUEUE = "Press up to edit queued messages"
AFTER_ERROR = "Once fixed, resend your message"


class Exit(Exception):
    """The program ends."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Brain(Protocol):
    """What decides how the agent answers."""

    def answer(self, prompts: Sequence[str]) -> Script:
        """Return the script for one turn; several prompts were queued and came together."""
        ...


class Temper(NamedTuple):
    """How the agent behaves."""

    name: str = ""
    folder: str = "."
    mode: str = "manual"
    ready_after: float = 0.5
    gates: tuple[str, ...] = ()
    speed: float = 1.0
    swallow_enters: int = 0
    prompt: str | None = None
    """Submitted by itself as soon as it is ready."""


class DemoAgent:
    """One agent. Everything it does follows from `press`, `tick` and the orders."""

    def __init__(
        self, temper: Temper, brain: Brain, jobs: Jobs, *, now: float, record: Record, trace: Record, random: Random
    ) -> None:
        self.temper = temper
        self.transcript = Transcript()
        self.activity = Activity(self.transcript, jobs, random, temper.speed)
        self.trouble = Trouble(self.transcript)
        self.box = PromptBox()
        self.swallow = temper.swallow_enters
        """How many Enters are yet to be lost."""
        self.quiet = False
        """It hangs: it neither reads nor draws until an order ends that."""
        self._brain = brain
        self._record = record
        self._trace = trace
        self._gates = [dialogs.named(name, temper.folder) for name in temper.gates]
        self._dialog: Dialog | None = None
        self._is_ready = False
        self._ready_at = math.inf
        self._queue: list[Submission] = []
        self._armed_until = 0.0
        self._next_gate(now)

    @property
    def dialog(self) -> Dialog | None:
        """The dialog that is open."""
        return self._dialog or self.activity.dialog

    def deadline(self, now: float) -> float:
        """Return when `tick` has something to do; infinite when only input or an order can change anything."""
        return min(
            math.inf if self._is_ready else self._ready_at,
            self.activity.deadline(now),
            self.trouble.lifts_at,
            self._armed_until if self._armed_until > now else math.inf,
        )

    def tick(self, now: float) -> None:
        """Do what is due."""
        if not self._is_ready and now >= self._ready_at:
            self._become_ready(now)
        if now >= self.trouble.lifts_at:
            self.trouble.end()
        if not self._dialog and self.activity.advance(now):
            self.end_turn(now)

    def view(self, now: float) -> View:
        """Return what is to be seen."""
        return View(
            transcript=self.transcript,
            name=self.temper.name,
            mode=self.temper.mode,
            draft=self.box.shown,
            placeholder=SEND_QUEUE if self._queue else AFTER_ERROR if self.trouble.has_error else "",
            completions=_completions(self.box.shown),
            busy=self.activity.is_on,
            spinner=self.activity.spinner(now),
            queued=tuple(submission.text for submission in self._queue),
            dialog=self.dialog,
            limit=self.trouble.limit,
            warning="Press Ctrl-C again to exit" if self._armed_until > now else "",
            starting=not self._is_ready,
        )

    def _next_gate(self, now: float) -> None:
        self._dialog = Dialog(self._gates.pop(0)) if self._gates else None
        self._ready_at = math.inf if self._dialog else now + self.temper.ready_after

    def _become_ready(self, now: float) -> None:
        self._is_ready = True
        self.transcript.add(Plain(_banner(self.temper.folder)))
        if self.temper.prompt:
            self._submit(Submission(self.temper.prompt, "prompt"), now)

    # --- input ---------------------------------------------------------------------------------------------

    def press(self, inputs: Sequence[Input], now: float) -> None:
        """Take in what one read brought.

        Raises:
            Exit: the person ended the program.

        """
        typed = False
        for entry in inputs:
            if isinstance(entry, Key):
                self._key(entry.name, now, after_text=typed)
            elif self.dialog:
                self._text_into_dialog(self.dialog, entry.text, now)
            elif isinstance(entry, Pasted):
                self.box.paste(entry.text)
            else:
                self.box.type(entry.text)
            typed = typed or isinstance(entry, Typed)

    def _key(self, name: str, now: float, *, after_text: bool) -> None:
        if name in ("C-c", "Escape", "C-d"):
            self._trace.add("key", name)
        if name in ("C-c", "C-d"):
            self._leave(now)
        elif self.dialog:
            self._key_in_dialog(self.dialog, name, now)
        elif name == "Enter":
            self._enter(now, after_text=after_text)
        elif name == "Escape":
            self._escape(now)
        else:
            self.box.edit(name)

    def _enter(self, now: float, *, after_text: bool) -> None:
        if not self._is_ready:
            return
        if after_text:
            self.box.type("\n")
            return
        if self.swallow and self.box.text:
            self.swallow -= 1
            return
        submission = self.box.enter()
        if submission:
            self._submit(submission, now)

    def _escape(self, now: float) -> None:
        if self.trouble.limit:
            self.trouble.cancel_limit()
        elif self.activity.is_on:
            self._interrupt(now)

    def _leave(self, now: float) -> None:
        """Take Ctrl-C: the first clears or interrupts, a second one soon after it ends the program."""
        if now < self._armed_until:
            raise Exit(0)
        self._armed_until = now + SECOND_C_C_S
        if self.box.text:
            self.box.clear()
        elif self.activity.is_on and not self.dialog:
            self._interrupt(now)

    def _interrupt(self, now: float) -> None:
        self.activity.stop()
        self.transcript.add(Notice("Interrupted · What should the demo agent do instead?"))
        self._send_queue(now)

    # --- dialogs -------------------------------------------------------------------------------------------

    def open_dialog(self, form: Form) -> None:
        """Show a dialog that belongs to no turn."""
        self._dialog = Dialog(form)

    def close_dialog(self) -> None:
        """Take away a dialog that belongs to no turn."""
        self._dialog = None

    def _text_into_dialog(self, dialog: Dialog, text: str, now: float) -> None:
        answer = dialog.digit(text)
        if answer:
            self._answer(dialog, answer, now)

    def _key_in_dialog(self, dialog: Dialog, name: str, now: float) -> None:
        if name in ("Up", "Down"):
            dialog.move(-1 if name == "Up" else 1)
        elif name == "Enter":
            self._answer(dialog, dialog.confirm(), now)
        elif name == "Escape":
            self._answer(dialog, Answer(-1, "Escape"), now)

    def _answer(self, dialog: Dialog, answer: Answer, now: float) -> None:
        self._trace.add("answer", f"{dialog.name}: {answer.label}")
        if answer.choice in dialog.form.fatal:
            raise Exit(1)
        if not self._dialog:
            self.activity.answer(answer, now)
            self.tick(now)
        elif self._is_ready:
            self.close_dialog()
        else:
            self._next_gate(now)

    # --- turns ---------------------------------------------------------------------------------------------

    def _submit(self, submission: Submission, now: float) -> None:
        self.trouble.has_error = False
        if submission.kind == "bang":
            self._record.add("bang", submission.text)
            self.transcript.add(Prompt(submission.text[1:].strip(), mark="!"))
            self.transcript.add(Notice("(a demo agent runs no shell commands of yours)", ink=c.GREY))
        elif submission.kind == "command":
            self._command(submission.text)
        elif self.activity.is_on:
            self._record.add("queued", submission.text)
            self._queue.append(submission)
        else:
            self._record.add("prompt", submission.text)
            self._start_turn((submission.text,), now)

    def _command(self, text: str) -> None:
        word = text.split()[0]
        if word not in COMMANDS:
            self._trace.add("unknown-command", text)
            self.transcript.add(Reply(f"Unknown command: {word}", ink=c.AMBER))
            return
        self._record.add("command", text)
        if word in ("/exit", "/quit"):
            raise Exit(0)
        if word == "/clear":
            self.transcript.clear()
        self.transcript.add(Prompt(text))
        self.transcript.add(Notice({"/compact": "Compacted"}.get(word, COMMANDS[word]), ink=c.GREY))

    def _start_turn(self, prompts: Sequence[str], now: float) -> None:
        for prompt in prompts:
            self.transcript.add(Prompt(prompt))
        if self.trouble.limit:
            self.trouble.repeat_limit()
            return
        self.play(self._brain.answer(prompts), now)

    def play(self, script: Script, now: float) -> None:
        """Begin a turn with `script`."""
        self.activity.play(script, now)
        self.tick(now)

    def end_turn(self, now: float) -> None:
        """Let the turn be done, and begin one with what has been queued."""
        self.activity.finish(now)
        self._send_queue(now)

    def _send_queue(self, now: float) -> None:
        if not self._queue:
            return
        queued, self._queue = self._queue, []
        texts = tuple(submission.text for submission in queued)
        self._trace.add("turn", "\n".join(texts))
        self._start_turn(texts, now)


def _completions(draft: str) -> tuple[tuple[str, str], ...]:
    if not draft.startswith("/") or " " in draft or "\n" in draft:
        return ()
    return tuple(item for item in COMMANDS.items() if item[0].startswith(draft))


def _banner(folder: str) -> list[str]:
    return [
        f"{c.ACCENT} ╭───────╮{c.RESET}  {c.BOLD}tmorch demo agent{c.RESET}",
        f"{c.ACCENT} │ {c.WHITE}◔   ◔{c.ACCENT} │{c.RESET}  {c.GREY}scripted · not a real AI{c.RESET}",
        f"{c.ACCENT} ╰───────╯{c.RESET}  {c.GREY}{folder}{c.RESET}",
    ]
