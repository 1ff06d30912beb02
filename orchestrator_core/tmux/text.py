"""What may be typed into a pane. Pure."""

from __future__ import annotations

import re

_LINE_ENDS = re.compile("\r\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return `text` as it is pasted: line breaks, tabs and printable characters only.

    CR LF and CR become LF. All other C0 controls, DEL and the C1 controls are dropped, ESC with them: an embedded
    `ESC[201~` cannot end the paste, its `[201~` stays as text. Lone surrogates, which no pane can show, become
    U+FFFD. Cleaning clean text changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
