"""Which keys are text to somebody who writes."""

from __future__ import annotations

from textual.keys import KEY_NAME_REPLACEMENTS

_NAMED = frozenset(KEY_NAME_REPLACEMENTS.values())


def writes(key: str, character: str | None) -> bool:
    """Whether a key puts a character into a text. Textual does not know the character of keys such as `slash`."""
    return key in _NAMED or (character is not None and character.isprintable())
