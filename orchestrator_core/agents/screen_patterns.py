"""How the screen of a kind of agent is read: the versioned pattern files in `patterns/`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from orchestrator_core.errors import NotFoundError, SettingsError

FOLDER = Path(__file__).parent / "patterns"
NEVER = r"(?!)"
VERSION = 2
"""Of the keys of a pattern file. It grows whenever a key changes its meaning; other versions are not read."""


class BoxPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prompt box: where the agent takes text."""

    prompts: tuple[str, ...] = ()
    typed_prompts: tuple[str, ...] = ()
    rule: str = "─"
    indent: int = 0
    pasted: str = ""
    placeholder_queued: str = ""


class FooterPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows below the prompt box that are the agent's own."""

    mode: str = NEVER
    cut: str = "…"
    separator: str = " · "


class TranscriptPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has been said, above the prompt box."""

    message: str = ""
    turn_starts: tuple[str, ...] = ()
    queued: str = ""
    hint_indent: int = 0
    tips: tuple[str, ...] = ()
    done: str = NEVER
    stopped: str = NEVER
    block: str = NEVER
    welcome: str = NEVER


class BusyPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of an agent at work."""

    footer: str = ""
    spinner: str = NEVER
    retrying: str = NEVER
    tool: str = NEVER
    background: str = NEVER


class LimitPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of a usage limit."""

    footer: str = NEVER
    footer_next: str = NEVER
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
    more: tuple[str, ...] = ()
    tick: str = NEVER
    plain: tuple[str, ...] = ()
    aside: str = NEVER
    typed: tuple[str, ...] = ()
    """How the labels begin of choices that take words of the person's own."""


class PermissionPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a permission prompt says what is asked for."""

    dashes: str = "\0"
    gutter: str = ""
    subjects: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    plain: str = ""


class QuestionPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The row over a question that names it."""

    tabs: str = NEVER
    submit: str = ""


class RedactPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stays of a screen that is shown to others, besides the phrases of the other tables."""

    keep: tuple[str, ...] = ()


class DialogPattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dialog: how it is known, and what is read from it. The pattern file says what each key means."""

    name: str
    says: str
    title: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    choice: str = ""
    foot: tuple[str, ...] = ()
    rule: str = ""
    rules: int = 1
    column: int | None = None
    detail: str = "title"
    gate: bool = False
    accept: str = ""
    refuse: str = ""


class PatternFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern file as it is written."""

    version: int
    """Of the keys, not of the agent: see `VERSION`."""
    agent_version: str
    """The version of the agent that the patterns were read from; empty when there is none."""
    readable: bool = True
    prompt: str = ""
    """For agents without a box: an expression for the row with the cursor when the agent takes text."""
    box: BoxPattern = BoxPattern()
    footer: FooterPattern = FooterPattern()
    transcript: TranscriptPattern = TranscriptPattern()
    busy: BusyPattern = BusyPattern()
    limit: LimitPattern = LimitPattern()
    error: ErrorPattern = ErrorPattern()
    choice: ChoicePattern = ChoicePattern()
    permission: PermissionPattern = PermissionPattern()
    question: QuestionPattern = QuestionPattern()
    redact: RedactPattern = RedactPattern()
    dialogs: tuple[DialogPattern, ...] = ()


class Patterns:
    """A pattern file with its expressions compiled. Never changed after it is made.

    Raises:
        SettingsError: the file's version is not ours, or an expression is broken; it names `source` and the key.

    """

    def __init__(self, file: PatternFile, source: str = "the screen patterns") -> None:
        if file.version != VERSION:
            raise _unusable(source, "version", f"is {file.version}; this tmorch reads version {VERSION}")
        self.source = source
        self.agent_version = file.agent_version
        self.readable = file.readable
        self.box = file.box
        self.footer = file.footer
        self.transcript = file.transcript
        self.starts = tuple(s for s in (file.transcript.message.strip(), *file.transcript.turn_starts) if s)
        self.busy_mark = file.busy.footer
        self.after_limit = file.limit.after
        self.before_limit = file.limit.before
        self.cursor = file.choice.cursor
        self.more = file.choice.more
        self.plain = file.choice.plain
        self.permission = file.permission
        self.submit = file.question.submit
        self.dialogs = file.dialogs
        self.phrases = tuple(_phrases(file))
        self.prompt = self._compiled("prompt", file.prompt) if file.prompt else None
        self.mode = self._compiled("footer.mode", file.footer.mode)
        self.tips = self._compiled("transcript.tips", "|".join(file.transcript.tips) or NEVER)
        self.done = self._compiled("transcript.done", file.transcript.done)
        self.stopped = self._compiled("transcript.stopped", file.transcript.stopped)
        self.block = self._compiled("transcript.block", file.transcript.block)
        self.welcome = self._compiled("transcript.welcome", file.transcript.welcome)
        self.spinner = self._compiled("busy.spinner", file.busy.spinner, "doing")
        self.retrying = self._compiled("busy.retrying", file.busy.retrying, "doing")
        self.tool = self._compiled("busy.tool", file.busy.tool, "doing")
        self.background = self._compiled("busy.background", file.busy.background)
        self.limit_footer = self._compiled("limit.footer", file.limit.footer, "detail")
        self.limit_footer_next = self._compiled("limit.footer_next", file.limit.footer_next)
        self.limit_notice = self._compiled("limit.notice", file.limit.notice, "detail")
        self.error_notice = self._compiled("error.notice", file.error.notice, "detail")
        self.error_reply = self._compiled("error.reply", file.error.reply, "detail")
        self.number = self._compiled("choice.number", file.choice.number, "key", "label")
        self.aside = self._compiled("choice.aside", file.choice.aside)
        self.tick = self._compiled("choice.tick", file.choice.tick)
        self.typed_choices = file.choice.typed
        self.tabs = self._compiled("question.tabs", file.question.tabs, "tab")
        self.details = {
            dialog.name: self._compiled(f"dialogs.{dialog.name}.detail", dialog.detail)
            for dialog in file.dialogs
            if "(" in dialog.detail
        }

    def _compiled(self, key: str, expression: str, *groups: str) -> re.Pattern[str]:
        """Compile `expression`, which must have `groups` unless it never matches."""
        try:
            pattern = re.compile(expression)
        except re.error as error:
            raise _unusable(self.source, key, f"is not an expression: {error}") from error
        missing = [group for group in groups if group not in pattern.groupindex]
        if missing and expression != NEVER:
            raise _unusable(self.source, key, f"has no group named {missing[0]!r}")
        return pattern

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


def _phrases(file: PatternFile) -> Iterator[str]:
    """Return the words that a screen is read by, as far as they are not in expressions."""
    yield from (*file.redact.keep, file.box.pasted, file.box.placeholder_queued, file.transcript.queued)
    yield from (file.busy.footer, *file.limit.after, *file.limit.before, file.permission.plain, file.question.submit)
    yield from (*file.permission.subjects, *file.permission.tools, *file.choice.plain)
    for dialog in file.dialogs:
        yield from (*dialog.title, *dialog.ask, *dialog.foot, dialog.choice, dialog.accept, dialog.refuse)


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
    return read_patterns(path.read_text(encoding="utf-8"), str(path))


def read_patterns(text: str, source: str) -> Patterns:
    """Return the patterns in the text of a pattern file that is called `source`.

    Raises:
        SettingsError: it cannot be used; the cause names the file and the key.

    """
    try:
        file = msgspec.convert(tomllib.loads(text), PatternFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _unusable(source, "", str(error)) from error
    return Patterns(file, source)


def _unusable(source: str, key: str, fault: str) -> SettingsError:
    return SettingsError(
        "a file of screen patterns cannot be used",
        cause=f"{source}: {f'`{key}` ' if key else ''}{fault}",
        remedy="correct it there, or install tmorch again",
    )


def unread() -> Patterns:
    """Return the patterns of an agent whose screen is not read."""
    return patterns("plain")


def line_prompt(expression: str) -> Patterns:
    """Return patterns for an agent that takes text on the row of the cursor, when that row matches.

    Raises:
        SettingsError: `expression` is not one.

    """
    return Patterns(PatternFile(version=VERSION, agent_version="", prompt=expression), "the settings")
