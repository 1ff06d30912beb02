"""A dialog that an agent shows, and its choices."""

from __future__ import annotations

from msgspec import Struct


class Choice(Struct, frozen=True, kw_only=True):
    """One choice of a dialog."""

    key: str
    """The digit that picks it at once; empty for choices without one."""
    label: str
    """Its first row on screen."""
    selected: bool
    """The cursor is on it: Enter would pick it."""


class OpenDialog(Struct, frozen=True, kw_only=True):
    """A dialog as it stands open on an agent's screen."""

    name: str
    """As in the pattern file: `permission`, `question`, `trust` …"""
    detail: str = ""
    """The command or question it asks about, whole when a hook told it, else as far as it is on screen."""
    seen: str = ""
    """The detail as it is on screen, perhaps cut or wrapped: what this dialog is recognised by."""
    choices: tuple[Choice, ...] = ()
    """From top to bottom; empty when it has none or they cannot be read."""
    is_gate: bool = False
    """It stands before the agent's first prompt."""

    @property
    def fingerprint(self) -> str:
        """Tells this dialog from another: its name, what is asked and its choices, not where the cursor is."""
        from hashlib import sha256  # commands that must start quickly never ask for it

        words = (self.name, self.seen or self.detail, *(f"{choice.key}.{choice.label}" for choice in self.choices))
        return sha256("\0".join(" ".join(word.split()) for word in words).encode()).hexdigest()[:16]
