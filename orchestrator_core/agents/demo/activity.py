"""What the demo agent is busy with. Its clock is given to it."""

from __future__ import annotations

import math
from random import Random
from time import localtime, strftime

from orchestrator_core.agents.demo import colours as c
from orchestrator_core.agents.demo.dialogs import Answer, Dialog
from orchestrator_core.agents.demo.jobs import Jobs
from orchestrator_core.agents.demo.steps import Script
from orchestrator_core.agents.demo.transcript import Plain, Transcript
from orchestrator_core.agents.demo.turn import Asked, Turn

SPINNER = "·✢✳✶✻✽✻✶✳✢"
FRAME_S = 0.2
VERBS = ("Pondering", "Sketching", "Weighing", "Untangling", "Rehearsing", "Composing", "Sifting", "Tinkering")
DONE = ("Baked", "Brewed", "Churned", "Cooked", "Worked")
RETRYING = "retrying in 15s · attempt 6/10"


class Activity:
    """At most one turn at a time, with its spinner."""

    def __init__(self, transcript: Transcript, jobs: Jobs, asked: Asked, random: Random, speed: float) -> None:
        self._transcript = transcript
        self._jobs = jobs
        self._asked = asked
        self._random = random
        self._speed = speed
        self._turn: Turn | None = None
        self._since = 0.0
        self._verb = VERBS[0]
        self._retry = ""
        self._is_told = True

    @property
    def is_on(self) -> bool:
        """Whether something is going on."""
        return self._turn is not None

    @property
    def is_refused(self) -> bool:
        """Whether the person has refused what the turn asked for."""
        return self._turn is not None and self._turn.is_refused

    @property
    def dialog(self) -> Dialog | None:
        """The dialog that the turn waits for."""
        return self._turn.dialog if self._turn else None

    def play(self, script: Script, now: float, *, retry: str = "", is_told: bool = True) -> None:
        """Begin a turn; `retry` names a request that is tried again, and not `is_told` leaves no row at its end."""
        self.stop()
        self._since = now
        self._verb = self._random.choice(VERBS)
        self._retry = retry
        self._is_told = is_told
        self._turn = self._new_turn(script, now)

    def wind_up(self, script: Script, now: float) -> None:
        """Drop what the turn still had to do, and let it end with `script`."""
        if self._turn:
            self._turn.interrupt()
            self._retry = ""
            self._turn = self._new_turn(script, now)

    def _new_turn(self, script: Script, now: float) -> Turn:
        return Turn(script, self._transcript, self._jobs, self._asked, now=now, speed=self._speed)

    def advance(self, now: float) -> bool:
        """Go on, and return whether it has come to its end by itself."""
        if not self._turn:
            return False
        self._turn.advance(now)
        return self._turn.ended

    def answer(self, answer: Answer, now: float) -> None:
        """Answer the dialog of the turn."""
        if self._turn:
            self._turn.answer(answer, now)

    def finish(self, now: float) -> None:
        """Come to an end, with the row that says so."""
        if self._is_told:
            self._tell_end(now)
        self.stop()

    def _tell_end(self, now: float) -> None:
        clock = strftime("%I:%M %p", localtime()).removeprefix("0")
        word = self._random.choice(DONE)
        self._transcript.add(Plain([f"{c.GREY}✻ {word} for {int(now - self._since)}s · done {clock}{c.RESET}"]))

    def stop(self) -> None:
        """Drop whatever is going on."""
        if self._turn and not self._turn.ended:
            self._turn.interrupt()
        self._turn = None
        self._retry = ""

    def deadline(self, now: float) -> float:
        """Return when to look again; infinite while nothing goes on or a dialog waits."""
        if not self._turn or self.dialog:
            return math.inf
        return min(self._next_frame(now), self._turn.until)

    def _next_frame(self, now: float) -> float:
        due = self._since + (int((now - self._since) / FRAME_S) + 1) * FRAME_S
        return due if due > now else due + FRAME_S  # not a rounding error later, but a frame

    def spinner(self, now: float) -> str:
        """Return the row that moves; empty when nothing goes on."""
        if not self._turn:
            return ""
        frame = SPINNER[int((now - self._since) / FRAME_S) % len(SPINNER)]
        if self._retry:
            return f"{frame} {self._retry} · {RETRYING}"
        verb = self._turn.verb or self._verb
        return f"{frame} {verb}… ({int(now - self._since)}s · demo)"
