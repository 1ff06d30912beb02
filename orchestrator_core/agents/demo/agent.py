"""The demo agent itself: what it shows, and what keys, time and orders do to it. Its clock is given to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from time import localtime, strftime
from typing import NamedTuple, Protocol

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo import dialogs
from orchestrator_core.agents.demo.dialogs import Answer, Dialog, Form
from orchestrator_core.agents.demo.jobs import Jobs
from orchestrator_core.agents.demo.keys import Input, Key, Pasted, Typed
from orchestrator_core.agents.demo.prompt_box import PromptBox, Submission
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.steps import Script
from orchestrator_core.agents.demo.transcript import Notice, Plain, Prompt, Reply, Transcript
from orchestrator_core.agents.demo.turn import Turn
from orchestrator_core.agents.demo.view import View

SPINNER = "·✢✳✶✻✽✻✶✳✢"
FRAME_S = 0.2
SECOND_C_C_S = 2.0
VERBS = ("Pondering", "Sketching", "Weighing", "Untangling", "Rehearsing", "Composing", "Sifting", "Tinkering")
DONE = ("Baked", "Brewed", "Churned", "Cooked", "Worked")
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


class Limit(NamedTuple):
    """A usage limit that was hit."""

    until: str
    lifts_at: float


class DemoAgent:
    """One agent. Everything it does follows from `press`, `tick` and `order`."""

    def __init__(
        self, temper: Temper, brain: Brain, jobs: Jobs, *, now: float, record: Record, trace: Record, random: Random
    ) -> None:
        self.temper = temper
        self.transcript = Transcript()
        self._brain = brain
        self._jobs = jobs
        self._record = record
        self._trace = trace
        self._random = random
        self._box = PromptBox()
        self._gates = [dialogs.named(name, temper.folder) for name in temper.gates]
        self._dialog: Dialog | None = Dialog(self._gates.pop(0)) if self._gates else None
        self._ready_at = math.inf if self._dialog else now + temper.ready_after
        self._is_ready = False
        self._turn: Turn | None = None
        self._busy_until: float | None = None
        self._busy_since = now
        self._queue: list[Submission] = []
        self._swallow = temper.swallow_enters
        self._limit: Limit | None = None
        self._retry = ""
        self._error = False
        self._armed_until = 0.0
        self._verb = VERBS[0]
        self.quiet = False
        """It hangs: it neither reads nor draws until an order ends that."""

    @property
    def is_busy(self) -> bool:
        """Whether a turn is going on."""
        return self._turn is not None or self._busy_until is not None

    @property
    def dialog(self) -> Dialog | None:
        """The dialog that is open."""
        return self._dialog or (self._turn.dialog if self._turn else None)

    def deadline(self, now: float) -> float:
        """Return when `tick` has something to do, infinite when only input or an order can change anything."""
        times = [self._ready_at if not self._is_ready else math.inf]
        if self.is_busy and not self.dialog:
            times.append(self._next_frame(now))
        if self._busy_until is not None:
            times.append(self._busy_until)
        if self._turn:
            times.append(self._turn.until)
        if self._limit:
            times.append(self._limit.lifts_at)
        if self._armed_until > now:
            times.append(self._armed_until)
        return min(times)

    @property
    def _since(self) -> float:
        return self._turn.started if self._turn else self._busy_since

    def _next_frame(self, now: float) -> float:
        due = self._since + (int((now - self._since) / FRAME_S) + 1) * FRAME_S
        return due if due > now else due + FRAME_S  # not a rounding error later, but a frame

    def tick(self, now: float) -> None:
        """Do what is due."""
        if not self._is_ready and now >= self._ready_at:
            self._become_ready(now)
        if self._limit and now >= self._limit.lifts_at:
            self._lift_limit()
        if self._turn and not self._dialog:
            self._turn.advance(now)
            if self._turn.ended:
                self._end_turn(now)
        if self._busy_until is not None and now >= self._busy_until:
            self._end_turn(now)

    def view(self, now: float) -> View:
        """Return what is to be seen."""
        return View(
            transcript=self.transcript,
            name=self.temper.name,
            mode=self.temper.mode,
            draft=self._box.shown,
            placeholder=SEND_QUEUE if self._queue else AFTER_ERROR if self._error else "",
            completions=self._completions(),
            busy=self.is_busy,
            spinner=self._spinner(now),
            queued=tuple(submission.text for submission in self._queue),
            dialog=self.dialog,
            limit=self._limit.until if self._limit else "",
            warning="Press Ctrl-C again to exit" if self._armed_until > now else "",
            starting=not self._is_ready,
        )

    def _completions(self) -> tuple[tuple[str, str], ...]:
        shown = self._box.shown
        if not shown.startswith("/") or " " in shown or "\n" in shown:
            return ()
        return tuple(item for item in COMMANDS.items() if item[0].startswith(shown))

    def _spinner(self, now: float) -> str:
        if not self.is_busy:
            return ""
        since = self._since
        frame = SPINNER[int((now - since) / FRAME_S) % len(SPINNER)]
        if self._retry:
            return f"{frame} {self._retry} · retrying in 15s · attempt 6/10"
        verb = (self._turn.verb if self._turn else "") or self._verb
        return f"{frame} {verb}… ({int(now - since)}s · demo)"

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
                self._text_into_dialog(entry.text, now)
            elif isinstance(entry, Pasted):
                self._box.paste(entry.text)
            else:
                self._box.type(entry.text)
            typed = typed or isinstance(entry, Typed)

    def _key(self, name: str, now: float, *, after_text: bool) -> None:
        if name in ("C-c", "Escape", "C-d"):
            self._trace.add("key", name)
        if name == "C-c" or name == "C-d":
            self._leave(now)
        elif self.dialog:
            self._key_in_dialog(self.dialog, name, now)
        elif name == "Enter":
            self._enter(now, after_text=after_text)
        elif name == "Escape":
            self._escape(now)
        else:
            self._edit(name)

    def _edit(self, name: str) -> None:
        if name == "C-j":
            self._box.type("\n")
        elif name == "Backspace":
            self._box.erase()
        elif name == "C-u":
            self._box.clear()

    def _enter(self, now: float, *, after_text: bool) -> None:
        if not self._is_ready:
            return
        if after_text:
            self._box.type("\n")
            return
        if self._swallow and self._box.text:
            self._swallow -= 1
            return
        submission = self._box.enter()
        if submission:
            self._submit(submission, now)

    def _submit(self, submission: Submission, now: float) -> None:
        self._error = False
        if submission.kind == "bang":
            self._record.add("bang", submission.text)
            self.transcript.add(Prompt(submission.text[1:].strip(), mark="!"))
            self.transcript.add(Notice("(a demo agent runs no shell commands of yours)", ink=c.GREY))
        elif submission.kind == "command":
            self._command(submission.text)
        elif self.is_busy:
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

    def _escape(self, now: float) -> None:
        if self._limit:
            self._limit = None
        elif self.is_busy:
            self._interrupt(now)

    def _leave(self, now: float) -> None:
        """Take Ctrl-C: the first clears or interrupts, a second one soon after it ends the program."""
        if now < self._armed_until:
            raise Exit(0)
        self._armed_until = now + SECOND_C_C_S
        if self._box.text:
            self._box.clear()
        elif self.is_busy and not self.dialog:
            self._interrupt(now)

    def _interrupt(self, now: float) -> None:
        if self._turn:
            self._turn.interrupt()
        self.transcript.add(Notice("Interrupted · What should the demo agent do instead?"))
        self._end_turn(now, mark=False)

    # --- dialogs -------------------------------------------------------------------------------------------

    def _text_into_dialog(self, text: str, now: float) -> None:
        dialog = self.dialog
        answer = dialog.digit(text) if dialog else None
        if dialog and answer:
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
            self._answer_turn(answer, now)
        elif self._is_ready:
            self._dialog = None
        else:
            self._dialog = Dialog(self._gates.pop(0)) if self._gates else None
            self._ready_at = math.inf if self._dialog else now + self.temper.ready_after

    def _answer_turn(self, answer: Answer, now: float) -> None:
        if self._turn is None:
            return
        self._turn.answer(answer, now)
        if self._turn.ended:
            self._end_turn(now)

    def open_dialog(self, form: Form) -> None:
        """Show a dialog that belongs to no turn."""
        self._dialog = Dialog(form)

    # --- turns ---------------------------------------------------------------------------------------------

    def _start_turn(self, prompts: Sequence[str], now: float) -> None:
        for prompt in prompts:
            self.transcript.add(Prompt(prompt))
        if self._limit:
            self._show_limit(self._limit.until, again=True)
            return
        self.play(self._brain.answer(prompts), now)

    def play(self, script: Script, now: float) -> None:
        """Begin a turn with `script`."""
        self._verb = self._random.choice(VERBS)
        self._turn = Turn(script, self.transcript, self._jobs, now=now, speed=self.temper.speed)
        self._turn.advance(now)
        if self._turn.ended:
            self._end_turn(now)

    def _end_turn(self, now: float, *, mark: bool = True) -> None:
        since = self._since
        self._turn = None
        self._busy_until = None
        self._retry = ""
        if mark:
            clock = strftime("%I:%M %p", localtime()).removeprefix("0")
            verb = self._random.choice(DONE)
            self.transcript.add(Plain([f"{c.GREY}✻ {verb} for {int(now - since)}s · done {clock}{c.RESET}"]))
        if self._queue:
            queued, self._queue = self._queue, []
            texts = tuple(submission.text for submission in queued)
            self._trace.add("turn", "\n".join(texts))
            self._start_turn(texts, now)

    # --- orders --------------------------------------------------------------------------------------------

    def be_busy(self, seconds: float, now: float, *, retry: str = "") -> None:
        """Work on nothing for some seconds."""
        self._busy_since = now
        self._busy_until = now + seconds
        self._retry = retry

    def be_idle(self, now: float) -> None:
        """End whatever goes on: a turn, a dialog, a limit, an error."""
        self._dialog = None
        if self._limit:
            self._lift_limit()
        if self._error:
            self._error = False
            self.say("It works again.")
        if self._turn:
            self._turn.interrupt()
        if self.is_busy:
            self._end_turn(now)

    def hit_limit(self, until: str, lifts_at: float, *, menu: bool) -> None:
        """Show a usage limit: with a menu, or with the promise to go on by itself."""
        self._turn = None
        self._busy_until = None
        if menu:
            self.transcript.add(Notice(f"You've hit your 5-hour limit · resets {until} (UTC)"))
            self.open_dialog(dialogs.usage_limit(until))
            return
        self._limit = Limit(until, lifts_at)
        self._show_limit(until, again=False)

    def _lift_limit(self) -> None:
        self._limit = None
        self.transcript.add(Reply("Usage limit reset · Continuing automatically", ink=c.GREY))

    def _show_limit(self, until: str, *, again: bool) -> None:
        notice = Notice(f"You've hit your 5-hour limit · resets {until} (UTC)")
        reply = Reply(
            f"Usage limit reached{' again' if again else ''} · set to continue automatically at {until}", ink=c.GREY
        )
        for block in (reply, notice) if again else (notice, reply):
            self.transcript.add(block)

    def fail(self, text: str) -> None:
        """Show an error that ended the turn."""
        self._turn = None
        self._busy_until = None
        self._error = True
        self.transcript.add(Notice(text))

    def leave_draft(self, text: str) -> None:
        """Put text at the prompt, as a person does who has not sent it yet."""
        self._box.clear()
        self._box.type(text)

    def swallow_enters(self, count: int) -> None:
        """Lose the next Enters."""
        self._swallow = count

    def say(self, text: str) -> None:
        """Show a paragraph."""
        self.transcript.add(Reply(text))


def _banner(folder: str) -> list[str]:
    return [
        f"{c.ACCENT} ╭───────╮{c.RESET}  {c.BOLD}tmorch demo agent{c.RESET}",
        f"{c.ACCENT} │ {c.WHITE}◔   ◔{c.ACCENT} │{c.RESET}  {c.GREY}scripted · not a real AI{c.RESET}",
        f"{c.ACCENT} ╰───────╯{c.RESET}  {c.GREY}{folder}{c.RESET}",
    ]
