"""What all roles of the show have in common: hearing, telling, working on files and with git."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from random import Random
from typing import NamedTuple

from orchestrator_core.agents.demo import files
from orchestrator_core.agents.demo.show.scenario import Scenario, scenario
from orchestrator_core.agents.demo.steps import Outcome, Run, Say, Script, Step, Think, Work

HEADER = re.compile(r"\[tmorch \d+ (?:from )?([^\]]+)\] ?")
PERSON = "the person"
CHECK_IN = "check-in"
"""How the header of a check-in goes on, whoever has set it."""
BETWEEN_MESSAGES_S = 20.0
"""At speed 1, at the least."""
MOST_MESSAGES = 60
"""That one demo agent ever sends: no loop of theirs goes on for ever."""
NOTES = "demo_notes"
QUOTED = 160
TASK = re.compile(r"\bTask (\d+)\b")
UNSIGNED = "git -c commit.gpgsign=false"
"""A demo never asks anybody for the passphrase of a key."""
COMMIT = f'git add -- "$1" && {UNSIGNED} commit -q -m "$2" -- "$1" && git log -1 --oneline --stat'
MERGE = f'{UNSIGNED} merge -q --no-edit "$1" || {{ git merge --abort; exit 1; }}; git log -1 --oneline'

Told = Generator[Step, Outcome, Outcome]
"""A part of a script that returns how it went."""


class Stage(NamedTuple):
    """What a player finds itself in."""

    role: str
    team: tuple[str, ...]
    folder: str
    orchestration: str
    tmorch: tuple[str, ...]
    python: str
    random: Random
    speed: float
    clock: Callable[[], float]
    is_resumed: bool = False
    """It was started again in the middle of its part."""


class Heard(NamedTuple):
    """A message, taken apart."""

    sender: str
    """A role, PERSON, or CHECK_IN."""
    text: str


class Player:
    """A role of the show. Sub-classes say how it opens and how it reacts."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.has_asked = False
        """Whether it has shown its permission prompt."""
        self._briefed = False
        self._sent = 0
        self._last_at: float | None = None
        """When it last heard something of another agent, or told it something."""

    def answer(self, prompts: Sequence[str]) -> Script:
        """Return one turn: the first prompt is the briefing, all others are messages."""
        for prompt in prompts:
            if not self._briefed:
                self._briefed = True
                yield from self.go_on() if self.stage.is_resumed else self.open(prompt)
                continue
            heard = take_apart(prompt)
            if heard.sender == PERSON:
                yield from self.answer_person(heard.text)
            elif heard.sender == CHECK_IN:
                yield from self.check_in(heard.text)
            else:
                self._last_at = self.stage.clock()
                yield from self.react(heard)

    def open(self, briefing: str) -> Script:
        """Play what comes after the briefing."""
        yield Think(self.pace(2, 4), "Reading")
        yield Say(f"I am the {self.title} of this team. I have a look at the project first.")
        yield self.look_around()

    def go_on(self) -> Script:
        """Play what comes after having been started again: nothing is done twice."""
        yield Think(self.pace(1, 2), "Reading")
        yield Say(f"I am the {self.title} again. I have read what was done before, and wait for what comes next.")

    def react(self, heard: Heard) -> Script:
        """Play what comes after a message of another agent."""
        yield Think(self.pace(2, 4))
        yield Say(f"Understood from {named(heard.sender)}: {quoted(heard.text)}")
        yield from self.note(f"{heard.sender}: {quoted(heard.text)}")
        task = TASK.search(heard.text)
        if task and heard.sender == "orchestrator":
            yield from self.tell("orchestrator", f"Task {task[1]} passes, as far as a demo agent can tell.")

    def answer_person(self, text: str) -> Script:
        """Play what comes after a message of the person: say what was understood, and do a small step."""
        yield Think(self.pace(2, 4))
        yield Say(f"You wrote: {quoted(text)}")
        yield Say(
            "I am a scripted demo agent: I cannot really do that, but I write it down where a real one would begin."
        )
        yield from self.note(f"the person: {quoted(text)}")

    def check_in(self, note: str) -> Script:
        """Play what comes after a check-in: say in a line how it stands."""
        yield Think(self.pace(1, 2), "Checking")
        yield Say(f"A check-in: {quoted(note)}")
        yield Say("Nothing of mine is open; I wait for what comes next.")

    @property
    def scenario(self) -> Scenario:
        """What there is to be done in the demo project."""
        return scenario()

    @property
    def title(self) -> str:
        """The role, for people."""
        return named(self.stage.role)

    def pace(self, shortest: float, longest: float) -> float:
        """Return a time in seconds that is a little different each time."""
        return self.stage.random.uniform(shortest, longest)

    def path(self, file: str) -> str:
        """Return where `file` of the worktree is."""
        return files.join(self.stage.folder, file)

    def has(self, role: str) -> bool:
        """Whether the team has another agent with `role`."""
        return role in self.stage.team and role != self.stage.role

    def branch(self, role: str) -> str:
        """Return the branch of another agent."""
        return f"tmorch/{self.stage.orchestration}/{role}"

    # --- parts of scripts ----------------------------------------------------------------------------------

    def tell(self, role: str, text: str) -> Script:
        """Send a message, not sooner than some seconds after the last one that was sent or heard."""
        if not self.has(role) or self._sent >= MOST_MESSAGES:
            yield Say(f"I keep this to myself: {quoted(text)}")
            return
        if self._last_at is not None:
            passed = (self.stage.clock() - self._last_at) * self.stage.speed
            if passed < BETWEEN_MESSAGES_S:
                yield Think(BETWEEN_MESSAGES_S - passed, "Composing")
        target = f"{self.stage.orchestration}:{role}" if self.stage.orchestration else role
        yield Run((*self.stage.tmorch, "send", target, text), f'Bash(tmorch send {role} "{quoted(text)}")', lines=2)
        self._sent += 1
        self._last_at = self.stage.clock()

    def look_around(self) -> Run:
        """Show what the project consists of."""
        return Run(("git", "ls-files"), "Bash(git ls-files)", seconds=self.pace(1, 2), lines=6)

    def read(self, file: str) -> Work:
        """Read a file of the worktree."""
        path = self.path(file)

        def act() -> str:
            lines = files.read(path).count("\n")
            return f"Read {lines} lines" if lines else "There is no such file"

        return Work(f"Read({file})", self.pace(1, 3), act)

    def write(self, file: str, text: str, *, title: str = "Write") -> Work:
        """Write a file of the worktree."""
        path = self.path(file)

        def act() -> str:
            before = files.read(path).count("\n")
            files.write(path, text)
            return f"Wrote {text.count(chr(10))} lines ({text.count(chr(10)) - before:+d})"

        return Work(f"{title}({file})", self.pace(2, 5), act)

    def commit(self, file: str, message: str) -> Run:
        """Commit one file on the agent's own branch."""
        script = (
            'git add -- "$1" && git -c commit.gpgsign=false commit -q -m "$2" -- "$1" && git log -1 --oneline --stat'
        )
        return Run(
            ("sh", "-c", script, "sh", file, message), f'Bash(git commit -m "{message}")', seconds=self.pace(0.5, 1.5)
        )

    def merge(self, role: str) -> Told:
        """Merge another agent's branch, or leave everything as it was when that does not work."""
        branch = self.branch(role)
        title = f"Bash(git merge {branch})"
        return (yield Run(("sh", "-c", MERGE, "sh", branch), title, seconds=self.pace(0.5, 1.5)))

    def run_tests(self, *words: str) -> Run:
        """Run the project's tests."""
        title = " ".join(("python -m unittest", *words))
        return Run((self.stage.python, "-m", "unittest", *words), f"Bash({title})", seconds=self.pace(1, 2), lines=8)

    @property
    def is_till(self) -> bool:
        """Whether this is the project that the tasks are written for."""
        return files.exists(self.path("till/basket.py"))

    def note(self, line: str) -> Script:
        """Add a line to the agent's own notes, and commit it."""
        file = f"{NOTES}/{self.stage.role}.md"
        before = files.read(self.path(file)) or f"# Notes of the {self.title} (a demo agent)\n\n"
        yield self.write(file, f"{before}- {line}\n", title="Edit")
        yield self.commit(file, f"Note: {line[:50]}")


def take_apart(prompt: str) -> Heard:
    """Return who wrote `prompt`, and what."""
    header = HEADER.match(prompt)
    if not header:
        return Heard(PERSON, prompt.strip())
    sender = CHECK_IN if header[1].startswith(CHECK_IN) else header[1].rpartition(":")[2]
    return Heard(sender, prompt[header.end() :].strip())


def named(role: str) -> str:
    """Return a role as people write it."""
    return role.replace("_", " ")


def quoted(text: str) -> str:
    """Return the beginning of `text` on one line."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"
