"""What a script can have its agent do. A script is a generator: it yields steps and is sent their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple


class Outcome(NamedTuple):
    """How a step ended."""

    ok: bool = True
    text: str = ""
    """What a command put out, or the choice that was picked."""


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
    """A question with choices. It stays until somebody answers it."""

    question: str
    header: str
    choices: tuple[str, ...]


Step = Think | Say | Work | Run | Ask | Question
Script = Generator[Step, Outcome, None]
