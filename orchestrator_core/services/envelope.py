"""What is typed for a message, and what of it lies at a prompt. Pure.

Claude Code keeps a paste of up to 800 characters and three lines as it is; a larger one is folded and marked as
possibly foreign, to be followed only as far as the user's own words ask for it. So a long text follows a short
sentence of our own, which goes first in a paste of its own. The header also takes the meaning from a leading `!`,
`/`, `-`, `#` or digit.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from orchestrator_core.models.message import CHECK_IN, CHECK_IN_BY, PERSON, AgentMessage, MessageKind

PLAIN_CHARACTERS = 800
PLAIN_LINES = 3
REQUEST = "Please act on this message: "
NAME_CHARACTERS = 80
TAIL = 24
"""How many letters of a text's end tell it from a person's draft, when its beginning is out of sight."""


class Envelope(Struct, frozen=True, kw_only=True):
    """A message as it is typed. The prompt is the `parts` in a row, each one paste."""

    mark: str
    """Begins this message's prompt and no other's; empty for a command, which nothing tells from a person's."""
    parts: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """What the agent is to get, to the character."""
        return "".join(self.parts)

    @property
    def is_command(self) -> bool:
        """Whether it is one of the agent's own commands, typed alone."""
        return not self.mark

    def is_in(self, text: str) -> bool:
        """Whether `text`, as it may be wrapped on screen, is or has this message's prompt."""
        return bool(self.mark) and _tight(self.mark) in _tight(text)


class Lying(StrEnum):
    """What of an envelope lies at a prompt."""

    NOTHING = "nothing"
    PART = "part"
    """Its beginning; the rest has not come, or does not show."""
    WHOLE = "whole"
    MIXED = "mixed"
    """All of it, with somebody else's text before or behind it."""


def seal(message: AgentMessage, text: str, commands: Collection[str] = ()) -> Envelope:
    """Return the envelope of `message`, whose cleaned text is `text`.

    A message that is one of the agent's own `commands` and nothing else is that command.
    """
    if message.kind is MessageKind.TEXT and text in commands:
        return Envelope(mark="", parts=(text,))
    mark = f"[tmorch {message.id} {_origin(message)}]"
    body = text + " " if text.endswith("\\") else text  # a backslash before Enter would make it a line break
    whole = f"{mark} {body}"
    is_plain = len(whole) <= PLAIN_CHARACTERS and whole.count("\n") < PLAIN_LINES
    return Envelope(mark=mark, parts=(whole,) if is_plain else (f"{mark} {REQUEST}", body))


def lying(draft: str, envelope: Envelope, fold: str = "") -> Lying:
    """Return what of `envelope` lies at a prompt that shows `draft`, wrapped as it may be.

    `fold` begins what the agent shows in the place of a long paste. Only letters and digits are compared: screens
    show the rest of what people write in their own ways.
    """
    if envelope.is_command:
        return _command_lying(draft.strip(), envelope.prompt)
    head, folded, behind = _tight(draft).partition(_tight(fold) or "\0")
    if folded:
        return _fold_lying(head, behind.partition("]")[2], envelope)
    shown, ours = _letters(draft), _letters(envelope.prompt)
    if not shown:
        return Lying.NOTHING
    if shown == ours or (ours.endswith(shown) and len(shown) >= TAIL):
        return Lying.WHOLE
    if ours.startswith(shown):
        return Lying.PART
    before, mark, _ = _tight(draft).partition(_tight(envelope.mark))
    if not mark:
        return Lying.NOTHING
    is_like_ours = abs(len(shown) - len(ours)) <= len(ours) // 10 and not shown.startswith(ours)
    return Lying.WHOLE if is_like_ours and not before else Lying.MIXED


def _command_lying(draft: str, command: str) -> Lying:
    if draft == command:
        return Lying.WHOLE
    if command in draft:
        return Lying.MIXED
    return Lying.PART if draft and command.startswith(draft) else Lying.NOTHING


def _fold_lying(head: str, behind: str, envelope: Envelope) -> Lying:
    ours, shown = _letters(envelope.parts[0]), _letters(head)
    if len(envelope.parts) > 1 and (shown == ours or (ours.endswith(shown) and len(shown) >= TAIL)):
        return Lying.MIXED if behind else Lying.WHOLE
    return Lying.MIXED if _tight(envelope.mark) in head else Lying.NOTHING


def _origin(message: AgentMessage) -> str:
    if message.kind is MessageKind.BRIEFING:
        return "briefing"
    if message.sender == CHECK_IN:
        return CHECK_IN
    if message.sender.startswith(CHECK_IN_BY):
        return f"{CHECK_IN_BY}{_said(message.sender.removeprefix(CHECK_IN_BY))}"
    return f"from {_said(message.sender)}"


def _said(sender: str) -> str:
    return "the person" if sender == PERSON else _name(sender)


def _name(sender: str) -> str:
    """Return what a sender calls itself in a form that cannot end the header."""
    kept = "".join(character if character.isprintable() and character not in "[]" else " " for character in sender)
    return " ".join(kept.split())[:NAME_CHARACTERS] or "somebody"


def _tight(text: str) -> str:
    return "".join(text.split())


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
