"""What a script can have its agent do. A script is a generator: it yields steps and is sent their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple, Protocol


class Outcome(NamedTuple):
    """How a step ended."""

    ok: bool = True
    text: str = ""
    """What a command put out, or the choice that was picked."""


class Job(Protocol):
    """Something that was started and goes on beside the agent."""

    def poll(self, now: float) -> Outcome | None:
        """Return how it ended, or None while it runs. Never blocks."""
        ...


class Done:
    """A job that was over before it began."""

    def poll(self, now: float) -> Outcome | None:
        """Return that nothing came of it."""
        return Outcome()


class Await(NamedTuple):
    """Wait for something that was started elsewhere."""

    job: Job


class Think(NamedTuple):
    """Nothing but the spinner, for some seconds."""

    seconds: float
    verb: str = ""


class Say(NamedTuple):
    """A paragraph, and how long it takes to be said."""

    text: str
    seconds: float = 0.4


class Work(NamedTuple):
    """A tool that is not a process: shown as running for some seconds, then `act` is called."""

    title: str
    seconds: float
    act: Callable[[], str]
    """Does it, and returns what is shown as its result."""


class Run(NamedTuple):
    """A real command. Its outcome has what it put out."""

    argv: tuple[str, ...]
    title: str
    seconds: float = 0.0
    """How long it is shown as running at the least."""
    lines: int = 4
    """How many lines of its output are shown."""


class Ask(NamedTuple):
    """A permission prompt for a command. It stays until somebody answers it."""

    command: str
    purpose: str


class Question(NamedTuple):
    """A question with choices."""

    question: str
    header: str
    choices: tuple[str, ...]
    descriptions: tuple[str, ...] = ()
    multiple: bool = False
    """Any number of choices may be picked."""


class Inquire(NamedTuple):
    """Ask one question or several at once. They stay until somebody answers them."""

    questions: tuple[Question, ...]


Step = Await | Think | Say | Work | Run | Ask | Inquire
Script = Generator[Step, Outcome, None]
