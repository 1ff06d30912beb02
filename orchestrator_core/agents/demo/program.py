"""The demo agent as a program: one loop over its terminal, its clock and its orders."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from random import Random
from types import FrameType

from orchestrator_core.agents.demo import files, settings
from orchestrator_core.agents.demo import view as screen
from orchestrator_core.agents.demo.agent import DemoAgent
from orchestrator_core.agents.demo.answers import Echo
from orchestrator_core.agents.demo.control import Control
from orchestrator_core.agents.demo.conversation import Conversation, config_folder
from orchestrator_core.agents.demo.events import Events, Hooks, NoHooks
from orchestrator_core.agents.demo.jobs import Processes
from orchestrator_core.agents.demo.keys import KeyReader
from orchestrator_core.agents.demo.options import parse
from orchestrator_core.agents.demo.orders import obey
from orchestrator_core.agents.demo.presence import presence
from orchestrator_core.agents.demo.record import Record
from orchestrator_core.agents.demo.rounds import Brain
from orchestrator_core.agents.demo.temper import Exit, Temper
from orchestrator_core.agents.demo.terminal import Terminal

ESCAPE_S = 0.05
"""How long a lone Escape waits for the rest of a longer key."""
SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a program."""
LAST_WORDS_S = 1.5
"""How long hooks may take at the end."""
CLASSIC_SCREEN = "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN"


def main(argv: Sequence[str] | None = None) -> int:
    """Run until the person, an order or a signal ends it, and return the exit code."""
    options = parse(sys.argv[1:] if argv is None else argv)
    if not (os.isatty(0) and os.isatty(1)):
        sys.stderr.write("the demo agent needs a terminal\n")
        return 2
    conversation = _conversation(options)
    refusal = _refusal(options, conversation)
    if refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    program = Program(options, conversation)
    try:
        program.run()
    except Exit as end:
        code = end.code
        program.leave(end.reason)
    finally:
        program.terminal.close()
    # tmux scrolls a dead pane by one row: this one goes first
    sys.stdout.write(f"\nThe demo agent has ended. Its conversation was {conversation.id}.\n")
    return code


def _conversation(options: Namespace) -> Conversation:
    """Return the conversation to begin or to go on with; a show leaves Claude Code's folder alone."""
    folder = "" if options.role else config_folder()
    return Conversation(folder, files.here(), options.resume or options.session_id)


def _refusal(options: Namespace, conversation: Conversation) -> str:
    if options.resume and conversation.folder and not conversation.exists:
        return f"No conversation found with session ID: {options.resume}"
    if options.session_id and not options.resume and conversation.exists:
        return f"Error: Session ID {options.session_id} is already in use."
    return ""


