"""How the screen of a kind of agent is read: the versioned pattern files in `patterns/`."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator_core.errors import NotFoundError

FOLDER = Path(__file__).parent / "patterns"
NEVER = r"(?!)"


class BoxPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prompt box: where the agent takes text."""

    prompts: tuple[str, ...] = ()
    typed_prompts: tuple[str, ...] = ()
    rule: str = "─"
    indent: int = 0
    pasted: str = ""
    placeholder_queued: str = ""


class TranscriptPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has been said, above the prompt box."""

    message: str = ""
    turn_starts: tuple[str, ...] = ()
    queued: str = ""
    hint_indent: int = 0
    tips: tuple[str, ...] = ()
    done: str = NEVER


class BusyPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of an agent at work."""

    footer: tuple[str, ...] = ()
    spinner: str = NEVER
    retrying: str = NEVER
    tool: str = NEVER
    background: str = NEVER


class LimitPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of a usage limit."""

    footer: str = NEVER
    notice: str = NEVER
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


class ErrorPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of a turn that an error ended."""

    notice: str = NEVER
    reply: str = NEVER


class ChoicePattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The choices of a dialog."""

    cursor: str = ""
    number: str = NEVER


class PermissionPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a permission prompt says what is asked for."""

    dashes: str = ""
    titles: tuple[str, ...] = ()


class DialogPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dialog: how it is known, and what is read from it."""

    name: str
    says: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    rules: int = 1
    last: int = 0
    """Only this many of the last rows with text are searched; 0: the whole dialog."""
    detail: str = "title"
    gate: bool = False
    accept: str = ""
    refuse: str = ""

    def matches(self, text: str) -> bool:
        """Whether `text`, white space folded, is this dialog's."""
        return all(phrase in text for phrase in self.all) and (
            not self.any or any(phrase in text for phrase in self.any)
        )


class PatternFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern file as it is written."""

    version: int
    agent_version: str
    readable: bool = True
    prompt: str = ""
    """For agents without a box: an expression for the row with the cursor when the agent takes text."""
    box: BoxPattern = BoxPattern()
    transcript: TranscriptPattern = TranscriptPattern()
    busy: BusyPattern = BusyPattern()
    limit: LimitPattern = LimitPattern()
    error: ErrorPattern = ErrorPattern()
    choice: ChoicePattern = ChoicePattern()
    permission: PermissionPattern = PermissionPattern()
    dialogs: tuple[DialogPattern, ...] = ()


class Patterns:
    """A pattern file with its expressions compiled. Never changed after it is made."""

    def __init__(self, file: PatternFile) -> None:
        self.readable = file.readable
        self.box = file.box
        self.transcript = file.transcript
        self.starts = tuple(s for s in (file.transcript.message.strip(), *file.transcript.turn_starts) if s)
        self.footer_marks = file.busy.footer
        self.after_limit = file.limit.after
        self.before_limit = file.limit.before
        self.cursor = file.choice.cursor
        self.permission = file.permission
        self.dialogs = file.dialogs
        self.prompt = re.compile(file.prompt) if file.prompt else None
        self.tips = re.compile("|".join(file.transcript.tips) or NEVER)
        self.done = re.compile(file.transcript.done)
        self.spinner = re.compile(file.busy.spinner)
        self.retrying = re.compile(file.busy.retrying)
        self.tool = re.compile(file.busy.tool)
        self.background = re.compile(file.busy.background)
        self.limit_footer = re.compile(file.limit.footer)
        self.limit_notice = re.compile(file.limit.notice)
        self.error_notice = re.compile(file.error.notice)
        self.error_reply = re.compile(file.error.reply)
        self.number = re.compile(file.choice.number)
        self.details = {d.name: re.compile(d.detail) for d in file.dialogs if "(" in d.detail}

    @property
    def gates(self) -> frozenset[str]:
        """The names of the dialogs that may stand before the first prompt."""
        return frozenset(dialog.name for dialog in self.dialogs if dialog.gate)

    def gate_answer(self, dialog: str, *, accept: bool) -> str:
        """Return the words of the choice that accepts or refuses `dialog`; empty when there is no such choice."""
        for pattern in self.dialogs:
            if pattern.name == dialog:
                return pattern.accept if accept else pattern.refuse
        return ""


@lru_cache
def patterns(name: str) -> Patterns:
    """Return the patterns in the file `name`.

    Raises:
        NotFoundError: there is no such file; the candidates are those there are.

    """
    path = FOLDER / f"{name}.toml"
    known = tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))
    if name not in known:
        raise NotFoundError(
            f"there are no screen patterns {name!r}",
            cause="the pattern files are: " + ", ".join(known),
            remedy='set `screen` to one of them, or to "none"',
            candidates=known,
        )
    return Patterns(msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), PatternFile))


def unread() -> Patterns:
    """Return the patterns of an agent whose screen is not read."""
    return patterns("plain")


def line_prompt(expression: str) -> Patterns:
    """Return patterns for an agent that takes text on the row of the cursor, when that row matches.

    Raises:
        re.error: `expression` is not one.

    """
    return Patterns(PatternFile(version=1, agent_version="", prompt=expression))
