"""The demo agent itself: what keys, time and orders do to it. Its clock is given to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo import dialogs, standing
from orchestrator_core.agents.demo.activity import Activity
from orchestrator_core.agents.demo.background import Background, Task
from orchestrator_core.agents.demo.dialogs import Answer, Dialog, Form
from orchestrator_core.agents.demo.events import Events
from orchestrator_core.agents.demo.jobs import Jobs
from orchestrator_core.agents.demo.keys import Input, Key, Pasted, Typed
from orchestrator_core.agents.demo.prompt_box import PromptBox, Submission
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.rounds import Brain, Rounds
from orchestrator_core.agents.demo.standing import Standing
from orchestrator_core.agents.demo.steps import Done, Job, Script
from orchestrator_core.agents.demo.temper import COMMANDS, Exit, Temper, banner, completions
from orchestrator_core.agents.demo.transcript import Notice, Plain, Prompt, Reply, Transcript
from orchestrator_core.agents.demo.trouble import Limit, Trouble
from orchestrator_core.agents.demo.view import View

SECOND_C_C_S = 2.0
GUARD_S = 1.5
"""How long nobody must have typed before a dialog opens over an unsent text."""
HELD = "✶ Waiting for permission…"
RESTORE_S = 0.03
"""How long after the agent is idle an interrupted prompt comes back."""
SEND_QUEUE = "Press up to edit queued messages"
STOP_HOOK = "stop hook problem · ctrl+o to see"
AFTER_ERROR = "Once fixed, resend your message"
AFTER_LIMIT = "Your claude.ai usage limit has reset. Continue the task you were working on."
BY_THE_PERSON = "prompt_input_exit"


class DemoAgent:
    """One agent. Everything it does follows from `press`, `tick` and the orders."""

    def __init__(
        self,
        temper: Temper,
        brain: Brain,
        jobs: Jobs,
        events: Events,
        *,
        now: float,
        record: Record,
        trace: Record,
        random: Random,
    ) -> None:
        self.temper = temper
        self.events = events
        self.transcript = Transcript()
        self.activity = Activity(self.transcript, jobs, events.asked, random, temper.speed)
        self.background = Background()
        self.trouble = Trouble(self.transcript)
        self.box = PromptBox()
        self.swallow = temper.swallow_enters
        """How many Enters are yet to be lost."""
        self.quiet = False
        """It hangs: it neither reads nor draws until an order ends that."""
        self.lie: Standing | None = None
        """What it says of itself instead of the truth."""
        self._rounds = Rounds(brain, self.transcript, self.activity, events, self.background, record)
        self._record = record
        self._trace = trace
        self._gates = [dialogs.named(name, temper.folder) for name in temper.gates]
        self._dialog: Dialog | None = None
        self.is_ready = False
        """It has passed its dialogs and takes prompts."""
        self._ready_at = math.inf
        self._queue: list[Submission] = []
        self._offered: Limit | None = None
        """The limit that the open menu is about."""
        self._armed_until = 0.0
        self._unanswered: tuple[str, int] | None = None
        """The prompt of the turn, and how many blocks there were right after it."""
        self._restore_at = math.inf
        self._typed_at = -math.inf
        self._is_held = False
        self._next_gate(now)

    @property
    def dialog(self) -> Dialog | None:
        """The dialog that is open; while somebody types, one of a turn is held back."""
        return self._dialog or (None if self._is_held else self.activity.dialog)

    @property
    def standing(self) -> Standing:
        """How it stands; it says idle while it waits for a usage limit, and waits for a dialog that is held back."""
        dialog = self._dialog or self.activity.dialog
        if dialog:
            return standing.waiting(dialog.name)
        if self.activity.is_on:
            return standing.BUSY
        return standing.SHELL if self.background.shells else standing.IDLE

    def deadline(self, now: float) -> float:
        """Return when `tick` has something to do; infinite when only input or an order can change anything."""
        return min(
            math.inf if self.is_ready else self._ready_at,
            self.activity.deadline(now),
            self.trouble.lifts_at,
            self.background.deadline,
            self._restore_at,
            self._typed_at + GUARD_S if self._is_held else math.inf,
            self.events.deadline(now),
            self._armed_until if self._armed_until > now else math.inf,
        )

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.events.hooks.advance(now)
        if not self.is_ready and now >= self._ready_at:
            self._become_ready(now)
        if now >= self.trouble.lifts_at:
            self._outlast_limit(now)
        if now >= self._restore_at:
            self._restore_prompt()
        for task in self.background.end(now):
            self._hear_of_end(task, now)
        if not self._dialog and self.activity.advance(now):
            self.activity.finish(now)
            self._send_queue(now)
        self._hold_back(now)
        self.events.tick(self.standing, now)

    def _hold_back(self, now: float) -> None:
        self._is_held = self.activity.dialog is not None and bool(self.box.text) and now < self._typed_at + GUARD_S

    def view(self, now: float) -> View:
        """Return what is to be seen."""
        return View(
            transcript=self.transcript,
            name=self.temper.name,
            mode=self.temper.mode,
            draft=self.box.shown,
            placeholder=SEND_QUEUE if self._queue else AFTER_ERROR if self.trouble.has_error else "",
            completions=completions(self.box.shown),
            busy=self.activity.is_on,
            spinner=HELD if self._is_held else self.activity.spinner(now),
            queued=tuple(submission.text for submission in self._queue),
            dialog=self.dialog,
            limit=self.trouble.limit,
            shells=self.background.shells,
            tasks=len(self.background.tasks),
            hint=STOP_HOOK if self._rounds.has_feedback else "",
            warning="Press Ctrl-C again to exit" if self._armed_until > now else "",
            starting=not self.is_ready,
        )

    def _next_gate(self, now: float) -> None:
        self._dialog = Dialog(self._gates.pop(0)) if self._gates else None
        self._ready_at = math.inf if self._dialog else now + self.temper.ready_after

    def _become_ready(self, now: float) -> None:
        self.is_ready = True
        self.transcript.add(Plain(banner(self.temper.folder)))
        if self.temper.is_resumed:
            for who, text in self.events.conversation.earlier():
                self.transcript.add(Prompt(text) if who == "user" else Reply(text))
        self.events.begun("resume" if self.temper.is_resumed else "startup", self.temper.name)
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
                self._text_into_dialog(self.dialog, entry, now)
            elif isinstance(entry, Pasted):
                self.box.paste(entry.text)
                self._typed_at = now
            else:
                self.box.type(entry.text)
                self._typed_at = now
            typed = typed or isinstance(entry, Typed)
            self._hold_back(now)

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
        if not self.is_ready:
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
            raise Exit(0, BY_THE_PERSON)
        self._armed_until = now + SECOND_C_C_S
        if self.box.text:
            self.box.clear()
        elif self.activity.is_on and not self.dialog:
            self._interrupt(now)

    def _interrupt(self, now: float) -> None:
        self.activity.stop()
        if self._unanswered and self._unanswered[1] == self.transcript.added and not self._queue:
            self.transcript.take_back()
            self._restore_at = now + RESTORE_S
            return
        self.transcript.add(Notice("Interrupted · What should the demo agent do instead?"))
        self._send_queue(now)

    def _restore_prompt(self) -> None:
        """Put a prompt back that was interrupted before there was an answer; it fuses with what lies there."""
        self._restore_at = math.inf
        if self._unanswered:
            self.box.type(self._unanswered[0])

    # --- dialogs -------------------------------------------------------------------------------------------

    def open_dialog(self, form: Form) -> None:
        """Show a dialog that belongs to no turn."""
        self._dialog = Dialog(form)

    def close_dialog(self) -> None:
        """Take away a dialog that belongs to no turn."""
        self._dialog = None

    def _text_into_dialog(self, dialog: Dialog, entry: Typed | Pasted, now: float) -> None:
        answer = dialog.take(entry.text, pasted=isinstance(entry, Pasted))
        if answer:
            self._answer(dialog, answer, now)

    def _key_in_dialog(self, dialog: Dialog, name: str, now: float) -> None:
        answer: Answer | None = None
        if name in ("Up", "Down"):
            dialog.move(-1 if name == "Up" else 1)
        elif name in ("Left", "S-Tab", "Right", "Tab"):
            dialog.turn(1 if name in ("Right", "Tab") else -1)
        elif name == "Enter":
            answer = dialog.confirm()
        elif name == "Escape":
            answer = Answer(-1, "Escape")
        if answer:
            self._answer(dialog, answer, now)

    def _answer(self, dialog: Dialog, answer: Answer, now: float) -> None:
        self._trace.add("answer", f"{dialog.name}: {answer.label}")
        if answer.choice in dialog.form.fatal:
            raise Exit(1)
        if not self._dialog:
            self.activity.answer(answer, now)
            self.tick(now)
        elif self.is_ready:
            self.close_dialog()
            self._choose_at_limit(answer)
        else:
            self._next_gate(now)

    def _choose_at_limit(self, answer: Answer) -> None:
        if self._offered and answer.choice == dialogs.CONTINUE_AFTER_LIMIT:
            self.trouble.wait_for(self._offered)
        self._offered = None

    # --- turns ---------------------------------------------------------------------------------------------

    def _submit(self, submission: Submission, now: float) -> None:
        self.trouble.has_error = False
        if submission.kind == "bang":
            self._record.add("bang", submission.text)
            self.transcript.add(Prompt(submission.text[1:].strip(), mark="!"))
            self.transcript.add(Notice("(a demo agent runs no shell commands of yours)", ink=c.GREY))
        elif submission.kind == "command":
            self._take_command(submission, now)
        else:
            self._take_prompt(submission, now)

    def _take_prompt(self, submission: Submission, now: float) -> None:
        heard = self.events.prompted(submission.text)
        if self.activity.is_on:
            self._record.add("queued", submission.text)
            self._queue.append(submission)
        else:
            self._record.add("prompt", submission.text)
            self._start_turn((submission.text,), heard, now)

    def _take_command(self, submission: Submission, now: float) -> None:
        word = submission.text.split()[0]
        if word not in COMMANDS:
            self._trace.add("unknown-command", submission.text)
            self.transcript.add(Reply(f"Unknown command: {word}", ink=c.AMBER))
            return
        self._record.add("command", submission.text)
        if word in ("/exit", "/quit"):
            raise Exit(0, BY_THE_PERSON)
        if self.activity.is_on:
            self._queue.append(submission)
        else:
            self._run_command(submission.text, now)

    def _run_command(self, text: str, now: float) -> None:
        word = text.split()[0]
        if word == "/clear":
            self._begin_anew()
        self.transcript.add(Prompt(text))
        if word == "/compact":
            self.activity.play(self._rounds.compact(self.temper.compact_s), now, is_told=False)
            self.tick(now)
        elif word != "/clear":
            self.transcript.add(Notice(COMMANDS[word], ink=c.GREY))

    def _begin_anew(self) -> None:
        self.events.ended("clear")
        self.events.conversation.renew()
        self.events.begun("clear", self.temper.name)
        self.transcript.clear()

    def _start_turn(self, prompts: Sequence[str], heard: Job, now: float) -> None:
        for prompt in prompts:
            self.transcript.add(Prompt(prompt))
        if self.trouble.limit:
            self.trouble.repeat_limit(self.trouble.limit)
            self._tell_of_limit(self.trouble.limit)
            return
        self._unanswered = (prompts[0], self.transcript.added) if len(prompts) == 1 else None
        self._play(self._rounds.answer(prompts, heard), now)

    def play(self, script: Script, now: float, *, retry: str = "") -> None:
        """Begin a turn with `script`; `retry` names a request that is tried again."""
        self._unanswered = None
        self._play(self._rounds.whole(script), now, retry=retry)

    def _play(self, script: Script, now: float, *, retry: str = "") -> None:
        self.activity.play(script, now, retry=retry)
        self.tick(now)

    def end_turn(self, now: float) -> None:
        """Let the turn be done, and begin one with what has been queued."""
        self.activity.wind_up(self._rounds.closing(), now)
        self.tick(now)

    def _send_queue(self, now: float) -> None:
        """Do what has been queued: commands one by one, and prompts that follow each other in one turn."""
        while self._queue and not self.activity.is_on:
            if self._queue[0].kind == "command":
                self._run_command(self._queue.pop(0).text, now)
                continue
            count = next((at for at, each in enumerate(self._queue) if each.kind == "command"), len(self._queue))
            texts = tuple(each.text for each in self._queue[:count])
            del self._queue[:count]
            self._trace.add("turn", "\n".join(texts))
            self._start_turn(texts, Done(), now)

    # --- what comes from elsewhere -------------------------------------------------------------------------

    def hit_limit(self, limit: Limit, *, asks: bool) -> None:
        """Let a usage limit end the turn; not to go on by itself is chosen in a menu, if it `asks`."""
        self.activity.stop()
        self.trouble.tell_limit(limit)
        self._tell_of_limit(limit)
        if asks:
            self._offered = limit
            self.open_dialog(dialogs.usage_limit(limit.until))
        else:
            self.trouble.wait_for(limit)

    def _tell_of_limit(self, limit: Limit) -> None:
        self.events.failed("rate_limit", limit.text)
        self.events.conversation.add_limit(limit.text, limit.window, limit.resets_at)

    def fail(self, error: str, text: str) -> None:
        """Let an error end the turn; `error` is what the hooks are told."""
        self.activity.stop()
        self.trouble.fail(text)
        self.events.failed(error, text)

    def _outlast_limit(self, now: float) -> None:
        goes_on = self.trouble.limit is not None and self.trouble.limit.continues
        self.trouble.end()
        if not goes_on or self.activity.is_on:
            return
        self._unanswered = None
        self._trace.add("continued", AFTER_LIMIT)
        self.events.notified("quota_auto_resume_fired")
        heard = self.events.prompted(AFTER_LIMIT)
        self._play(self._rounds.answer((AFTER_LIMIT,), heard), now)

    def start_task(self, kind: str, description: str, until: float) -> None:
        """Begin something in the background: a `subagent` or a `shell`."""
        task = self.background.start(kind, description, until)
        if task.is_subagent:
            self.transcript.add(Reply(f"Agent({description})"))
            self.transcript.add(Notice("Backgrounded agent (↓ to manage · ctrl+o to expand)", ink=c.GREY))
            self.events.subagent_started(task.subagent)

    def _hear_of_end(self, task: Task, now: float) -> None:
        if task.is_subagent:
            self.events.subagent_stopped(task.subagent, "It is done.", [task.told, *self.background.told])
            self.transcript.add(Reply(f'Agent "{task.description}" finished'))
        else:
            self.transcript.add(Reply(f'Background command "{task.description}" completed (exit code 0)'))
        if not self.activity.is_on and not self.trouble.limit:
            self._unanswered = None
            self._play(self._rounds.resume_after(task), now)