class Program:
    """The parts, wired, and the loop."""

    def __init__(self, options: Namespace, conversation: Conversation) -> None:
        self._alternate = not (options.no_alternate_screen or os.environ.get(CLASSIC_SCREEN))
        self.terminal = Terminal(0, 1, alternate=self._alternate)
        self._echo = Echo(options.think)
        self._keys = KeyReader()
        self._escape_at = math.inf
        self._control = Control(options.control)
        self._wakeup, self._waker = os.pipe()
        self._resized = False
        self._ended_by: int | None = None
        self._printed = 0
        now = time.monotonic()
        found = settings.load(options.settings, () if options.role else settings.own_files(conversation.folder, "."))
        self._agent = DemoAgent(
            _temper(options, found),
            _brain(options, self._echo),
            Processes(),
            Events(_hooks(found), conversation, options.permission_mode, notify_scale=options.notify_scale),
            now=now,
            record=Record(options.record),
            trace=Record(options.trace),
            random=Random(options.seed or None),
        )
        self._limit_s = options.limit_for
        self._limit_at = now + options.limit_after if options.limit_for else math.inf
        has_file = bool(conversation.folder) and not options.no_session_file
        self._presence = presence(
            conversation,
            options.name,
            now,
            has_file=has_file,
            line=found.status_line,
            has_windows=bool(options.role),
        )

    def run(self) -> None:
        """Loop until something ends it.

        Raises:
            Exit: the person, an order or a signal ended it.

        """
        self._catch_signals()
        self.terminal.open()
        changed = True
        while True:
            if changed and not self._agent.quiet:
                self._presence.update(self._agent, time.monotonic())
                self._draw()
            changed = self._wait()
            if self._ended_by is not None:
                raise Exit(SIGNALLED + self._ended_by)
            now = time.monotonic()
            if now >= self._limit_at:
                self._limit_at = math.inf
                obey(self._agent, self._echo, {"do": "limit", "until": time.time() + self._limit_s}, now)
                changed = True
            for order in self._control.take():
                obey(self._agent, self._echo, order, now)
                changed = True
            if changed and not self._agent.quiet:
                self._agent.tick(now)

    def leave(self, reason: str) -> None:
        """Tell the hooks of the end, and leave nothing behind that says that we are there."""
        if self._agent.is_ready:
            self._agent.events.ended(reason)
            self._agent.events.hooks.finish(LAST_WORDS_S)
        self._presence.leave()

    def _catch_signals(self) -> None:
        os.set_blocking(self._waker, False)
        os.set_blocking(self._wakeup, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, self._on_resize)
        signal.signal(signal.SIGCHLD, self._on_child)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_end)

    def _on_resize(self, number: int, frame: FrameType | None) -> None:
        self._resized = True

    def _on_child(self, number: int, frame: FrameType | None) -> None:
        """Do nothing: to be woken is enough."""

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self._ended_by = number

    def _wait(self) -> bool:
        """Sleep until there is something to do, take input in, and return whether anything may have changed."""
        sources = [self._wakeup, *([] if self._agent.quiet else [self.terminal.source])]
        if self._control.fifo is not None:
            sources.append(self._control.fifo)
        due = math.inf if self._agent.quiet else self._deadline(time.monotonic())
        ready, _, _ = select.select(sources, [], [], self._timeout(due))
        if self._wakeup in ready:
            os.read(self._wakeup, 512)
        if self.terminal.source in ready:
            self._read()
        elif time.monotonic() >= self._escape_at:
            self._escape_at = math.inf
            self._agent.press(self._keys.flush(), time.monotonic())
            return True
        return bool(ready) or time.monotonic() >= due

    def _deadline(self, now: float) -> float:
        return min(self._agent.deadline(now), self._presence.deadline(now), self._limit_at)

    def _read(self) -> None:
        data = self.terminal.read()
        if not data:
            raise Exit(SIGNALLED + signal.SIGHUP)
        now = time.monotonic()
        self._agent.tick(now)
        self._agent.press(self._keys.feed(data), now)
        self._escape_at = now + ESCAPE_S if self._keys.waits else math.inf

    def _timeout(self, due: float) -> float | None:
        now = time.monotonic()
        if self._control.poll_s is not None:
            due = min(due, now + self._control.poll_s)
        due = min(due, self._escape_at)
        return None if due == math.inf else max(due - now, 0.0)

    def _draw(self) -> None:
        if self._resized:
            self._resized = False
            self.terminal.forget()
        columns, height = self.terminal.size
        view = self._agent.view(time.monotonic())._replace(status_line=self._presence.status_line)
        if self._alternate:
            self.terminal.paint(screen.compose(view, columns, height))
        elif view.starting:
            self.terminal.scroll([], screen.compose(view, columns, height) if view.dialog else [])
        else:
            self._draw_scrolling(view, columns, height)

    def _draw_scrolling(self, view: screen.View, columns: int, height: int) -> None:
        done, open_blocks = view.transcript.parted(self._printed)
        self._printed += len(done)
        live = [
            *screen.settled_rows(open_blocks, columns),
            *screen.live_part(view, columns),
            *screen.lower_part(view, columns, height),
        ]
        self.terminal.scroll(screen.settled_rows(done, columns), live[-height:])


def _temper(options: Namespace, found: settings.Settings) -> Temper:
    return Temper(
        name=options.name,
        folder=files.here(),
        mode=options.permission_mode,
        ready_after=options.ready_after,
        gates=options.gates,
        speed=options.speed,
        swallow_enters=options.swallow_enter,
        prompt=options.prompt,
        is_resumed=bool(options.resume),
        compact_s=options.think,
        continues=found.continues,
    )


def _hooks(found: settings.Settings) -> Hooks:
    if not found.hooks:
        return NoHooks()
    from orchestrator_core.agents.demo.hooks import HookRunner

    return HookRunner(found.hooks)


def _brain(options: Namespace, echo: Echo) -> Brain:
    if not options.role:
        return echo
    from orchestrator_core.agents.demo.show import brain_of

    return brain_of(options)
