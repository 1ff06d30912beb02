"""Writing commands for tmux's two parsers, and text for its formats, without losing a character. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_./:@+,-]+")
_NEEDS_ESCAPES = re.compile("[\x00-\x1f\x7f'\udc80-\udcff]")
_SPECIAL = re.compile('["$~\\\\\x01-\x1f\x7f\udc80-\udcff]')
_HASHES = re.compile(r"#+(?!#|\[)")
_BYTE_ESCAPES = 0xDC00
"""Where `surrogateescape` keeps the bytes of file names that are not UTF-8."""


def command_line(argv: Sequence[str]) -> str:
    """Return one line that tmux's own parser (control mode, `if-shell`) reads back as exactly `argv`.

    Raises:
        ValueError: `argv` is empty (an empty line would detach a control client) or holds a NUL.

    """
    if not argv or not argv[0]:
        raise ValueError("a tmux command needs a name")
    return " ".join(map(quote, argv))


def quote(text: str) -> str:
    """Return `text` as one argument in tmux's command language."""
    if "\0" in text:
        raise ValueError("tmux cannot take a NUL character")
    if _PLAIN.fullmatch(text):
        return text
    if not _NEEDS_ESCAPES.search(text):
        return f"'{text}'"
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"$~\\':
        return "\\" + character
    code = ord(character)
    return f"\\{code - _BYTE_ESCAPES if code > _BYTE_ESCAPES else code:03o}"


def process_arguments(commands: Sequence[Sequence[str]]) -> list[str]:
    """Return the arguments that make one `tmux` process run exactly `commands`, one after the other.

    tmux takes a `;` at the end of any argument for the end of a command, unless a backslash stands before it.
    """
    arguments: list[str] = []
    for argv in commands:
        if arguments:
            arguments.append(";")
        arguments += [f"{text[:-1]}\\;" if text.endswith(";") else text for text in argv]
    return arguments


def format_literal(text: str) -> str:
    """Return a format that expands to `text`: for names and folders, which tmux expands.

    `#[` begins a style, which tmux leaves as it is together with the `#` before it.
    """
    return _HASHES.sub(lambda match: match[0] * 2, text)


def format_operand(text: str) -> str:
    """Return `text` for use within `#{==:…,…}` and the like."""
    return re.sub(r"[#,}]", r"#\g<0>", text)
