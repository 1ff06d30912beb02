"""What lies at the prompt, and what an Enter makes of it. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

FOLD_CHARACTERS = 800
FOLD_LINES = 4
COMMAND = re.compile(r"/[A-Za-z][\w:-]*(?=\s|$)")


class Submission(NamedTuple):
    """Text that was sent, to the character."""

    text: str
    kind: str
    """`prompt`, `bang` (a shell command) or `command` (a word with a slash)."""


class _Fold(NamedTuple):
    """A long paste: shown as a mark, sent whole."""

    text: str
    number: int

    @property
    def mark(self) -> str:
        return f"[Pasted text #{self.number} +{self.text.count(chr(10))} lines]"


class PromptBox:
    """The unsent text. The cursor is always at its end."""

    def __init__(self) -> None:
        self._parts: list[str | _Fold] = []
        self._folds = 0

    @property
    def text(self) -> str:
        """What would be sent."""
        return "".join(part if isinstance(part, str) else part.text for part in self._parts)

    @property
    def shown(self) -> str:
        """What is to be seen of it."""
        return "".join(part if isinstance(part, str) else part.mark for part in self._parts)

    def type(self, text: str) -> None:
        """Add typed characters."""
        if text:
            self._parts.append(text)

    def paste(self, text: str) -> None:
        """Add a paste; a long one is folded."""
        if len(text) > FOLD_CHARACTERS or text.count("\n") + 1 >= FOLD_LINES:
            self._folds += 1
            self._parts.append(_Fold(text, self._folds))
        else:
            self.type(text)

    def erase(self) -> None:
        """Take the last character back, or the last fold as a whole."""
        if not self._parts:
            return
        last = self._parts.pop()
        if isinstance(last, str) and len(last) > 1:
            self._parts.append(last[:-1])

    def edit(self, key: str) -> None:
        """Do what a key that is not a character does to the text; other keys do nothing."""
        if key == "C-j":
            self.type("\n")
        elif key == "Backspace":
            self.erase()
        elif key == "C-u":
            self.clear()

    def clear(self) -> None:
        """Throw everything away."""
        self._parts.clear()

    def enter(self) -> Submission | None:
        """Send: empty the box and return what was in it. A backslash at the end makes a line break instead."""
        text = self.text
        if not text.strip():
            return None
        if text.endswith("\\"):
            if isinstance(self._parts[-1], str):
                self.erase()
            self.type("\n")
            return None
        self.clear()
        self._folds = 0
        return Submission(text, kind_of(text))


def kind_of(text: str) -> str:
    """Return what the agent takes `text` for."""
    if text.startswith("!"):
        return "bang"
    return "command" if COMMAND.match(text) else "prompt"
