"""The items of a list section: bullets, numbers, wrapped lines, nested lists, code, or plain lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

ITEM = re.compile(r"(?P<indent>\s*)(?:[-*+•·–]|\d{1,3}[.)]|[a-z]\))\s+(?:\[[ xX]\]\s+)?(?P<text>.*)$")
_EMPTY_ITEM = re.compile(r"\s*(?:[-*+•·–]|\d{1,3}[.)])\s*(?:\[[ xX]\])?\s*$")
RULE = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*$")
_SUBHEADING = re.compile(r" {0,3}#{1,6}\s+(?P<text>.*)$")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)(?P<text>[^*]+?)\1:?\s*$")
_WRAP_WIDTH = 68
"""From how many characters on a line is taken for full, so that the next one belongs to it."""
_HALF_WIDTH = 40
"""The same where the next line begins with a small letter."""
_EMPTY_LEAD_IN = re.compile(r"\bfollowing\b", re.IGNORECASE)
NOTHING = ("none", "none.", "n/a", "nothing", "-", "tbd")
"""What people write where there is nothing to say."""


class _Item:
    """One item while it is read."""

    def __init__(self, text: str, *, indent: int = 0, group: str = "", is_bullet: bool = True) -> None:
        self.lines = [text]
        self.indent = indent
        self.group = group
        self.is_bullet = is_bullet
        self.nested_indent: int | None = None
        self.width = len(text)
        """Of its last line as written."""

    @property
    def text(self) -> str:
        body = "\n".join(self.lines).strip("\n")
        return f"{self.group}: {body}" if self.group else body

    def wrap(self, text: str) -> None:
        self.lines[-1] = f"{self.lines[-1]} {text}".strip()
        self.width = len(text)

    def nest(self, text: str, indent: int) -> None:
        if self.nested_indent is None:
            self.nested_indent = indent
        self.lines.append(f"{' ' * (indent - self.nested_indent)}- {text}")

    def is_above(self, indent: int) -> bool:
        """Whether a line with that indent lies within this bullet."""
        return self.is_bullet and indent > self.indent + 1

    def goes_on(self, text: str, indent: int) -> bool:
        """Whether the next line, which is no bullet, belongs to this item."""
        if self.is_bullet:
            return indent > self.indent or not (text.endswith(":") and text[0].isupper())
        is_wrapped = self.width >= (_HALF_WIDTH if text[0].islower() else _WRAP_WIDTH)
        return indent > 0 or is_wrapped or self.lines[-1].endswith(",")


class _Reader:
    """Reads the lines of a section one by one."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self._group = ""
        """The subheading that the items stand below."""
        self._lead_in = ""
        """The line such as `Backend:` that the items stand below."""
        self._is_open = False
        """Whether a line may still belong to the last item without being indented."""
        self._after_code = False
        self._code_indent = 0

    def read(self, line: str, is_code: bool) -> None:
        line = line.expandtabs(4).rstrip()
        if is_code:
            self._code(line)
        elif not line or RULE.match(line) or _EMPTY_ITEM.match(line):
            self._is_open = False
        elif heading := _SUBHEADING.match(line) or _BOLD_LINE.match(line):
            self._group, self._lead_in, self._is_open = heading["text"].strip(" :*_#"), "", False
        elif item := ITEM.match(line):
            self._bullet(len(item["indent"]), item["text"])
        else:
            self._text(line)
        self._after_code = is_code

    @property
    def _last(self) -> _Item | None:
        return self.items[-1] if self.items else None

    def _code(self, line: str) -> None:
        indent = _indent(line)
        if not self._after_code:
            self._code_indent = indent
        line = line[min(indent, self._code_indent) :]
        if self._last is None:
            self._add(line)
        else:
            self._last.lines.append(line)
        self._is_open = True

    def _add(self, text: str, *, indent: int = 0, is_bullet: bool = True) -> None:
        group = ": ".join(part for part in (self._group, self._lead_in) if part)
        self.items.append(_Item(text, indent=indent, group=group, is_bullet=is_bullet))

    def _bullet(self, indent: int, text: str) -> None:
        self._take_lead_in()
        last = self._last
        if last and last.is_above(indent):
            last.nest(text, indent)
        else:
            self._add(text, indent=indent)
        self._is_open = True

    def _take_lead_in(self) -> None:
        """Turn a line such as `Backend:` before a list into what its items begin with."""
        last = self._last
        if last and not last.is_bullet and last.lines[-1].endswith(":"):
            text = self.items.pop().lines[-1].removesuffix(":")
            self._lead_in = "" if _EMPTY_LEAD_IN.search(text) else text

    def _text(self, line: str) -> None:
        last, text = self._last, line.strip()
        indent = _indent(line)
        if last and (self._after_code or (last.is_above(indent) and not self._is_open)):
            last.lines.append(text)
        elif last and self._is_open and last.goes_on(text, indent):
            last.wrap(text)
        else:
            self._lead_in = ""
            self._add(text, is_bullet=False)
        self._is_open = True


def read_items(lines: Sequence[str], code: Sequence[bool]) -> tuple[str, ...]:
    """Return the items of a section without their bullets or numbers.

    Wrapped lines are joined; nested items stay lines of their parent, `- ` first; items below a subheading begin
    with it. Lines without bullets are an item each unless they read on.
    """
    reader = _Reader()
    for line, is_code in zip(lines, code, strict=True):
        reader.read(line, is_code)
    texts = (item.text for item in reader.items)
    return tuple(text for text in texts if text and text.casefold() not in NOTHING)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
